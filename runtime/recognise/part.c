/* Parts of a value's features: Slice, Split, SplitToSequence; and SwiGLU, whose two inputs such parts usually are. */
#include <string.h>

#include "runtime/fold_impl.h"
#include "runtime/recognise/recognise_impl.h"

static bool is_matrix(const tonnx__fact *x)
{
    return x->rank == 2 && !x->transposed;
}

/* Features [from, from + width) of x, as the node's output `output`. */
static tonnx_status add_slice(tonnx__builder *builder, const tonnx__node *node, size_t output, const tonnx__operand *x,
                              size_t from, size_t width)
{
    tonnx__node part = *node; /* a layer is named after its node's first output */
    tonnx__layer *layer = NULL;
    part.outputs = node->outputs + output;
    const tonnx_status status = tonnx__layer_add(builder, &layer, TONNX__LAYER_SLICE, &part, x, 1, width, NULL);
    if (status) return status;
    layer->from = from;
    layer->width = width;
    return TONNX_OK;
}

/* The whole numbers that an input holds (from some opset on) or an attribute (before it), up to `room`; *count of
 * them. False where they are not known, or depend on the batch. */
static bool whole_numbers(const tonnx__builder *builder, const tonnx__node *node, size_t input, const char *attribute,
                          int64_t *out, size_t room, size_t *count)
{
    const tonnx__attribute *listed = tonnx__node_attribute(node, attribute);
    const tonnx__fact *fact = tonnx__shape_input(builder, node, input);
    *count = listed ? listed->count : fact ? tonnx__fact_count(fact) : 0;
    if (*count > room || (!listed && !fact && *tonnx__node_input(node, input))) return false;
    for (size_t i = 0; i < *count; i++) {
        if (!listed && tonnx__fact_per_row(fact, i) != 0) return false;
        out[i] = listed ? listed->ints[i] : tonnx__fact_get_int(builder, fact, i);
    }
    return true;
}

/* An index of Slice among `size` elements: from the end where negative, held to [0, size]. */
static size_t clamp_index(int64_t i, size_t size)
{
    if (i < 0) i += (int64_t)size;
    return i < 0 ? 0 : i > (int64_t)size ? size : (size_t)i;
}

/* Slice 1 (attributes), 10 and later (inputs): [:, from:to], where all samples stay. */
static tonnx_status recognise_slice(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x, bool *known)
{
    enum { AXES = 2 };
    const size_t features = builder->net->values[x->value].features;
    const tonnx__operand in = { x->value, -1 };
    int64_t starts[AXES], ends[AXES], axes[AXES] = { 0, 1 }, steps[AXES];
    size_t count, other, from = 0, to = features;
    if (!whole_numbers(builder, node, 1, "starts", starts, AXES, &count) ||
        !whole_numbers(builder, node, 2, "ends", ends, AXES, &other) || other != count ||
        !whole_numbers(builder, node, 3, "axes", axes, AXES, &other) || (other && other != count) ||
        !whole_numbers(builder, node, 4, "steps", steps, AXES, &other) || (other && other != count))
        return TONNX_OK;
    for (size_t i = 0; i < count; i++) {
        size_t axis = 0;
        if (!tonnx__axis(axes[i], 2, &axis) || (other && steps[i] != 1)) return TONNX_OK;
        if (axis == 0 && (starts[i] != 0 || ends[i] < INT32_MAX)) return TONNX_OK;
        if (axis == 1) from = clamp_index(starts[i], features), to = clamp_index(ends[i], features);
    }
    if (from >= to)
        return tonnx__node_fail(builder, node, "no feature of %zu is left; mend its starts and ends", features);
    *known = true;
    return add_slice(builder, node, 0, &in, from, to - from);
}

tonnx_status tonnx__split_widths(const tonnx__builder *builder, const tonnx__node *node, size_t features,
                                 int64_t *widths, bool *good)
{
    const size_t parts = node->output_count;
    size_t count = 0, left = features;
    *good = whole_numbers(builder, node, 1, "split", widths, parts, &count) && (!count || count == parts);
    if (!*good) return TONNX_OK;
    const size_t each = (features + parts - 1) / parts;
    for (size_t i = 0; i < parts; i++) {
        if (!count) widths[i] = (int64_t)(each < left ? each : left);
        if (widths[i] < 1 || (size_t)widths[i] > left)
            return tonnx__node_fail(builder, node, "%zu features cannot be split into %zu parts so; mend its sizes",
                                    features, parts);
        left -= (size_t)widths[i];
    }
    return left ? tonnx__node_fail(builder, node, "%zu features of %zu are left over; mend its sizes", left, features)
                : TONNX_OK;
}

static tonnx_status recognise_split(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x, bool *known)
{
    const size_t features = builder->net->values[x->value].features;
    const tonnx__operand in = { x->value, -1 };
    int64_t *widths = NULL;
    size_t axis = 0, from = 0;
    if (!tonnx__axis(tonnx__node_int(node, "axis", 0), 2, &axis) || axis != 1 || !node->output_count) return TONNX_OK;
    tonnx_status status = tonnx__alloc(&widths, node->output_count, sizeof *widths);
    if (!status) status = tonnx__split_widths(builder, node, features, widths, known);
    for (size_t i = 0; i < node->output_count && *known && !status; i++) {
        if (*node->outputs[i]) status = add_slice(builder, node, i, &in, from, (size_t)widths[i]);
        from += (size_t)widths[i];
    }
    tonnx__free(widths);
    return status;
}

/* Part `position` of SplitToSequence over `features` of them: `split` is one width for all parts, of which the last may
 * be smaller, or a list of widths. False where there is no such part. */
static bool part_of_sequence(const tonnx__builder *builder, const tonnx__fact *split, double position, size_t features,
                             size_t *from, size_t *width)
{
    const double each = tonnx__fact_get(builder, split, 0);
    const size_t parts = split->rank ? tonnx__fact_count(split)
                         : each >= 1 ? (size_t)((double)(features - 1) / each) + 1
                                     : 0;
    size_t at = 0;
    *from = *width = 0;
    if (!tonnx__axis((int64_t)position, parts, &at)) return false;
    for (size_t i = 0; i <= at; i++) {
        const double next = split->rank ? tonnx__fact_get(builder, split, i) : each;
        *from += *width;
        if (!(next >= 1) || *from >= features) return false;
        *width = next < (double)(features - *from) ? (size_t)next : features - *from;
    }
    return true;
}

/* SequenceAt(SplitToSequence(x, split), k): part k of x, as torch.export writes chunk where it does not optimize. */
static tonnx_status recognise_sequence(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__node *split = tonnx__maker_of(builder, tonnx__node_input(node, 0), "SplitToSequence");
    const tonnx__fact *x = split ? tonnx__value_input(builder, split, 0) : NULL;
    const tonnx__fact *widths = split ? tonnx__constant_input(builder, split, 1) : NULL;
    size_t axis = 0, from = 0, width = 0;
    double position = 0;
    if (!x || !widths || !is_matrix(x) || !tonnx__axis(tonnx__node_int(split, "axis", 0), 2, &axis) || axis != 1 ||
        !tonnx__fact_scalar(builder, tonnx__constant_input(builder, node, 1), &position) ||
        !part_of_sequence(builder, widths, position, builder->net->values[x->value].features, &from, &width))
        return TONNX_OK;
    *known = true;
    return add_slice(builder, node, 0, &(tonnx__operand){ x->value, -1 }, from, width);
}

/* SwiGLU 28: Y = Swish_alpha(A)·B. */
static tonnx_status recognise_swiglu(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *a,
                                     bool *known)
{
    const tonnx__fact *b = tonnx__value_input(builder, node, 1);
    const double alpha = tonnx__node_float(node, "alpha", 1);
    tonnx__layer *layer = NULL;
    if (!b || !is_matrix(b) || builder->net->values[a->value].features != builder->net->values[b->value].features)
        return TONNX_OK;
    const size_t features = builder->net->values[a->value].features;
    tonnx__operand in[2] = { { -1, -1 }, { b->value, -1 } };
    tonnx_status status =
        tonnx__activation_add(builder, &layer, node, a, alpha == 1 ? TONNX_ACT_silu : TONNX_ACT_swish, NULL);
    if (status) return status;
    layer->a = alpha;
    in[0].value = layer->out;
    *known = true;
    status = tonnx__layer_add(builder, &layer, TONNX__LAYER_BINARY, node, in, 2, features, NULL);
    if (!status) layer->binary = TONNX__MUL;
    return status;
}

tonnx_status tonnx__recognise_part(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    if (!strcmp(node->op_type, "SequenceAt")) return recognise_sequence(builder, node, known);
    if (!x || !is_matrix(x)) return TONNX_OK;
    if (!strcmp(node->op_type, "Slice")) return recognise_slice(builder, node, x, known);
    if (!strcmp(node->op_type, "Split")) return recognise_split(builder, node, x, known);
    if (!strcmp(node->op_type, "SwiGLU")) return recognise_swiglu(builder, node, x, known);
    return TONNX_OK;
}
