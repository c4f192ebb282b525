#include "format/scan_impl.h"

#include <stdio.h>
#include <string.h>

#include "format/onnx.pb-c.h"

/* Rough cost in memory of what protobuf-c and then the model make of a field, upper bounds for both together. */
enum { COST_FIELD = 64, COST_MESSAGE = 512, COST_TEXT = 64, COST_PACKED_BYTE = 16 };

typedef struct frame {
    const ProtobufCMessageDescriptor *type;
    const char *name; /* of the field that holds it */
    size_t content, end;
    uint64_t seen; /* bit per field of the type: it stood here already */
} frame;

typedef struct scan {
    const unsigned char *bytes;
    tonnx__budget *budget;
    tonnx__splice *slim;
    size_t at, depth;
    frame stack[TONNX__NESTING_MOST];
} scan;

bool tonnx__is_text(const unsigned char *bytes, size_t size)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 }; /* smallest code that needs so many more bytes */
    for (size_t i = 0; i < size;) {
        const unsigned char first = bytes[i++];
        const size_t more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : 4;
        if (!first || more > 3 || more > size - i) return false;
        uint32_t code = more ? first & (0x3fu >> more) : first;
        for (size_t k = 0; k < more; k++, i++) {
            if (bytes[i] >> 6 != 2) return false;
            code = code << 6 | (bytes[i] & 0x3f);
        }
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    }
    return true;
}

/* Fails with "graph.node.attribute.FIELD: WHAT at byte N"; the field is of the `depth`-th message of the stack. */
static tonnx_status bad_at(const scan *s, size_t depth, const char *field, const char *what, size_t at)
{
    char path[256] = "";
    const size_t shown = depth < 8 ? depth : 8;
    for (size_t i = 1; i < shown; i++) {
        const size_t used = strlen(path);
        snprintf(path + used, sizeof path - used, "%s.", s->stack[i].name);
    }
    return tonnx__fail(TONNX_BAD_MODEL, "%s%s%s: %s (at byte %zu)", path, shown < depth ? "…." : "", field, what, at);
}

static tonnx_status bad(const scan *s, const char *field, const char *what, size_t at)
{
    return bad_at(s, s->depth, field, what, at);
}

static tonnx_status spend(scan *s, const char *field, size_t cost)
{
    if (cost <= s->budget->left) {
        s->budget->left -= cost;
        return TONNX_OK;
    }
    s->budget->overdrawn = true;
    return bad(s, field, "too many of these: reading on would go over the memory limit of 96 MiB + 3 × the file",
               s->at);
}

static bool is_numbers(ProtobufCType type)
{
    return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES && type != PROTOBUF_C_TYPE_MESSAGE;
}

/* Whether the wire type is one in which the schema's field may come. Repeated numbers come packed or one by one. */
static bool fits(const ProtobufCFieldDescriptor *known, tonnx__wire_type type)
{
    switch (known->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return type == TONNX__WIRE_BYTES;
    default:
        break;
    }
    if (type == TONNX__WIRE_BYTES) return known->label == PROTOBUF_C_LABEL_REPEATED;
    if (known->type == PROTOBUF_C_TYPE_FLOAT) return type == TONNX__WIRE_32;
    return type == (known->type == PROTOBUF_C_TYPE_DOUBLE ? TONNX__WIRE_64 : TONNX__WIRE_VARINT);
}

/* What the parser need not see: unknown fields, notes to people, payloads of tensors, bytes that are never looked into.
 */
static bool is_ballast(const frame *in, const ProtobufCFieldDescriptor *known)
{
    if (!known || !strcmp(known->name, "doc_string")) return true;
    if (in->type == &tonnx__onnx__tensor_proto__descriptor)
        return known->type == PROTOBUF_C_TYPE_BYTES || (is_numbers(known->type) && strstr(known->name, "_data"));
    return known->type == PROTOBUF_C_TYPE_BYTES && in->type != &tonnx__onnx__attribute_proto__descriptor;
}

/* A packed run of numbers must end where its last number ends. */
static bool is_whole(const scan *s, const ProtobufCFieldDescriptor *known, const tonnx__field *field)
{
    const size_t size = field->end - field->content;
    uint64_t value;
    if (known->type == PROTOBUF_C_TYPE_FLOAT) return size % 4 == 0;
    if (known->type == PROTOBUF_C_TYPE_DOUBLE) return size % 8 == 0;
    for (size_t at = field->content; at < field->end;)
        if (!tonnx__wire_varint(s->bytes, field->end, &at, TONNX__VARINT_MOST, &value)) return false;
    return true;
}

static size_t cost_of(const ProtobufCFieldDescriptor *known, const tonnx__field *field)
{
    const size_t size = field->end - field->content; /* below 2 GiB, so no product here can wrap */
    if (known->type == PROTOBUF_C_TYPE_MESSAGE) return COST_FIELD + COST_MESSAGE;
    if (!is_numbers(known->type)) return COST_FIELD + COST_TEXT + 2 * size;
    return COST_FIELD + (field->type == TONNX__WIRE_BYTES ? COST_PACKED_BYTE * size : 0);
}

/* The field's own sanity, whatever is done with it. */
static tonnx_status check_field(scan *s, const ProtobufCFieldDescriptor *known, const tonnx__field *field)
{
    frame *in = &s->stack[s->depth - 1];
    const size_t size = field->end - field->content;
    const uint64_t bit = (uint64_t)1 << (known - in->type->fields);
    if (!fits(known, field->type)) return bad(s, known->name, "has the wrong wire type", field->at);
    if (known->label != PROTOBUF_C_LABEL_REPEATED && in->seen & bit)
        return bad(s, known->name, "stands there twice (duplicate field)", field->at);
    in->seen |= bit;
    if (known->type == PROTOBUF_C_TYPE_STRING && !tonnx__is_text(s->bytes + field->content, size))
        return bad(s, known->name, "is not UTF-8 text without NUL", field->at);
    if (is_numbers(known->type) && field->type == TONNX__WIRE_BYTES && !is_whole(s, known, field))
        return bad(s, known->name, "its packed numbers are cut short", field->at);
    return TONNX_OK;
}

static tonnx_status enter(scan *s, const ProtobufCFieldDescriptor *known, const tonnx__field *field)
{
    if (s->depth == TONNX__NESTING_MOST) return bad(s, known->name, "is nested deeper than 64 levels", field->at);
    s->stack[s->depth++] =
        (frame){ .type = known->descriptor, .name = known->name, .content = field->content, .end = field->end };
    s->at = field->content;
    return TONNX_OK;
}

/* Runs of such fields (numbers one by one) are one edit, so only the first costs memory. */
static tonnx_status leave_out(scan *s, const char *name, const tonnx__field *field)
{
    const size_t before = s->slim->count;
    const tonnx_status status =
        tonnx__splice_add(s->slim, s->stack[s->depth - 1].content, field->at, field->end - field->at, NULL, 0);
    return status || s->slim->count == before ? status : spend(s, name, 2 * sizeof(tonnx__edit));
}

static tonnx_status scan_field(scan *s, const tonnx__field *field)
{
    const frame *in = &s->stack[s->depth - 1];
    const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(in->type, field->number);
    tonnx_status status = known ? check_field(s, known, field) : TONNX_OK;
    if (status) return status;
    if (is_ballast(in, known)) return leave_out(s, known ? known->name : "unknown field", field);
    status = spend(s, known->name, cost_of(known, field));
    return !status && known->type == PROTOBUF_C_TYPE_MESSAGE ? enter(s, known, field) : status;
}

tonnx_status tonnx__onnx_scan(const unsigned char *bytes, size_t size, tonnx__budget *budget, tonnx__splice *slim)
{
    scan s = { .bytes = bytes, .budget = budget, .slim = slim, .depth = 1 };
    s.stack[0] = (frame){ .type = &tonnx__onnx__model_proto__descriptor,
                          .name = "not an ONNX model, or cut short",
                          .end = size };
    while (s.depth) {
        tonnx__field field;
        const frame *in = &s.stack[s.depth - 1];
        if (s.at == in->end) {
            s.depth--;
            continue;
        }
        const size_t start = s.at;
        const char *wrong = tonnx__wire_next(bytes, in->end, &s.at, &field);
        if (wrong) return bad_at(&s, s.depth - 1, in->name, wrong, start); /* the message itself is at fault */
        const tonnx_status status = scan_field(&s, &field);
        if (status) return status;
    }
    return TONNX_OK;
}
