/* JSON in: what tonnx itself wrote into a model's metadata. */
#include <jansson.h>

#include "format/json.h"
#include "runtime/mem_impl.h"

void tonnx_json_strings_free(char **strings)
{
    for (size_t i = 0; strings && strings[i]; i++) tonnx__free(strings[i]);
    tonnx__free(strings);
}

static bool all_strings(const json_t *array)
{
    if (!json_is_array(array)) return false;
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!json_is_string(json_array_get(array, i))) return false;
    return true;
}

char **tonnx_json_strings(const char *text, size_t *count)
{
    char **strings = NULL;
    json_t *array = text ? json_loads(text, 0, NULL) : NULL;
    *count = 0;
    if (!all_strings(array)) goto out;
    const size_t size = json_array_size(array);
    tonnx_status status = tonnx__alloc(&strings, size + 1, sizeof *strings);
    for (size_t i = 0; i < size && !status; i++)
        status = tonnx__strdup(&strings[i], json_string_value(json_array_get(array, i)));
    if (!status) *count = size;
    if (!status) goto out;
    tonnx_json_strings_free(strings);
    strings = NULL;
out:
    json_decref(array);
    return strings;
}
