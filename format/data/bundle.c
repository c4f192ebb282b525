/* Data sets out of files of named arrays: one array is the features, another the target. */
#include "format/data/bundle_impl.h"

#include <stdio.h>
#include <string.h>

enum { NO_ARRAY = -1 };

tonnx_status tonnx__bundle_open(tonnx__bundle *bundle, const tonnx__bundle_kind *kind, tonnx__source *source)
{
    *bundle = (tonnx__bundle){ .kind = kind, .source = source };
    return kind->open(bundle);
}

void tonnx__bundle_close(tonnx__bundle *bundle)
{
    if (bundle->kind) bundle->kind->close(bundle);
    for (size_t i = 0; bundle->names && i < bundle->count; i++) tonnx__free(bundle->names[i]);
    tonnx__free(bundle->names);
    tonnx__free(bundle->label);
    *bundle = (tonnx__bundle){ 0 };
}

tonnx_status tonnx__bundle_label(tonnx__bundle *bundle, size_t i)
{
    const size_t room = strlen(bundle->source->path) + strlen(bundle->names[i]) + 16;
    tonnx__free(bundle->label);
    const tonnx_status status = tonnx__alloc(&bundle->label, room, 1);
    if (!status) snprintf(bundle->label, room, "%s: array '%s'", bundle->source->path, bundle->names[i]);
    return status;
}

static long find(const tonnx__bundle *bundle, const char *key)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (!strcmp(bundle->names[i], key)) return (long)i;
    return NO_ARRAY;
}

/* "x, y, labels", as far as a line of a message takes it. */
static const char *print_names(const tonnx__bundle *bundle, char *text, size_t room)
{
    size_t at = 0;
    snprintf(text, room, "none");
    for (size_t i = 0; i < bundle->count && i < 8; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%.60s%s", i ? ", " : "", bundle->names[i], i == 7 ? ", …" : "");
    return text;
}

static tonnx_status no_such_key(const tonnx__bundle *bundle, const char *key, const char *option)
{
    char names[600];
    return tonnx__fail(TONNX_BAD_DATA, "%s: no array '%.60s'; choose with %s among: %s", bundle->source->path, key,
                       option, print_names(bundle, names, sizeof names));
}

/* The array asked for, else the one called `usual`, else the only one there is. */
static tonnx_status find_features(const tonnx__bundle *bundle, const tonnx__request *request, long *at)
{
    const char *asked = request->is_target ? request->y_key : request->x_key, *usual = request->is_target ? "y" : "x";
    *at = find(bundle, asked ? asked : usual);
    if (*at == NO_ARRAY && !asked && bundle->count == 1) *at = 0;
    if (*at != NO_ARRAY) return TONNX_OK;
    return no_such_key(bundle, asked ? asked : usual, request->is_target ? "--y-key" : "--x-key");
}

/* A target in a file of its own takes the place of one in here; --target NAME may name one in here. */
static tonnx_status find_target(const tonnx__bundle *bundle, const tonnx__request *request, long features, long *at)
{
    *at = NO_ARRAY;
    if (request->is_target || request->column_may_be_file) return TONNX_OK;
    *at = find(bundle, request->column ? request->column : request->y_key ? request->y_key : "y");
    if (*at == NO_ARRAY && request->y_key && !request->column) return no_such_key(bundle, request->y_key, "--y-key");
    if (*at == NO_ARRAY && request->column && !tonnx__looks_like_file(request->column))
        return no_such_key(bundle, request->column, "--target");
    if (*at != features) return TONNX_OK;
    *at = NO_ARRAY;
    if (!request->y_key && !request->column) return TONNX_OK; /* the features are called y */
    return tonnx__fail(TONNX_BAD_DATA, "%s: array '%.60s' cannot be both features and target", bundle->source->path,
                       bundle->names[features]);
}

static tonnx_status read_array(tonnx__table *table, tonnx__bundle *bundle, long at, const tonnx__request *request)
{
    tonnx__array array;
    tonnx__source *elements = NULL;
    tonnx_status status = bundle->kind->enter(bundle, (size_t)at, &array, &elements);
    if (!status) status = tonnx__array_read(table, &array, elements, request);
    if (!status) status = tonnx__source_skip(elements, tonnx__source_most(elements)); /* what a limit left */
    if (!status) status = tonnx__source_expect_end(elements);                         /* and the checksum */
    tonnx__source_close(elements);
    if (!status)
        snprintf(table->how, sizeof table->how, "%s '%.40s' %s%s", bundle->kind->name, bundle->names[at],
                 tonnx_dtype_name(array.dtype), array.rank > 2 ? ", flattened" : "");
    return status;
}

static tonnx_status name_target(tonnx__table *y, const char *name)
{
    if (y->columns != 1) return TONNX_OK;
    const tonnx_status status = tonnx__alloc(&y->names, 1, sizeof *y->names);
    return status ? status : tonnx__strdup(&y->names[0], name);
}

/* The two arrays, in the order in which they stand in the file. */
static tonnx_status read_pair(tonnx__table *x, tonnx__table *y, tonnx__bundle *bundle, const tonnx__request *request)
{
    tonnx__request of_target = *request;
    long features = NO_ARRAY, target = NO_ARRAY;
    of_target.is_target = true;
    tonnx_status status = find_features(bundle, request, &features);
    if (!status) status = find_target(bundle, request, features, &target);
    if (!status && target != NO_ARRAY && target < features) status = read_array(y, bundle, target, &of_target);
    if (!status) status = read_array(x, bundle, features, request);
    if (!status && target > features) status = read_array(y, bundle, target, &of_target);
    if (!status) status = bundle->kind->finish(bundle);
    return status || target == NO_ARRAY ? status : name_target(y, bundle->names[target]);
}

static tonnx_status read_bundle(tonnx__table *x, tonnx__table *y, tonnx__source *source, const tonnx__request *request,
                                const tonnx__bundle_kind *kind)
{
    tonnx__bundle bundle;
    tonnx_status status = tonnx__bundle_open(&bundle, kind, source);
    if (!status) status = read_pair(x, y, &bundle, request);
    tonnx__bundle_close(&bundle);
    return status;
}

static bool sniff_npz(const unsigned char *head, size_t size)
{
    return tonnx__npz_bundle.sniff(head, size);
}

static tonnx_status read_npz(tonnx__table *x, tonnx__table *y, tonnx__source *source, const tonnx__request *request)
{
    return read_bundle(x, y, source, request, &tonnx__npz_bundle);
}

static bool sniff_safetensors(const unsigned char *head, size_t size)
{
    return tonnx__safetensors_bundle.sniff(head, size);
}

static tonnx_status read_safetensors(tonnx__table *x, tonnx__table *y, tonnx__source *source,
                                     const tonnx__request *request)
{
    return read_bundle(x, y, source, request, &tonnx__safetensors_bundle);
}

const tonnx__reader tonnx__npz_reader = { "npz", sniff_npz, read_npz },
                    tonnx__safetensors_reader = { "safetensors", sniff_safetensors, read_safetensors };
