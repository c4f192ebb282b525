/* The optimizers: one loop per row of the op book. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_optim.h"

#define ARGUMENTS                                                                                                      \
    float *restrict p, const float *restrict g, float *restrict m, float *restrict v, size_t n, double rate,           \
        const double *c, const double *h

/* The next `count` elements of x; VEC of them, the usual case, without a mask. */
static inline __attribute__((always_inline)) vec get(const float *x, size_t count)
{
    return count < VEC ? VEC_LOAD_N(x, count) : VEC_LOAD(x);
}

static inline __attribute__((always_inline)) void put(float *x, vec value, size_t count)
{
    if (count < VEC) VEC_STORE_N(x, value, count);
    else VEC_STORE(x, value);
}

typedef tonnx_element_vec formula(tonnx_element_vec old, vec g, tonnx_step_vec step);

/* p, m, v ← one step by gradient g. A moment that is not kept reads as 0 and is dropped. An element's step does not
 * depend on where among the others it stands. */
static inline __attribute__((always_inline)) void walk(formula *next, float *restrict at[3], const float *restrict g,
                                                       size_t n, tonnx_step_vec step)
{
    float *restrict p = at[0], *restrict m = at[1], *restrict v = at[2];
    for (size_t i = 0; i < n; i += VEC) {
        const size_t count = n - i < VEC ? n - i : VEC;
        const vec none = VEC_ALL(0.0f);
        const tonnx_element_vec old = { get(p + i, count), m ? get(m + i, count) : none, v ? get(v + i, count) : none };
        const tonnx_element_vec new = next(old, get(g + i, count), step);
        put(p + i, new.p, count);
        if (m) put(m + i, new.m, count);
        if (v) put(v + i, new.v, count);
    }
}

#define TONNX_OPTIMIZER(id, ...)                                                                                       \
    static void update_##id(ARGUMENTS)                                                                                 \
    {                                                                                                                  \
        walk(tonnx_optim_##id##_vec, (float *restrict[3]){ p, m, v }, g, n, tonnx_step_of_vec(rate, c, h));            \
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
