/* Mutates a model by its structure: goes down the messages to a field at random, changes, drops, doubles or replaces
 * it, and writes the lengths above it anew. One in four is left to libFuzzer's own mutations. */
#include <stdlib.h>

#include "format/onnx.pb-c.h"
#include "tests/fuzz/mutate.h"

enum { DEEP = 16, FIELDS = 512 };

/* A field of a message: its key, and what follows up to the next one. */
typedef struct field {
    size_t at, value, end; /* the key's first byte; the payload's; behind the last */
    uint32_t number, wire;
} field;

/* What encloses the field that is changed: the field at every depth. */
typedef struct way {
    field at[DEEP];
    size_t depth;
} way;

static int number(const uint8_t *bytes, size_t end, size_t *at, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        const uint8_t byte = bytes[(*at)++];
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return 1;
    }
    return 0;
}

static int next_field(const uint8_t *bytes, size_t end, size_t at, field *f)
{
    uint64_t key, length = 0;
    f->at = at;
    if (!number(bytes, end, &at, &key)) return 0;
    f->wire = key & 7;
    f->number = (uint32_t)(key >> 3);
    f->value = at;
    if (f->wire == 0 && !number(bytes, end, &at, &length)) return 0;
    if (f->wire == 2 && !number(bytes, end, &at, &length)) return 0;
    if (f->wire == 2) f->value = at;
    const uint64_t size = f->wire == 1 ? 8 : f->wire == 5 ? 4 : f->wire == 2 ? length : 0;
    if ((f->wire != 0 && f->wire != 1 && f->wire != 2 && f->wire != 5) || size > end - at) return 0;
    f->end = at + (size_t)size;
    return 1;
}

static size_t fields_of(const uint8_t *bytes, size_t at, size_t end, field *fields)
{
    size_t count = 0;
    while (count < FIELDS && at < end && next_field(bytes, end, at, &fields[count])) at = fields[count++].end;
    return count;
}

/* The message type of a field; NULL where it is none. */
static const ProtobufCMessageDescriptor *inside(const ProtobufCMessageDescriptor *type, const field *f)
{
    const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(type, f->number);
    return known && f->wire == 2 && known->type == PROTOBUF_C_TYPE_MESSAGE ? known->descriptor : NULL;
}

/* Goes down to a field at random; *other is another field of the same message. */
static int descend(const uint8_t *bytes, size_t size, uint32_t *state, way *w, field *other)
{
    static field fields[FIELDS];
    const ProtobufCMessageDescriptor *type = &tonnx__onnx__model_proto__descriptor;
    size_t at = 0, end = size;
    w->depth = 0;
    while (type && w->depth < DEEP) {
        const size_t count = fields_of(bytes, at, end, fields);
        if (!count) break;
        const field chosen = fields[mutate_pick(state, count)];
        *other = fields[mutate_pick(state, count)];
        w->at[w->depth++] = chosen;
        type = mutate_pick(state, 5) ? inside(type, &chosen) : NULL;
        at = chosen.value;
        end = chosen.end;
    }
    return w->depth > 0;
}

static size_t put_number(uint8_t *to, uint64_t value)
{
    size_t size = 0;
    for (; value > 0x7f; value >>= 7) to[size++] = (uint8_t)(value | 0x80);
    to[size++] = (uint8_t)value;
    return size;
}

/* Puts `put` bytes in place of [at, end); 0 where there is no room. */
static size_t replace(uint8_t *bytes, size_t size, size_t most, size_t at, size_t end, const uint8_t *by, size_t put)
{
    const size_t after = size - (end - at) + put;
    if (after > most) return 0;
    memmove(bytes + at + put, bytes + end, size - end);
    if (put) memcpy(bytes + at, by, put);
    return after;
}

/* A varint that means something: a type, a size, a sign, an end of a range. */
static uint64_t telling_number(uint32_t *state)
{
    static const uint64_t telling[] = { 0,
                                        1,
                                        2,
                                        3,
                                        4,
                                        7,
                                        8,
                                        10,
                                        11,
                                        16,
                                        17,
                                        127,
                                        128,
                                        255,
                                        256,
                                        65535,
                                        65536,
                                        INT32_MAX,
                                        (uint64_t)INT32_MAX + 1,
                                        UINT32_MAX,
                                        (uint64_t)UINT32_MAX + 1,
                                        INT64_MAX,
                                        (uint64_t)INT64_MAX + 1,
                                        UINT64_MAX,
                                        UINT64_MAX - 1 };
    return telling[mutate_pick(state, sizeof telling / sizeof *telling)];
}

/* What stands in place of the field: written to `to`, which has room for `room`. */
static size_t changed(const uint8_t *bytes, const field *f, const field *other, uint8_t *to, size_t room,
                      uint32_t *state)
{
    const size_t head = f->value - f->at, length = f->end - f->value, whole = f->end - f->at;
    size_t size = 0;
    switch (mutate_pick(state, 6)) {
    case 0:
        return 0; /* dropped */
    case 1:       /* doubled */
        if (2 * whole > room) return 0;
        memcpy(to, bytes + f->at, whole);
        memcpy(to + whole, bytes + f->at, whole);
        return 2 * whole;
    case 2: /* another field of the message in its place */
        if (other->end - other->at > room) return 0;
        memcpy(to, bytes + other->at, other->end - other->at);
        return other->end - other->at;
    default:
        break;
    }
    if (whole + 64 > room) return 0;
    if (f->wire != 2) {
        memcpy(to, bytes + f->at, head);
        if (f->wire == 0 && mutate_pick(state, 2)) return head + put_number(to + head, telling_number(state));
        memcpy(to + head, bytes + f->value, length);
        return head + LLVMFuzzerMutate(to + head, length, f->wire ? length : 10);
    }
    uint8_t *payload = malloc(length + 64);
    if (!payload) return 0;
    memcpy(payload, bytes + f->value, length);
    const size_t fresh = LLVMFuzzerMutate(payload, length, length + 32);
    size = put_number(to, (uint64_t)f->number << 3 | 2);
    size += put_number(to + size, fresh);
    memcpy(to + size, payload, fresh);
    free(payload);
    return size + fresh;
}

/* The lengths of the messages around, from the inside out; 0 where there is no room. */
static size_t mend_lengths(uint8_t *bytes, size_t size, size_t most, const way *w, ptrdiff_t grown)
{
    for (size_t d = w->depth - 1; d-- > 0;) {
        const field *f = &w->at[d];
        uint8_t key[24];
        size_t put = put_number(key, (uint64_t)f->number << 3 | 2);
        put += put_number(key + put, (uint64_t)((ptrdiff_t)(f->end - f->value) + grown));
        size = replace(bytes, size, most, f->at, f->value, key, put);
        if (!size) return 0;
        grown += (ptrdiff_t)put - (ptrdiff_t)(f->value - f->at);
    }
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed)
{
    uint32_t state = seed;
    way w;
    field other;
    if (!mutate_pick(&state, 4) || !descend(bytes, size, &state, &w, &other))
        return LLVMFuzzerMutate(bytes, size, most);
    const field *f = &w.at[w.depth - 1];
    uint8_t *work = malloc(most + 64), *fresh = malloc(most + 64);
    size_t after = 0;
    if (work && fresh) {
        memcpy(work, bytes, size);
        const size_t put = changed(bytes, f, &other, fresh, most, &state);
        after = replace(work, size, most, f->at, f->end, fresh, put);
        if (after) after = mend_lengths(work, after, most, &w, (ptrdiff_t)put - (ptrdiff_t)(f->end - f->at));
        if (after) memcpy(bytes, work, after);
    }
    free(work);
    free(fresh);
    return after ? after : LLVMFuzzerMutate(bytes, size, most);
}
