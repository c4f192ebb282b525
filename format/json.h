/* JSON out: one value built up and written as one line or indented. A thin front to jansson, its only home. */
#ifndef TONNX_FORMAT_JSON_H
#define TONNX_FORMAT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "../runtime/status.h"

TONNX_BEGIN

typedef struct tonnx_json tonnx_json; /* an object or an array; children belong to their parent */

/* A root. NULL out of memory; every call below takes NULL as a failed one. */
TONNX_API tonnx_json *tonnx_json_object(void);
TONNX_API tonnx_json *tonnx_json_array(void);
TONNX_API void tonnx_json_free(tonnx_json *root);

/* Members, or elements where `key` is NULL (then `json` is an array). A number that is not finite becomes null; others
 * have 15 digits. Text that is not UTF-8 has '?' for what is not ASCII. */
TONNX_API void tonnx_json_number(tonnx_json *json, const char *key, double value);
/* The same, rounded to so many significant digits (1 to 15): measured numbers hold no more. */
TONNX_API void tonnx_json_rounded(tonnx_json *json, const char *key, double value, int digits);
TONNX_API void tonnx_json_integer(tonnx_json *json, const char *key, long long value);
TONNX_API void tonnx_json_bool(tonnx_json *json, const char *key, bool value);
TONNX_API void tonnx_json_string(tonnx_json *json, const char *key, const char *value); /* NULL: null */
TONNX_API tonnx_json *tonnx_json_add_object(tonnx_json *json, const char *key);
TONNX_API tonnx_json *tonnx_json_add_array(tonnx_json *json, const char *key);

/* The text, indented by two where `indent`, else one line without a newline (a line of a log); freed with
 * tonnx_json_text_free. NULL out of memory at any point before. */
TONNX_API char *tonnx_json_text(const tonnx_json *root, bool indent);
TONNX_API void tonnx_json_text_free(char *text);

/* The strings of a JSON array of strings, ended by a NULL, into *out; NULL, and *count 0, where there are none, `text` is no
 * such array, or NULL. Freed with tonnx_json_strings_free. Fails with TONNX_NO_MEMORY alone. */
TONNX_API tonnx_status tonnx_json_strings(char ***out, size_t *count, const char *text);
TONNX_API void tonnx_json_strings_free(char **strings);

TONNX_END

#endif
