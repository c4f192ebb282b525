/* The model's inside: plain C structs for the graph. Filled by format/, read by the recognisers, written by format/.
 *
 * A change to a model is kept as a mark on the noun it touches (a tensor's `fresh`, a node's `removed`, …), never as
 * new bytes: only format/ knows how a file spells it, and it turns marks into the smallest change of the source. */
#ifndef TONNX_RUNTIME_MODEL_IMPL_H
#define TONNX_RUNTIME_MODEL_IMPL_H

#include "runtime/log_impl.h"
#include "runtime/model.h"
#include "runtime/tensor_impl.h"

/* AttributeProto.AttributeType, with ONNX's numbers; those tonnx does not read are kept as OTHER. */
typedef enum tonnx__attribute_type {
    TONNX__ATTRIBUTE_OTHER = 0,
    TONNX__ATTRIBUTE_FLOAT = 1,
    TONNX__ATTRIBUTE_INT = 2,
    TONNX__ATTRIBUTE_STRING = 3,
    TONNX__ATTRIBUTE_TENSOR = 4,
    TONNX__ATTRIBUTE_FLOATS = 6,
    TONNX__ATTRIBUTE_INTS = 7
} tonnx__attribute_type;

typedef struct tonnx__attribute {
    char *name;
    char *stands_for; /* inside a function: the function's attribute whose value this one takes; NULL else */
    tonnx__attribute_type type;
    float f;
    int64_t i;
    char *s;               /* NUL-terminated copy */
    size_t count;          /* of floats or ints */
    float *floats;
    int64_t *ints;
    tonnx__tensor *tensor; /* owned; of numbers: made by tonnx__attribute_numbers, so that they can be trained */
} tonnx__attribute;

typedef struct tonnx__node {
    char *name, *op_type, *domain; /* domain "" is ai.onnx */
    char *overload;                /* of a function that is called; NULL where none */
    size_t input_count, output_count, attribute_count;
    char **inputs, **outputs; /* "" for an omitted optional one */
    tonnx__attribute *attributes;
    size_t source_at;   /* first content byte of the NodeProto; TONNX__NOT_IN_SOURCE where added */
    bool removed;       /* the written file leaves it out */
    bool *renamed;      /* per input: the written file gets inputs[i] in place of its own; NULL where none */
    bool output_renamed; /* likewise, for outputs[0] */
} tonnx__node;

/* A model-local function: nodes over names of its own. A call is a node whose op_type and domain are its name and domain. */
typedef struct tonnx__function {
    char *name, *domain, *overload;
    size_t input_count, output_count, node_count, default_count;
    char **inputs, **outputs;
    tonnx__node *nodes;         /* part of no graph: never written */
    tonnx__attribute *defaults; /* of attributes that a call may leave out */
} tonnx__function;

typedef struct tonnx__value {
    char *name;
    tonnx_dtype dtype;
    bool has_shape;
    size_t rank;
    int64_t *dims;     /* -1: symbolic or unknown */
    char **dim_params; /* "" where none */
    bool is_initializer; /* an input that is an overridable default (IR 3) */
    bool follows;        /* an output that depends on the net's input: set where its batch may be opened */
    size_t opened;       /* 1 + the dimension that is TONNX__BATCH now and a number in the source; 0: none */
} tonnx__value;

typedef struct tonnx__opset {
    char *domain;
    int64_t version;
} tonnx__opset;

typedef struct tonnx__metadata {
    char *key, *value;
    size_t source_at; /* TONNX__NOT_IN_SOURCE where added */
    bool changed;     /* `value` differs from the source's */
} tonnx__metadata;

/* A file beside the model's that holds elements of tensors (ONNX: external data). */
typedef struct tonnx__data_file {
    char *location; /* as the model names it, relative to its folder */
    char *path;
    unsigned char *bytes; /* all of it, owned */
    size_t size;
} tonnx__data_file;

struct tonnx_model {
    char *path;            /* "" where made in memory */
    char *folder;          /* in which external data is looked for; NULL where it came from no file */
    unsigned char *source; /* the whole file, owned; NULL where made in memory */
    size_t source_size;
    size_t graph_at; /* first content byte of the GraphProto in the source */
    int64_t ir_version;
    char *producer, *producer_version, *graph_name;
    size_t opset_count, node_count, tensor_count, input_count, output_count, metadata_count, function_count;
    size_t node_room, tensor_room, metadata_room;
    size_t front_count; /* nodes added at the front: nodes[0 … front_count) */
    tonnx__opset *opsets;
    tonnx__node *nodes; /* in the file's order; added ones (source_at) stand where they will be written */
    tonnx__tensor *tensors; /* initializers; added ones last. Pointers move when one is added: hold indices */
    tonnx__value *inputs, *outputs;
    tonnx__function *functions;
    tonnx__metadata *metadata;
    tonnx__data_file *data_files;
    size_t data_file_count, data_file_room;
};

/* The symbol of a batch of any size. */
#define TONNX__BATCH "batch"

/* Frees what the node owns. */
void tonnx__node_clear(tonnx__node *node);

/* Every tensor: initializers (a sparse one's values and indices too), then those of nodes' attributes, in
 * functions too. The caller frees *out; the tensors are the model's. */
tonnx_status tonnx__model_each_tensor(const tonnx_model *model, tonnx__tensor ***out, size_t *count);

/* The default domain's opset; 0 where none is declared. */
int64_t tonnx__model_opset(const tonnx_model *model);

/* Index of an initializer by name that is not removed; -1 where there is none. */
ptrdiff_t tonnx__model_find_tensor(const tonnx_model *model, const char *name);

/* The numbers of a Constant node as a tensor of its attribute, whichever form they have; *out is NULL where it holds
 * none, or is another node. */
tonnx_status tonnx__constant_numbers(const tonnx__node *node, tonnx__tensor **out);

/* The attribute of a node; NULL where absent. And its value, or the default. */
const tonnx__attribute *tonnx__node_attribute(const tonnx__node *node, const char *name);
double tonnx__node_float(const tonnx__node *node, const char *name, double otherwise);
int64_t tonnx__node_int(const tonnx__node *node, const char *name, int64_t otherwise);

/* Gives an attribute of a number or a list of numbers its `tensor`: [] or [count], floats or 64-bit integers. */
tonnx_status tonnx__attribute_numbers(tonnx__attribute *attribute);

/* Input i's name, "" where omitted or beyond the last. */
const char *tonnx__node_input(const tonnx__node *node, size_t i);

/* "MatMul node 'fc1/MatMul' (x, w → y)": how messages name a node. Written into `text`, returned. */
const char *tonnx__node_label(const tonnx__node *node, char *text, size_t size);

/* Adds an initializer of zeros; *out is its index. */
tonnx_status tonnx__model_add_tensor(tonnx_model *model, const char *name, tonnx_dtype dtype, size_t rank,
                                     const int64_t *dims, size_t *out);

/* Adds a node of the default domain after the last added one at the front (`front`) or at the end of the graph. */
tonnx_status tonnx__model_add_node(tonnx_model *model, bool front, const char *op_type, const char *name,
                                   const char *const *inputs, size_t input_count, const char *output, size_t *out);

/* Adds one in the place of nodes[at], which and all after it move on: numbers of nodes kept elsewhere are stale. */
tonnx_status tonnx__model_insert_node(tonnx_model *model, size_t at, const char *op_type, const char *name,
                                      const char *const *inputs, size_t input_count, const char *output, size_t *out);

/* Attributes of an added node. */
tonnx_status tonnx__node_add_float(tonnx__node *node, const char *name, float value);
tonnx_status tonnx__node_add_int(tonnx__node *node, const char *name, int64_t value);
tonnx_status tonnx__node_add_string(tonnx__node *node, const char *name, const char *value);

/* Input i of node reads `name` from now on; beyond the last, inputs in between are omitted ones. */
tonnx_status tonnx__model_rename_input(tonnx_model *model, size_t node, size_t input, const char *name);

/* The node's first output is called `name` from now on; who reads it is the caller's business. */
tonnx_status tonnx__model_rename_output(tonnx_model *model, size_t node, const char *name);

/* An empty model in memory: IR version, opset, one float input [N, features_in] and one output [N, features_out]. */
tonnx_status tonnx__model_new(tonnx_model **out, int64_t opset, size_t features_in, size_t features_out);

#endif
