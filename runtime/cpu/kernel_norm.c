/* Normalising, once the statistics are known. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_lanes.h"
#include "runtime/cpu/kernel_vec.h"

#define INLINE static inline __attribute__((always_inline))

/* The next `count` elements of x, VEC at most. */
INLINE vec get(const float *x, size_t count)
{
    return count < VEC ? VEC_LOAD_N(x, count) : VEC_LOAD(x);
}

INLINE void put(float *to, vec value, size_t count, bool add)
{
    if (add) value += get(to, count);
    if (count < VEC) VEC_STORE_N(to, value, count);
    else VEC_STORE(to, value);
}

/* A kernel by columns is one body for VEC of them, inlined for each way it is called. */
#define BY_COLUMNS(body, ...)                                                                                          \
    for (size_t c = 0; c < panel->cols; c += VEC) {                                                                    \
        if (panel->cols - c < VEC) body(__VA_ARGS__, c, panel->cols - c, panel, add);                                  \
        else if (add) body(__VA_ARGS__, c, VEC, panel, true);                                                          \
        else body(__VA_ARGS__, c, VEC, panel, false);                                                                  \
    }

/* y[n,c] (+)= (x[n,c] − mean[c])·k[c] + shift[c] */
INLINE void columns_body(float *y, const float *x, const float *mean, const float *k, const float *shift, size_t c,
                         size_t count, const tonnx__panel *panel, bool add)
{
    const vec middle = get(mean + c, count), by = get(k + c, count), plus = get(shift + c, count);
    const size_t rows = panel->rows, stride = panel->stride;
    for (size_t n = 0, at = c; n < rows; n++, at += stride)
        put(y + at, VEC_FMA(get(x + at, count) - middle, by, plus), count, add);
}

static void columns(float *y, const float *x, const float *mean, const float *k, const float *shift,
                    const tonnx__panel *panel, bool add)
{
    BY_COLUMNS(columns_body, y, x, mean, k, shift);
}

/* dx[n,c] (+)= k[c]·(dy[n,c] − m1[c] − (x[n,c] − mean[c])·m2[c]); coefficients: mean, k, m1, m2 */
INLINE void back_body(float *dx, const float *dy, const float *x, const float *const coefficients[4], size_t c,
                      size_t count, const tonnx__panel *panel, bool add)
{
    const vec mean = get(coefficients[0] + c, count), k = get(coefficients[1] + c, count);
    const vec m1 = get(coefficients[2] + c, count), m2 = get(coefficients[3] + c, count);
    const size_t rows = panel->rows, stride = panel->stride;
    for (size_t n = 0, at = c; n < rows; n++, at += stride) {
        const vec off = mean - get(x + at, count), d = get(dy + at, count) - m1;
        put(dx + at, k * VEC_FMA(off, m2, d), count, add);
    }
}

static void columns_back(float *dx, const float *dy, const float *x, const float *const coefficients[4],
                         const tonnx__panel *panel, bool add)
{
    BY_COLUMNS(back_body, dx, dy, x, coefficients);
}

/* y = (x − by[0])·by[1]·scale + shift; by: mean, rstd */
static void row(float *y, const float *x, const float *scale, const float *shift, const float by[2], size_t n)
{
    const float mean = by[0], rstd = by[1];
    for (size_t i = 0; i < n; i++) {
        const float hat = (x[i] - mean) * rstd;
        y[i] = hat * (scale ? scale[i] : 1.0f) + (shift ? shift[i] : 0.0f);
    }
}

/* With g = dy·scale: sums[0] = Σ g, sums[1] = Σ g·(x − mean) */
static void row_dots(double sums[2], const float *dy, const float *x, const float *scale, double mean, size_t n)
{
    lanes total = { 0.0 }, dots = { 0.0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const lanes g = scale ? LOAD(dy + i) * LOAD(scale + i) : LOAD(dy + i);
        total += g;
        dots += g * (LOAD(x + i) - mean);
    }
    sums[0] = lanes_total(&total);
    sums[1] = lanes_total(&dots);
    for (; i < n; i++) {
        const double g = scale ? (double)dy[i] * (double)scale[i] : (double)dy[i];
        sums[0] += g;
        sums[1] += g * ((double)x[i] - mean);
    }
}

/* With g = dy·scale: dx (+)= by[1]·(g − by[2] − (x − by[0])·by[3]); by: mean, rstd, Σg/n, rstd²·Σg(x − mean)/n */
static void row_back(float *dx, const float *dy, const float *x, const float *scale, const float by[4], size_t n,
                     bool add)
{
    const float mean = by[0], rstd = by[1], m1 = by[2], m2 = by[3];
    for (size_t i = 0; i < n; i++) {
        const float v = rstd * (dy[i] * (scale ? scale[i] : 1.0f) - m1 - (x[i] - mean) * m2);
        dx[i] = add ? dx[i] + v : v;
    }
}

const tonnx__norm_kernels TONNX__ISA_NAME(tonnx__norm_kernels) = {
    .columns = columns,
    .columns_back = columns_back,
    .row = row,
    .row_dots = row_dots,
    .row_back = row_back,
};
