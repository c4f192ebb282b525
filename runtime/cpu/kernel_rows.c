/* Softmax and losses, a row at a time. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_lanes.h"
#include "runtime/cpu/kernel_vec.h"

#include "runtime/ops/math_f32.h"

/* Terms that are made in float before they are summed in double: whole vectors of every instruction set. */
enum { BLOCK = 16 };

/* How many of the VEC elements from `at` on a row of n has. */
static size_t piece(size_t n, size_t at)
{
    return n < at ? 0 : n - at < VEC ? n - at : VEC;
}

/* terms = exp(x − top), BLOCK of them. */
static inline __attribute__((always_inline)) void make_terms(float *terms, const float *x, float top)
{
    for (size_t i = 0; i < BLOCK; i++) terms[i] = tonnx_softmax_term_f32(x[i], top);
}

/* The last terms of a row, fewer than BLOCK, and 0 behind them. */
static void make_last_terms(float *terms, const float *x, float top, size_t n)
{
    float room[BLOCK];
    for (size_t i = 0; i < BLOCK; i += VEC) VEC_STORE(room + i, VEC_LOAD_OR(x + i, piece(n, i), VEC_ALL(top)));
    make_terms(terms, room, top);
    for (size_t i = 0; i < BLOCK; i += VEC) VEC_STORE(terms + i, VEC_LOAD_N(terms + i, piece(n, i)));
}

/* y = exp(x − top); gives Σ y */
static double exp_sum(float *y, const float *x, float top, size_t n)
{
    float terms[BLOCK];
    lanes total = { 0.0 };
    for (size_t at = 0; at < n; at += BLOCK) {
        if (n - at >= BLOCK) make_terms(terms, x + at, top);
        else make_last_terms(terms, x + at, top, n - at);
        total += (LOAD(terms) + LOAD(terms + 4)) + (LOAD(terms + 8) + LOAD(terms + 12));
        for (size_t i = 0; y && i < BLOCK && at + i < n; i += VEC)
            VEC_STORE_N(y + at + i, VEC_LOAD(terms + i), piece(n - at, i));
    }
    return lanes_total(&total);
}

static void log_softmax(float *y, const float *x, float top, float log_sum, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = tonnx_log_softmax_f32(x[i], top, log_sum);
}

/* dx (+)= y·(dy − sum), sum = Σ dy·y */
static void softmax_back(float *dx, const float *dy, const float *y, float sum, size_t n, bool add)
{
    for (size_t i = 0; i < n; i++) {
        const float v = y[i] * (dy[i] - sum);
        dx[i] = add ? dx[i] + v : v;
    }
}

/* dx (+)= dy − exp(y)·sum, sum = Σ dy */
static void log_softmax_back(float *dx, const float *dy, const float *y, float sum, size_t n, bool add)
{
    if (add)
        for (size_t i = 0; i < n; i++) dx[i] += dy[i] - tonnx_exp_f32(y[i]) * sum;
    else
        for (size_t i = 0; i < n; i++) dx[i] = dy[i] - tonnx_exp_f32(y[i]) * sum;
}

static void excess(float *y, const float *x, const float *t, float by_x, float by, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = (x[i] * by_x - t[i]) * by;
}

static void weigh(float *y, const float *t, const float *w, float e, float count, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = tonnx_weighted_target_f32(t ? t[i] : 0.0f, w ? w[i] : 1.0f, e, count);
}

/* terms = l(x, t; a); dx = factor·l'(x, t; a). Losses by rows are made of the kernels above. */
#define LOSS_elements(id)                                                                                              \
    static void loss_##id(float *terms, const float *x, const float *t, size_t n, float a)                             \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) terms[i] = tonnx_loss_f_##id##_f32(x[i], t[i], a);                              \
    }                                                                                                                  \
    static void loss_back_##id(float *dx, const float *x, const float *t, size_t n, float a, float factor)             \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) dx[i] = factor * tonnx_loss_d_##id##_f32(x[i], t[i], a);                        \
    }
#define LOSS_rows(id)
#define TONNX_LOSS(id, name, shape, reads) LOSS_##shape(id)
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
#undef LOSS_elements
#undef LOSS_rows

const tonnx__row_kernels TONNX__ISA_NAME(tonnx__row_kernels) = {
    .exp_sum = exp_sum,
    .log_softmax = log_softmax,
    .softmax_back = softmax_back,
    .log_softmax_back = log_softmax_back,
    .excess = excess,
    .weigh = weigh,
    .loss = {
#define LOSS_elements(id)                  loss_##id
#define LOSS_rows(id)                      NULL
#define TONNX_LOSS(id, name, shape, reads) LOSS_##shape(id),
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
#undef LOSS_elements
    },
    .loss_back = {
#define LOSS_elements(id)                  loss_back_##id
#define TONNX_LOSS(id, name, shape, reads) LOSS_##shape(id),
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
    },
};
