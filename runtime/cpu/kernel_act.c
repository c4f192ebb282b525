/* Activations, forward and backward: one loop per row of the op book, its formula inlined and vectorised. */
#include "runtime/cpu/kernel_impl.h"

#include "runtime/ops/math_f32.h"

/* y = f(x; a, b) */
#define TONNX_ACTIVATION(id, ...)                                                                                      \
    static void forward_##id(float *y, const float *x, size_t n, const tonnx__act_args *args)                          \
    {                                                                                                                  \
        const float a = args->a, b = args->b, *slope = args->slope;                                                    \
        if (slope)                                                                                                     \
            for (size_t i = 0; i < n; i++) y[i] = tonnx_act_f_##id##_f32(x[i], slope[i], b);                           \
        else                                                                                                           \
            for (size_t i = 0; i < n; i++) y[i] = tonnx_act_f_##id##_f32(x[i], a, b);                                  \
    }
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION

/* d (+)= dy·f'(x, y; a, b). The argument that a row does not keep may be absent: `kept` stands in for it, unread. */
#define BACK_LOOP(id, slope_at)                                                                                        \
    for (size_t i = 0; i < n; i++) {                                                                                   \
        const float v = dy[i] * tonnx_act_d_##id##_f32(x[i], y[i], slope_at, b);                                       \
        d[i] = add ? d[i] + v : v;                                                                                     \
    }
#define TONNX_ACTIVATION(id, ...)                                                                                      \
    static void back_##id(float *d, const float *dy, const float *x, const float *y, size_t n,                         \
                          const tonnx__act_args *args, bool add)                                                       \
    {                                                                                                                  \
        const float a = args->a, b = args->b, *slope = args->slope;                                                    \
        x = x ? x : y;                                                                                                 \
        y = y ? y : x;                                                                                                 \
        if (slope) BACK_LOOP(id, slope[i])                                                                             \
        else BACK_LOOP(id, a)                                                                                          \
    }
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION

/* sums += dy·∂f/∂a(x) */
static void slope_prelu(double *sums, const float *dy, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) sums[i] += (double)(dy[i] * tonnx_act_da_prelu_f32(x[i]));
}

const tonnx__act_kernels TONNX__ISA_NAME(tonnx__act_kernels) = {
    .forward = {
#define TONNX_ACTIVATION(id, ...) forward_##id,
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
    },
    .back = {
#define TONNX_ACTIVATION(id, ...) back_##id,
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
    },
    .slope = slope_prelu,
};
