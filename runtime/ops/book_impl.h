/* The op book as C sees it: rows by number, by ONNX op and by name, and their formulas in double. The rows stand in
 * activations.def, losses.def, optimizers.def, schedules.def, initializers.def; the formulas in act_math.h,
 * loss_math.h, optim_math.h, once, for C (float and double) and GLSL alike. */
#ifndef TONNX_RUNTIME_OPS_BOOK_IMPL_H
#define TONNX_RUNTIME_OPS_BOOK_IMPL_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/ops/book.h"

/* The row that an ONNX node of this type computes (attributes aside); TONNX_ACT_NONE where none does. */
tonnx_activation tonnx__activation_by_op(const char *op_type);

/* "leaky_relu:0.2" or "leaky-relu:0.2" → row and attributes, defaults filled in; false where no row has that name. */
bool tonnx__activation_parse(const char *text, tonnx_activation *act, double *a, double *b);

/* "elu:0.8", "hard-tanh:-1:1": attributes only where they differ from the row's defaults. */
void tonnx__activation_text(tonnx_activation act, double a, double b, char *text, size_t size);

/* f(x), f'(x), ∂f/∂a in double. For rows that keep y, the derivative computes y itself. */
double tonnx__activation_f(tonnx_activation act, double x, double a, double b);
double tonnx__activation_d(tonnx_activation act, double x, double a, double b);
double tonnx__activation_da(tonnx_activation act, double x, double a);

/* The init gain with these attributes: PyTorch's calculate_gain; 1 for TONNX_ACT_NONE. */
double tonnx__activation_gain(tonnx_activation act, double a, double b);

/* The scheme for a layer that this activation follows: LeCun for SELU, He for ReLU and what behaves like it, else
 * (and for TONNX_ACT_NONE) Glorot. */
tonnx_scheme tonnx__activation_scheme(tonnx_activation act);

/* Whether the derivative reads y (else x). */
bool tonnx__activation_keeps_y(tonnx_activation act);

/* f'(x, y) as an instruction has it: only the argument that the row keeps is read. */
double tonnx__activation_dxy(tonnx_activation act, double x, double y, double a, double b);

/* Losses. `z` is the output or logit, `t` the target. Elementwise ones give the loss and its derivative by z;
 * cross-entropy is by rows (log-softmax in the stable form) and has no elementwise formula. */
bool tonnx__loss_elementwise(tonnx_loss loss);
double tonnx__loss_f(tonnx_loss loss, double z, double t, double a);
double tonnx__loss_d(tonnx_loss loss, double z, double t, double a);

/* The target that cross-entropy sees with a class's weight and label smoothing e over `count` classes. */
double tonnx__loss_target(double t, double weight, double e, double count);

/* Optimizer: one element's step in double. p, m, v are updated in place; rate and c from the record, h as below. */
void tonnx__optimizer_step(tonnx_optimizer optimizer, double *p, double g, double *m, double *v, double rate,
                           const double c[4], const double h[6]);

/* h[]: momentum (SGD, RMSprop) or beta1 · rho or beta2 · eps · weight decay · nesterov (0/1) · spare. */
enum { TONNX__H_BETA1, TONNX__H_BETA2, TONNX__H_EPS, TONNX__H_DECAY, TONNX__H_NESTEROV, TONNX__H_SPARE };

/* The coefficients of step `t` (from 1) for optimizer formulas, in double: bias corrections and the like. */
void tonnx__optimizer_coefficients(tonnx_optimizer optimizer, const double h[6], uint64_t t, double c[4]);

/* The learning rate of step `t` (from 0) of `total`, before warm-up. cli.md: cosine lr·(1+cos(π·t/T))/2 down to min;
 * step lr·gamma^⌊t/size⌋; exponential lr·gamma^t; linear from lr to min; one-cycle as PyTorch's OneCycleLR. */
double tonnx__schedule_rate(tonnx_schedule schedule, const struct tonnx_schedule_options *options, double rate,
                            uint64_t t, uint64_t total);

/* Lists of an initialisation scheme, in the order of tonnx__fan_named and tonnx__distribution_named. */
typedef enum tonnx__fan { TONNX__FAN_in, TONNX__FAN_out, TONNX__FAN_avg, TONNX__FAN_none } tonnx__fan;
typedef enum tonnx__distribution {
    TONNX__DISTRIBUTION_uniform,
    TONNX__DISTRIBUTION_normal,
    TONNX__DISTRIBUTION_truncated,
    TONNX__DISTRIBUTION_constant,
    TONNX__DISTRIBUTION_identity,
    TONNX__DISTRIBUTION_orthogonal,
    TONNX__DISTRIBUTION_scaled,
    TONNX__DISTRIBUTION_chosen
} tonnx__distribution;
typedef enum tonnx__scheme_takes {
    TONNX__TAKES_none,
    TONNX__TAKES_VALUE,
    TONNX__TAKES_STD,
    TONNX__TAKES_RANGE,
    TONNX__TAKES_SCALING
} tonnx__scheme_takes;

/* A scheme's row: the deviation of a weight is gain/√fan. */
typedef struct tonnx__scheme_info {
    tonnx__scheme_takes takes;
    double gain;
    tonnx__fan fan;
    tonnx__distribution distribution;
    bool torch_bias; /* biases are uniform within 1/√fan_in; else zero */
} tonnx__scheme_info;

tonnx__scheme_info tonnx__scheme_describe(tonnx_scheme scheme);

/* The row that the first `length` bytes of `text` name, aliases included; false where none does. */
bool tonnx__scheme_find(const char *text, size_t length, tonnx_scheme *out);

/* "fan-in", "fan_avg"; "uniform", "truncated" (also "truncated-normal", "untruncated-normal"): the first `length` bytes of
 * `text`. False for other words. */
bool tonnx__fan_named(const char *text, size_t length, tonnx__fan *out);
bool tonnx__distribution_named(const char *text, size_t length, tonnx__distribution *out);
const char *tonnx__fan_name(tonnx__fan fan);
const char *tonnx__distribution_name(tonnx__distribution distribution);

#endif
