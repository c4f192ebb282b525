/* Numbers of constants, and constants made of them. */
#include "runtime/fold_impl.h"

#include <math.h>

/* Beyond what the file itself holds, computed constants may take this much: masks, shapes, folded scales. */
enum { DERIVED_BYTES = 4 << 20 };

/* Whole numbers up to here are exact in a double. */
#define WHOLE_MOST 0x1p53

tonnx__number tonnx__number_of(const tonnx__builder *builder, const tonnx__fact *fact, size_t index)
{
    return (tonnx__number){ tonnx__fact_get(builder, fact, index), tonnx__fact_per_row(fact, index) };
}

tonnx__number tonnx__number_at(const tonnx__builder *builder, const tonnx__fact *fact, size_t rank, const size_t *dims,
                               size_t index)
{
    size_t at = 0, stride = 1;
    for (size_t i = rank; i-- > 0 && i + fact->rank >= rank; index /= dims[i]) {
        const size_t axis = i + fact->rank - rank;
        if (fact->dims[axis] != 1) at += index % dims[i] * stride;
        stride *= fact->dims[axis];
    }
    return tonnx__number_of(builder, fact, at);
}

tonnx_dtype tonnx__fact_dtype(const tonnx__builder *builder, const tonnx__fact *fact)
{
    return fact->tensor >= 0 ? builder->model->tensors[fact->tensor].dtype : fact->constant->dtype;
}

/* A tensor of zeros that the net owns. */
static tonnx_status own_tensor(tonnx_net *net, tonnx__tensor **out, const char *name, tonnx_dtype dtype, size_t rank,
                               const size_t *dims)
{
    int64_t signed_dims[TONNX__MAX_RANK];
    *out = NULL;
    for (size_t i = 0; i < rank; i++) signed_dims[i] = (int64_t)dims[i];
    tonnx_status status = tonnx__grow(&net->derived, &net->derived_room, net->derived_count + 1, sizeof *net->derived);
    if (!status) status = tonnx__alloc(&net->derived[net->derived_count], 1, sizeof **net->derived);
    if (status) return status;
    *out = net->derived[net->derived_count++];
    status = tonnx__tensor_make(*out, name, dtype, rank, signed_dims);
    return status ? status : tonnx__tensor_touch(*out);
}

/* Draws on what computed constants may take: 16 bytes an element cover its value and the copy that is filled. */
static tonnx_status spend(tonnx__derivation *d, size_t rank, const size_t *dims)
{
    size_t bytes = 16;
    bool fits = true;
    for (size_t i = 0; i < rank; i++) fits = fits && tonnx__mul(&bytes, bytes, dims[i]);
    fits = fits && tonnx__add(&d->builder->derived_bytes, d->builder->derived_bytes, bytes);
    if (fits && d->builder->derived_bytes <= DERIVED_BYTES + 4 * d->builder->model->source_size) return TONNX_OK;
    return tonnx__node_fail(d->builder, d->node,
                            "the constants that it computes grow beyond any use; export with constant folding on");
}

tonnx_status tonnx__derive_start(tonnx__derivation *d, tonnx__builder *builder, const tonnx__node *node,
                                 tonnx_dtype dtype, size_t rank, const size_t *dims)
{
    tonnx__tensor *tensor = NULL;
    *d = (tonnx__derivation){ .builder = builder, .node = node, .exact = true };
    tonnx_status status = spend(d, rank, dims);
    if (!status) status = own_tensor(builder->net, &tensor, node->outputs[0], dtype, rank, dims);
    if (status) return status;
    tonnx__fact_whole(&d->fact, tensor);
    d->fact.constant = tensor;
    d->fact.derived = true;
    d->fact.name = node->outputs[0];
    d->count = tensor->count;
    return TONNX_OK;
}

/* The first N among the elements: from here on the constant is a SHAPE. */
static tonnx_status become_symbolic(tonnx__derivation *d)
{
    d->symbolic = true;
    d->fact.kind = TONNX__FACT_SHAPE;
    return own_tensor(d->builder->net, &d->fact.per_row, d->node->outputs[0], TONNX_INT64, d->fact.rank, d->fact.dims);
}

tonnx_status tonnx__derive_put(tonnx__derivation *d, size_t index, tonnx__number number)
{
    const bool whole = !tonnx__is_float(d->fact.constant->dtype);
    if (number.per_row != 0 && !d->symbolic) {
        const tonnx_status status = become_symbolic(d);
        if (status) return status;
    }
    if (whole && !(fabs(number.constant) < WHOLE_MOST && fabs(number.per_row) < WHOLE_MOST)) d->exact = false;
    tonnx__tensor_set(d->fact.constant, index, number.constant);
    if (d->symbolic) tonnx__tensor_set(d->fact.per_row, index, number.per_row);
    return TONNX_OK;
}

tonnx_status tonnx__derive_finish(tonnx__derivation *d, bool *known)
{
    *known = d->exact;
    return d->exact ? tonnx__fact_set(d->builder, d->node->outputs[0], &d->fact) : TONNX_OK;
}
