/* Every formula of the op book in double, with libm underneath: what the reference backend computes with. The same
 * text as math_f32.h expands, which explains the dialect. C only. */
#ifndef TONNX_RUNTIME_OPS_MATH_F64_H
#define TONNX_RUNTIME_OPS_MATH_F64_H

#include <math.h>

#define real          double
#define FN(name)      tonnx_##name##_f64
#define R(number)     number
#define NUM(x)        ((double)(x))
#define PICK(c, a, b) ((c) ? (a) : (b))
#define RATIO(a, b)   ((a) / (b))
#define OP            static inline
#define MAYBE         __attribute__((unused))

#define TONNX_LIBM(name, call)                                                                                         \
    OP double tonnx_##name##_f64(double x)                                                                             \
    {                                                                                                                  \
        return call(x);                                                                                                \
    }
TONNX_LIBM(abs, fabs)
TONNX_LIBM(sqrt, sqrt)
TONNX_LIBM(exp, exp)
TONNX_LIBM(expm1, expm1)
TONNX_LIBM(log, log)
TONNX_LIBM(log1p, log1p)
TONNX_LIBM(tanh, tanh)
TONNX_LIBM(erf, erf)
#undef TONNX_LIBM

/* a·b + c; where the float formulas may round once, the reference need not. */
OP double tonnx_fma_f64(double a, double b, double c)
{
    return a * b + c;
}

#include "runtime/ops/act_math.h"
#include "runtime/ops/loss_math.h"
#include "runtime/ops/optim_math.h"

#undef real
#undef FN
#undef R
#undef PICK
#undef RATIO
#undef NUM
#undef OP
#undef MAYBE

#endif
