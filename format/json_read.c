/* JSON in (RFC 8259): read as it comes, every step of it checked, nested no deeper than DEEPEST. */
#include <string.h>

#include "format/json_impl.h"
#include "format/scan_impl.h"
#include "runtime/mem_impl.h"

enum { DEEPEST = 8 };

tonnx__json_in tonnx__json_read(const char *text, size_t size)
{
    const bool is_text = tonnx__is_text((const unsigned char *)text, size);
    return (tonnx__json_in){ text, text, text + size, is_text ? NULL : "it is not UTF-8 text without NUL", false };
}

static void fault(tonnx__json_in *in, const char *what)
{
    if (!in->wrong) in->wrong = what;
}

/* The next character that is no blank, 0 at the end and where something is wrong. */
static char look(tonnx__json_in *in)
{
    while (in->at < in->end && strchr(" \t\r\n", *in->at)) in->at++;
    return in->at < in->end && !in->wrong ? *in->at : '\0';
}

static bool take(tonnx__json_in *in, char wanted)
{
    const bool there = look(in) == wanted;
    if (there) in->at++;
    return there;
}

bool tonnx__json_enter(tonnx__json_in *in, char bracket)
{
    const bool inside = take(in, bracket);
    if (inside) in->fresh = true;
    return inside;
}

bool tonnx__json_more(tonnx__json_in *in, char closing)
{
    const bool first = in->fresh;
    in->fresh = false;
    if (in->wrong || take(in, closing)) return false;
    if (!first && !take(in, ',')) fault(in, "a comma or a closing bracket is missing");
    return !in->wrong;
}

static unsigned hex(const char *digits)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        static const char known[] = "0123456789abcdefABCDEF";
        const char *found = digits[i] ? strchr(known, digits[i]) : NULL;
        const unsigned digit = found ? (unsigned)(found - known) : 0;
        if (!found) return 0;
        value = value << 4 | (digit < 16 ? digit : digit - 6);
    }
    return value;
}

/* The code point of an escape \uXXXX at `in->at`, or of a pair of surrogates; 0, which a name may not hold, is a fault.
 */
static unsigned escaped_code(tonnx__json_in *in)
{
    unsigned code = in->end - in->at >= 6 ? hex(in->at + 2) : 0;
    in->at += code ? 6 : 0;
    if (code >= 0xd800 && code < 0xdc00) {
        const bool pair = in->end - in->at >= 6 && in->at[0] == '\\' && in->at[1] == 'u';
        const unsigned low = pair ? hex(in->at + 2) : 0;
        if (low < 0xdc00 || low > 0xdfff) return 0;
        in->at += 6;
        return 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
    }
    return code >= 0xdc00 && code <= 0xdfff ? 0 : code;
}

static size_t put_utf8(char *to, unsigned code)
{
    if (code < 0x80) return to[0] = (char)code, 1;
    const size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char heads[] = { 0, 0xc0, 0xe0, 0xf0 };
    to[0] = (char)(heads[more] | code >> 6 * more);
    for (size_t i = 1; i <= more; i++) to[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3f));
    return more + 1;
}

/* One character of a string, an escape or not, to `to`, which has room for four bytes; how many it takes, 0 at a fault.
 */
static size_t take_character(tonnx__json_in *in, char *to)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char c = in->at < in->end ? *in->at : '\0';
    if ((unsigned char)c < 0x20) fault(in, "a string does not end, or holds a control character");
    if (in->wrong) return 0;
    if (c != '\\') return to[0] = c, in->at++, 1;
    const char letter = in->end - in->at > 1 ? in->at[1] : '\0';
    const char *known = letter ? strchr(letters, letter) : NULL;
    if (known) return to[0] = meant[known - letters], in->at += 2, 1;
    const unsigned code = letter == 'u' ? escaped_code(in) : 0;
    if (!code) fault(in, "an escape that JSON does not have, or that no name may hold");
    return code ? put_utf8(to, code) : 0;
}

static void skip_string(tonnx__json_in *in)
{
    char any[4];
    for (in->at++; !in->wrong && (in->at == in->end || *in->at != '"');) take_character(in, any);
    if (!in->wrong) in->at++;
}

tonnx_status tonnx__json_string(tonnx__json_in *in, char **out)
{
    *out = NULL;
    if (look(in) != '"') return TONNX_OK;
    const char *begin = in->at;
    skip_string(in);
    if (in->wrong) return TONNX_OK;
    const tonnx_status status =
        tonnx__alloc(out, (size_t)(in->at - begin), 1); /* an escape is longer than what it means */
    if (status) return status;
    in->at = begin + 1;
    for (size_t size = 0; *in->at != '"';) {
        char character[4];
        const size_t taken = take_character(in, character);
        memcpy(*out + size, character, taken);
        size += taken;
    }
    in->at++;
    return TONNX_OK;
}

tonnx_status tonnx__json_key(tonnx__json_in *in, char **out)
{
    const tonnx_status status = tonnx__json_string(in, out);
    if (!status && !*out) fault(in, "a member has no name");
    if (!status && !take(in, ':')) fault(in, "a colon is missing");
    if (!status && !in->wrong) return TONNX_OK;
    tonnx__free(*out);
    *out = NULL;
    return status;
}

static size_t digits(tonnx__json_in *in)
{
    const char *begin = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
    return (size_t)(in->at - begin);
}

static void skip_number(tonnx__json_in *in)
{
    if (*in->at == '-') in->at++;
    const bool zero = in->at < in->end && *in->at == '0';
    const size_t whole = digits(in);
    bool good = whole && !(zero && whole > 1);
    if (in->at < in->end && *in->at == '.') in->at++, good = digits(in) && good;
    if (in->at < in->end && (*in->at | 0x20) == 'e') {
        in->at++;
        if (in->at < in->end && (*in->at == '+' || *in->at == '-')) in->at++;
        good = digits(in) && good;
    }
    if (!good) fault(in, "a number that is none");
}

static void skip_word(tonnx__json_in *in)
{
    static const char *const words[] = { "true", "false", "null" };
    const size_t left = (size_t)(in->end - in->at);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t length = strlen(words[i]);
        if (left < length || memcmp(in->at, words[i], length) != 0) continue;
        in->at += length;
        return;
    }
    fault(in, "a value is missing");
}

static void skip_value(tonnx__json_in *in, int depth)
{
    const char c = look(in);
    if (depth > DEEPEST) fault(in, "it nests deeper than 8 levels");
    else if (c == '"') skip_string(in);
    else if (c == '-' || (c >= '0' && c <= '9')) skip_number(in);
    else if (c != '{' && c != '[') skip_word(in);
    else {
        const char closing = c == '{' ? '}' : ']';
        tonnx__json_enter(in, c);
        while (tonnx__json_more(in, closing)) {
            if (c == '{' && look(in) == '"') skip_string(in);
            else if (c == '{') fault(in, "a member has no name");
            if (c == '{' && !take(in, ':')) fault(in, "a colon is missing");
            skip_value(in, depth + 1);
        }
    }
}

void tonnx__json_skip(tonnx__json_in *in)
{
    skip_value(in, 2); /* what is read by its parts is within one already */
}

bool tonnx__json_count(tonnx__json_in *in, size_t *out)
{
    const bool number = look(in) >= '0' && look(in) <= '9';
    const char *begin = in->at;
    bool fits = number;
    *out = 0;
    tonnx__json_skip(in);
    for (const char *at = begin; fits && at < in->at; at++)
        fits = *at >= '0' && *at <= '9' && tonnx__mul(out, *out, 10) && tonnx__add(out, *out, (size_t)(*at - '0')) &&
               *out <= INT64_MAX;
    if (!fits || in->wrong) *out = 0;
    return fits && !in->wrong;
}

bool tonnx__json_done(tonnx__json_in *in)
{
    if (look(in)) fault(in, "more stands behind the value");
    return !in->wrong;
}

void tonnx_json_strings_free(char **strings)
{
    for (size_t i = 0; strings && strings[i]; i++) tonnx__free(strings[i]);
    tonnx__free(strings);
}

static tonnx_status read_strings(tonnx__json_in *in, char ***strings, size_t *count)
{
    size_t room = 0;
    tonnx_status status = TONNX_OK;
    if (!tonnx__json_enter(in, '[')) fault(in, "it is no array");
    while (!status && tonnx__json_more(in, ']')) {
        status = tonnx__grow(strings, &room, *count + 2, sizeof **strings);
        if (!status) status = tonnx__json_string(in, &(*strings)[*count]);
        if (!status && !(*strings)[*count]) fault(in, "an element is no string");
        *count += !status && (*strings)[*count];
    }
    return status;
}

tonnx_status tonnx_json_strings(char ***out, size_t *count, const char *text)
{
    tonnx__json_in in = tonnx__json_read(text ? text : "", text ? strlen(text) : 0);
    *out = NULL;
    *count = 0;
    const tonnx_status status = read_strings(&in, out, count);
    if (!status && tonnx__json_done(&in)) return TONNX_OK;
    tonnx_json_strings_free(*out);
    *out = NULL;
    *count = 0;
    return status;
}
