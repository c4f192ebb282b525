/* Moments of a set of numbers, such that those of a union come of those of its parts. In double. */
#ifndef TONNX_RUNTIME_MOMENTS_IMPL_H
#define TONNX_RUNTIME_MOMENTS_IMPL_H

#include <stddef.h>

#include "runtime/stats.h"

/* m2 … m4: Σ (x − mean)ᵏ. A set of count 0 is all zero. */
typedef struct tonnx__moments {
    double count, mean, m2, m3, m4, min, max, zeros, below, above;
} tonnx__moments;

/* Of n numbers x, from s[k] = Σ (x − shift)ᵏ⁺¹, k = 0 … 3. Sets count to m4 alone. */
void tonnx__moments_shifted(tonnx__moments *out, double n, double shift, const double s[4]);

/* *to becomes the union's (Chan, Golub and LeVeque 1979; Pébay 2008 for the third and fourth). */
void tonnx__moments_merge(tonnx__moments *to, const tonnx__moments *from);

/* Column `panel` of what MOMENTS made, s[rows, panels] with a panel of `count` numbers; and back. */
void tonnx__moments_of(tonnx__moments *out, const float *s, size_t panels, size_t panel, size_t count);
void tonnx__moments_put(const tonnx__moments *from, double column[9]);

/* The summary, but for the histogram. */
void tonnx__moments_summary(const tonnx__moments *from, tonnx_summary *out);

#endif
