#include "runtime/tensor_impl.h"

#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are copied as the file holds them: little-endian");

static const struct row {
    const char *name;
    size_t size;
} rows[] = {
    [TONNX_FLOAT] = { "float32", 4 },
    [TONNX_UINT8] = { "uint8", 1 },
    [TONNX_INT8] = { "int8", 1 },
    [TONNX_UINT16] = { "uint16", 2 },
    [TONNX_INT16] = { "int16", 2 },
    [TONNX_INT32] = { "int32", 4 },
    [TONNX_INT64] = { "int64", 8 },
    [TONNX_STRING] = { "string", 0 },
    [TONNX_BOOL] = { "bool", 1 },
    [TONNX_FLOAT16] = { "float16", 2 },
    [TONNX_DOUBLE] = { "float64", 8 },
    [TONNX_UINT32] = { "uint32", 4 },
    [TONNX_UINT64] = { "uint64", 8 },
    [14] = { "complex64", 0 },
    [15] = { "complex128", 0 },
    [TONNX_BFLOAT16] = { "bfloat16", 2 },
    [17] = { "float8e4m3fn", 0 },
    [18] = { "float8e4m3fnuz", 0 },
    [19] = { "float8e5m2", 0 },
    [20] = { "float8e5m2fnuz", 0 },
    [21] = { "uint4", 0 },
    [22] = { "int4", 0 },
    [23] = { "float4e2m1", 0 },
    [24] = { "float8e8m0", 0 },
    [25] = { "uint2", 0 },
    [26] = { "int2", 0 },
};

static const struct row *row_of(tonnx_dtype dtype)
{
    const size_t i = (size_t)dtype;
    return i < sizeof rows / sizeof *rows && rows[i].name ? &rows[i] : NULL;
}

const char *tonnx_dtype_name(tonnx_dtype dtype)
{
    const struct row *row = row_of(dtype);
    return row ? row->name : "unknown";
}

size_t tonnx_dtype_size(tonnx_dtype dtype)
{
    const struct row *row = row_of(dtype);
    return row ? row->size : 0;
}

void tonnx__tensor_clear(tonnx__tensor *tensor)
{
    tonnx__free(tensor->name);
    tonnx__free(tensor->dims);
    tonnx__free(tensor->owned);
    tonnx__free(tensor->fresh);
    if (tensor->sparse) {
        tonnx__tensor_clear(&tensor->sparse->values);
        tonnx__tensor_clear(&tensor->sparse->indices);
        tonnx__free(tensor->sparse->at);
        tonnx__free(tensor->sparse);
    }
    *tensor = (tonnx__tensor){ 0 };
}

/* *count = the product of dims. */
static bool count_elements(size_t rank, const int64_t *dims, size_t *count)
{
    *count = 1;
    for (size_t i = 0; i < rank; i++)
        if (dims[i] < 0 || !tonnx__mul(count, *count, (size_t)dims[i])) return false;
    return true;
}

tonnx_status tonnx__tensor_make(tonnx__tensor *tensor, const char *name, tonnx_dtype dtype, size_t rank,
                                const int64_t *dims)
{
    tonnx_status status = tonnx__strdup(&tensor->name, name);
    if (!status && !count_elements(rank, dims, &tensor->count))
        status = tonnx__fail(TONNX_BAD_USAGE, "tensor '%s': its dims have no product", name);
    if (!status) status = tonnx__alloc(&tensor->dims, rank, sizeof *dims);
    if (!status) status = tonnx__alloc(&tensor->owned, tensor->count, tonnx_dtype_size(dtype));
    if (status) {
        tonnx__tensor_clear(tensor);
        return status;
    }
    if (rank) memcpy(tensor->dims, dims, rank * sizeof *dims);
    tensor->rank = rank;
    tensor->dtype = dtype;
    tensor->bytes = tensor->owned;
    tensor->source_at = TONNX__NOT_IN_SOURCE;
    return TONNX_OK;
}

bool tonnx__is_float(tonnx_dtype dtype)
{
    return dtype == TONNX_FLOAT || dtype == TONNX_DOUBLE || dtype == TONNX_FLOAT16 || dtype == TONNX_BFLOAT16;
}

/* Sign, exponent, then `fraction` bits: a 16-bit float of IEEE 754's layout, as binary16 and bfloat16 are. */
static double decode16(uint16_t bits, int fraction, int bias)
{
    const int exponent = (bits & 0x7fff) >> fraction, top = (1 << (15 - fraction)) - 1;
    const int units = bits & ((1 << fraction) - 1);
    double value;
    if (exponent == top) value = units ? (double)NAN : (double)INFINITY;
    else if (exponent) value = ldexp((1 << fraction) + units, exponent - bias - fraction);
    else value = ldexp(units, 1 - bias - fraction);
    return bits & 0x8000 ? -value : value;
}

/* Rounds once, from the double: by way of a float would round twice. */
static uint16_t encode16(double value, int fraction, int bias)
{
    const unsigned sign = signbit(value) ? 0x8000 : 0;
    const unsigned infinity = ((1u << (15 - fraction)) - 1) << fraction;
    const double size = fabs(value);
    int exponent = 0;
    if (isnan(value)) return (uint16_t)(sign | infinity | 1u << (fraction - 1));
    if (isinf(value)) return (uint16_t)(sign | infinity);
    if (size == 0) return (uint16_t)sign;
    frexp(size, &exponent);
    exponent -= 1; /* size = 1.… · 2^exponent */
    if (exponent > bias) return (uint16_t)(sign | infinity);
    if (exponent < 1 - bias) exponent = 1 - bias; /* subnormals share the least exponent */
    /* units hold the implicit bit too, so a carry out of the fraction lands in the exponent, as it should */
    const unsigned units = (unsigned)rint(ldexp(size, fraction - exponent));
    const unsigned bits = ((unsigned)(exponent + bias - 1) << fraction) + units;
    return (uint16_t)(sign | (bits < infinity ? bits : infinity));
}

double tonnx__half_to_double(uint16_t bits)
{
    return decode16(bits, 10, 15);
}

uint16_t tonnx__double_to_half(double value)
{
    return encode16(value, 10, 15);
}

double tonnx__bfloat_to_double(uint16_t bits)
{
    return decode16(bits, 7, 127);
}

uint16_t tonnx__double_to_bfloat(double value)
{
    return encode16(value, 7, 127);
}

/* One element, whatever its type; which member counts is the dtype's to say. */
typedef union element {
    float f;
    double d;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
} element;

static element load(const tonnx__tensor *tensor, size_t i)
{
    const size_t size = tonnx_dtype_size(tensor->dtype);
    const unsigned char *from = tensor->fresh ? tensor->fresh : tensor->bytes;
    element e = { .u64 = 0 };
    memcpy(&e, from + i * size, size);
    return e;
}

double tonnx__tensor_get(const tonnx__tensor *tensor, size_t i)
{
    const element e = load(tensor, i);
    switch (tensor->dtype) {
    case TONNX_FLOAT:
        return (double)e.f;
    case TONNX_DOUBLE:
        return e.d;
    case TONNX_FLOAT16:
        return tonnx__half_to_double(e.u16);
    case TONNX_BFLOAT16:
        return tonnx__bfloat_to_double(e.u16);
    case TONNX_UINT64:
        return (double)e.u64;
    default:
        return (double)tonnx__tensor_get_int(tensor, i);
    }
}

/* Floats, which nearly all weights are, without a question per element. */
void tonnx__tensor_read(const tonnx__tensor *tensor, size_t first, size_t step, size_t count, double *to)
{
    const unsigned char *from = tensor->fresh ? tensor->fresh : tensor->bytes;
    for (size_t k = 0; k < count && tensor->dtype == TONNX_FLOAT; k++) {
        float value;
        memcpy(&value, from + (first + k * step) * sizeof value, sizeof value); /* a file's bytes may lie anywhere */
        to[k] = (double)value;
    }
    for (size_t k = 0; k < count && tensor->dtype != TONNX_FLOAT; k++) to[k] = tonnx__tensor_get(tensor, first + k * step);
}

/* Towards zero, held inside int64; NaN gives 0. */
static int64_t to_int64(double value)
{
    if (isnan(value)) return 0;
    if (value >= 0x1p63) return INT64_MAX;
    return value <= -0x1p63 ? INT64_MIN : (int64_t)value;
}

int64_t tonnx__tensor_get_int(const tonnx__tensor *tensor, size_t i)
{
    const element e = load(tensor, i);
    switch (tensor->dtype) {
    case TONNX_INT8:
        return e.i8;
    case TONNX_INT16:
        return e.i16;
    case TONNX_INT32:
        return e.i32;
    case TONNX_INT64:
        return e.i64;
    case TONNX_BOOL:
        return e.u8 != 0;
    case TONNX_UINT8:
        return e.u8;
    case TONNX_UINT16:
        return e.u16;
    case TONNX_UINT32:
        return e.u32;
    case TONNX_UINT64:
        return e.u64 > INT64_MAX ? INT64_MAX : (int64_t)e.u64;
    case TONNX_FLOAT:
    case TONNX_DOUBLE:
    case TONNX_FLOAT16:
    case TONNX_BFLOAT16:
        return to_int64(tonnx__tensor_get(tensor, i));
    default:
        return 0;
    }
}

bool tonnx__tensor_differs(const tonnx__tensor *tensor)
{
    return tensor->fresh && memcmp(tensor->fresh, tensor->bytes, tensor->count * tonnx_dtype_size(tensor->dtype)) != 0;
}

tonnx_status tonnx__tensor_touch(tonnx__tensor *tensor)
{
    const size_t size = tonnx_dtype_size(tensor->dtype);
    if (tensor->fresh) return TONNX_OK;
    if (!size)
        return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': elements of type %s cannot be changed", tensor->name,
                           tonnx_dtype_name(tensor->dtype));
    const tonnx_status status = tonnx__alloc(&tensor->fresh, tensor->count, size);
    if (!status && tensor->count) memcpy(tensor->fresh, tensor->bytes, tensor->count * size);
    return status;
}

static int64_t clamp(double value, int64_t low, int64_t high)
{
    const int64_t rounded = to_int64(rint(value));
    return rounded < low ? low : rounded > high ? high : rounded;
}

static uint64_t to_uint64(double value)
{
    const double rounded = rint(value);
    if (!(rounded > 0)) return 0;
    return rounded >= 0x1p64 ? UINT64_MAX : (uint64_t)rounded;
}

void tonnx__tensor_set(tonnx__tensor *tensor, size_t i, double value)
{
    const size_t size = tonnx_dtype_size(tensor->dtype);
    element e = { .u64 = 0 };
    switch (tensor->dtype) {
    case TONNX_FLOAT:
        e.f = (float)value;
        break;
    case TONNX_DOUBLE:
        e.d = value;
        break;
    case TONNX_FLOAT16:
        e.u16 = tonnx__double_to_half(value);
        break;
    case TONNX_BFLOAT16:
        e.u16 = tonnx__double_to_bfloat(value);
        break;
    case TONNX_BOOL:
        e.u8 = (value != 0);
        break;
    case TONNX_UINT8:
        e.u8 = (uint8_t)clamp(value, 0, UINT8_MAX);
        break;
    case TONNX_INT8:
        e.i8 = (int8_t)clamp(value, INT8_MIN, INT8_MAX);
        break;
    case TONNX_UINT16:
        e.u16 = (uint16_t)clamp(value, 0, UINT16_MAX);
        break;
    case TONNX_INT16:
        e.i16 = (int16_t)clamp(value, INT16_MIN, INT16_MAX);
        break;
    case TONNX_UINT32:
        e.u32 = (uint32_t)clamp(value, 0, UINT32_MAX);
        break;
    case TONNX_INT32:
        e.i32 = (int32_t)clamp(value, INT32_MIN, INT32_MAX);
        break;
    case TONNX_INT64:
        e.i64 = clamp(value, INT64_MIN, INT64_MAX);
        break;
    case TONNX_UINT64:
        e.u64 = to_uint64(value);
        break;
    default:
        return;
    }
    memcpy(tensor->fresh + i * size, &e, size);
}
