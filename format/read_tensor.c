/* Tensors as a graph holds them: dense ones, in the file or beside it, and sparse ones, which become dense. */
#include <string.h>

#include "format/external_impl.h"
#include "format/read_impl.h"
#include "format/tensor_data_impl.h"

enum { EXTERNAL = 1 };

static tonnx_status read_dims(tonnx__tensor *tensor, const int64_t *dims, size_t rank)
{
    if (rank > TONNX__RANK_MOST)
        return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': has rank %zu, dims may be at most %d", tensor->name, rank,
                           TONNX__RANK_MOST);
    const tonnx_status status = tonnx__alloc(&tensor->dims, rank, sizeof *tensor->dims);
    if (status) return status;
    tensor->rank = rank;
    tensor->count = 1;
    for (size_t i = 0; i < rank; i++) {
        tensor->dims[i] = dims[i];
        if (dims[i] < 0)
            return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': dim %zu is %lld, which is negative", tensor->name, i,
                               (long long)dims[i]);
        if (!tonnx__mul(&tensor->count, tensor->count, (size_t)dims[i]))
            return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': the product of its %zu dims overflows", tensor->name,
                               rank);
    }
    return TONNX_OK;
}

tonnx_status tonnx__read_tensor(const tonnx__reader *r, tonnx__tensor *tensor, const Tonnx__Onnx__TensorProto *proto,
                                const tonnx__field *field)
{
    tonnx_status status = tonnx__copy_text(&tensor->name, proto->name);
    if (status) return status;
    tensor->source_at = field->content;
    tensor->dtype = (tonnx_dtype)proto->data_type;
    if (proto->segment)
        return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': has a segment, which is not read; export it whole",
                           tensor->name);
    status = read_dims(tensor, proto->dims, proto->n_dims);
    if (status) return status;
    if (proto->data_location != EXTERNAL)
        return tonnx__tensor_data_read(tensor, r->model->source, field->content, field->end, r->budget);
    status = tonnx__tensor_data_none(tensor, r->model->source, field->content, field->end);
    return status ? status : tonnx__external_read(r->model, tensor, proto, r->log, r->said);
}

/* The flat index of stored value k; false where its indices are beyond the dims. */
static bool flat_index(const tonnx__tensor *tensor, const tonnx__tensor *indices, size_t k, size_t *out)
{
    const bool linear = indices->rank == 1;
    *out = 0;
    for (size_t i = 0; i < (linear ? 1 : tensor->rank); i++) {
        const int64_t at = tonnx__tensor_get_int(indices, linear ? k : k * tensor->rank + i);
        const size_t end = linear ? tensor->count : (size_t)tensor->dims[i];
        if (at < 0 || (size_t)at >= end) return false;
        *out = *out * (linear ? 1 : end) + (size_t)at;
    }
    return true;
}

static tonnx_status check_sparse(const tonnx__tensor *tensor, const tonnx__tensor *values, const tonnx__tensor *indices)
{
    const bool linear = indices->rank == 1;
    const bool fits = indices->dtype == TONNX_INT64 && values->rank == 1 &&
                      (linear || (indices->rank == 2 && (size_t)indices->dims[1] == tensor->rank)) &&
                      indices->dims[0] == values->dims[0];
    if (!values->bytes)
        return tonnx__fail(TONNX_BAD_MODEL, "sparse tensor '%s': values of type %s are not read", tensor->name,
                           tonnx_dtype_name(values->dtype));
    if (fits) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_MODEL,
                       "sparse tensor '%s': its indices are no int64 [%zu] or [%zu, %zu], one for each value",
                       tensor->name, values->count, values->count, tensor->rank);
}

/* Room for the dense form; dims may promise anything. */
static tonnx_status make_room(const tonnx__reader *r, tonnx__tensor *tensor)
{
    size_t bytes = 0;
    if (!tonnx__mul(&bytes, tensor->count, tonnx_dtype_size(tensor->dtype)) || bytes > r->budget->left)
        return tonnx__fail(TONNX_BAD_MODEL,
                           "sparse tensor '%s': its dense form would go over the memory limit of 96 MiB + 3 × the file",
                           tensor->name);
    r->budget->left -= bytes;
    const tonnx_status status = tonnx__alloc(&tensor->owned, bytes, 1);
    tensor->bytes = tensor->owned;
    return status;
}

/* Values stand in ascending order of their indices (ONNX SparseTensorProto). */
static tonnx_status spread(tonnx__tensor *tensor)
{
    tonnx__sparse *sparse = tensor->sparse;
    const size_t size = tonnx_dtype_size(tensor->dtype);
    tonnx_status status = tonnx__alloc(&sparse->at, sparse->values.count, sizeof *sparse->at);
    for (size_t k = 0; k < sparse->values.count && !status; k++) {
        if (!flat_index(tensor, &sparse->indices, k, &sparse->at[k]) || (k && sparse->at[k] <= sparse->at[k - 1]))
            return tonnx__fail(TONNX_BAD_MODEL, "sparse tensor '%s': index %zu is beyond its dims or out of order",
                               tensor->name, k);
        memcpy(tensor->owned + sparse->at[k] * size, sparse->values.bytes + k * size, size);
    }
    return status;
}

/* The field of one of the two tensors inside. */
static tonnx_status read_part(const tonnx__reader *r, tonnx__tensor *part, const Tonnx__Onnx__TensorProto *proto,
                              const tonnx__field *field, uint32_t number)
{
    tonnx__wire_walk walk = { r->model->source, field->content, field->end, number };
    tonnx__field at;
    if (!proto || !tonnx__wire_each(&walk, &at))
        return tonnx__fail(TONNX_BAD_MODEL, "graph.sparse_initializer: has no %s", number == 1 ? "values" : "indices");
    return tonnx__read_tensor(r, part, proto, &at);
}

tonnx_status tonnx__read_sparse(const tonnx__reader *r, tonnx__tensor *tensor,
                                const Tonnx__Onnx__SparseTensorProto *proto, const tonnx__field *field)
{
    tonnx_status status = tonnx__alloc(&tensor->sparse, 1, sizeof *tensor->sparse);
    if (status) return status;
    tonnx__tensor *values = &tensor->sparse->values, *indices = &tensor->sparse->indices;
    status = read_part(r, values, proto->values, field, 1);
    if (!status) status = read_part(r, indices, proto->indices, field, 2);
    if (!status) status = tonnx__strdup(&tensor->name, values->name);
    if (status) return status;
    tensor->source_at = field->content;
    tensor->dtype = values->dtype;
    status = read_dims(tensor, proto->dims, proto->n_dims);
    if (!status) status = check_sparse(tensor, values, indices);
    if (!status) status = make_room(r, tensor);
    return status ? status : spread(tensor);
}
