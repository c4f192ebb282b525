/* A head's tail: what stands behind the last trainable value and only decides (ArgMax, ZipMap, a cast to a label). The
 * net ends before it; the file keeps it. */
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

static bool only_decides(const tonnx__node *node)
{
    static const char *const ops[] = {
        "ArgMax",    "ArgMin",      "TopK",      "Cast",   "Identity", "Reshape",
        "Squeeze",   "Flatten",     "Unsqueeze", "Gather", "Greater",  "GreaterOrEqual",
        "Less",      "Round",       "ZipMap",    "Equal",  "Not",      "ArrayFeatureExtractor",
        "Binarizer", "LabelEncoder"
    };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (!strcmp(node->op_type, ops[i])) return true;
    return false;
}

/* The one input of a node that is no constant; NULL where there are several. */
static const char *data_input(const tonnx__builder *builder, const tonnx__node *node)
{
    const char *found = NULL;
    for (size_t i = 0; i < node->input_count; i++) {
        const char *name = node->inputs[i];
        const tonnx__fact_kind kind = tonnx__fact_of(builder, name)->kind;
        const bool made = tonnx__map_get(&builder->maker, name) >= 0;
        if (!*name || kind == TONNX__FACT_CONSTANT || (kind == TONNX__FACT_UNKNOWN && !made)) continue;
        if (found) return NULL;
        found = name;
    }
    return found;
}

const char *tonnx__before_tail(const tonnx__builder *builder, const char *output)
{
    const char *name = output;
    for (size_t steps = 0; name && steps <= builder->node_count; steps++) {
        const tonnx__fact_kind kind = tonnx__fact_of(builder, name)->kind;
        const ptrdiff_t maker = tonnx__map_get(&builder->maker, name);
        if (kind == TONNX__FACT_VALUE) return name;
        if (kind != TONNX__FACT_UNKNOWN || maker < 0 || !only_decides(builder->nodes[maker])) return NULL;
        name = data_input(builder, builder->nodes[maker]);
    }
    return NULL;
}
