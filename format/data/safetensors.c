/* safetensors (huggingface.co/docs/safetensors): eight bytes of length, a JSON header of that length, the elements. The
 * tensors must fill what follows the header, without a hole and without sharing a byte. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "format/data/bundle_impl.h"
#include "format/data/safetensors_impl.h"

enum { HEADER_LIMIT = 100000000, DEPTH_LIMIT = 8 };

typedef struct entry {
    char *name;
    tonnx__array array; /* dtype none: one that tonnx does not read */
    size_t begin, end;  /* its bytes, counted from the end of the header */
} entry;

typedef struct inside {
    entry *entries; /* in the order of their bytes */
    size_t count;
    size_t at;             /* bytes behind the header that are read */
    size_t left;           /* of the array at hand */
    tonnx__source *source; /* the file */
} inside;

static const struct type {
    const char *name;
    tonnx_dtype dtype;
} types[] = {
    { "F32", TONNX_FLOAT },  { "F64", TONNX_DOUBLE }, { "F16", TONNX_FLOAT16 }, { "BF16", TONNX_BFLOAT16 },
    { "I64", TONNX_INT64 },  { "I32", TONNX_INT32 },  { "I16", TONNX_INT16 },   { "I8", TONNX_INT8 },
    { "U64", TONNX_UINT64 }, { "U32", TONNX_UINT32 }, { "U16", TONNX_UINT16 },  { "U8", TONNX_UINT8 },
    { "BOOL", TONNX_BOOL },
};

const char *tonnx__safetensors_type(tonnx_dtype dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == dtype) return types[i].name;
    return NULL;
}

/* A header is at most 100 MB, so its length's upper bytes are 0, which no text and no other format has there. Where
 * they are not, one byte of it at least is no text. */
static bool sniff(const unsigned char *head, size_t size)
{
    if (size < 9 || head[8] != '{') return false;
    if (!head[4] && !head[5] && !head[6] && !head[7]) return true;
    return (head[0] || head[1]) ? memchr(head, 0, 8) != NULL : size > 9 && (head[9] == '"' || head[9] == '}');
}

/* What a JSON parser would have to hold and how deep it would go, before it sees the text: a tensor takes 7 values in
 * 50 bytes at least. */
static tonnx_status scan_json(const char *path, const char *text, size_t size)
{
    size_t depth = 0, values = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if (quoted && c == '\\') i++;
        else if (c == '"') quoted = !quoted;
        else if (quoted) continue;
        else if (c == '{' || c == '[') depth++, values++;
        else if (c == ',') values++;
        else if ((c == '}' || c == ']') && depth) depth--;
        if (depth > DEPTH_LIMIT)
            return tonnx__fail(TONNX_BAD_DATA, "%s: header: JSON nests deeper than %d levels", path, DEPTH_LIMIT);
        if (values > 1024 + size / 4)
            return tonnx__fail(TONNX_BAD_DATA, "%s: header: more values than %zu bytes of tensors have", path, size);
    }
    return TONNX_OK;
}

static tonnx_status read_length(tonnx__source *source, size_t *length)
{
    unsigned char bytes[8];
    const tonnx_status status = tonnx__source_read(source, bytes, sizeof bytes);
    if (status) return status;
    *length = 0;
    for (size_t i = 8; i-- > 0;) *length = *length << 8 | bytes[i];
    if (*length > HEADER_LIMIT)
        return tonnx__fail(TONNX_BAD_DATA, "%s: header of %zu bytes; at most %d are read", source->path, *length,
                           HEADER_LIMIT);
    const size_t most = tonnx__source_most(source);
    if (*length <= most) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: header of %zu bytes, but only %zu follow", source->path, *length, most);
}

static tonnx_status read_header(json_t **out, tonnx__source *source)
{
    json_error_t error;
    size_t length = 0;
    char *text = NULL;
    *out = NULL;
    tonnx_status status = read_length(source, &length);
    if (!status) status = tonnx__alloc(&text, length, 1);
    if (!status) status = tonnx__source_read(source, text, length);
    if (!status) status = scan_json(source->path, text, length);
    if (!status) *out = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    tonnx__free(text);
    if (status || json_is_object(*out)) return status;
    if (!*out && json_error_code(&error) == json_error_out_of_memory)
        return tonnx__fail(TONNX_NO_MEMORY, "%s: header: out of memory", source->path);
    return tonnx__fail(TONNX_BAD_DATA, "%s: header: no JSON object: %s", source->path,
                       *out ? "another value" : error.text);
}

static tonnx_status bad_entry(const tonnx__source *source, const entry *e, const char *what)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s: tensor '%.60s': %s", source->path, e->name, what);
}

static bool take_size(const json_t *value, size_t *out)
{
    *out = json_is_integer(value) && json_integer_value(value) >= 0 ? (size_t)json_integer_value(value) : 0;
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static tonnx_status take_shape(const tonnx__source *source, entry *e, const json_t *shape)
{
    if (!json_is_array(shape)) return bad_entry(source, e, "its shape is no array");
    e->array.rank = json_array_size(shape);
    if (e->array.rank > TONNX__ARRAY_RANK) return bad_entry(source, e, "its shape has more than 32 dimensions");
    for (size_t d = 0; d < e->array.rank; d++)
        if (!take_size(json_array_get(shape, d), &e->array.dims[d]))
            return bad_entry(source, e, "its shape has a dimension that is no count");
    return TONNX_OK;
}

/* The size that type and shape give; types that tonnx does not read are of any size. */
static tonnx_status check_size(const tonnx__source *source, const entry *e)
{
    size_t bytes = tonnx_dtype_size(e->array.dtype);
    bool fits = true;
    if (e->end < e->begin) return bad_entry(source, e, "its data_offsets end before they begin");
    for (size_t d = 0; d < e->array.rank; d++) fits = tonnx__mul(&bytes, bytes, e->array.dims[d]) && fits;
    if (!fits) return bad_entry(source, e, "its shape is beyond 64 bits");
    if (!e->array.dtype || bytes == e->end - e->begin) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: tensor '%.60s': type and shape take %zu bytes, data_offsets give %zu",
                       source->path, e->name, bytes, e->end - e->begin);
}

static tonnx_status take_entry(const tonnx__source *source, entry *e, const json_t *object)
{
    const json_t *offsets = json_object_get(object, "data_offsets");
    const char *type = json_string_value(json_object_get(object, "dtype"));
    if (!type) return bad_entry(source, e, "it has no dtype");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, type)) e->array.dtype = types[i].dtype;
    tonnx_status status = take_shape(source, e, json_object_get(object, "shape"));
    if (status) return status;
    if (json_array_size(offsets) != 2 || !take_size(json_array_get(offsets, 0), &e->begin) ||
        !take_size(json_array_get(offsets, 1), &e->end))
        return bad_entry(source, e, "its data_offsets are no pair of counts");
    return check_size(source, e);
}

static tonnx_status take_entries(inside *in, json_t *header)
{
    const char *name;
    json_t *value;
    tonnx_status status = tonnx__alloc(&in->entries, json_object_size(header), sizeof *in->entries);
    if (status) return status;
    json_object_foreach(header, name, value)
    {
        entry *e = &in->entries[in->count];
        if (!strcmp(name, "__metadata__")) continue;
        status = tonnx__strdup(&e->name, name);
        if (status) return status;
        in->count++;
        status = take_entry(in->source, e, value);
        if (status) return status;
    }
    return TONNX_OK;
}

static int by_place(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* One tensor after the other, from the header to the end of the file. */
static tonnx_status check_places(const inside *in)
{
    const size_t most = tonnx__source_most(in->source);
    const char *path = in->source->path;
    size_t at = 0;
    qsort(in->entries, in->count, sizeof *in->entries, by_place);
    for (size_t i = 0; i < in->count; at = in->entries[i++].end) {
        const entry *e = &in->entries[i];
        if (e->begin > at)
            return tonnx__fail(TONNX_BAD_DATA, "%s: tensor '%.60s': a hole of %zu bytes before its data_offsets", path,
                               e->name, e->begin - at);
        if (e->begin < at)
            return tonnx__fail(TONNX_BAD_DATA, "%s: tensors '%.60s' and '%.60s' overlap", path, in->entries[i - 1].name,
                               e->name);
        if (e->end > most)
            return tonnx__fail(TONNX_BAD_DATA, "%s: tensor '%.60s': its data_offsets end at %zu, the file at %zu", path,
                               e->name, e->end, most);
    }
    if (!tonnx__source_is_exact(in->source) || at == most) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: %zu bytes at the end belong to no tensor", path, most - at);
}

static tonnx_status open_safetensors(tonnx__bundle *bundle)
{
    inside *in = NULL;
    json_t *header = NULL;
    tonnx_status status = tonnx__alloc(&in, 1, sizeof *in);
    if (status) return status;
    bundle->inside = in;
    in->source = bundle->source;
    status = read_header(&header, in->source);
    if (!status) status = take_entries(in, header);
    json_decref(header);
    if (!status) status = check_places(in);
    if (!status) status = tonnx__alloc(&bundle->names, in->count, sizeof *bundle->names);
    for (; !status && bundle->count < in->count; bundle->count++) {
        bundle->names[bundle->count] = in->entries[bundle->count].name;
        in->entries[bundle->count].name = NULL;
    }
    return status;
}

static tonnx_status pull(void *user, unsigned char *to, size_t size, size_t *got)
{
    inside *in = user;
    const tonnx_status status = tonnx__source_take(in->source, to, size < in->left ? size : in->left, got);
    in->left -= *got;
    in->at += *got;
    return status;
}

static tonnx_status enter(tonnx__bundle *bundle, size_t i, tonnx__array *array, tonnx__source **elements)
{
    inside *in = bundle->inside;
    const entry *e = &in->entries[i];
    *elements = NULL;
    *array = e->array;
    tonnx_status status = tonnx__bundle_label(bundle, i);
    if (status) return status;
    if (!e->array.dtype)
        return tonnx__fail(TONNX_BAD_DATA, "%s: elements of its dtype are not read; save it as F32", bundle->label);
    status = tonnx__source_skip(in->source, e->begin - in->at);
    if (status) return status;
    in->at = e->begin;
    in->left = e->end - e->begin;
    return tonnx__source_inside(elements, bundle->label, in->left, pull, in);
}

/* A pipe's end tells what a file's size told before. */
static tonnx_status finish(tonnx__bundle *bundle)
{
    const inside *in = bundle->inside;
    if (tonnx__source_is_exact(in->source)) return TONNX_OK;
    const size_t end = in->count ? in->entries[in->count - 1].end : 0;
    const tonnx_status status = tonnx__source_skip(in->source, end - in->at);
    return status ? status : tonnx__source_expect_end(in->source);
}

static void close_safetensors(tonnx__bundle *bundle)
{
    inside *in = bundle->inside;
    for (size_t i = 0; in && i < in->count; i++) tonnx__free(in->entries[i].name);
    if (in) tonnx__free(in->entries);
    tonnx__free(in);
}

const tonnx__bundle_kind tonnx__safetensors_bundle = { "safetensors", sniff,  open_safetensors,
                                                       enter,         finish, close_safetensors };
