/* Arrays of npy and IDX files: from elements of any type and order to rows of a table. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "format/data/table_impl.h"
#include "runtime/tensor_impl.h"

enum { AT_ONCE = 1 << 15 }; /* bytes that are converted at once */

/* A run of elements of the file: the i-th goes to place first + i·stride of the table. */
typedef struct run {
    size_t first, stride, count;
} run;

void tonnx__swap_bytes(unsigned char *elements, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++, elements += size)
        for (size_t a = 0, b = size - 1; a < b; a++, b--) {
            const unsigned char kept = elements[a];
            elements[a] = elements[b];
            elements[b] = kept;
        }
}

/* One element type of the file: target[…] = expression of v, for each v of the run. */
#define CASE(dtype, type, target, expression)                                                                          \
    case dtype:                                                                                                        \
        for (size_t i = 0; i < to.count; i++) {                                                                        \
            type v;                                                                                                    \
            memcpy(&v, from + i * sizeof v, sizeof v);                                                                 \
            (target)[to.first + i * to.stride] = (expression);                                                         \
        }                                                                                                              \
        break

/* uint8 is no case: features of it stay bytes, targets of it become integers. */
static void to_floats(float *floats, run to, const unsigned char *from, tonnx_dtype dtype)
{
    switch (dtype) {
        CASE(TONNX_FLOAT16, uint16_t, floats, (float)tonnx__half_to_double(v));
        CASE(TONNX_BFLOAT16, uint16_t, floats, (float)tonnx__bfloat_to_double(v));
        CASE(TONNX_FLOAT, float, floats, v);
        CASE(TONNX_DOUBLE, double, floats, (float)v);
        CASE(TONNX_BOOL, uint8_t, floats, v ? 1.0f : 0.0f);
        CASE(TONNX_INT8, int8_t, floats, (float)v);
        CASE(TONNX_UINT16, uint16_t, floats, (float)v);
        CASE(TONNX_INT16, int16_t, floats, (float)v);
        CASE(TONNX_UINT32, uint32_t, floats, (float)v);
        CASE(TONNX_INT32, int32_t, floats, (float)v);
        CASE(TONNX_UINT64, uint64_t, floats, (float)v);
        CASE(TONNX_INT64, int64_t, floats, (float)v);
    default:
        break;
    }
}

/* Unsigned numbers beyond INT64_MAX become it: they are no class either way. */
static void to_integers(int64_t *integers, run to, const unsigned char *from, tonnx_dtype dtype)
{
    switch (dtype) {
        CASE(TONNX_BOOL, uint8_t, integers, v != 0);
        CASE(TONNX_UINT8, uint8_t, integers, v);
        CASE(TONNX_INT8, int8_t, integers, v);
        CASE(TONNX_UINT16, uint16_t, integers, v);
        CASE(TONNX_INT16, int16_t, integers, v);
        CASE(TONNX_UINT32, uint32_t, integers, v);
        CASE(TONNX_INT32, int32_t, integers, v);
        CASE(TONNX_UINT64, uint64_t, integers, v > INT64_MAX ? INT64_MAX : (int64_t)v);
        CASE(TONNX_INT64, int64_t, integers, v);
    default:
        break;
    }
}

/* Elements that stand in the file as they stand in the table need no conversion. */
static void *as_they_are(const tonnx__table *table, const tonnx__array *array, run to)
{
    if (to.stride != 1) return NULL;
    if (table->bytes) return table->bytes + to.first;
    return table->floats && array->dtype == TONNX_FLOAT && !array->big_endian ? table->floats + to.first : NULL;
}

static tonnx_status read_run(tonnx__table *table, const tonnx__array *array, tonnx__source *source, run to)
{
    unsigned char bytes[AT_ONCE];
    const size_t size = tonnx_dtype_size(array->dtype), room = sizeof bytes / size;
    void *straight = as_they_are(table, array, to);
    if (straight) return tonnx__source_read(source, straight, to.count * size);
    for (size_t left = to.count; left;) {
        to.count = left < room ? left : room;
        const tonnx_status status = tonnx__source_read(source, bytes, to.count * size);
        if (status) return status;
        if (array->big_endian) tonnx__swap_bytes(bytes, to.count, size);
        for (size_t i = 0; table->bytes && i < to.count; i++) table->bytes[to.first + i * to.stride] = bytes[i];
        if (table->floats) to_floats(table->floats, to, bytes, array->dtype);
        if (table->integers) to_integers(table->integers, to, bytes, array->dtype);
        to.first += to.count * to.stride;
        left -= to.count;
    }
    return TONNX_OK;
}

/* Column-major: one run per feature, the features in the order in which the file's indices count up (the second
 * dimension fastest); `column` is where that feature stands in C order. */
static tonnx_status read_fortran(tonnx__table *table, const tonnx__array *array, tonnx__source *source)
{
    size_t index[TONNX__ARRAY_RANK] = { 0 };
    const size_t unwanted = (array->dims[0] - table->rows) * tonnx_dtype_size(array->dtype);
    tonnx_status status = TONNX_OK;
    for (size_t read = 0; !status && read < table->columns; read++) {
        size_t column = 0;
        for (size_t d = 1; d < array->rank; d++) column = column * array->dims[d] + index[d];
        status = read_run(table, array, source, (run){ column, table->columns, table->rows });
        if (!status) status = tonnx__source_skip(source, unwanted);
        for (size_t d = 1; d < array->rank && ++index[d] == array->dims[d]; d++) index[d] = 0;
    }
    return status;
}

/* "(24, 6)", shortened where the rank is unreasonable. */
static void print_shape(char *text, size_t room, const tonnx__array *array)
{
    size_t at = 0;
    for (size_t d = 0; d < array->rank && at + 24 < room; d++)
        at += (size_t)snprintf(text + at, room - at, "%s%zu", d ? ", " : "(", array->dims[d]);
    snprintf(text + at, room - at, "%s", array->rank ? ")" : "()");
}

/* Rows, columns and the size on disk, which the file must be able to hold. */
static tonnx_status measure(tonnx__table *table, const tonnx__array *array, const tonnx__source *source)
{
    const size_t most = tonnx__source_most(source);
    size_t elements = 0, bytes = 0;
    char shape[256];
    print_shape(shape, sizeof shape, array);
    if (!array->rank) return tonnx__fail(TONNX_BAD_DATA, "%s: shape () is one number, not samples", source->path);
    bool fits = true;
    table->rows = table->rows_in_file = array->dims[0];
    table->columns = 1;
    for (size_t d = 1; d < array->rank; d++) fits = tonnx__mul(&table->columns, table->columns, array->dims[d]) && fits;
    fits = tonnx__mul(&elements, table->rows, table->columns) && fits;
    fits = tonnx__mul(&bytes, elements, tonnx_dtype_size(array->dtype)) && fits;
    if (fits && !elements) return tonnx__fail(TONNX_BAD_DATA, "%s: no samples: shape %s is empty", source->path, shape);
    if (!fits)
        return tonnx__fail(TONNX_BAD_DATA, "%s: shape %s of %s is beyond 64 bits", source->path, shape,
                           tonnx_dtype_name(array->dtype));
    if (bytes > most)
        return tonnx__fail(TONNX_BAD_DATA, "%s: shape %s of %s needs %zu bytes, but the file %s %zu%s", source->path,
                           shape, tonnx_dtype_name(array->dtype), bytes,
                           source->zipped ? "can unzip to no more than" : "has only", most,
                           source->zipped ? "" : " after its header");
    if (tonnx__source_is_exact(source) && bytes < most)
        return tonnx__fail(TONNX_BAD_DATA, "%s: shape %s of %s needs %zu bytes, but %zu follow the header",
                           source->path, shape, tonnx_dtype_name(array->dtype), bytes, most);
    return TONNX_OK;
}

static tonnx_status make_room(tonnx__table *table, const tonnx__array *array, bool is_target)
{
    const size_t count = table->rows * table->columns;
    if (array->dtype == TONNX_UINT8 && !is_target) return tonnx__alloc(&table->bytes, count, 1);
    if (is_target && !tonnx__is_float(array->dtype)) return tonnx__alloc(&table->integers, count, sizeof(int64_t));
    return tonnx__alloc(&table->floats, count, sizeof(float));
}

tonnx_status tonnx__array_read(tonnx__table *table, const tonnx__array *array, tonnx__source *source,
                               const tonnx__request *request)
{
    tonnx_status status = measure(table, array, source);
    if (status) return status;
    if (request->limit < table->rows) table->rows = request->limit;
    status = make_room(table, array, request->is_target);
    if (status) return status;
    status = array->fortran ? read_fortran(table, array, source)
                            : read_run(table, array, source, (run){ 0, 1, table->rows * table->columns });
    if (!status && table->rows == table->rows_in_file) status = tonnx__source_expect_end(source);
    return status;
}
