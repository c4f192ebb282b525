/* A net: what a model means. A DAG of layers over values of shape [N, F], built by recognising the graph's patterns. */
#ifndef TONNX_RUNTIME_NET_H
#define TONNX_RUNTIME_NET_H

#include "log.h"
#include "model.h"

TONNX_BEGIN

typedef struct tonnx_net tonnx_net;

typedef struct tonnx_net_options {
    size_t size;        /* sizeof(tonnx_net_options): fields may be added */
    const char *input;  /* NULL: the model's only float input */
    const char *output; /* NULL: the model's first float output */
    bool keep_ties;     /* treat every shared initializer as tied */
    bool untie;         /* treat none as tied */
    bool add_bias;      /* give dense layers without a bias one of zeros: the model gets an initializer for each */
    double bn_momentum; /* where the file gives a batch norm none; NaN: ONNX's 0.9 */
    tonnx_log log;
    bool dynamic_batch; /* the model's input, declared for a fixed batch, and the outputs that follow from it get the symbol "batch" */
} tonnx_net_options;

#define TONNX_NET_OPTIONS_DEFAULT { sizeof(tonnx_net_options), NULL, NULL, false, false, false, __builtin_nan(""), { NULL, NULL }, false }

/* Recognises `model`. The net borrows the model, which must outlive it; it may mark the model (an initializer that
 * was merged by an exporter is un-shared; `add_bias` and `dynamic_batch` change it). TONNX_BAD_MODEL names file, node, op and inputs of
 * what it cannot read, and the node that holds a batch which is to be opened. `options` may be NULL. */
TONNX_API tonnx_status tonnx_net_new(tonnx_net **out, tonnx_model *model, const tonnx_net_options *options);
TONNX_API void tonnx_net_free(tonnx_net *net);

typedef struct tonnx_layer_info {
    const char *name;       /* the first node's name, or its first output where it has none */
    const char *kind;       /* "dense", "activation", "batchnorm", "softmax", "affine" (add, mul … with a constant), "add", "glu", … */
    const char *op;         /* ONNX ops it was read from: "Gemm", "MatMul+Add" */
    char activation[64];    /* of an activation layer, or of the one that follows a dense layer: "tanh", "elu:0.8", "glu"; else "none" */
    const char *weight;     /* names of parameters: of an initializer, or of an Identity's or Constant's output; NULL where absent */
    const char *bias;
    ptrdiff_t weight_at, bias_at; /* their numbers for tonnx_net_parameter; -1 where absent */
    size_t fan_in, fan_out; /* features in and out */
    size_t parameters;      /* trainable elements */
    double flops;           /* per sample, forward: 2·in·out for dense, about 1 per element else */
    bool part;              /* a slice or an activation of the gate ("glu", "swiglu" …) that follows and stands for it */
} tonnx_layer_info;

TONNX_API size_t tonnx_net_layer_count(const tonnx_net *net);
TONNX_API void tonnx_net_layer(const tonnx_net *net, size_t i, tonnx_layer_info *out);

/* A tensor that layers read as a parameter, as the net computes with it. */
typedef struct tonnx_parameter_info {
    const char *name;  /* what --freeze and --only match: of an initializer, or of an Identity's or Constant's output */
    const char *role;  /* "weight", "bias", "scale", "shift", "mean", "variance", "slope" or "constant" */
    size_t rows, cols; /* a dense weight is [out, in], a vector [1, features] */
    bool trained;      /* unless --freeze or --only says otherwise */
} tonnx_parameter_info;

/* Parameters in the order in which layers first read them; shared ones once. i below tonnx_net_parameter_count. */
TONNX_API size_t tonnx_net_parameter_count(const tonnx_net *net);
TONNX_API void tonnx_net_parameter(const tonnx_net *net, size_t i, tonnx_parameter_info *out);

/* Parameter i's rows x cols elements, row-major, as they stand in the model now. */
TONNX_API void tonnx_net_read(const tonnx_net *net, size_t i, double *out);

TONNX_API size_t tonnx_net_features_in(const tonnx_net *net);
TONNX_API size_t tonnx_net_features_out(const tonnx_net *net);

/* Trainable elements in all, each shared one counted once. */
TONNX_API size_t tonnx_net_parameters(const tonnx_net *net);

TONNX_END

#endif
