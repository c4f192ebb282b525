/* One leaf per format of weights. To add one: a file with such a row, and its name in the list below. */
#ifndef TONNX_CONVERTERS_WEIGHTS_IMPL_H
#define TONNX_CONVERTERS_WEIGHTS_IMPL_H

#include "converters/weights.h"
#include "format/data/bundle_impl.h"
#include "runtime/model_impl.h"

typedef struct tonnx__weights_format {
    const char *extension; /* ".npz" */
    bool (*sniff)(const unsigned char *head, size_t size);
    /* *out has *count tensors in the file's order, freed with tonnx__tensors_free; TONNX_BAD_DATA where the file is
     * wrong. */
    tonnx_status (*read)(tonnx__tensor **out, size_t *count, const char *path);
    /* Those that are not `removed`, whole or not at all. */
    tonnx_status (*write)(const char *path, const tonnx__tensor *tensors, size_t count);
} tonnx__weights_format;

extern const tonnx__weights_format tonnx__npz_weights, tonnx__safetensors_weights;

/* A file of any of the formats; TONNX_BAD_MODEL where it is none, or wrong. */
tonnx_status tonnx__weights_read(tonnx__tensor **out, size_t *count, const char *path);

/* The options with what the caller's shorter struct lacks. */
tonnx_weights_options tonnx__weights_options(const tonnx_weights_options *given);

enum { TONNX__SHAPE_TEXT = 160 };

/* "[128, 784]" into `text`, returned. */
const char *tonnx__shape_text(const tonnx__tensor *tensor, char text[TONNX__SHAPE_TEXT]);

#endif
