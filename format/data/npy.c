/* NumPy's .npy, versions 1 to 3 (numpy/lib/format.py): magic, header length, a Python dictionary, then the elements. */
#include <stdio.h>
#include <string.h>

#include "format/data/table_impl.h"

enum { HEADER_LIMIT = 1 << 16 };

/* The dictionary as text, and how far it is read. */
typedef struct cursor {
    const char *at, *path;
} cursor;

static const struct type {
    const char *code;
    tonnx_dtype dtype;
} types[] = {
    { "f2", TONNX_FLOAT16 },  { "f4", TONNX_FLOAT },  { "f8", TONNX_DOUBLE }, { "b1", TONNX_BOOL },
    { "i1", TONNX_INT8 },     { "i2", TONNX_INT16 },  { "i4", TONNX_INT32 },  { "i8", TONNX_INT64 },
    { "V2", TONNX_BFLOAT16 }, /* what ml_dtypes, which JAX and others use, saves bfloat16 as */
    { "u1", TONNX_UINT8 },    { "u2", TONNX_UINT16 }, { "u4", TONNX_UINT32 }, { "u8", TONNX_UINT64 },
};

static bool sniff(const unsigned char *head, size_t size)
{
    return !memcmp(head, "\x93NUMPY", size < 6 ? size : 6);
}

static tonnx_status bad_header(const cursor *in, const char *wanted)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s: npy header: %s, not '%.24s'", in->path, wanted, in->at);
}

/* Takes `token` if it comes next, blanks before it skipped. */
static bool take(cursor *in, const char *token)
{
    const size_t length = strlen(token);
    while (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r') in->at++;
    if (strncmp(in->at, token, length)) return false;
    in->at += length;
    return true;
}

/* 'text' or "text"; no escapes, which NumPy never writes here. */
static bool take_string(cursor *in, char *text, size_t room)
{
    const char quote = take(in, "'") ? '\'' : take(in, "\"") ? '"' : '\0';
    const char *end = quote ? strchr(in->at, quote) : NULL;
    if (!end || (size_t)(end - in->at) >= room) return false;
    memcpy(text, in->at, (size_t)(end - in->at));
    text[end - in->at] = '\0';
    in->at = end + 1;
    return true;
}

/* "<f4", ">i8", "|u1" … Objects would be a pickle, which is a program: never. */
static tonnx_status take_descr(cursor *in, tonnx__array *array)
{
    char descr[32] = "";
    if (take(in, "[")) return tonnx__fail(TONNX_BAD_DATA, "%s: dtype is a record; save one plain array", in->path);
    if (!take_string(in, descr, sizeof descr)) return bad_header(in, "'descr' should be a string");
    const char *code = strchr("<>=|", descr[0]) && descr[0] ? descr + 1 : descr;
    array->big_endian = descr[0] == '>';
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(code, types[i].code)) array->dtype = types[i].dtype;
    if (array->dtype) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: dtype '%s' is %s; tonnx reads floats, integers and booleans", in->path,
                       descr, *code == 'O' ? "a Python object (a pickle)" : "no number");
}

static tonnx_status take_bool(cursor *in, bool *value)
{
    *value = take(in, "True");
    return *value || take(in, "False") ? TONNX_OK : bad_header(in, "'fortran_order' should be True or False");
}

/* One dimension; Python 2 wrote long ones with an L. */
static tonnx_status take_dimension(cursor *in, size_t *dimension)
{
    const char *digits;
    take(in, ""); /* blanks */
    digits = in->at;
    *dimension = 0;
    for (; *in->at >= '0' && *in->at <= '9'; in->at++)
        if (!tonnx__mul(dimension, *dimension, 10) || !tonnx__add(dimension, *dimension, (size_t)(*in->at - '0')))
            return tonnx__fail(TONNX_BAD_DATA, "%s: npy header: a dimension in 'shape' is beyond 64 bits", in->path);
    if (in->at == digits) return bad_header(in, "'shape' should be a tuple of counts");
    take(in, "L");
    return TONNX_OK;
}

/* "(24, 6)", "(24,)", "()" */
static tonnx_status take_shape(cursor *in, tonnx__array *array)
{
    if (!take(in, "(")) return bad_header(in, "'shape' should be a tuple");
    while (!take(in, ")")) {
        if (array->rank == TONNX__ARRAY_RANK)
            return tonnx__fail(TONNX_BAD_DATA, "%s: npy header: 'shape' has more than %d dimensions", in->path,
                               TONNX__ARRAY_RANK);
        const tonnx_status status = take_dimension(in, &array->dims[array->rank++]);
        if (status) return status;
        if (take(in, ",")) continue;
        if (!take(in, ")")) return bad_header(in, "'shape' should end with ')'");
        break;
    }
    return TONNX_OK;
}

/* The dictionary: three keys, each once, in any order. */
static tonnx_status parse(cursor *in, tonnx__array *array)
{
    static const char *const keys[] = { "descr", "fortran_order", "shape" };
    unsigned seen = 0;
    if (!take(in, "{")) return bad_header(in, "it should be a dictionary");
    while (!take(in, "}")) {
        char key[32] = "";
        size_t k = 0;
        if (!take_string(in, key, sizeof key)) return bad_header(in, "a key should follow");
        while (k < 3 && strcmp(key, keys[k])) k++;
        if (k == 3 || seen & 1u << k || !take(in, ":"))
            return tonnx__fail(TONNX_BAD_DATA, "%s: npy header: key '%s' is unknown, twice there or without a value",
                               in->path, key);
        seen |= 1u << k;
        const tonnx_status status = k == 0   ? take_descr(in, array)
                                    : k == 1 ? take_bool(in, &array->fortran)
                                             : take_shape(in, array);
        if (status) return status;
        if (take(in, ",")) continue;
        if (!take(in, "}")) return bad_header(in, "'}' should follow");
        break;
    }
    for (size_t k = 0; k < 3; k++)
        if (!(seen & 1u << k)) return tonnx__fail(TONNX_BAD_DATA, "%s: npy header: no '%s'", in->path, keys[k]);
    take(in, ""); /* the padding */
    return *in->at ? bad_header(in, "nothing should follow the dictionary") : TONNX_OK;
}

/* The header's text as a string of its own, to be freed. */
static tonnx_status read_header(char **text, tonnx__source *source)
{
    unsigned char head[12] = { 0 };
    size_t length = 0;
    *text = NULL;
    tonnx_status status = tonnx__source_read(source, head, 8);
    if (!status && !sniff(head, 8))
        return tonnx__fail(TONNX_BAD_DATA, "%s: is no .npy: it does not begin with its magic", source->path);
    if (!status && (head[6] < 1 || head[6] > 3))
        return tonnx__fail(TONNX_BAD_DATA, "%s: npy version %d.%d; tonnx reads 1 to 3", source->path, head[6], head[7]);
    if (!status) status = tonnx__source_read(source, head + 8, head[6] == 1 ? 2 : 4);
    if (status) return status;
    for (size_t i = head[6] == 1 ? 2 : 4; i-- > 0;) length = length << 8 | head[8 + i];
    if (length > HEADER_LIMIT)
        return tonnx__fail(TONNX_BAD_DATA, "%s: npy header of %zu bytes; at most %d are read", source->path, length,
                           HEADER_LIMIT);
    status = tonnx__alloc(text, length + 1, 1);
    if (!status) status = tonnx__source_read(source, *text, length);
    if (!status && strlen(*text) < length)
        status = tonnx__fail(TONNX_BAD_DATA, "%s: npy header: NUL byte", source->path);
    return status;
}

tonnx_status tonnx__npy_header(tonnx__array *array, tonnx__source *source)
{
    char *text = NULL;
    *array = (tonnx__array){ 0 };
    tonnx_status status = read_header(&text, source);
    cursor in = { text, source->path };
    if (!status) status = parse(&in, array);
    tonnx__free(text);
    return status;
}

static const char *code_of(tonnx_dtype dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == dtype) return types[i].code;
    return NULL;
}

tonnx_status tonnx__npy_make_header(char **out, size_t *size, tonnx_dtype dtype, size_t rank, const int64_t *dims)
{
    static const unsigned char magic[8] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0 };
    const char *code = code_of(dtype);
    const size_t room = 256 + 24 * rank;
    *out = NULL;
    *size = 0;
    if (!code || room > UINT16_MAX)
        return tonnx__fail(TONNX_BAD_MODEL, "NumPy has no array of %s with %zu dimensions", tonnx_dtype_name(dtype),
                           rank);
    const tonnx_status status = tonnx__alloc(out, room, 1);
    if (status) return status;
    const bool one_byte = tonnx_dtype_size(dtype) == 1 || *code == 'V';
    size_t at = 10 + (size_t)snprintf(*out + 10, room - 10, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                                      one_byte ? '|' : '<', code);
    for (size_t d = 0; d < rank; d++)
        at +=
            (size_t)snprintf(*out + at, room - at, "%s%lld%s", d ? ", " : "", (long long)dims[d], rank == 1 ? "," : "");
    at += (size_t)snprintf(*out + at, room - at, "), }");
    while (at % 64 != 63) (*out)[at++] = ' '; /* NumPy begins the elements at a multiple of 64 */
    (*out)[at++] = '\n';
    memcpy(*out, magic, sizeof magic);
    (*out)[8] = (char)(at - 10);
    (*out)[9] = (char)((at - 10) >> 8);
    *size = at;
    return TONNX_OK;
}

static tonnx_status read_npy(tonnx__table *x, tonnx__table *y, tonnx__source *source, const tonnx__request *request)
{
    tonnx__array array;
    (void)y;
    const tonnx_status status = tonnx__npy_header(&array, source);
    if (status) return status;
    snprintf(x->how, sizeof x->how, "npy %s%s", tonnx_dtype_name(array.dtype), array.rank > 2 ? ", flattened" : "");
    return tonnx__array_read(x, &array, source, request);
}

const tonnx__reader tonnx__npy_reader = { "npy", sniff, read_npy };
