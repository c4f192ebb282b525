/* The net's inside. Layers stand in an order in which each one's inputs come first. */
#ifndef TONNX_RUNTIME_NET_IMPL_H
#define TONNX_RUNTIME_NET_IMPL_H

#include "runtime/net.h"
#include "runtime/ops/binary_impl.h"
#include "runtime/param_impl.h"

typedef enum tonnx__layer_kind {
    TONNX__LAYER_DENSE,      /* y = alpha·x·Wᵀ + beta·b */
    TONNX__LAYER_ACTIVATION, /* y = f(x; a, b), `act` is a row of the op book; PReLU has `weight` as its slope */
    TONNX__LAYER_BATCH_NORM, /* per column: weight = scale, bias = shift, mean, variance */
    TONNX__LAYER_LAYER_NORM, /* per row, centred: weight = scale, bias = shift (either may be -1) */
    TONNX__LAYER_RMS_NORM,   /* per row, not centred: weight = scale */
    TONNX__LAYER_DROPOUT,    /* identity in inference; `a` = ratio */
    TONNX__LAYER_BINARY,     /* y = in[0] op in[1], op `binary`; an operand may be a parameter [1, F] or [1, 1] */
    TONNX__LAYER_CONCAT,     /* along features */
    TONNX__LAYER_SLICE,      /* features [from, from + width) */
    TONNX__LAYER_SOFTMAX,    /* per row; `log` for LogSoftmax */
    TONNX__LAYER_KINDS
} tonnx__layer_kind;

/* What a layer reads: a value of the net, or a parameter (exactly one is ≥ 0). */
typedef struct tonnx__operand {
    int value, param;
} tonnx__operand;

typedef struct tonnx__layer {
    tonnx__layer_kind kind;
    char *name;         /* owned */
    char *op;           /* owned: the ONNX ops it was read from */
    tonnx__operand *in; /* owned; one, two for binary, more for concat */
    size_t in_count;
    int out;                          /* the value it makes */
    int weight, bias, mean, variance; /* parameters; -1 where absent */
    int act;                          /* op book row (tonnx__activation) */
    tonnx__binary binary;
    bool log;
    double alpha, beta;       /* dense */
    bool transposed;          /* dense: reads its weight transposed, for a layer before it reads the same one: y = x·W */
    double a, b;              /* activation's attributes; dropout's ratio in a */
    double epsilon, momentum; /* norms; momentum weighs the OLD running value, as ONNX does */
    size_t from, width;       /* slice */
    const char *gate;         /* binary: "glu", "swiglu" …, where it is one; dense: the gate that halves its output */
    int gated;                /* binary: the value that the gate halves; -1 */
    bool part;                /* of such a gate: inspect shows the whole */
} tonnx__layer;

typedef struct tonnx__inlined tonnx__inlined; /* a node of a function's body (recognise/inline.c) */

typedef struct tonnx__net_value {
    char *name; /* owned: the ONNX value's name */
    size_t features;
} tonnx__net_value;

/* A weight that the file holds a second time, transposed; it gets the original's numbers. */
typedef struct tonnx__copy {
    tonnx__param param; /* where the copy lies */
    int original;
} tonnx__copy;

struct tonnx_net {
    tonnx_model *model; /* borrowed */
    tonnx__layer *layers;
    tonnx__param *params;
    tonnx__net_value *values;
    size_t layer_count, param_count, value_count;
    size_t layer_room, param_room, value_room;
    int input, output;       /* values */
    tonnx__tensor **derived; /* constants computed from constants: owned here, for no file holds them */
    size_t derived_count, derived_room;
    tonnx__inlined **inlined; /* the bodies of the functions that are called; owned */
    size_t inlined_count, inlined_room;
    tonnx__copy *copies;
    size_t copy_count, copy_room;
    tonnx_log log;
    double bn_momentum;
    bool keep_ties, untie;
    /* Of a net whose batch is to be opened: */
    int64_t declared_batch; /* the input's; below 1: none */
    const char *held_batch; /* the first node that has it in its own shape; NULL: there is none */
    const tonnx__value *declared_output; /* what the model declares of the net's output */
    bool output_turned;                  /* which is [F, N] */
};

/* What stands before a head of Softmax, LogSoftmax or Sigmoid; the output itself where there is no such head.
 * *head is that layer's index, or -1. */
int tonnx__net_logits(const tonnx_net *net, int *head);

void tonnx__inlined_free(tonnx_net *net);

/* Visits every use of a parameter; `visit` may renumber it. */
void tonnx__net_each_param(tonnx_net *net, void (*visit)(void *user, int *param), void *user);

/* Fails with TONNX_BAD_USAGE: `glob`, given with `option`, names no trained parameter; says which come near. */
tonnx_status tonnx__fail_no_parameter(const tonnx_net *net, const char *option, const char *glob);

const char *tonnx__layer_kind_name(tonnx__layer_kind kind);

#endif
