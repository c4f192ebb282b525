/* Activations, forward and backward: one loop per row of the op book, its formula inlined and vectorised. */
#include "runtime/cpu/kernel_impl.h"

#include "runtime/ops/math_f32.h"

#define MAYBE __attribute__((unused))

/* Rows that lie one behind the other are one long row, unless each column has a slope of its own. */
static tonnx__panel joined(const tonnx__panel *panel, const tonnx__act_args *args)
{
    const size_t count = panel->rows * panel->cols;
    return panel->cols == panel->stride && !args->slope ? (tonnx__panel){ 1, count, count } : *panel;
}

/* y[n,c] = f(x[n,c]; a, b) */
#define TONNX_ACTIVATION(id, ...)                                                                                      \
    static void forward_##id(float *y, const float *x, const tonnx__panel *panel, const tonnx__act_args *args)         \
    {                                                                                                                  \
        const tonnx__panel p = joined(panel, args);                                                                    \
        const float a = args->a, b = args->b, *slope = args->slope;                                                    \
        for (size_t n = 0; n < p.rows; n++, y += p.stride, x += p.stride)                                              \
            if (slope)                                                                                                 \
                for (size_t c = 0; c < p.cols; c++) y[c] = tonnx_act_f_##id##_f32(x[c], slope[c], b);                  \
            else                                                                                                       \
                for (size_t c = 0; c < p.cols; c++) y[c] = tonnx_act_f_##id##_f32(x[c], a, b);                         \
    }
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION

/* d[n,c] (+)= dy[n,c]·f'(x[n,c], y[n,c]; a, b). Of x and y the row keeps one, and its formula reads no other. Each choice has a
 * loop of its own: a choice inside would stop the vectoriser where the formula is long. */
#define BACK_LOOP(id, set, slope_at)                                                                                   \
    for (size_t c = 0; c < p.cols; c++) d[c] set dy[c] * tonnx_act_d_##id##_f32(kept[c], kept[c], slope_at, b);
#define TONNX_ACTIVATION(id, op, since, a_name, a_default, b_name, b_default, gain, below, above, keeps)               \
    static void back_##id(float *d, const float *dy, MAYBE const float *x, MAYBE const float *y,                       \
                          const tonnx__panel *panel, const tonnx__act_args *args, bool add)                            \
    {                                                                                                                  \
        const tonnx__panel p = joined(panel, args);                                                                    \
        const float a = args->a, b = args->b, *slope = args->slope, *kept = keeps;                                     \
        for (size_t n = 0; n < p.rows; n++, d += p.stride, dy += p.stride, kept += p.stride)                           \
            if (slope && add) BACK_LOOP(id, +=, slope[c])                                                              \
            else if (slope) BACK_LOOP(id, =, slope[c])                                                                 \
            else if (add) BACK_LOOP(id, +=, a)                                                                         \
            else BACK_LOOP(id, =, a)                                                                                   \
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
