/* Shapes of the net's values, symbolic in the batch, and what picks numbers out of constants and joins them. */
#include "runtime/fold_impl.h"

#include <math.h>
#include <string.h>

/* The dims of what a node reads: of a net value with N for the batch, of a constant as they are. */
static bool dims_of(const tonnx__builder *builder, const tonnx__node *node, size_t *rank, tonnx__number *dims)
{
    const tonnx__fact *fact = tonnx__fact_of(builder, tonnx__node_input(node, 0));
    if (fact->kind == TONNX__FACT_UNKNOWN) return false;
    *rank = fact->rank;
    for (size_t i = 0; i < fact->rank; i++) dims[i] = (tonnx__number){ .constant = (double)fact->dims[i] };
    if (fact->kind != TONNX__FACT_VALUE) return true;
    if (fact->transposed) dims[0].constant = (double)builder->net->values[fact->value].features;
    if (fact->rank) dims[fact->transposed ? 1 : 0] = (tonnx__number){ .per_row = 1 };
    return true;
}

/* Shape, of the axes [start, end) from opset 15 on. */
tonnx_status tonnx__fold_shape(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    tonnx__number dims[TONNX__MAX_RANK];
    tonnx__derivation d;
    size_t rank = 0;
    if (!dims_of(builder, node, &rank, dims)) return TONNX_OK;
    int64_t start = tonnx__node_int(node, "start", 0), end = tonnx__node_int(node, "end", (int64_t)rank);
    if (start < 0) start += (int64_t)rank;
    if (end < 0) end += (int64_t)rank;
    if (start < 0) start = 0;
    if (end > (int64_t)rank) end = (int64_t)rank;
    const size_t count = end > start ? (size_t)(end - start) : 0;
    tonnx_status status = tonnx__derive_start(&d, builder, node, TONNX_INT64, 1, &count);
    for (size_t i = 0; i < count && !status; i++) status = tonnx__derive_put(&d, i, dims[(size_t)start + i]);
    return status ? status : tonnx__derive_finish(&d, known);
}

/* Size: the product of the dims, of which at most one holds N. */
tonnx_status tonnx__fold_size(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    tonnx__number dims[TONNX__MAX_RANK], product = { .constant = 1 };
    tonnx__derivation d;
    size_t rank = 0;
    if (!dims_of(builder, node, &rank, dims)) return TONNX_OK;
    for (size_t i = 0; i < rank; i++) {
        if (dims[i].per_row != 0) product = (tonnx__number){ .per_row = product.constant };
        else product = (tonnx__number){ product.constant * dims[i].constant, product.per_row * dims[i].constant };
    }
    tonnx_status status = tonnx__derive_start(&d, builder, node, TONNX_INT64, 0, NULL);
    if (!status) status = tonnx__derive_put(&d, 0, product);
    return status ? status : tonnx__derive_finish(&d, known);
}

/* Elements before, along and after an axis. */
static void split_at(const tonnx__fact *fact, size_t axis, size_t *outer, size_t *inner)
{
    *outer = *inner = 1;
    for (size_t i = 0; i < axis; i++) *outer *= fact->dims[i];
    for (size_t i = axis + 1; i < fact->rank; i++) *inner *= fact->dims[i];
}

/* Gather of several elements of an axis, by a vector of indices. */
tonnx_status tonnx__fold_gathered(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *index = tonnx__constant_input(builder, node, 1);
    const tonnx__fact *found = tonnx__shape_input(builder, node, 0);
    size_t axis = 0, outer, inner, dims[TONNX__MAX_RANK];
    tonnx__derivation d;
    if (!found || !index || index->rank != 1 || !tonnx__axis(tonnx__node_int(node, "axis", 0), found->rank, &axis))
        return TONNX_OK;
    const tonnx__fact from = *found, indices = *index;
    split_at(&from, axis, &outer, &inner);
    memcpy(dims, from.dims, sizeof dims);
    dims[axis] = indices.dims[0];
    tonnx_status status = tonnx__derive_start(&d, builder, node, tonnx__fact_dtype(builder, &from), from.rank, dims);
    for (size_t i = 0; !status && i < d.count; i++) {
        const size_t o = i / inner / dims[axis], k = i / inner % dims[axis];
        size_t at = 0;
        if (!tonnx__axis(tonnx__fact_get_int(builder, &indices, k), from.dims[axis], &at)) return TONNX_OK;
        status =
            tonnx__derive_put(&d, i, tonnx__number_of(builder, &from, (o * from.dims[axis] + at) * inner + i % inner));
    }
    return status ? status : tonnx__derive_finish(&d, known);
}

/* The dims of joined constants; false where one is none, or they do not fit. */
static bool concat_dims(const tonnx__builder *builder, const tonnx__node *node, size_t *rank, size_t *dims,
                        size_t *axis)
{
    for (size_t k = 0; k < node->input_count; k++) {
        const tonnx__fact *in = tonnx__shape_input(builder, node, k);
        if (!in || (k && in->rank != *rank)) return false;
        if (!k) {
            *rank = in->rank;
            memcpy(dims, in->dims, sizeof in->dims);
            if (!tonnx__axis(tonnx__node_int(node, "axis", 1), *rank, axis)) return false;
            continue;
        }
        for (size_t i = 0; i < *rank; i++)
            if (i != *axis && in->dims[i] != dims[i]) return false;
        if (!tonnx__add(&dims[*axis], dims[*axis], in->dims[*axis])) return false;
    }
    return node->input_count > 0;
}

tonnx_status tonnx__fold_concat(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    size_t rank = 0, axis = 0, outer, inner, dims[TONNX__MAX_RANK] = { 0 };
    tonnx__derivation d;
    if (!concat_dims(builder, node, &rank, dims, &axis)) return TONNX_OK;
    const tonnx_dtype dtype = tonnx__fact_dtype(builder, tonnx__shape_input(builder, node, 0));
    tonnx_status status = tonnx__derive_start(&d, builder, node, dtype, rank, dims);
    size_t before = 0;
    for (size_t k = 0; k < node->input_count && !status; k++) {
        const tonnx__fact in = *tonnx__shape_input(builder, node, k);
        const size_t length = in.dims[axis], count = tonnx__fact_count(&in);
        split_at(&in, axis, &outer, &inner);
        for (size_t i = 0; i < count && !status; i++) {
            const size_t o = i / inner / length, at = before + i / inner % length;
            status =
                tonnx__derive_put(&d, (o * dims[axis] + at) * inner + i % inner, tonnx__number_of(builder, &in, i));
        }
        before += length;
    }
    return status ? status : tonnx__derive_finish(&d, known);
}

/* Range: start, start + delta, … below the limit. */
tonnx_status tonnx__fold_range(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *first = tonnx__constant_input(builder, node, 0);
    double start = 0, limit = 0, delta = 0;
    tonnx__derivation d;
    if (!tonnx__fact_scalar(builder, first, &start) ||
        !tonnx__fact_scalar(builder, tonnx__constant_input(builder, node, 1), &limit) ||
        !tonnx__fact_scalar(builder, tonnx__constant_input(builder, node, 2), &delta))
        return TONNX_OK;
    const double steps = ceil((limit - start) / delta);
    if (!(steps > 0 && steps < INT32_MAX)) return TONNX_OK;
    const size_t count = (size_t)steps;
    tonnx_status status = tonnx__derive_start(&d, builder, node, tonnx__fact_dtype(builder, first), 1, &count);
    for (size_t i = 0; i < count && !status; i++)
        status = tonnx__derive_put(&d, i, (tonnx__number){ .constant = start + (double)i * delta });
    return status ? status : tonnx__derive_finish(&d, known);
}

/* ConstantOfShape: `value` everywhere, a float 0 where absent. One row stands for a batch of N: they are all the same.
 */
tonnx_status tonnx__fold_filled(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *shape = tonnx__shape_input(builder, node, 0);
    const tonnx__attribute *value = tonnx__node_attribute(node, "value");
    const tonnx__tensor *tensor = value ? value->tensor : NULL;
    size_t dims[TONNX__MAX_RANK];
    tonnx__derivation d;
    if (!shape || shape->rank != 1 || shape->dims[0] > TONNX__MAX_RANK || (value && (!tensor || tensor->count != 1)))
        return TONNX_OK;
    const size_t rank = shape->dims[0];
    for (size_t i = 0; i < rank; i++) {
        const tonnx__number wanted = tonnx__number_of(builder, shape, i);
        const bool batch = i == 0 && wanted.per_row == 1 && wanted.constant == 0;
        if (wanted.constant < 0 || (wanted.per_row != 0 && !batch)) return TONNX_OK;
        dims[i] = batch ? 1 : (size_t)wanted.constant;
    }
    const double fill = tensor ? tonnx__tensor_get(tensor, 0) : 0;
    tonnx_status status = tonnx__derive_start(&d, builder, node, tensor ? tensor->dtype : TONNX_FLOAT, rank, dims);
    for (size_t i = 0; !status && i < d.count; i++)
        status = tonnx__derive_put(&d, i, (tonnx__number){ .constant = fill });
    return status ? status : tonnx__derive_finish(&d, known);
}
