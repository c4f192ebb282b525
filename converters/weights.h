/* Files of weights from elsewhere (.npz, .safetensors) ↔ models. */
#ifndef TONNX_CONVERTERS_WEIGHTS_H
#define TONNX_CONVERTERS_WEIGHTS_H

#include "../runtime/log.h"
#include "../runtime/model.h"

TONNX_BEGIN

typedef struct tonnx_weights_options {
    size_t size;                   /* sizeof(tonnx_weights_options) */
    bool partial;                  /* into a model: what only one side has is left alone, else it is an error */
    const char *activation;        /* of a new model's hidden layers: "relu", "leaky_relu:0.2", "none" */
    const char *output_activation; /* "softmax", "sigmoid", "none" */
    int64_t opset;                 /* of a new model */
    tonnx_log log;                 /* hears what was inferred, rounded, or left alone */
} tonnx_weights_options;

#define TONNX_WEIGHTS_OPTIONS_DEFAULT                                                                                  \
    {                                                                                                                  \
        sizeof(tonnx_weights_options), false, "relu", "none", 17,                                                      \
        {                                                                                                              \
            NULL, NULL                                                                                                 \
        }                                                                                                              \
    }

/* Whether a path's extension is that of a file of weights. */
TONNX_API bool tonnx_weights_known(const char *path);

/* All initializers of numbers, by name and in their own types, into a file whose format its extension says: its bits
 * are theirs. Strings are left out, and that is said. TONNX_BAD_MODEL where nothing is left, TONNX_BAD_USAGE for an
 * unknown extension. `options` may be NULL. */
TONNX_API tonnx_status tonnx_weights_save(const tonnx_model *model, const char *path,
                                          const tonnx_weights_options *options);

/* Every array of a file (told by content) into the initializer of its name. Shapes must be the same. So must types, for
 * the bits to be kept; between types of floats values are rounded, and that is said. Initializers of several floats
 * that have no array, and arrays that have no initializer, are errors unless `partial`; PyTorch's num_batches_tracked,
 * which no ONNX file has, is passed over. A file of which nothing is taken is an error either way. On failure the model may hold some of the arrays. TONNX_BAD_MODEL names both
 * files, the array and both shapes. `options` may be NULL. */
TONNX_API tonnx_status tonnx_weights_load(tonnx_model *model, const char *path, const tonnx_weights_options *options);

/* A new MLP out of a file's names and shapes: "fc1.weight" [out, in] (or [in, out], as the widths have it) with
 * "fc1.bias" [out], in the order of the names' numbers, or of the file. What was inferred is said. The caller owns
 * *out. `options` may be NULL. */
TONNX_API tonnx_status tonnx_weights_model(tonnx_model **out, const char *path, const tonnx_weights_options *options);

/* From one file of weights to another, bit for bit. */
TONNX_API tonnx_status tonnx_weights_copy(const char *from, const char *to);

TONNX_END

#endif
