/* Activations, forward and backward: one loop per row of the op book, its formula inlined and vectorised. */
#include "runtime/cpu/kernel_impl.h"

#include "runtime/ops/math_f32.h"

#define MAYBE __attribute__((unused))

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

/* d (+)= dy·f'(x, y; a, b). Of x and y the row keeps one, and its formula reads no other. Each choice has a loop of its
 * own: a choice inside would stop the vectoriser where the formula is long. */
#define BACK_LOOP(id, set, slope_at)                                                                                   \
    for (size_t i = 0; i < n; i++) d[i] set dy[i] * tonnx_act_d_##id##_f32(kept[i], kept[i], slope_at, b);
#define TONNX_ACTIVATION(id, op, since, a_name, a_default, b_name, b_default, gain, below, above, keeps)               \
    static void back_##id(float *d, const float *dy, MAYBE const float *x, MAYBE const float *y, size_t n,             \
                          const tonnx__act_args *args, bool add)                                                       \
    {                                                                                                                  \
        const float a = args->a, b = args->b, *slope = args->slope, *kept = keeps;                                     \
        if (slope && add) BACK_LOOP(id, +=, slope[i])                                                                  \
        else if (slope) BACK_LOOP(id, =, slope[i])                                                                     \
        else if (add) BACK_LOOP(id, +=, a)                                                                             \
        else BACK_LOOP(id, =, a)                                                                                       \
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
