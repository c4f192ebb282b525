/* Expressions: what a stretch of nodes computes of one value, whichever way an exporter spelled it.
 *
 * An activation, a norm or a softmax has an op of its own only from some opset on, and every exporter spells it in
 * primitive operators differently. So spellings are not compared node by node: the nodes behind one are read as an
 * expression in one value x and constants, and the expression is asked for its values at probe points. What gives the
 * values of GELU is GELU. */
#ifndef TONNX_RUNTIME_RECOGNISE_EXPRESSION_IMPL_H
#define TONNX_RUNTIME_RECOGNISE_EXPRESSION_IMPL_H

#include "runtime/recognise/recognise_impl.h"

/* The longest spelling seen is Keras' LayerNorm by way of JAX: 27 nodes that compute. */
enum { TONNX__MAX_STEPS = 48, TONNX__MAX_ROWS = 4 };

typedef enum tonnx__step_kind {
    TONNX__STEP_VALUE,  /* a value of the net, or something unknown: only x may stand for it */
    TONNX__STEP_NUMBER, /* a constant of one element */
    TONNX__STEP_ROW,    /* a constant with an element per feature */
    TONNX__STEP_NODE    /* what a node computes of earlier steps */
} tonnx__step_kind;

/* What a step's values are like: constants, a column [N, 1], or [N, F]. A reduction that does not keep its axis makes a
 * flat [N], which broadcasts against [N, F] the wrong way round: it must become a column before it meets one. */
typedef enum tonnx__step_shape {
    TONNX__SHAPE_CONSTANT,
    TONNX__SHAPE_FLAT,
    TONNX__SHAPE_COLUMN,
    TONNX__SHAPE_FULL
} tonnx__step_shape;

typedef struct tonnx__step {
    tonnx__step_kind kind;
    const char *name; /* the value name it stands for */
    const tonnx__node *node;
    const struct tonnx__step_op *op;
    int in[3];
    double number;
    tonnx__step_shape shape;
    bool needed;             /* the expression depends on it without going through x */
    const tonnx__node *user; /* a constant's first reader, and which input it is there: where it would be un-shared */
    size_t user_input;
} tonnx__step;

typedef struct tonnx__expression {
    const tonnx__builder *builder;
    tonnx__step steps[TONNX__MAX_STEPS]; /* a step's inputs stand before it; the last is the whole */
    int count, depth, limit;
    int x;                     /* the step that is taken as x */
    int rows[TONNX__MAX_ROWS]; /* the constants per feature that it needs */
    size_t row_count;
    size_t node_count; /* nodes that it needs */
    bool reduces;      /* some of them along the features */
} tonnx__expression;

/* What to ask for: x [rows, cols], and `cols` elements for each of the constants per feature. */
typedef struct tonnx__probe {
    size_t rows, cols;
    const double *x;
    const double *row[TONNX__MAX_ROWS];
} tonnx__probe;

/* Reads the nodes behind `node` as far as they are of ops that an expression knows, and as there is room. False where
 * `node` itself is not. */
bool tonnx__expression_read(tonnx__expression *expression, const tonnx__builder *builder, const tonnx__node *node);

/* Takes step x as x. False where the whole then still depends on other values, or on too many constants. */
bool tonnx__expression_close(tonnx__expression *expression, int x);

/* The whole's values at the probe, rows·cols of them. */
tonnx_status tonnx__expression_values(const tonnx__expression *expression, const tonnx__probe *probe, double *out);

/* "Div+Erf+Add+Mul+Mul": the ops it was read from, cut off where `text` is full. */
void tonnx__expression_ops(const tonnx__expression *expression, char *text, size_t size);

/* The families that ask expressions: activations, and norms and softmax. */
tonnx_status tonnx__match_activation(tonnx__builder *builder, const tonnx__expression *expression,
                                     const tonnx__node *node, bool *known);
tonnx_status tonnx__match_norm(tonnx__builder *builder, const tonnx__expression *expression, const tonnx__node *node,
                               bool *known);

/* The momentum of a batch norm whose file names none: --bn-momentum, else what the producer's framework starts from;
 * said. */
double tonnx__producer_momentum(const tonnx__builder *builder, const tonnx__node *node);

#endif
