/* Normalising, once the statistics are known. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_lanes.h"

/* y[n,c] (+)= (x[n,c] − mean[c])·k[c] + shift[c] */
static void columns(float *y, const float *x, const float *mean, const float *k, const float *shift,
                    const tonnx__panel *panel, bool add)
{
    for (size_t n = 0; n < panel->rows; n++) {
        float *to = y + n * panel->stride;
        const float *from = x + n * panel->stride;
        for (size_t c = 0; c < panel->cols; c++) {
            const float v = (from[c] - mean[c]) * k[c] + shift[c];
            to[c] = add ? to[c] + v : v;
        }
    }
}

/* dx[n,c] (+)= k[c]·(dy[n,c] − m1[c] − (x[n,c] − mean[c])·m2[c]); coefficients: mean, k, m1, m2 */
static void columns_back(float *dx, const float *dy, const float *x, const float *const coefficients[4],
                         const tonnx__panel *panel, bool add)
{
    const float *mean = coefficients[0], *k = coefficients[1], *m1 = coefficients[2], *m2 = coefficients[3];
    for (size_t n = 0; n < panel->rows; n++) {
        const size_t row = n * panel->stride;
        for (size_t c = 0; c < panel->cols; c++) {
            const float v = k[c] * (dy[row + c] - m1[c] - (x[row + c] - mean[c]) * m2[c]);
            dx[row + c] = add ? dx[row + c] + v : v;
        }
    }
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
