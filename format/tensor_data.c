#include "format/tensor_data_impl.h"

#include <string.h>

enum { RAW_DATA = 9 };

/* The fields of TensorProto that may hold elements. */
static const struct payload_kind {
    uint32_t number;
    const char *name;
} payload_kinds[] = {
    { 4, "float_data" },      { 5, "int32_data" },   { 6, "string_data" },  { 7, "int64_data" },
    { RAW_DATA, "raw_data" }, { 10, "double_data" }, { 11, "uint64_data" },
};

static const char *payload_name(uint32_t number)
{
    for (size_t i = 0; i < sizeof payload_kinds / sizeof *payload_kinds; i++)
        if (payload_kinds[i].number == number) return payload_kinds[i].name;
    return NULL;
}

/* The typed field in which ONNX keeps elements of a type; 0 where none. Halves lie in int32_data as their bits. */
static uint32_t typed_field(tonnx_dtype dtype)
{
    switch (dtype) {
    case TONNX_FLOAT:
        return 4;
    case TONNX_UINT8:
    case TONNX_INT8:
    case TONNX_UINT16:
    case TONNX_INT16:
    case TONNX_INT32:
    case TONNX_BOOL:
    case TONNX_FLOAT16:
    case TONNX_BFLOAT16:
        return 5;
    case TONNX_STRING:
        return 6;
    case TONNX_INT64:
        return 7;
    case TONNX_DOUBLE:
        return 10;
    case TONNX_UINT32:
    case TONNX_UINT64:
        return 11;
    default:
        return 0;
    }
}

/* The payload as it lies in the message. */
typedef struct payload {
    uint32_t number;    /* 0: there is none */
    size_t fields;      /* of that number; packed numbers may come in several runs */
    tonnx__field first; /* the first of them */
} payload;

static tonnx_status find_payload(const tonnx__tensor *tensor, const unsigned char *source, size_t content, size_t end,
                                 payload *out)
{
    *out = (payload){ 0 };
    for (size_t at = content; at < end;) {
        tonnx__field field;
        if (tonnx__wire_next(source, end, &at, &field)) break; /* scanned: cannot be */
        if (!payload_name(field.number) || field.content == field.end) continue;
        if (out->number && out->number != field.number)
            return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': has both %s and %s", tensor->name,
                               payload_name(out->number), payload_name(field.number));
        if (!out->fields++) out->first = field;
        out->number = field.number;
    }
    if (!out->number || out->number == RAW_DATA || out->number == typed_field(tensor->dtype)) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': elements of type %s cannot stand in %s", tensor->name,
                       tonnx_dtype_name(tensor->dtype), payload_name(out->number));
}

/* Whether the elements lie in one run as they are: raw_data, and packed float_data and double_data. */
static bool is_plain(const payload *p)
{
    return p->fields == 1 && p->first.type == TONNX__WIRE_BYTES &&
           (p->number == RAW_DATA || p->number == 4 || p->number == 10);
}

/* Goes over elements that are not plain, one by one. */
typedef struct cursor {
    tonnx__wire_walk walk;
    tonnx__field field;
    size_t at; /* next element in `field`; its end when it is used up */
} cursor;

static cursor cursor_start(const unsigned char *source, size_t content, size_t end, uint32_t number)
{
    return (cursor){ .walk = { source, content, end, number } };
}

/* The next element's bytes are source[*from … *to), a varint's or a fixed number's; false after the last. */
static bool cursor_next(cursor *c, size_t *from, size_t *to)
{
    uint64_t value;
    while (c->at == c->field.end)
        if (!tonnx__wire_each(&c->walk, &c->field)) return false;
        else c->at = c->field.content;
    *from = c->at;
    if (c->walk.number == 4) c->at += 4;
    else if (c->walk.number == 10) c->at += 8;
    else tonnx__wire_varint(c->walk.bytes, c->field.end, &c->at, TONNX__VARINT_MOST, &value);
    *to = c->at;
    return true;
}

/* Least and greatest value of the integers (and bit patterns) that ONNX keeps as varints; false for 64-bit ones. */
static bool integer_range(tonnx_dtype dtype, int64_t *low, int64_t *high)
{
    switch (dtype) {
    case TONNX_BOOL:
        *low = 0, *high = 1;
        return true;
    case TONNX_UINT8:
        *low = 0, *high = UINT8_MAX;
        return true;
    case TONNX_INT8:
        *low = INT8_MIN, *high = INT8_MAX;
        return true;
    case TONNX_INT16:
        *low = INT16_MIN, *high = INT16_MAX;
        return true;
    case TONNX_INT32:
        *low = INT32_MIN, *high = INT32_MAX;
        return true;
    case TONNX_UINT32:
        *low = 0, *high = UINT32_MAX;
        return true;
    case TONNX_UINT16:
    case TONNX_FLOAT16:
    case TONNX_BFLOAT16:
        *low = 0, *high = UINT16_MAX;
        return true;
    default:
        return false;
    }
}

/* One element into its own type's bytes; false where the number is beyond the type. */
static bool decode_element(tonnx_dtype dtype, uint32_t number, const unsigned char *source, size_t from, size_t to,
                           unsigned char *element)
{
    uint64_t value = 0;
    int64_t low, high;
    if (number == 4 || number == 10) {
        memcpy(element, source + from, to - from);
        return true;
    }
    tonnx__wire_varint(source, to, &from, TONNX__VARINT_MOST, &value);
    const int64_t number_is = number == 5 ? (int32_t)(uint32_t)value : (int64_t)value;
    if (integer_range(dtype, &low, &high) && (number_is < low || number_is > high)) return false;
    memcpy(element, &number_is, tonnx_dtype_size(dtype));
    return true;
}

static tonnx_status wrong_size(const tonnx__tensor *tensor, const payload *p, size_t have)
{
    return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': %s holds %zu %s, its dims ask for %zu %s elements", tensor->name,
                       payload_name(p->number), have, p->number == RAW_DATA ? "bytes" : "elements", tensor->count,
                       tonnx_dtype_name(tensor->dtype));
}

static size_t count_elements(const unsigned char *source, size_t content, size_t end, uint32_t number)
{
    cursor c = cursor_start(source, content, end, number);
    size_t count = 0, from, to;
    while (cursor_next(&c, &from, &to)) count++;
    return count;
}

/* Counts before it allocates: dims may promise anything. */
static tonnx_status decode(tonnx__tensor *tensor, const unsigned char *source, size_t content, size_t end,
                           const payload *p, tonnx__budget *budget)
{
    const size_t size = tonnx_dtype_size(tensor->dtype);
    const size_t have = count_elements(source, content, end, p->number);
    if (have != tensor->count) return wrong_size(tensor, p, have);
    if (have > budget->left / size)
        return tonnx__fail(TONNX_BAD_MODEL,
                           "tensor '%s': decoding %s would go over the memory limit of 96 MiB + 3 × the file",
                           tensor->name, payload_name(p->number));
    budget->left -= have * size;
    const tonnx_status status = tonnx__alloc(&tensor->owned, have, size);
    if (status) return status;
    tensor->bytes = tensor->owned;
    cursor c = cursor_start(source, content, end, p->number);
    for (size_t i = 0, from, to; cursor_next(&c, &from, &to); i++)
        if (!decode_element(tensor->dtype, p->number, source, from, to, tensor->owned + i * size))
            return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': %s element %zu is beyond %s", tensor->name,
                               payload_name(p->number), i, tonnx_dtype_name(tensor->dtype));
    return TONNX_OK;
}

tonnx_status tonnx__tensor_data_none(const tonnx__tensor *tensor, const unsigned char *source, size_t content,
                                     size_t end)
{
    payload p;
    const tonnx_status status = find_payload(tensor, source, content, end, &p);
    if (status || !p.number) return status;
    return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': has external_data and %s", tensor->name, payload_name(p.number));
}

tonnx_status tonnx__tensor_data_read(tonnx__tensor *tensor, const unsigned char *source, size_t content, size_t end,
                                     tonnx__budget *budget)
{
    const size_t size = tonnx_dtype_size(tensor->dtype);
    payload p;
    size_t bytes = 0;
    const tonnx_status status = find_payload(tensor, source, content, end, &p);
    if (status || !size) return status;
    tensor->storage = (int)p.number;
    tensor->bytes = source + content;
    if (!tonnx__mul(&bytes, tensor->count, size))
        return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': its dims ask for more bytes than can be", tensor->name);
    if (!p.number && !tensor->count) return TONNX_OK;
    if (!p.number)
        return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': has no data, its dims ask for %zu %s elements", tensor->name,
                           tensor->count, tonnx_dtype_name(tensor->dtype));
    if (!is_plain(&p)) return decode(tensor, source, content, end, &p, budget);
    const size_t have = p.first.end - p.first.content;
    if (have != bytes) return wrong_size(tensor, &p, p.number == RAW_DATA ? have : have / size);
    tensor->bytes = source + p.first.content;
    return TONNX_OK;
}

/* The number that stands for an element in a varint field: an integer's value, a half's bits. */
static uint64_t varint_of(const tonnx__tensor *tensor, size_t i)
{
    uint64_t bits = 0;
    const size_t size = tonnx_dtype_size(tensor->dtype);
    const bool as_bits =
        tensor->dtype == TONNX_FLOAT16 || tensor->dtype == TONNX_BFLOAT16 || tensor->dtype == TONNX_UINT64;
    if (!as_bits) return (uint64_t)tonnx__tensor_get_int(tensor, i);
    memcpy(&bits, tensor->fresh + i * size, size);
    return bits;
}

/* One element's bytes give way to the fresh one's. A packed run is a length-delimited field of its own. */
static tonnx_status patch_element(const tonnx__tensor *tensor, const cursor *c, size_t content, size_t from, size_t to,
                                  size_t i, tonnx__splice *splice)
{
    const size_t size = tonnx_dtype_size(tensor->dtype);
    const size_t owner = c->field.type == TONNX__WIRE_BYTES ? c->field.content : content;
    if (c->walk.number == 4 || c->walk.number == 10)
        return tonnx__splice_add(splice, owner, from, to - from, tensor->fresh + i * size, size);
    return tonnx__splice_varint(splice, owner, from, to - from, varint_of(tensor, i));
}

tonnx_status tonnx__tensor_data_patch(const tonnx__tensor *tensor, const unsigned char *source, size_t content,
                                      size_t end, tonnx__splice *splice)
{
    const size_t size = tonnx_dtype_size(tensor->dtype);
    payload p;
    tonnx_status status = find_payload(tensor, source, content, end, &p);
    if (status || !p.number || !memcmp(tensor->fresh, tensor->bytes, tensor->count * size)) return status;
    if (is_plain(&p))
        return tonnx__splice_add(splice, content, p.first.content, tensor->count * size, tensor->fresh,
                                 tensor->count * size);
    cursor c = cursor_start(source, content, end, p.number);
    for (size_t i = 0, from, to; !status && cursor_next(&c, &from, &to); i++)
        if (memcmp(tensor->fresh + i * size, tensor->bytes + i * size, size))
            status = patch_element(tensor, &c, content, from, to, i, splice);
    return status;
}
