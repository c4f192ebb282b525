/* A data set: samples as rows of features, and their targets. */
#ifndef TONNX_RUNTIME_DATASET_H
#define TONNX_RUNTIME_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "status.h"

TONNX_BEGIN

typedef struct tonnx_dataset tonnx_dataset;

typedef enum tonnx_target_kind {
    TONNX_TARGET_NONE,
    TONNX_TARGET_CLASS, /* one class index per sample */
    TONNX_TARGET_NUMBER /* `target_width` numbers per sample */
} tonnx_target_kind;

/* What a data set is made of in memory; the arrays are copied. */
typedef struct tonnx_dataset_arrays {
    size_t size; /* sizeof(tonnx_dataset_arrays) */
    size_t samples, features;
    const float *x;               /* [samples, features], or NULL where x_bytes is given */
    const unsigned char *x_bytes; /* [samples, features] */
    const int32_t *classes;       /* [samples], or NULL */
    const float *targets;         /* [samples, target_width], or NULL */
    size_t target_width;
} tonnx_dataset_arrays;

TONNX_API tonnx_status tonnx_dataset_from_arrays(tonnx_dataset **out, const tonnx_dataset_arrays *arrays);

/* Fills one sample: x has `features` floats, target `target_width` (one for a class index). Returns 0, or not, to fail.
 */
typedef int (*tonnx_sample_fn)(void *user, size_t sample, float *x, float *target);

/* Where samples come from one by one. */
typedef struct tonnx_dataset_source {
    size_t size; /* sizeof(tonnx_dataset_source) */
    size_t samples, features;
    tonnx_target_kind kind;
    size_t target_width; /* of number targets */
    tonnx_sample_fn sample;
    void *user;
} tonnx_dataset_source;

/* Calls `sample` once for each sample, in order, and keeps what it gives. */
TONNX_API tonnx_status tonnx_dataset_from_callback(tonnx_dataset **out, const tonnx_dataset_source *source);

/* Samples of unit-normal features, and targets that know nothing of them: of `classes` classes with equal chances where
 * that is more than 1, else one unit-normal number. Same seed, same bits, and sample i does not depend on how many
 * there are. Errors as tonnx_dataset_from_callback. */
TONNX_API tonnx_status tonnx_dataset_gaussian(tonnx_dataset **out, size_t samples, size_t features, size_t classes,
                                              uint64_t seed);

TONNX_API void tonnx_dataset_free(tonnx_dataset *data);

typedef struct tonnx_dataset_info {
    size_t samples, features;
    bool bytes; /* features are bytes: 0…255, multiplied by `scale` when gathered */
    double scale;
    tonnx_target_kind target_kind;
    size_t target_width, class_count; /* class_count: largest index + 1, or the number of names */
    const char *const *class_names;   /* NULL where classes have no names */
    const char *const *column_names;  /* of the features; NULL where they have none */
    const char *target_name;          /* "" where it has none */
} tonnx_dataset_info;

TONNX_API void tonnx_dataset_describe(const tonnx_dataset *data, tonnx_dataset_info *out);

/* How features are scaled when gathered: by a factor (any data). Bytes are divided by 255 from the start.
 * TONNX_BAD_USAGE, and nothing changed, where the factor is no finite float. */
TONNX_API tonnx_status tonnx_dataset_set_scale(tonnx_dataset *data, double factor);

/* Keeps the first `samples` samples (all, where there are no more, or `samples` is 0). */
TONNX_API void tonnx_dataset_limit(tonnx_dataset *data, size_t samples);

/* Moves a share of `data` (0 < share < 1) into *out, at random by `seed`, stratified where targets are classes (each
 * class gives round(share·its count), at least one sample stays on either side). Both keep the file's order. */
TONNX_API tonnx_status tonnx_dataset_split(tonnx_dataset **out, tonnx_dataset *data, double share, uint64_t seed);

/* Classes, or columns, in the order of `names`: every class or column keeps its name and takes the place that `names`
 * gives it, so that a model meets what it has learnt. Nothing is done where the data set has no names. TONNX_BAD_DATA
 * names a class that `names` lacks, or a column that either side lacks. */
TONNX_API tonnx_status tonnx_dataset_order_classes(tonnx_dataset *data, const char *const *names, size_t count);
TONNX_API tonnx_status tonnx_dataset_order_columns(tonnx_dataset *data, const char *const *names, size_t count);

/* Per feature mean and deviation (population), or minimum and maximum, over all samples, in double, after the scale.
 * `a`, `b`: room for `features`. */
TONNX_API void tonnx_dataset_mean_std(const tonnx_dataset *data, double *mean, double *std);
TONNX_API void tonnx_dataset_min_max(const tonnx_dataset *data, double *min, double *max);

TONNX_END

#endif
