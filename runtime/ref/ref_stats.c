/* Statistics. */
#include <math.h>

#include "runtime/moments_impl.h"
#include "runtime/ref/ref_impl.h"

/* Of columns [from, to) of X, all rows. */
static tonnx__moments panel_moments(const tonnx__ref_call *call, size_t from, size_t to)
{
    const tonnx__matrix x = call->in[0];
    tonnx__moments m = { .count = (double)((to - from) * x.rows), .min = INFINITY, .max = -INFINITY };
    for (size_t n = 0; n < x.rows; n++)
        for (size_t c = from; c < to; c++) {
            const double v = x.at[n * x.cols + c];
            m.mean += v / m.count;
            m.min = fmin(m.min, v);
            m.max = fmax(m.max, v);
            m.zeros += v == 0;
            m.below += v < call->code->a;
            m.above += v > call->code->b;
        }
    for (size_t n = 0; n < x.rows; n++)
        for (size_t c = from; c < to; c++) {
            const double d = x.at[n * x.cols + c] - m.mean;
            m.m2 += d * d;
            m.m3 += d * d * d;
            m.m4 += d * d * d * d;
        }
    if (m.min == m.max) m.m2 = m.m3 = m.m4 = 0; /* what the mean's rounding left */
    return m;
}

/* S[·,p] = the moments of columns [p·block, (p + 1)·block) of X[N,F] */
void tonnx__ref_MOMENTS(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], s = call->out[0];
    const size_t block = call->code->block;
    double column[TONNX__MOMENTS_ROWS];
    for (size_t p = 0; p < s.cols; p++) {
        const size_t to = (p + 1) * block;
        const tonnx__moments m = panel_moments(call, p * block, to < x.cols ? to : x.cols);
        tonnx__moments_put(&m, column);
        for (size_t r = 0; r < TONNX__MOMENTS_ROWS; r++) s.at[r * s.cols + p] = column[r];
    }
}

/* The bin of x, or -1 for NaN; in float, as every backend has it, so that counts agree. */
static double bin_of(float x, float start, float per_unit, size_t bins)
{
    const float at = (x - start) * per_unit;
    if (isnan(at)) return -1;
    return at < 0 ? 0 : at < (float)bins ? floor((double)at) : (double)(bins - 1);
}

/* H[i,·] += 1 at the bin of every element of the i-th run of `block` elements of X */
void tonnx__ref_HISTOGRAM(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], range = call->in[1], h = call->out[0];
    for (size_t i = 0; i < h.rows * h.cols; i++) h.at[i] = 0;
    for (size_t i = 0; i < x.rows * x.cols; i++) {
        const double bin = bin_of((float)x.at[i], (float)range.at[0], (float)range.at[1], h.cols);
        if (bin >= 0) h.at[i / call->code->block * h.cols + (size_t)bin] += 1;
    }
}
