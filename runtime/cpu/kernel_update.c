/* The optimizers: one loop per row of the op book. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_optim.h"

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

/* The moments that are kept. */
typedef enum kept { NONE, ONE, BOTH } kept;

/* VEC elements from `i` on, or the last few. A moment that is not kept reads as 0 and is dropped. */
#define INLINE static inline __attribute__((always_inline)) void
#define UNROLL _Pragma("GCC unroll 4")
enum { GROUP = VEC_REGISTERS == 32 ? 4 : 2 };
INLINE element(formula *next, const tonnx__step_rows *s, size_t i, size_t count, kept moments, tonnx_step_vec step)
{
    const vec none = VEC_ALL(0.0f);
    const tonnx_element_vec old = { get(s->p + i, count), moments > NONE ? get(s->m + i, count) : none,
                                    moments > ONE ? get(s->v + i, count) : none };
    const tonnx_element_vec new = next(old, get(s->g + i, count), step);
    put(s->p + i, new.p, count);
    if (moments > NONE) put(s->m + i, new.m, count);
    if (moments > ONE) put(s->v + i, new.v, count);
}

INLINE ask_below(const tonnx__step_rows *s, size_t i, kept moments)
{
    UNROLL for (size_t k = i + s->stride; k < i + s->stride + GROUP * VEC; k += VEC)
    {
        __builtin_prefetch(s->p + k, 1, 3);
        if (moments > NONE) __builtin_prefetch(s->m + k, 1, 3);
        if (moments > ONE) __builtin_prefetch(s->v + k, 1, 3);
    }
}

/* GROUP · VEC elements at once: a step is a chain of some 20 operations, and the processor looks too few ahead to overlap it
 * with the next ones where they stand one behind the other. */
INLINE group(formula *next, const tonnx__step_rows *s, size_t i, kept moments, tonnx_step_vec step)
{
    tonnx_element_vec e[GROUP];
    UNROLL for (size_t k = 0; k < GROUP; k++)
    {
        const size_t at = i + k * VEC;
        e[k].p = VEC_LOAD(s->p + at);
        e[k].m = moments > NONE ? VEC_LOAD(s->m + at) : VEC_ALL(0.0f);
        e[k].v = moments > ONE ? VEC_LOAD(s->v + at) : VEC_ALL(0.0f);
    }
    UNROLL for (size_t k = 0; k < GROUP; k++) e[k] = next(e[k], VEC_LOAD(s->g + i + k * VEC), step);
    UNROLL for (size_t k = 0; k < GROUP; k++)
    {
        const size_t at = i + k * VEC;
        VEC_STORE(s->p + at, e[k].p);
        if (moments > NONE) VEC_STORE(s->m + at, e[k].m);
        if (moments > ONE) VEC_STORE(s->v + at, e[k].v);
    }
}

INLINE walk_rows(formula *next, tonnx__step_rows s, kept moments, tonnx_step_vec step)
{
    for (size_t row = 0; row < s.rows; row++) {
        size_t i = 0;
        for (; i + GROUP * VEC <= s.cols; i += GROUP * VEC) {
            if (s.ask && row + 1 < s.rows) ask_below(&s, i, moments);
            group(next, &s, i, moments, step);
        }
        for (; i + VEC <= s.cols; i += VEC) element(next, &s, i, VEC, moments, step);
        if (i < s.cols) element(next, &s, i, s.cols - i, moments, step);
        s.p += s.stride;
        s.g += s.stride_g;
        if (moments > NONE) s.m += s.stride;
        if (moments > ONE) s.v += s.stride;
    }
}

/* p, m, v ← one step by gradient g. An element's step does not depend on where among the others it stands. */
INLINE walk(formula *next, const tonnx__step_rows *s, tonnx_step_vec step)
{
    if (s->m && s->v) walk_rows(next, *s, BOTH, step);
    else if (s->m) walk_rows(next, *s, ONE, step);
    else walk_rows(next, *s, NONE, step);
}

#define TONNX_OPTIMIZER(id, ...)                                                                                       \
    static void update_##id(const tonnx__step_rows *s, double rate, const double *c, const double *h)                  \
    {                                                                                                                  \
        walk(tonnx_optim_##id##_vec, s, tonnx_step_of_vec(rate, c, h));                                                \
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
