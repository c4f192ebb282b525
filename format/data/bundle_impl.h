/* Files of named arrays: .npz and .safetensors. */
#ifndef TONNX_FORMAT_DATA_BUNDLE_IMPL_H
#define TONNX_FORMAT_DATA_BUNDLE_IMPL_H

#include "format/data/table_impl.h"
#include "runtime/tensor_impl.h"

typedef struct tonnx__bundle tonnx__bundle;

/* One format of them. */
typedef struct tonnx__bundle_kind {
    const char *name;
    bool (*sniff)(const unsigned char *head, size_t size);
    /* Fills bundle->names and count, and `inside`, which close frees also where open failed. */
    tonnx_status (*open)(tonnx__bundle *bundle);
    /* What array i is, and a source of its elements and no more. Safetensors that come through a pipe are entered in
     * order, each once. */
    tonnx_status (*enter)(tonnx__bundle *bundle, size_t i, tonnx__array *array, tonnx__source **elements);
    /* After the last array. */
    tonnx_status (*finish)(tonnx__bundle *bundle);
    void (*close)(tonnx__bundle *bundle);
} tonnx__bundle_kind;

extern const tonnx__bundle_kind tonnx__npz_bundle, tonnx__safetensors_bundle;

struct tonnx__bundle {
    const tonnx__bundle_kind *kind;
    tonnx__source *source; /* the file, borrowed */
    size_t count;
    char **names; /* [count], owned; no two alike */
    void *inside; /* the kind's own */
    char *label;  /* "FILE: array 'NAME'" of the one that was entered last */
};

/* Bundles are closed also where opening them failed. */
tonnx_status tonnx__bundle_open(tonnx__bundle *bundle, const tonnx__bundle_kind *kind, tonnx__source *source);
void tonnx__bundle_close(tonnx__bundle *bundle);

/* Makes `label` that of array i. */
tonnx_status tonnx__bundle_label(tonnx__bundle *bundle, size_t i);

/* Every array of a file, as tensors with their elements little-endian and in C order: *out has *count of them in the
 * file's order; freed with tonnx__tensors_free. TONNX_BAD_DATA where the file is neither .npz nor .safetensors. */
tonnx_status tonnx__tensors_read(tonnx__tensor **out, size_t *count, const char *path);
void tonnx__tensors_free(tonnx__tensor *tensors, size_t count);

/* Writes tensors (those that are not `removed`), whole or not at all; the bits are those of the elements.
 * TONNX_BAD_MODEL names one whose type has no place in the format. */
tonnx_status tonnx__npz_write(const char *path, const tonnx__tensor *tensors, size_t count);
tonnx_status tonnx__safetensors_write(const char *path, const tonnx__tensor *tensors, size_t count);

#endif
