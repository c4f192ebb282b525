/* JSON, for format's own use: what jansson holds as text, and a reader of its own. jansson's buffers forget that memory
 * ran out while they grew: what it writes would lack a piece, and what it reads would be read beyond its end. */
#ifndef TONNX_FORMAT_JSON_IMPL_H
#define TONNX_FORMAT_JSON_IMPL_H

#include <jansson.h>

#include "format/json.h"

/* The text of `value`, for tonnx__free. `flags` are jansson's. */
tonnx_status tonnx__json_dump(char **out, const json_t *value, size_t flags);

/* A JSON text that is read in order, without a tree: it takes no memory but for the strings that are asked for. */
typedef struct tonnx__json_in {
    const char *begin, *at, *end;
    const char *wrong; /* what is wrong at `at`; NULL while nothing is */
    bool fresh;        /* no element yet of the object or array that was entered last */
} tonnx__json_in;

tonnx__json_in tonnx__json_read(const char *text, size_t size);

/* Steps into an object or array; `bracket` is { or [. False, and nothing is read, where a value of another kind stands.
 */
bool tonnx__json_enter(tonnx__json_in *in, char bracket);
/* Whether a further element stands here (in an object, its key is next); else the closing bracket is behind. */
bool tonnx__json_more(tonnx__json_in *in, char closing);

/* A string, decoded, for tonnx__free; NULL where another value stands, which is not read. TONNX_NO_MEMORY is all that
 * fails: a string that is damaged is in `wrong`. */
tonnx_status tonnx__json_string(tonnx__json_in *in, char **out);
/* The same for a member's key, with the colon behind it: NULL only where `wrong` says why. */
tonnx_status tonnx__json_key(tonnx__json_in *in, char **out);
/* A whole number from 0 to INT64_MAX; of another value, which is passed over, false and 0. */
bool tonnx__json_count(tonnx__json_in *in, size_t *out);
/* Passes over one value of any kind. */
void tonnx__json_skip(tonnx__json_in *in);
/* True where all was right and nothing but blanks follows. */
bool tonnx__json_done(tonnx__json_in *in);

#endif
