/* What moves data without computing: the same net value under another name or shape. */
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

/* The node's output is the same net value, seen as `fact` says. */
static tonnx_status same_value(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *fact, bool *known)
{
    *known = true;
    return tonnx__fact_set(builder, node->outputs[0], fact);
}

static bool is_flat(const tonnx__builder *builder, const tonnx__fact *x)
{
    return x->rank == 2 && x->dims[1] == builder->net->values[x->value].features;
}

/* Flatten(axis 1): [N, …] → [N, F]. On [N, F] itself nothing changes. */
static tonnx_status recognise_flatten(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                      bool *known)
{
    const int64_t axis = tonnx__node_int(node, "axis", 1);
    tonnx__fact fact = *x;
    if (x->transposed || !(axis == 1 || (axis < 0 && axis + (int64_t)x->rank == 1))) return TONNX_OK;
    fact.rank = 2;
    fact.dims[1] = builder->net->values[x->value].features;
    return same_value(builder, node, &fact, known);
}

/* Reshape to [batch, …] where batch is −1, 0 (copied) or a fixed number, and the rest holds the features: [0, −1],
 * [−1, 784], [−1, 28, 28], [0, 28, 28]. */
static tonnx_status recognise_reshape(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                      bool *known)
{
    const tonnx__fact *shape = tonnx__shape_input(builder, node, 1);
    const size_t features = builder->net->values[x->value].features;
    tonnx__fact fact = *x;
    size_t product = 1;
    ptrdiff_t rest = -1;
    if (!shape || shape->rank != 1 || shape->dims[0] < 1 || shape->dims[0] > TONNX__MAX_RANK || x->transposed)
        return TONNX_OK;
    const double rows = tonnx__fact_per_row(shape, 0);
    if (rows != 0 && (rows != 1 || tonnx__fact_get(builder, shape, 0) != 0)) return TONNX_OK; /* no longer [N, …] */
    fact.rank = shape->dims[0];
    for (size_t i = 1; i < fact.rank; i++) {
        const double d = tonnx__fact_get(builder, shape, i);
        if (tonnx__fact_per_row(shape, i) != 0) return TONNX_OK;
        if (d == -1) rest = (ptrdiff_t)i;
        fact.dims[i] = d == 0 && i < x->rank ? x->dims[i] : d > 0 && d <= (double)features ? (size_t)d : 1;
        if (d < -1 || !tonnx__mul(&product, product, fact.dims[i])) return TONNX_OK;
    }
    if (rest >= 0 && product) fact.dims[rest] = features / product;
    if ((rest >= 0 ? fact.dims[rest] * product : product) != features) return TONNX_OK;
    return same_value(builder, node, &fact, known);
}

static tonnx_status recognise_transpose(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                        bool *known)
{
    const tonnx__attribute *perm = tonnx__node_attribute(node, "perm");
    tonnx__fact fact = *x;
    if (!is_flat(builder, x) || (perm && !tonnx__is_permutation(perm, 2))) return TONNX_OK;
    if (!perm || perm->ints[0] == 1) fact.transposed = !fact.transposed;
    return same_value(builder, node, &fact, known);
}

tonnx_status tonnx__recognise_shape(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    if (!x) return TONNX_OK;
    if (tonnx__passes_on(builder, node)) return same_value(builder, node, x, known);
    if (!strcmp(node->op_type, "Flatten")) return recognise_flatten(builder, node, x, known);
    if (!strcmp(node->op_type, "Reshape")) return recognise_reshape(builder, node, x, known);
    if (!strcmp(node->op_type, "Transpose")) return recognise_transpose(builder, node, x, known);
    return TONNX_OK;
}
