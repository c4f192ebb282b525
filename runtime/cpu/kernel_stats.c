/* Statistics by columns, and histograms. */
#include "runtime/cpu/kernel_impl.h"

#include <math.h>
#include <string.h>

#define BODY static inline __attribute__((always_inline)) void

/* out->sums[k][c] = Σₙ (x[n,c] − x[0,c])ᵏ⁺¹, in double; least and greatest; how many are 0, below, above */
BODY moments_body(tonnx__moment_sums *out, const float *x, size_t rows, size_t cols, size_t stride, float below,
                  float above)
{
    double s1[TONNX__COLUMNS] = { 0 }, s2[TONNX__COLUMNS] = { 0 }, s3[TONNX__COLUMNS] = { 0 };
    double s4[TONNX__COLUMNS] = { 0 }, shift[TONNX__COLUMNS];
    float least[TONNX__COLUMNS], greatest[TONNX__COLUMNS];
    int32_t zeros[TONNX__COLUMNS] = { 0 }, low[TONNX__COLUMNS] = { 0 }, high[TONNX__COLUMNS] = { 0 };
    for (size_t c = 0; c < cols; c++) shift[c] = (double)(least[c] = greatest[c] = x[c]);
    for (size_t n = 0; n < rows; n++, x += stride) {
        for (size_t c = 0; c < cols; c++) {
            const double d = (double)x[c] - shift[c], d2 = d * d;
            s1[c] += d;
            s2[c] += d2;
            s3[c] += d2 * d;
            s4[c] += d2 * d2;
        }
        for (size_t c = 0; c < cols; c++) {
            least[c] = x[c] < least[c] ? x[c] : least[c];
            greatest[c] = x[c] > greatest[c] ? x[c] : greatest[c];
            zeros[c] += x[c] == 0.0f;
            low[c] += x[c] < below;
            high[c] += x[c] > above;
        }
    }
    memcpy(out->shift, shift, sizeof shift);
    memcpy(out->sums[0], s1, sizeof s1);
    memcpy(out->sums[1], s2, sizeof s2);
    memcpy(out->sums[2], s3, sizeof s3);
    memcpy(out->sums[3], s4, sizeof s4);
    memcpy(out->min, least, sizeof least);
    memcpy(out->max, greatest, sizeof greatest);
    memcpy(out->zeros, zeros, sizeof zeros);
    memcpy(out->below, low, sizeof low);
    memcpy(out->above, high, sizeof high);
}

static void moments(tonnx__moment_sums *out, const float *x, const tonnx__panel *panel, float below, float above)
{
    if (panel->cols == TONNX__COLUMNS) moments_body(out, x, panel->rows, TONNX__COLUMNS, panel->stride, below, above);
    else moments_body(out, x, panel->rows, panel->cols, panel->stride, below, above);
}

/* counts[bin of x[i]]++: bins are found by vectors, and counted in four copies so that equal neighbours need not wait
 * for each other. A bin more takes what is NaN. */
static void histogram(float *counts, size_t bins, const float *x, size_t n, float start, float per_unit)
{
    enum { RUN = 256 };
    uint32_t copies[4][TONNX__MAX_BINS + 1] = { 0 };
    int32_t at[RUN];
    const float last = (float)(bins - 1);
    for (size_t i = 0; i < n; i += RUN) {
        const size_t run = n - i < RUN ? n - i : RUN;
        for (size_t k = 0; k < run; k++) {
            float v = (x[i + k] - start) * per_unit;
            const bool nan = v != v;
            v = v > 0.0f ? v : 0.0f;
            v = v < last ? v : last;
            at[k] = nan ? (int32_t)bins : (int32_t)v;
        }
        for (size_t k = 0; k < run; k++) copies[k % 4][at[k]]++;
    }
    for (size_t b = 0; b < bins; b++) counts[b] = (float)(copies[0][b] + copies[1][b] + copies[2][b] + copies[3][b]);
}

const tonnx__stats_kernels TONNX__ISA_NAME(tonnx__stats_kernels) = { .moments = moments, .histogram = histogram };
