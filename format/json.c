#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/json_impl.h"
#include "format/scan_impl.h"
#include "runtime/mem_impl.h"

/* A front to one jansson value. The root keeps a list of all that were made below it, and remembers any failure, so
 * that a caller builds without looking and asks once, for the text. */
struct tonnx_json {
    json_t *value;    /* a reference of its own, beside the parent value's */
    tonnx_json *root; /* itself, for the root */
    tonnx_json *next; /* the list of the root's descendants */
    bool failed;      /* the root's alone */
};

static tonnx_json *make_root(json_t *value)
{
    tonnx_json *json = NULL;
    if (!value || tonnx__alloc(&json, 1, sizeof *json)) {
        json_decref(value);
        return NULL;
    }
    json->value = value;
    json->root = json;
    return json;
}

tonnx_json *tonnx_json_object(void)
{
    return make_root(json_object());
}

tonnx_json *tonnx_json_array(void)
{
    return make_root(json_array());
}

void tonnx_json_free(tonnx_json *root)
{
    while (root) {
        tonnx_json *next = root->next;
        json_decref(root->value);
        tonnx__free(root);
        root = next;
    }
}

/* jansson takes UTF-8 alone; a file's name may be any bytes. Each byte that is not ASCII becomes a '?' then. */
static json_t *text_value(const char *text)
{
    char *ascii = NULL;
    if (tonnx__is_text((const unsigned char *)text, strlen(text))) return json_string(text);
    if (tonnx__strdup(&ascii, text)) return NULL;
    for (char *at = ascii; *at; at++)
        if ((unsigned char)*at >= 0x80) *at = '?';
    json_t *value = json_string(ascii);
    tonnx__free(ascii);
    return value;
}

/* Hands `value` to `json`; NULL stands for a value that could not be made. */
static void put(tonnx_json *json, const char *key, json_t *value)
{
    if (!json) {
        json_decref(value);
        return;
    }
    /* json_array_append_new and json_object_set_new take the value also where they fail */
    const int failed = key ? json_object_set_new(json->value, key, value) : json_array_append_new(json->value, value);
    if (failed) json->root->failed = true;
}

void tonnx_json_number(tonnx_json *json, const char *key, double value)
{
    put(json, key, isfinite(value) ? json_real(value) : json_null());
}

void tonnx_json_rounded(tonnx_json *json, const char *key, double value, int digits)
{
    char text[40];
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    tonnx_json_number(json, key, strtod(text, NULL)); /* both in one locale, whichever it is */
}

void tonnx_json_integer(tonnx_json *json, const char *key, long long value)
{
    put(json, key, json_integer(value));
}

void tonnx_json_bool(tonnx_json *json, const char *key, bool value)
{
    put(json, key, json_boolean(value));
}

void tonnx_json_string(tonnx_json *json, const char *key, const char *value)
{
    put(json, key, value ? text_value(value) : json_null());
}

static tonnx_json *add(tonnx_json *json, const char *key, json_t *value)
{
    tonnx_json *child = NULL;
    if (!json || !value || tonnx__alloc(&child, 1, sizeof *child)) {
        if (json) json->root->failed = true;
        json_decref(value);
        return NULL;
    }
    child->value = value;
    child->root = json->root;
    child->next = json->root->next;
    json->root->next = child;
    put(json, key, json_incref(value));
    return child;
}

tonnx_json *tonnx_json_add_object(tonnx_json *json, const char *key)
{
    return add(json, key, json_object());
}

tonnx_json *tonnx_json_add_array(tonnx_json *json, const char *key)
{
    return add(json, key, json_array());
}

typedef struct dump {
    char *text;
    size_t size, room;
    tonnx_status status;
} dump;

/* Keeps the first failure: jansson itself would go on. */
static int append(const char *bytes, size_t size, void *user)
{
    dump *d = user;
    if (!d->status) d->status = tonnx__grow(&d->text, &d->room, d->size + size + 1, 1);
    if (d->status) return -1;
    memcpy(d->text + d->size, bytes, size);
    d->size += size;
    return 0;
}

tonnx_status tonnx__json_dump(char **out, const json_t *value, size_t flags)
{
    dump d = { 0 };
    const int failed = json_dump_callback(value, append, &d, flags);
    *out = NULL;
    if (!d.status && failed) d.status = tonnx__fail(TONNX_NO_MEMORY, "out of memory for JSON");
    if (d.status) tonnx__free(d.text);
    else *out = d.text;
    return d.status;
}

char *tonnx_json_text(const tonnx_json *root, bool indent)
{
    /* 15 digits: 0.1 stays 0.1, where 17 would make it 0.10000000000000001; no number here is measured to more */
    const size_t layout = indent ? JSON_INDENT(2) : JSON_COMPACT;
    char *text = NULL;
    if (!root || root->root->failed) return NULL;
    return tonnx__json_dump(&text, root->value, layout | JSON_REAL_PRECISION(15)) ? NULL : text;
}

void tonnx_json_text_free(char *text)
{
    tonnx__free(text);
}
