/* Axes of 1 in data: Squeeze and Unsqueeze, which change how a net value is seen and nothing else. */
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

size_t tonnx__node_axis_count(const tonnx__builder *builder, const tonnx__node *node)
{
    const tonnx__attribute *attribute = tonnx__node_attribute(node, "axes");
    const tonnx__fact *input = tonnx__constant_input(builder, node, 1);
    return attribute ? attribute->count : input ? tonnx__fact_count(input) : 0;
}

bool tonnx__node_axes(const tonnx__builder *builder, const tonnx__node *node, size_t rank, bool *chosen)
{
    const tonnx__attribute *attribute = tonnx__node_attribute(node, "axes");
    const tonnx__fact *input = tonnx__constant_input(builder, node, 1);
    const size_t count = tonnx__node_axis_count(builder, node);
    for (size_t i = 0; i < count; i++) {
        int64_t axis = attribute ? attribute->ints[i] : tonnx__fact_get_int(builder, input, i);
        if (axis < 0) axis += (int64_t)rank;
        if (axis < 0 || axis >= (int64_t)rank) return false;
        chosen[axis] = true;
    }
    return count || !*tonnx__node_input(node, 1);
}

/* The batch stays; an axis that holds more than one feature cannot go. */
static bool squeeze(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    bool chosen[TONNX__MAX_RANK] = { false };
    const bool all = !tonnx__node_axis_count(builder, node);
    size_t kept = 1;
    if (!tonnx__node_axes(builder, node, fact->rank, chosen) || chosen[0]) return false;
    for (size_t i = 1; i < fact->rank; i++) {
        if (fact->dims[i] == 1 && (all || chosen[i])) continue;
        if (chosen[i]) return false;
        fact->dims[kept++] = fact->dims[i];
    }
    fact->rank = kept;
    return true;
}

static bool unsqueeze(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const size_t added = tonnx__node_axis_count(builder, node);
    const tonnx__fact from = *fact;
    bool chosen[TONNX__MAX_RANK] = { false };
    if (added > TONNX__MAX_RANK - from.rank) return false;
    fact->rank = from.rank + added;
    if (!tonnx__node_axes(builder, node, fact->rank, chosen) || chosen[0]) return false;
    for (size_t i = 1, k = 1; i < fact->rank; i++) {
        if (!chosen[i] && k >= from.rank) return false;
        fact->dims[i] = chosen[i] ? 1 : from.dims[k++];
    }
    return true;
}

tonnx_status tonnx__recognise_axes(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    const bool squeezes = !strcmp(node->op_type, "Squeeze");
    if (!x || x->transposed || !x->rank || (!squeezes && strcmp(node->op_type, "Unsqueeze") != 0)) return TONNX_OK;
    tonnx__fact fact = *x;
    if (!(squeezes ? squeeze(builder, node, &fact) : unsqueeze(builder, node, &fact))) return TONNX_OK;
    *known = true;
    return tonnx__fact_set(builder, node->outputs[0], &fact);
}
