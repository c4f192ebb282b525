/* A data set's classes and columns, put into the order in which a model met them. */
#include <string.h>

#include "runtime/dataset_impl.h"

/* The place of `name` among `names`; `count` where it is not there. */
static size_t place_of(const char *name, const char *const *names, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(name, names[i]) != 0) i++;
    return i;
}

static tonnx_status copy_names(char ***out, const char *const *names, size_t count)
{
    tonnx_status status = tonnx__alloc(out, count, sizeof **out);
    for (size_t i = 0; i < count && !status; i++) status = tonnx__strdup(&(*out)[i], names[i]);
    return status;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++) tonnx__free(names[i]);
    tonnx__free(names);
}

/* places[i]: where class i of the data stands in `names`. */
static tonnx_status find_classes(const tonnx_dataset *data, const char *const *names, size_t count, size_t *places)
{
    if (!count)
        return tonnx__fail(TONNX_BAD_DATA,
                           "%s: target '%s': has classes by name ('%s', …) where the model knows numbers",
                           data->target_path, data->target_name, data->class_names[0]);
    for (size_t i = 0; i < data->class_count; i++) {
        places[i] = place_of(data->class_names[i], names, count);
        if (places[i] == count)
            return tonnx__fail(TONNX_BAD_DATA, "%s: target '%s': class '%s' is none of the %zu that the model knows",
                               data->target_path, data->target_name, data->class_names[i], count);
    }
    return TONNX_OK;
}

tonnx_status tonnx_dataset_order_classes(tonnx_dataset *data, const char *const *names, size_t count)
{
    char **fresh = NULL;
    size_t *places = NULL;
    if (!data->class_names) return TONNX_OK;
    tonnx_status status = tonnx__alloc(&places, data->class_count, sizeof *places);
    if (!status) status = find_classes(data, names, count, places);
    if (!status) status = copy_names(&fresh, names, count);
    if (status) goto out;
    for (size_t i = 0; i < data->samples; i++) data->classes[i] = (int32_t)places[data->classes[i]];
    tonnx__dataset_renew(data);
    free_names(data->class_names, data->class_count);
    data->class_names = fresh;
    data->class_count = count;
    fresh = NULL;
out:
    free_names(fresh, count);
    tonnx__free(places);
    return status;
}

/* from[j]: the data's column that belongs at place j. */
static tonnx_status find_columns(const tonnx_dataset *data, const char *const *names, size_t count, size_t *from)
{
    if (count != data->features)
        return tonnx__fail(TONNX_BAD_DATA, "%s: has %zu feature columns, the model was trained on %zu", data->path,
                           data->features, count);
    for (size_t j = 0; j < count; j++) {
        from[j] = place_of(names[j], (const char *const *)data->column_names, count);
        if (from[j] == count)
            return tonnx__fail(TONNX_BAD_DATA, "%s: column '%s', which the model was trained on, is not in it",
                               data->path, names[j]);
    }
    return TONNX_OK;
}

/* x[n, j] = x[n, from[j]], row by row; `row` has room for one. */
static void permute_rows(tonnx_dataset *data, const size_t *from, void *row)
{
    const size_t features = data->features;
    for (size_t n = 0; n < data->samples; n++) {
        if (data->x_bytes) {
            unsigned char *x = data->x_bytes + n * features, *to = row;
            for (size_t j = 0; j < features; j++) to[j] = x[from[j]];
            memcpy(x, to, features);
        } else {
            float *x = data->x + n * features, *to = row;
            for (size_t j = 0; j < features; j++) to[j] = x[from[j]];
            memcpy(x, to, features * sizeof *x);
        }
    }
}

tonnx_status tonnx_dataset_order_columns(tonnx_dataset *data, const char *const *names, size_t count)
{
    char **fresh = NULL;
    size_t *from = NULL;
    void *row = NULL;
    if (!data->column_names) return TONNX_OK;
    tonnx_status status = tonnx__alloc(&from, data->features, sizeof *from);
    if (!status) status = find_columns(data, names, count, from);
    if (!status) status = copy_names(&fresh, names, count);
    if (!status) status = tonnx__alloc(&row, data->features, sizeof(float));
    if (status) goto out;
    permute_rows(data, from, row);
    tonnx__dataset_renew(data);
    free_names(data->column_names, data->features);
    data->column_names = fresh;
    fresh = NULL;
out:
    free_names(fresh, count);
    tonnx__free(from);
    tonnx__free(row);
    return status;
}
