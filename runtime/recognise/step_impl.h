/* One step of an expression: what an op does to numbers. */
#ifndef TONNX_RUNTIME_RECOGNISE_STEP_IMPL_H
#define TONNX_RUNTIME_RECOGNISE_STEP_IMPL_H

#include "runtime/model_impl.h"
#include "runtime/ops/book_impl.h"

typedef enum tonnx__step_class {
    TONNX__STEP_MOVES,   /* the same numbers: Identity, Reshape, Expand, … */
    TONNX__STEP_FORMULA, /* element by element, of one to three inputs that are broadcast */
    TONNX__STEP_BOOK,    /* an activation of the op book, by its op */
    TONNX__STEP_REDUCES  /* along the features, to one number per sample */
} tonnx__step_class;

typedef struct tonnx__step_op {
    const char *op_type;
    tonnx__step_class class;
    size_t inputs;
    double (*formula)(double a, double b, double c); /* FORMULA */
    double start;                                    /* REDUCES: what is folded into, then ends */
    double (*fold)(double sum, double x);
    double (*end)(double sum, size_t count);
} tonnx__step_op;

/* The op of a node, where an expression knows it in this form; NULL else. */
const tonnx__step_op *tonnx__step_op_of(const tonnx__node *node);

/* An op of the op book with this node's attributes; false where it is none. */
bool tonnx__node_activation(const tonnx__node *node, tonnx_activation *act, double *a, double *b);

#endif
