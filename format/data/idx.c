/* IDX, the format of MNIST (yann.lecun.com/exdb/mnist): two zero bytes, a type, the number of dimensions, the
 * dimensions and the elements, all big-endian. */
#include <stdio.h>

#include "format/data/table_impl.h"

static const tonnx_dtype types[] = {
    [0x08] = TONNX_UINT8, [0x09] = TONNX_INT8,  [0x0b] = TONNX_INT16,
    [0x0c] = TONNX_INT32, [0x0d] = TONNX_FLOAT, [0x0e] = TONNX_DOUBLE,
};

/* No text file, and no other format, begins so. */
static bool sniff(const unsigned char *head, size_t size)
{
    return head[0] == 0 && (size < 2 || head[1] == 0);
}

static tonnx_status read_header(tonnx__array *array, tonnx__source *source)
{
    unsigned char magic[4] = { 0 }, count[4] = { 0 };
    tonnx_status status = tonnx__source_read(source, magic, 4);
    if (status) return status;
    array->dtype = magic[2] < sizeof types / sizeof *types ? types[magic[2]] : TONNX_DTYPE_NONE;
    if (!array->dtype)
        return tonnx__fail(TONNX_BAD_DATA,
                           "%s: IDX magic 0x0000%02x%02x: 0x%02x is no element type (of what is read, "
                           "only IDX begins with two zero bytes)",
                           source->path, magic[2], magic[3], magic[2]);
    if (magic[3] < 1 || magic[3] > TONNX__ARRAY_RANK)
        return tonnx__fail(TONNX_BAD_DATA, "%s: IDX magic: %d dimensions; 1 to %d are read", source->path, magic[3],
                           TONNX__ARRAY_RANK);
    array->big_endian = true;
    array->rank = magic[3];
    for (size_t d = 0; !status && d < array->rank; d++) {
        status = tonnx__source_read(source, count, 4);
        array->dims[d] = (size_t)count[0] << 24 | (size_t)count[1] << 16 | (size_t)count[2] << 8 | count[3];
    }
    return status;
}

static tonnx_status read_idx(tonnx__table *x, tonnx__table *y, tonnx__source *source, const tonnx__request *request)
{
    tonnx__array array = { 0 };
    (void)y;
    const tonnx_status status = read_header(&array, source);
    if (status) return status;
    snprintf(x->how, sizeof x->how, "IDX %s%s", tonnx_dtype_name(array.dtype),
             array.rank > 2 ? ", flattened" : "");
    return tonnx__array_read(x, &array, source, request);
}

const tonnx__reader tonnx__idx_reader = { "IDX", sniff, read_idx };
