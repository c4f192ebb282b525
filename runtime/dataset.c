#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/dataset_impl.h"
#include "runtime/options_impl.h"

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++) tonnx__free(names[i]);
    tonnx__free(names);
}

void tonnx__dataset_clear(tonnx_dataset *data)
{
    tonnx__free(data->x);
    tonnx__free(data->x_bytes);
    tonnx__free(data->classes);
    tonnx__free(data->targets);
    tonnx__free(data->target_name);
    tonnx__free(data->path);
    tonnx__free(data->target_path);
    free_names(data->class_names, data->class_count);
    free_names(data->column_names, data->features);
    memset(data, 0, sizeof *data);
}

void tonnx_dataset_free(tonnx_dataset *data)
{
    if (data) tonnx__dataset_clear(data);
    tonnx__free(data);
}

/* The first element that is not finite, or `count`. A block at a time, because v − v = 0 (true of finite v alone)
 * vectorises where leaving at the first bad element does not. */
static size_t first_not_finite(const float *values, size_t count)
{
    enum { BLOCK = 4096 };
    for (size_t at = 0; at < count; at += BLOCK) {
        const size_t end = count - at < BLOCK ? count : at + BLOCK;
        unsigned bad = 0;
        for (size_t i = at; i < end; i++) bad |= !(values[i] - values[i] == 0.0f);
        if (!bad) continue;
        for (size_t i = at; i < end; i++)
            if (!isfinite(values[i])) return i;
    }
    return count;
}

/* x[samples, features] all finite. */
static tonnx_status check_features(const tonnx_dataset *data)
{
    const size_t count = data->samples * data->features;
    if (!data->x) return TONNX_OK;
    const size_t bad = first_not_finite(data->x, count);
    if (bad == count) return TONNX_OK;
    const size_t column = bad % data->features;
    return tonnx__fail(TONNX_BAD_DATA, "%s: sample %zu, feature %zu%s%s is %g as float32, not a finite number",
                       data->path, bad / data->features + 1, column + 1, data->column_names ? " " : "",
                       data->column_names ? data->column_names[column] : "", (double)data->x[bad]);
}

static tonnx_status check_targets(const tonnx_dataset *data)
{
    const char *path = data->target_path;
    for (size_t i = 0; data->classes && i < data->samples; i++) {
        if (data->classes[i] < 0)
            return tonnx__fail(TONNX_BAD_DATA,
                               "%s: sample %zu has class %d; classes are counted from 0, never negative", path, i + 1,
                               (int)data->classes[i]);
        if (data->classes[i] >= TONNX__MAX_CLASSES)
            return tonnx__fail(TONNX_BAD_DATA, "%s: sample %zu has class %d; the largest class index is %d", path,
                               i + 1, (int)data->classes[i], TONNX__MAX_CLASSES - 1);
        if (data->class_names && (size_t)data->classes[i] >= data->class_count)
            return tonnx__fail(TONNX_BAD_DATA, "%s: sample %zu has class %d, but only %zu classes have names", path,
                               i + 1, (int)data->classes[i], data->class_count);
    }
    if (!data->targets) return TONNX_OK;
    const size_t count = data->samples * data->target_width, bad = first_not_finite(data->targets, count);
    if (bad == count) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: the target of sample %zu is %g as float32, not a finite number", path,
                       bad / data->target_width + 1, (double)data->targets[bad]);
}

static tonnx_status check(const tonnx_dataset *data)
{
    const char *path = data->path;
    size_t elements = 0;
    if (!data->samples) return tonnx__fail(TONNX_BAD_DATA, "%s: no samples", path);
    if (!data->features) return tonnx__fail(TONNX_BAD_DATA, "%s: samples have no features", path);
    if (data->samples > UINT32_MAX || !tonnx__mul(&elements, data->samples, data->features))
        return tonnx__fail(TONNX_BAD_DATA, "%s: %zu samples are more than 2^32 - 1; take a part with a limit", path,
                           data->samples);
    const tonnx_status status = check_features(data);
    return status ? status : check_targets(data);
}

/* Largest index + 1, unless there are names or a count that is larger already. */
static void count_classes(tonnx_dataset *data)
{
    if (data->class_names) return;
    for (size_t i = 0; i < data->samples; i++)
        if ((size_t)data->classes[i] >= data->class_count) data->class_count = (size_t)data->classes[i] + 1;
}

tonnx_status tonnx__dataset_take(tonnx_dataset **out, tonnx_dataset *parts, const char *path)
{
    tonnx_dataset *data = NULL;
    *out = NULL;
    tonnx_status status = tonnx__strdup(&parts->path, path);
    if (!status && !parts->target_path) status = tonnx__strdup(&parts->target_path, path);
    if (!status) status = check(parts);
    if (!status) status = tonnx__alloc(&data, 1, sizeof *data);
    if (!status && !parts->target_name) status = tonnx__strdup(&parts->target_name, "");
    if (status) {
        tonnx__dataset_clear(parts);
        tonnx__free(data);
        return status;
    }
    *data = *parts;
    memset(parts, 0, sizeof *parts);
    data->target_kind = data->classes ? TONNX_TARGET_CLASS : data->targets ? TONNX_TARGET_NUMBER : TONNX_TARGET_NONE;
    if (data->target_kind != TONNX_TARGET_NUMBER) data->target_width = data->classes ? 1 : 0;
    if (data->classes) count_classes(data);
    data->scale = data->x_bytes ? 1.0 / 255.0 : 1.0;
    tonnx__dataset_renew(data);
    *out = data;
    return TONNX_OK;
}

/* Where it lies and when it came there: no two data sets, nor one before and after a change, agree in both. */
void tonnx__dataset_renew(tonnx_dataset *data)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t when = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    data->identity = (when ^ (uint64_t)(uintptr_t)data * 0x9E3779B97F4A7C15u) | 1;
}

/* A copy of rows·width elements of `size` bytes into *out; nothing where `from` is NULL. */
static tonnx_status copy_rows(void *out, const void *from, size_t rows, size_t width, size_t size)
{
    size_t count = 0;
    void *to = NULL;
    if (!from) return TONNX_OK;
    if (!tonnx__mul(&count, rows, width))
        return tonnx__fail(TONNX_BAD_USAGE, "data set from memory: %zu × %zu elements are too many", rows, width);
    const tonnx_status status = tonnx__alloc(&to, count, size);
    if (!status && count) memcpy(to, from, count * size);
    memcpy(out, &to, sizeof to);
    return status;
}

static tonnx_status take_arrays(tonnx_dataset_arrays *to, const tonnx_dataset_arrays *from)
{
    *to = (tonnx_dataset_arrays){ .size = sizeof *to };
    const tonnx_status status = tonnx__options_lay(to, sizeof *to, from, "{ .size = sizeof(tonnx_dataset_arrays) }");
    if (status) return status;
    if (!to->x == !to->x_bytes) return tonnx__fail(TONNX_BAD_USAGE, "data set from memory: give either x or x_bytes");
    if (to->classes && to->targets)
        return tonnx__fail(TONNX_BAD_USAGE, "data set from memory: give classes or targets, not both");
    if (to->targets && !to->target_width)
        return tonnx__fail(TONNX_BAD_USAGE, "data set from memory: targets need a target_width of at least 1");
    return TONNX_OK;
}

tonnx_status tonnx_dataset_from_arrays(tonnx_dataset **out, const tonnx_dataset_arrays *arrays)
{
    tonnx_dataset_arrays a;
    *out = NULL;
    tonnx_status status = take_arrays(&a, arrays);
    if (status) return status;
    tonnx_dataset parts = { .samples = a.samples, .features = a.features };
    parts.target_width = a.targets ? a.target_width : 0;
    status = copy_rows(&parts.x, a.x, parts.samples, parts.features, sizeof(float));
    if (!status) status = copy_rows(&parts.x_bytes, a.x_bytes, parts.samples, parts.features, 1);
    if (!status) status = copy_rows(&parts.classes, a.classes, parts.samples, 1, sizeof(int32_t));
    if (!status) status = copy_rows(&parts.targets, a.targets, parts.samples, parts.target_width, sizeof(float));
    if (status) {
        tonnx__dataset_clear(&parts);
        return status;
    }
    return tonnx__dataset_take(out, &parts, "data set from memory");
}

/* Room for what the callback will fill; for classes, targets serve until they are converted. */
static tonnx_status make_room(tonnx_dataset *parts)
{
    size_t elements = 0, numbers = 0;
    if (!tonnx__mul(&elements, parts->samples, parts->features) ||
        !tonnx__mul(&numbers, parts->samples, parts->target_width))
        return tonnx__fail(TONNX_BAD_USAGE, "data set from a callback: %zu × %zu elements are too many", parts->samples,
                           parts->features);
    tonnx_status status = tonnx__alloc(&parts->x, elements, sizeof(float));
    if (!status && parts->target_width) status = tonnx__alloc(&parts->targets, numbers, sizeof(float));
    return status;
}

/* classes[n] = targets[n, 1], which must be whole. */
static tonnx_status to_classes(tonnx_dataset *parts)
{
    const tonnx_status status = tonnx__alloc(&parts->classes, parts->samples, sizeof(int32_t));
    if (status) return status;
    for (size_t i = 0; i < parts->samples; i++) {
        const float value = parts->targets[i];
        if (!(value >= 0.0f && value < 2147483648.0f && floorf(value) == value))
            return tonnx__fail(TONNX_BAD_DATA, "data set from a callback: sample %zu has class %g, which is no index",
                               i + 1, (double)value);
        parts->classes[i] = (int32_t)value;
    }
    tonnx__free(parts->targets);
    parts->targets = NULL;
    return TONNX_OK;
}

static tonnx_status take_source(tonnx_dataset_source *to, const tonnx_dataset_source *from)
{
    *to = (tonnx_dataset_source){ .size = sizeof *to };
    const tonnx_status status = tonnx__options_lay(to, sizeof *to, from, "{ .size = sizeof(tonnx_dataset_source) }");
    if (status) return status;
    if (!to->sample) return tonnx__fail(TONNX_BAD_USAGE, "data set from a callback: there is no callback");
    if (to->kind == TONNX_TARGET_NUMBER && !to->target_width)
        return tonnx__fail(TONNX_BAD_USAGE, "data set from a callback: number targets need a width of at least 1");
    if (to->kind != TONNX_TARGET_NUMBER) to->target_width = to->kind == TONNX_TARGET_CLASS;
    return TONNX_OK;
}

tonnx_status tonnx_dataset_from_callback(tonnx_dataset **out, const tonnx_dataset_source *source)
{
    tonnx_dataset_source s;
    *out = NULL;
    tonnx_status status = take_source(&s, source);
    if (status) return status;
    tonnx_dataset parts = { .samples = s.samples, .features = s.features, .target_width = s.target_width };
    status = make_room(&parts);
    for (size_t i = 0; !status && i < s.samples; i++)
        if (s.sample(s.user, i, parts.x + i * s.features, s.target_width ? parts.targets + i * s.target_width : NULL))
            status = tonnx__fail(TONNX_BAD_DATA, "data set from a callback: sample %zu could not be had", i + 1);
    if (!status && s.kind == TONNX_TARGET_CLASS) status = to_classes(&parts);
    if (status) {
        tonnx__dataset_clear(&parts);
        return status;
    }
    return tonnx__dataset_take(out, &parts, "data set from a callback");
}

void tonnx_dataset_describe(const tonnx_dataset *data, tonnx_dataset_info *out)
{
    *out = (tonnx_dataset_info){
        .samples = data->samples,
        .features = data->features,
        .bytes = data->x_bytes != NULL,
        .scale = data->scale,
        .target_kind = data->target_kind,
        .target_width = data->target_width,
        .class_count = data->class_count,
        .class_names = (const char *const *)data->class_names,
        .column_names = (const char *const *)data->column_names,
        .target_name = data->target_name,
    };
}

void tonnx__dataset_feed(const tonnx_dataset *data, tonnx__feed *out)
{
    *out = (tonnx__feed){
        .identity = data->identity,
        .samples = data->samples,
        .features = data->features,
        .x = data->x,
        .x_bytes = data->x_bytes,
        .scale = data->scale,
        .classes = data->classes,
        .targets = data->targets,
        .width = data->target_width,
    };
}

tonnx_status tonnx_dataset_set_scale(tonnx_dataset *data, double factor)
{
    if (!isfinite((float)factor))
        return tonnx__fail(TONNX_BAD_USAGE, "features cannot be scaled by %g: give a finite factor", factor);
    data->scale = factor;
    return TONNX_OK;
}
