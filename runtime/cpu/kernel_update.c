/* The optimizers: one loop per row of the op book. */
#include "runtime/cpu/kernel_impl.h"

#include "runtime/ops/math_f32.h"

#define ARGUMENTS                                                                                                      \
    float *restrict p, const float *restrict g, float *restrict m, float *restrict v, size_t n, double rate,           \
        const double *c, const double *h

/* p, m, v ← one step by gradient g. A moment that is not kept reads as 0 and is dropped. */
#define TONNX_OPTIMIZER(id, ...)                                                                                       \
    static void update_##id(ARGUMENTS)                                                                                 \
    {                                                                                                                  \
        const tonnx_step_f32 step = tonnx_step_of_f32(rate, c, h);                                                     \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const tonnx_element_f32 old = { p[i], m ? m[i] : 0.0f, v ? v[i] : 0.0f };                                  \
            const tonnx_element_f32 new = tonnx_optim_##id##_f32(old, g[i], step);                                     \
            p[i] = new.p;                                                                                              \
            if (m) m[i] = new.m;                                                                                       \
            if (v) v[i] = new.v;                                                                                       \
        }                                                                                                              \
    }
#include "runtime/ops/optimizers.def"
#undef TONNX_OPTIMIZER

const tonnx__update_kernels TONNX__ISA_NAME(tonnx__update_kernels) = {
    .update = {
#define TONNX_OPTIMIZER(id, ...) update_##id,
#include "runtime/ops/optimizers.def"
#undef TONNX_OPTIMIZER
    },
};
