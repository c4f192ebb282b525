/* safetensors (huggingface.co/docs/safetensors): eight bytes of length, a JSON header of that length, the elements. The
 * tensors must fill what follows the header, without a hole and without sharing a byte. */
#include <stdlib.h>
#include <string.h>

#include "format/data/bundle_impl.h"
#include "format/data/safetensors_impl.h"
#include "format/json_impl.h"

enum { HEADER_LIMIT = 100000000, MOST_TENSORS = 1 << 17 };

typedef struct entry {
    char *name;
    tonnx__array array; /* dtype none: one that tonnx does not read */
    size_t begin, end;  /* its bytes, counted from the end of the header */
} entry;

typedef struct inside {
    entry *entries; /* in the order of their bytes */
    size_t count, room;
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

/* An IDX of one dimension, whose first value may be any byte. */
static bool is_idx(const unsigned char *head)
{
    return !head[0] && !head[1] && head[2] >= 0x08 && head[2] <= 0x0e && head[3] == 1;
}

/* A header is at most 100 MB, so its length's upper bytes are 0, which no text and no other format has there. Where
 * they are not, one byte of it at least is no text. */
static bool sniff(const unsigned char *head, size_t size)
{
    if (size < 9 || head[8] != '{') return false;
    if (!head[4] && !head[5] && !head[6] && !head[7]) return true;
    if (head[0] || head[1]) return memchr(head, 0, 8) != NULL;
    return !is_idx(head) && size > 9 && (head[9] == '"' || head[9] == '}');
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

static tonnx_status bad_header(const tonnx__source *source, const tonnx__json_in *json)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s: header: no JSON object: %s (byte %zu)", source->path,
                       json->wrong ? json->wrong : "a value of another kind", (size_t)(json->at - json->begin));
}

static tonnx_status bad_entry(const tonnx__source *source, const entry *e, const char *what)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s: tensor '%.60s': %s", source->path, e->name, what);
}

static tonnx_status take_type(const tonnx__source *source, entry *e, tonnx__json_in *json)
{
    char *type = NULL;
    const tonnx_status status = tonnx__json_string(json, &type);
    if (status || json->wrong) return status;
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, type)) e->array.dtype = types[i].dtype;
    tonnx__free(type);
    return type ? TONNX_OK : bad_entry(source, e, "its dtype is no string");
}

static tonnx_status take_shape(const tonnx__source *source, entry *e, tonnx__json_in *json)
{
    if (!tonnx__json_enter(json, '[')) return bad_entry(source, e, "its shape is no array");
    while (tonnx__json_more(json, ']')) {
        if (e->array.rank == TONNX__ARRAY_RANK) return bad_entry(source, e, "its shape has more than 32 dimensions");
        if (!tonnx__json_count(json, &e->array.dims[e->array.rank++]))
            return bad_entry(source, e, "its shape has a dimension that is no count");
    }
    return TONNX_OK;
}

static tonnx_status take_offsets(const tonnx__source *source, entry *e, tonnx__json_in *json)
{
    size_t count = 0, *places[] = { &e->begin, &e->end };
    bool good = tonnx__json_enter(json, '[');
    while (good && tonnx__json_more(json, ']')) good = count < 2 && tonnx__json_count(json, places[count++]);
    return good && count == 2 ? TONNX_OK : bad_entry(source, e, "its data_offsets are no pair of counts");
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

/* What is said of a tensor; other members may be there and say nothing to us. */
static const struct member {
    const char *name, *missing;
    tonnx_status (*take)(const tonnx__source *source, entry *e, tonnx__json_in *json);
} members[] = {
    { "dtype", "it has no dtype", take_type },
    { "shape", "it has no shape", take_shape },
    { "data_offsets", "it has no data_offsets", take_offsets },
};

enum { MEMBERS = sizeof members / sizeof *members };

static tonnx_status take_member(const tonnx__source *source, entry *e, tonnx__json_in *json, bool seen[MEMBERS])
{
    char *key = NULL;
    size_t i = 0;
    tonnx_status status = tonnx__json_key(json, &key);
    if (status || json->wrong) return status;
    while (i < MEMBERS && strcmp(members[i].name, key) != 0) i++;
    tonnx__free(key);
    if (i == MEMBERS) return tonnx__json_skip(json), TONNX_OK;
    if (seen[i])
        return tonnx__fail(TONNX_BAD_DATA, "%s: tensor '%.60s': duplicate '%s'", source->path, e->name,
                           members[i].name);
    seen[i] = true;
    return members[i].take(source, e, json);
}

static tonnx_status take_entry(const tonnx__source *source, entry *e, tonnx__json_in *json)
{
    bool seen[MEMBERS] = { false };
    tonnx_status status = TONNX_OK;
    if (!tonnx__json_enter(json, '{')) return bad_entry(source, e, "it is no object");
    while (!status && tonnx__json_more(json, '}')) status = take_member(source, e, json, seen);
    if (json->wrong) return bad_header(source, json);
    for (size_t i = 0; !status && i < MEMBERS; i++)
        if (!seen[i]) status = bad_entry(source, e, members[i].missing);
    return status ? status : check_size(source, e);
}

/* One member of the header: a tensor, or remarks, which are passed over. */
static tonnx_status take_tensor(inside *in, tonnx__json_in *json, bool *remarks)
{
    char *name = NULL;
    tonnx_status status = tonnx__json_key(json, &name);
    if (status || json->wrong) return status;
    if (!strcmp(name, "__metadata__") && !*remarks) {
        *remarks = true;
        tonnx__free(name);
        tonnx__json_skip(json);
        return TONNX_OK;
    }
    if (in->count == MOST_TENSORS)
        status = tonnx__fail(TONNX_BAD_DATA, "%s: header: more than %d tensors", in->source->path, MOST_TENSORS);
    if (!status) status = tonnx__grow(&in->entries, &in->room, in->count + 1, sizeof *in->entries);
    if (status) return tonnx__free(name), status;
    entry *e = &in->entries[in->count++];
    e->name = name;
    return take_entry(in->source, e, json);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static tonnx_status check_names(inside *in)
{
    if (in->count) qsort(in->entries, in->count, sizeof *in->entries, by_name);
    for (size_t i = 1; i < in->count; i++)
        if (!strcmp(in->entries[i - 1].name, in->entries[i].name))
            return tonnx__fail(TONNX_BAD_DATA, "%s: header: duplicate tensor '%.60s'", in->source->path,
                               in->entries[i].name);
    return TONNX_OK;
}

static tonnx_status take_header(inside *in, const char *text, size_t length)
{
    tonnx__json_in json = tonnx__json_read(text, length);
    tonnx_status status = TONNX_OK;
    bool remarks = false;
    if (!tonnx__json_enter(&json, '{')) return bad_header(in->source, &json);
    while (!status && tonnx__json_more(&json, '}')) status = take_tensor(in, &json, &remarks);
    if (status || !tonnx__json_done(&json)) return status ? status : bad_header(in->source, &json);
    return check_names(in);
}

static tonnx_status read_header(inside *in)
{
    size_t length = 0;
    char *text = NULL;
    tonnx_status status = read_length(in->source, &length);
    if (!status) status = tonnx__alloc(&text, length, 1);
    if (!status) status = tonnx__source_read(in->source, text, length);
    if (!status) status = take_header(in, text, length);
    tonnx__free(text);
    return status;
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
    if (in->count) qsort(in->entries, in->count, sizeof *in->entries, by_place);
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
    tonnx_status status = tonnx__alloc(&in, 1, sizeof *in);
    if (status) return status;
    bundle->inside = in;
    in->source = bundle->source;
    status = read_header(in);
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
    const size_t end = in->entries[in->count - 1].end; /* an array has been read */
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
