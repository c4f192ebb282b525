/* Softmax and losses, a row at a time. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_lanes.h"

#include "runtime/ops/math_f32.h"

/* Elements whose terms are made in float before they are summed in double. */
enum { BLOCK = 64 };

static double block_sum(const float *x, size_t n)
{
    lanes total = { 0.0 };
    size_t i = 0;
    double rest = 0.0;
    for (; i + LANES <= n; i += LANES) total += LOAD(x + i);
    for (; i < n; i++) rest += (double)x[i];
    return lanes_total(&total) + rest;
}

/* y = exp(x − top); gives Σ y */
static double exp_sum(float *y, const float *x, float top, size_t n)
{
    float terms[BLOCK];
    double total = 0.0;
    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t count = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < count; i++) terms[i] = tonnx_softmax_term_f32(x[at + i], top);
        total += block_sum(terms, count);
        if (y) memcpy(y + at, terms, count * sizeof *y);
    }
    return total;
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
