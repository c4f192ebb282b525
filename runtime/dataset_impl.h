/* The data set's inside, and what a backend gathers batches from. */
#ifndef TONNX_RUNTIME_DATASET_IMPL_H
#define TONNX_RUNTIME_DATASET_IMPL_H

#include "runtime/dataset.h"
#include "runtime/mem_impl.h"

struct tonnx_dataset {
    size_t samples, features;
    float *x;               /* [samples, features]; NULL where bytes */
    unsigned char *x_bytes; /* [samples, features]; NULL where floats */
    double scale;           /* of features when gathered: 1/255 for bytes, 1 for floats, unless set */
    tonnx_target_kind target_kind;
    int32_t *classes;
    float *targets;
    size_t target_width; /* 1 for classes, 0 for none */
    size_t class_count;
    char **class_names;  /* class_count of them; NULL where none */
    char **column_names; /* `features` of them; NULL where none */
    char *target_name;
    char *path, *target_path; /* the files of features and targets, or what is said instead: what messages begin with */
    uint64_t identity; /* no other data set of this process has it */
};

/* Arrays over the classes stay small, whatever index a file claims. */
enum { TONNX__MAX_CLASSES = 1 << 20 };

/* A view of a data set that stays put while a program runs. Exactly one of x and x_bytes is set. */
typedef struct tonnx__feed {
    uint64_t identity; /* feeds of the same one are of the same numbers, so that a device may keep them; 0: of this run alone */
    size_t samples, features;
    const float *x;
    const unsigned char *x_bytes;
    double scale;
    const int32_t *classes; /* or NULL */
    const float *targets;   /* [samples, width], or NULL */
    size_t width;
} tonnx__feed;

void tonnx__dataset_feed(const tonnx_dataset *data, tonnx__feed *out);

/* Readers hand over what they read: every pointer in *parts is owned by the data set from then on, also on failure.
 * `path` is what it came from, as the targets did where parts->target_path does not say otherwise. Sets scale, kind and
 * class_count; checks: at least one sample and feature, all features and targets finite, 0 ≤ classes <
 * TONNX__MAX_CLASSES; fails with TONNX_BAD_DATA that names the file, sample and feature. */
tonnx_status tonnx__dataset_take(tonnx_dataset **out, tonnx_dataset *parts, const char *path);

/* The numbers were made or changed: gives the data set a new identity. */
void tonnx__dataset_renew(tonnx_dataset *data);

/* `count` of the samples (not more than there are), evenly spread over the file, as a data set of their own. */
tonnx_status tonnx__dataset_sample(tonnx_dataset **out, const tonnx_dataset *data, size_t count);

/* Frees what `parts` owns and zeroes it. */
void tonnx__dataset_clear(tonnx_dataset *parts);

/* The order of an epoch: a permutation of 0…samples−1 that depends on seed and epoch alone (Fisher–Yates over Philox
 * words). `order` has room for `samples`. */
void tonnx__shuffle(uint32_t *order, size_t samples, uint64_t seed, uint64_t epoch);

#endif
