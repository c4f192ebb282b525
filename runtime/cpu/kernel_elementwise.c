/* Element by element: binary operators, copies and scalings, dropout and random slopes. */
#include "runtime/cpu/kernel_impl.h"

#include <string.h>

#include "runtime/ops/element_rng.h"
#include "runtime/ops/math_f32.h"

#define BINARY(name, expression)                                                                                       \
    static void name(float *y, const float *a, const float *b, size_t n)                                               \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) y[i] = expression;                                                              \
    }
/* y = a op b */
BINARY(binary_add, a[i] + b[i])
BINARY(binary_sub, a[i] - b[i])
BINARY(binary_mul, a[i] * b[i])
BINARY(binary_div, a[i] / b[i])

#define BINARY_BACK(name, expression)                                                                                  \
    static void name(float *d, const float *dy, const float *a, const float *b, size_t n, bool add)                    \
    {                                                                                                                  \
        (void)a, (void)b;                                                                                              \
        for (size_t i = 0; i < n; i++) d[i] = add ? d[i] + (expression) : (expression);                                \
    }
/* d (+)= dy·∂(a op b)/∂a, by b */
BINARY_BACK(back_same, dy[i])
BINARY_BACK(back_negated, -dy[i])
BINARY_BACK(mul_by_a, dy[i] * b[i])
BINARY_BACK(mul_by_b, dy[i] * a[i])
BINARY_BACK(div_by_a, dy[i] / b[i])
BINARY_BACK(div_by_b, -dy[i] * a[i] / (b[i] * b[i]))

static void fill(float *y, float value, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = value;
}

static void copy(float *y, const float *x, size_t n, bool add)
{
    if (!add) memmove(y, x, n * sizeof *y);
    else
        for (size_t i = 0; i < n; i++) y[i] += x[i];
}

/* y = x·factor, the factor in two floats so that it is as good as a double's. */
static void scale(float *y, const float *x, double factor, size_t n)
{
    const float high = (float)factor, low = (float)(factor - (double)high);
    for (size_t i = 0; i < n; i++) y[i] = tonnx_fma_f32(x[i], high, x[i] * low);
}

static void scale_bytes(float *y, const unsigned char *x, double factor, size_t n)
{
    const float high = (float)factor, low = (float)(factor - (double)high);
    for (size_t i = 0; i < n; i++) y[i] = tonnx_fma_f32((float)x[i], high, (float)x[i] * low);
}

/* y[n,c] += factor·x[c] */
static void axpy(float *y, const float *x, float factor, const tonnx__panel *panel)
{
    for (size_t n = 0; n < panel->rows; n++, y += panel->stride)
        for (size_t c = 0; c < panel->cols; c++) y[c] = tonnx_fma_f32(factor, x[c], y[c]);
}

/* y[n,c] += by */
static void shift(float *y, float by, const tonnx__panel *panel)
{
    for (size_t n = 0; n < panel->rows; n++, y += panel->stride)
        for (size_t c = 0; c < panel->cols; c++) y[c] += by;
}

static void clamp(float *y, float limit, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float low = y[i] < -limit ? -limit : y[i];
        y[i] = low > limit ? limit : low;
    }
}

/* Blocks of four words that one call of `draws` makes: enough lanes for any vector. */
enum { BLOCKS = 16, DRAWS = 4 * BLOCKS };

/* The draws of elements first … first + DRAWS − 1, in 2⁻²⁴. */
static void draws(uint32_t *out, size_t first, const tonnx__draw *draw)
{
    const uint32_t block = (uint32_t)(first / 4), k0 = (uint32_t)draw->seed, k1 = (uint32_t)(draw->seed >> 32);
    const uint32_t step_low = (uint32_t)draw->step, step_high = (uint32_t)(draw->step >> 32), stream = draw->stream;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        const tonnx_philox words = tonnx_element_block(block + i, step_low, step_high, stream, k0, k1);
        out[4 * i] = tonnx_element_step(words.w0);
        out[4 * i + 1] = tonnx_element_step(words.w1);
        out[4 * i + 2] = tonnx_element_step(words.w2);
        out[4 * i + 3] = tonnx_element_step(words.w3);
    }
}

/* y (+)= v/(1 − ratio) where the draw is at least the ratio, else 0 */
static void dropout(float *y, const float *v, size_t first, size_t n, const tonnx__draw *draw, double ratio, bool add)
{
    uint32_t drawn[DRAWS];
    const uint32_t threshold = tonnx_element_threshold(ratio);
    const float factor = (float)(1.0 / (1.0 - ratio));
    for (size_t at = 0; at < n; at += DRAWS) {
        const size_t count = n - at < DRAWS ? n - at : DRAWS;
        draws(drawn, first + at, draw);
        for (size_t i = 0; i < count; i++) {
            const float kept = drawn[i] >= threshold ? v[at + i] * factor : 0.0f;
            y[at + i] = add ? y[at + i] + kept : kept;
        }
    }
}

/* y (+)= v where x ≥ 0, else v·s, s uniform in [low, high) */
static void random_slope(float *y, const float *v, const float *x, size_t first, size_t n, const tonnx__draw *draw,
                         double low, double high, bool add)
{
    uint32_t drawn[DRAWS];
    const float base = (float)low, span = (float)(high - low);
    for (size_t at = 0; at < n; at += DRAWS) {
        const size_t count = n - at < DRAWS ? n - at : DRAWS;
        draws(drawn, first + at, draw);
        for (size_t i = 0; i < count; i++) {
            const float s = tonnx_fma_f32(span, (float)(int32_t)drawn[i] * TONNX_ELEMENT_STEP, base);
            const float sloped = x[at + i] >= 0.0f ? v[at + i] : v[at + i] * s;
            y[at + i] = add ? y[at + i] + sloped : sloped;
        }
    }
}

const tonnx__elementwise_kernels TONNX__ISA_NAME(tonnx__elementwise_kernels) = {
    .binary = { binary_add, binary_sub, binary_mul, binary_div },
    .by_a = { back_same, back_same, mul_by_a, div_by_a },
    .by_b = { back_same, back_negated, mul_by_b, div_by_b },
    .fill = fill,
    .copy = copy,
    .scale = scale,
    .scale_bytes = scale_bytes,
    .axpy = axpy,
    .shift = shift,
    .clamp = clamp,
    .dropout = dropout,
    .random_slope = random_slope,
};
