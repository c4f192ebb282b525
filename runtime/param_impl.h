/* A parameter: a tensor as the net computes with it, and the way back to the file's tensor it came from. */
#ifndef TONNX_RUNTIME_PARAM_IMPL_H
#define TONNX_RUNTIME_PARAM_IMPL_H

#include "runtime/model_impl.h"

typedef enum tonnx__role {
    TONNX__ROLE_WEIGHT,   /* dense: [out, in] */
    TONNX__ROLE_BIAS,     /* dense, affine shift: [1, F] or [1, 1] */
    TONNX__ROLE_SCALE,    /* norm: [1, F] */
    TONNX__ROLE_SHIFT,    /* norm: [1, F] */
    TONNX__ROLE_MEAN,     /* batch norm's running mean: [1, F]; never trained, updated by training */
    TONNX__ROLE_VARIANCE, /* batch norm's running variance: [1, F]; likewise */
    TONNX__ROLE_SLOPE,    /* PReLU: [1, F] or [1, 1] */
    TONNX__ROLE_CONSTANT  /* an operand that is not trained */
} tonnx__role;

/* Element (r, c) of the parameter is factor · element offset + r·row_stride + c·col_stride of the source tensor.
 * Transposes, reshapes, casts, slices and scalings of an initializer all come down to this, and it is invertible. */
typedef struct tonnx__view {
    size_t offset, row_stride, col_stride;
    double factor; /* not 0 */
} tonnx__view;

typedef struct tonnx__param {
    char *name; /* the initializer's (or Constant output's) name; what --freeze and the log say */
    tonnx__role role;
    size_t rows, cols;       /* as computed: a weight is [out, in], a vector [1, F] */
    ptrdiff_t tensor;        /* index into model->tensors; -1: the tensor of a Constant node */
    tonnx__tensor *constant; /* that tensor, borrowed from the node; NULL else */
    tonnx__view view;
    bool trained; /* by default: roles WEIGHT to SHIFT and SLOPE */
    bool derived; /* computed from other constants: no tensor of the file holds it, so it stays as it is */
    /* Where an exporter merged equal tensors into one, a use of it trains alone and gets an initializer of its own
     * (named `name`) once the numbers differ. */
    bool merged;            /* shares its tensor's present bytes with another parameter that trains alone */
    /* The node below is < 0 where only a function's body reads the tensor: then it cannot be un-shared. */
    ptrdiff_t merged_node;  /* the Identity node whose output it is, or the node that reads the shared tensor */
    ptrdiff_t merged_input; /* that node's input, to be renamed; -1: an Identity, to be removed */
} tonnx__param;

/* The source tensor, wherever it lives. */
tonnx__tensor *tonnx__param_tensor(const tonnx__param *param, tonnx_model *model);

/* Copies the parameter out of the model: rows·cols numbers, row-major. */
void tonnx__param_pull(const tonnx__param *param, tonnx_model *model, double *values);

/* Puts rows·cols numbers back. An element whose number equals what pull (rounded to float) gives keeps its bytes. */
tonnx_status tonnx__param_push(const tonnx__param *param, tonnx_model *model, const double *values);

/* True where push would change nothing. */
bool tonnx__param_equals(const tonnx__param *param, tonnx_model *model, const double *values);

#endif
