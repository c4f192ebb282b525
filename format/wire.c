#include "format/wire_impl.h"

enum { LENGTH_MOST = 5, GREATEST_NUMBER = (1 << 29) - 1 };

bool tonnx__wire_varint(const unsigned char *bytes, size_t end, size_t *at, size_t most, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < most && *at < end; i++) {
        const unsigned char byte = bytes[(*at)++];
        *out |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) return true;
    }
    return false;
}

size_t tonnx__wire_put(unsigned char *to, uint64_t value)
{
    size_t size = 0;
    do {
        const unsigned char more = value > 0x7f ? 0x80 : 0;
        if (to) to[size] = (unsigned char)((value & 0x7f) | more);
        size++;
        value >>= 7;
    } while (value);
    return size;
}

size_t tonnx__wire_put_head(unsigned char *to, uint32_t number, size_t size)
{
    const size_t tag = tonnx__wire_put(to, (uint64_t)number << 3 | TONNX__WIRE_BYTES);
    return tag + tonnx__wire_put(to ? to + tag : NULL, size);
}

const char *tonnx__wire_next(const unsigned char *bytes, size_t end, size_t *at, tonnx__field *out)
{
    uint64_t tag = 0, length = 0;
    out->at = *at;
    if (!tonnx__wire_varint(bytes, end, at, LENGTH_MOST, &tag)) return "a field's tag is cut short";
    if (tag >> 3 == 0 || tag >> 3 > GREATEST_NUMBER) return "a field has a number that cannot be";
    out->number = (uint32_t)(tag >> 3);
    out->type = (tonnx__wire_type)(tag & 7);
    out->length_at = *at;
    switch (out->type) {
    case TONNX__WIRE_VARINT:
        if (!tonnx__wire_varint(bytes, end, at, TONNX__VARINT_MOST, &length)) return "a number is cut short";
        out->content = out->length_at;
        out->end = *at;
        return NULL;
    case TONNX__WIRE_64:
        length = 8;
        break;
    case TONNX__WIRE_32:
        length = 4;
        break;
    case TONNX__WIRE_BYTES:
        if (!tonnx__wire_varint(bytes, end, at, LENGTH_MOST, &length)) return "a field's length is cut short";
        break;
    default:
        return "a field has a wire type that ONNX does not use";
    }
    if (length > end - *at) return "a field is longer than what is left";
    out->content = *at;
    out->end = *at += (size_t)length;
    return NULL;
}

bool tonnx__wire_each(tonnx__wire_walk *walk, tonnx__field *out)
{
    while (walk->at < walk->end && !tonnx__wire_next(walk->bytes, walk->end, &walk->at, out))
        if (out->number == walk->number) return true;
    return false;
}
