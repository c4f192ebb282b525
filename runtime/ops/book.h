/* The op book, as users see it: what can be read and trained, by name. Every row reaches every backend, the
 * initialisers, the tests and `tonnx ops` from the one list it stands in. */
#ifndef TONNX_RUNTIME_OPS_BOOK_H
#define TONNX_RUNTIME_OPS_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../api.h"

TONNX_BEGIN

typedef enum tonnx_activation {
    TONNX_ACT_NONE = -1,
#define TONNX_ACTIVATION(id, ...) TONNX_ACT_##id,
#include "activations.def"
#undef TONNX_ACTIVATION
    TONNX_ACT_COUNT
} tonnx_activation;

typedef enum tonnx_loss {
    TONNX_LOSS_AUTO = -1,
#define TONNX_LOSS(id, ...) TONNX_##id,
#include "losses.def"
#undef TONNX_LOSS
    TONNX_LOSS_COUNT
} tonnx_loss;

typedef enum tonnx_optimizer {
#define TONNX_OPTIMIZER(id, ...) TONNX_##id,
#include "optimizers.def"
#undef TONNX_OPTIMIZER
    TONNX_OPTIMIZER_COUNT
} tonnx_optimizer;

typedef enum tonnx_schedule {
#define TONNX_SCHEDULE(id, ...) TONNX_SCHEDULE_##id,
#include "schedules.def"
#undef TONNX_SCHEDULE
    TONNX_SCHEDULE_COUNT
} tonnx_schedule;

typedef enum tonnx_scheme {
#define TONNX_INITIALIZER(id, ...) TONNX_INIT_##id,
#include "initializers.def"
#undef TONNX_INITIALIZER
    TONNX_INIT_COUNT
} tonnx_scheme;

typedef struct tonnx_schedule_options {
    uint64_t step_size; /* step: steps between cuts */
    double gamma;       /* step, exponential */
    double min_rate;    /* cosine, linear */
} tonnx_schedule_options;

/* One row, for listing. */
typedef struct tonnx_activation_info {
    const char *name;           /* "leaky_relu" */
    const char *onnx_op;        /* "LeakyRelu"; "" where ONNX has no op of its own */
    int since;                  /* first opset with that op; 0 where none */
    const char *a_name, *b_name; /* attributes; "" where none */
    double a_default, b_default;
    double gain;                /* init gain: std = gain/√fan_in keeps the signal */
    bool trained;               /* has a trained parameter (PReLU's slope) */
    bool keeps_output;          /* the derivative wants y, not x */
    double saturated_below, saturated_above; /* y beyond these counts as saturated; -inf, inf where it cannot */
} tonnx_activation_info;

TONNX_API void tonnx_activation_describe(tonnx_activation act, tonnx_activation_info *out);

/* f(x; a, b) and its derivative by x, as training computes both, in double; a, b NaN: the row's defaults. TONNX_ACT_NONE
 * is x itself. */
TONNX_API void tonnx_activation_evaluate(tonnx_activation act, double x, double a, double b, double *y, double *slope);

typedef struct tonnx_optimizer_info {
    const char *name; /* "sgd", … */
    int moments;      /* arrays as large as the parameters that it keeps: 0, 1, 2 (sgd: 1 only with momentum) */
    double rate, momentum, beta1, beta2, rho, eps, decay; /* defaults, PyTorch's; NaN where it has no such thing */
    bool decoupled;   /* weight decay acts on the weights, not through the gradient */
} tonnx_optimizer_info;

TONNX_API void tonnx_optimizer_describe(tonnx_optimizer optimizer, tonnx_optimizer_info *out);

TONNX_API const char *tonnx_loss_name(tonnx_loss loss);         /* "cross-entropy", … */
TONNX_API const char *tonnx_schedule_name(tonnx_schedule schedule);
TONNX_API const char *tonnx_scheme_name(tonnx_scheme scheme);   /* "glorot-uniform", … */
TONNX_API const char *tonnx_scheme_usage(tonnx_scheme scheme);  /* with what follows the name: "normal:STD" */

/* The loss of one output z (a logit for bce) against its target t, and its derivative by z; delta is huber's. False, and
 * NaN, for losses that are of a whole row of outputs (cross-entropy, nll). */
TONNX_API bool tonnx_loss_evaluate(tonnx_loss loss, double z, double t, double delta, double *value, double *slope);

/* The learning rate of step t (from 0) of `total`: `rate` as the schedule changes it; plateau depends on the losses and
 * is constant here. */
TONNX_API double tonnx_schedule_rate(tonnx_schedule schedule, const tonnx_schedule_options *options, double rate, uint64_t t,
                                     uint64_t total);

/* The row of a name, aliases included ("kaiming-normal"; a scheme's without what follows it); false where there is none. */
TONNX_API bool tonnx_activation_named(const char *name, tonnx_activation *out);
TONNX_API bool tonnx_loss_named(const char *name, tonnx_loss *out);
TONNX_API bool tonnx_optimizer_named(const char *name, tonnx_optimizer *out);
TONNX_API bool tonnx_schedule_named(const char *name, tonnx_schedule *out);
TONNX_API bool tonnx_scheme_named(const char *name, tonnx_scheme *out);

TONNX_END

#endif
