/* A file of named arrays, read whole, as tensors. */
#include <string.h>

#include "format/data/bundle_impl.h"

void tonnx__tensors_free(tonnx__tensor *tensors, size_t count)
{
    for (size_t i = 0; tensors && i < count; i++) tonnx__tensor_clear(&tensors[i]);
    tonnx__free(tensors);
}

/* to[C order] ← from[first index fastest] */
static void transpose(unsigned char *to, const unsigned char *from, const tonnx__array *array, size_t count)
{
    size_t index[TONNX__ARRAY_RANK] = { 0 };
    const size_t size = tonnx_dtype_size(array->dtype);
    for (size_t i = 0; i < count; i++) {
        size_t place = 0;
        for (size_t d = 0; d < array->rank; d++) place = place * array->dims[d] + index[d];
        memcpy(to + place * size, from + i * size, size);
        for (size_t d = 0; d < array->rank && ++index[d] == array->dims[d]; d++) index[d] = 0;
    }
}

static tonnx_status reorder(tonnx__tensor *tensor, const tonnx__array *array)
{
    unsigned char *c_order = NULL;
    const tonnx_status status = tonnx__alloc(&c_order, tensor->count, tonnx_dtype_size(tensor->dtype));
    if (status) return status;
    transpose(c_order, tensor->owned, array, tensor->count);
    tonnx__free(tensor->owned);
    tensor->bytes = tensor->owned = c_order;
    return TONNX_OK;
}

/* Before anything is allocated, the file must have as many bytes as the shape takes. */
static tonnx_status check_size(const tonnx__array *array, const tonnx__source *elements)
{
    const size_t most = tonnx__source_most(elements);
    size_t bytes = tonnx_dtype_size(array->dtype);
    bool fits = true;
    for (size_t d = 0; d < array->rank; d++)
        fits = tonnx__mul(&bytes, bytes, array->dims[d]) && array->dims[d] <= INT64_MAX && fits;
    if (fits && bytes == most) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: its shape takes another number of bytes than the %zu there are",
                       elements->path, most);
}

static tonnx_status read_tensor(tonnx__tensor *tensor, const char *name, const tonnx__array *array,
                                tonnx__source *elements)
{
    int64_t dims[TONNX__ARRAY_RANK];
    tonnx_status status = check_size(array, elements);
    for (size_t d = 0; d < array->rank; d++) dims[d] = (int64_t)array->dims[d];
    if (!status) status = tonnx__tensor_make(tensor, name, array->dtype, array->rank, dims);
    if (status) return status;
    const size_t size = tonnx_dtype_size(array->dtype);
    status = tonnx__source_read(elements, tensor->owned, tensor->count * size);
    if (!status) status = tonnx__source_expect_end(elements);
    if (!status && array->big_endian) tonnx__swap_bytes(tensor->owned, tensor->count, size);
    if (!status && array->fortran) status = reorder(tensor, array);
    if (status) tonnx__tensor_clear(tensor);
    return status;
}

static tonnx_status read_all(tonnx__tensor **out, size_t *count, tonnx__bundle *bundle)
{
    if (!bundle->count)
        return tonnx__fail(TONNX_BAD_DATA, "%s: holds no arrays (%s)", bundle->source->path, bundle->kind->name);
    tonnx_status status = tonnx__alloc(out, bundle->count, sizeof **out);
    for (; !status && *count < bundle->count; *count += !status) {
        tonnx__array array;
        tonnx__source *elements = NULL;
        status = bundle->kind->enter(bundle, *count, &array, &elements);
        if (!status) status = read_tensor(&(*out)[*count], bundle->names[*count], &array, elements);
        tonnx__source_close(elements);
    }
    return status ? status : bundle->kind->finish(bundle);
}

static const tonnx__bundle_kind *kind_of(const tonnx__source *source)
{
    static const tonnx__bundle_kind *const kinds[] = { &tonnx__npz_bundle, &tonnx__safetensors_bundle };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i]->sniff(source->bytes, source->end)) return kinds[i];
    return NULL;
}

tonnx_status tonnx__tensors_read(tonnx__tensor **out, size_t *count, const char *path)
{
    tonnx__source *source = NULL;
    tonnx__bundle bundle = { 0 };
    *out = NULL;
    *count = 0;
    tonnx_status status = tonnx__source_open(&source, path);
    if (status) return status;
    const tonnx__bundle_kind *kind = kind_of(source);
    if (!kind) status = tonnx__fail(TONNX_BAD_DATA, "%s: is neither .npz nor .safetensors", path);
    if (!status) status = tonnx__bundle_open(&bundle, kind, source);
    if (!status) status = read_all(out, count, &bundle);
    tonnx__bundle_close(&bundle);
    tonnx__source_close(source);
    if (!status) return TONNX_OK;
    tonnx__tensors_free(*out, *count);
    *out = NULL;
    *count = 0;
    return status;
}
