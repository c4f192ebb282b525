/* A model: what the file says, with its source bytes kept so that writing changes nothing but what was trained. */
#ifndef TONNX_RUNTIME_MODEL_H
#define TONNX_RUNTIME_MODEL_H

#include "status.h"
#include "tensor.h"

TONNX_BEGIN

typedef struct tonnx_model tonnx_model;

TONNX_API void tonnx_model_free(tonnx_model *model);

/* A graph input or output. */
typedef struct tonnx_value_info {
    const char *name;
    tonnx_dtype dtype;
    bool has_shape;
    size_t rank;
    const int64_t *dims;           /* -1 where symbolic or unknown */
    const char *const *dim_params; /* symbolic names, "" where none */
} tonnx_value_info;

typedef struct tonnx_model_info {
    const char *path; /* the file it came from; "" where made in memory */
    int64_t ir_version;
    int64_t opset; /* of the default domain; 0 where the file declares none */
    const char *producer, *producer_version, *graph_name;
    size_t node_count, tensor_count, input_count, output_count, metadata_count;
    size_t constant_count; /* numbers that Constant nodes hold as tensors */
    size_t bytes; /* size of the source file */
} tonnx_model_info;

/* All strings are borrowed from the model. */
TONNX_API void tonnx_model_describe(const tonnx_model *model, tonnx_model_info *out);

/* i below input_count / output_count. Inputs that are initializers too (IR 3) are not counted. */
TONNX_API void tonnx_model_input(const tonnx_model *model, size_t i, tonnx_value_info *out);
TONNX_API void tonnx_model_output(const tonnx_model *model, size_t i, tonnx_value_info *out);

/* metadata_props; NULL where the key is absent. */
TONNX_API const char *tonnx_model_metadata(const tonnx_model *model, const char *key);
TONNX_API void tonnx_model_metadata_at(const tonnx_model *model, size_t i, const char **key, const char **value);

/* Adds or replaces one metadata entry. */
TONNX_API tonnx_status tonnx_model_set_metadata(tonnx_model *model, const char *key, const char *value);

/* True where both models have the same nodes with the same attributes, inputs, outputs and opsets; initializers, the
 * numbers of Constant nodes and metadata aside. */
TONNX_API bool tonnx_model_same_graph(const tonnx_model *a, const tonnx_model *b);

/* Initializers, in the file's order; i below tensor_count. Behind them, up to tensor_count + constant_count, the numbers
 * of Constant nodes by the names of their outputs, for this and tonnx_model_read alone. */
TONNX_API void tonnx_model_tensor(const tonnx_model *model, size_t i, tonnx_tensor_info *out);

/* The initializer of that name into *out, else TONNX_BAD_MODEL. */
TONNX_API tonnx_status tonnx_model_find(const tonnx_model *model, const char *name, size_t *out);

/* All elements of tensor i as doubles, row-major; `out` has room for `count`. Fails for types without numbers. */
TONNX_API tonnx_status tonnx_model_read(const tonnx_model *model, size_t i, double *out);

/* Replaces the elements of tensor i by `count` numbers, rounded into its own type; an element that is already equal
 * keeps its bytes. */
TONNX_API tonnx_status tonnx_model_write(tonnx_model *model, size_t i, const double *values);

/* Puts Sub and Div in front of the graph input `input` (NULL: the only one): every sample becomes (x − subtract)/divide, per
 * feature, before the model sees it, in any runtime. The nodes hold constants that are not trained. `features` numbers each, divisors not 0;
 * TONNX_BAD_DATA where the input has another number of them. */
TONNX_API tonnx_status tonnx_model_prepend_scaling(tonnx_model *model, const char *input, const double *subtract,
                                                   const double *divide, size_t features);

TONNX_END

#endif
