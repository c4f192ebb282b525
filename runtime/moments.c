#include "runtime/moments_impl.h"

#include <math.h>

#include "runtime/program_impl.h"

_Static_assert(TONNX__MOMENTS_ROWS == 9, "moments_impl.h says 9");

static double positive(double x)
{
    return x < 0 ? 0 : x; /* NaN stays */
}

void tonnx__moments_shifted(tonnx__moments *out, double n, double shift, const double s[4])
{
    const double d = s[0] / n; /* the mean, seen from the shift */
    out->count = n;
    out->mean = shift + d;
    out->m2 = positive(s[1] - s[0] * d);
    out->m3 = s[2] - 3 * d * s[1] + 2 * n * d * d * d;
    out->m4 = positive(s[3] - 4 * d * s[2] + 6 * d * d * s[1] - 3 * n * d * d * d * d);
}

void tonnx__moments_merge(tonnx__moments *to, const tonnx__moments *from)
{
    const double a = to->count, b = from->count, n = a + b, d = from->mean - to->mean, d2 = d * d;
    if (b == 0) return;
    if (a == 0) {
        *to = *from;
        return;
    }
    to->m4 += from->m4 + d2 * d2 * a * b * (a * a - a * b + b * b) / (n * n * n) +
              6 * d2 * (a * a * from->m2 + b * b * to->m2) / (n * n) + 4 * d * (a * from->m3 - b * to->m3) / n;
    to->m3 += from->m3 + d * d2 * a * b * (a - b) / (n * n) + 3 * d * (a * from->m2 - b * to->m2) / n;
    to->m2 += from->m2 + d2 * a * b / n;
    to->mean += d * b / n;
    to->count = n;
    to->min = fmin(to->min, from->min);
    to->max = fmax(to->max, from->max);
    to->zeros += from->zeros;
    to->below += from->below;
    to->above += from->above;
}

void tonnx__moments_of(tonnx__moments *out, const float *s, size_t panels, size_t panel, size_t count)
{
    double row[TONNX__MOMENTS_ROWS];
    for (size_t r = 0; r < TONNX__MOMENTS_ROWS; r++) row[r] = (double)s[r * panels + panel];
    const double n = (double)count, deviation = row[TONNX__MOMENT_DEVIATION], variance = deviation * deviation;
    *out = (tonnx__moments){ .count = n,
                             .mean = row[TONNX__MOMENT_MEAN],
                             .m2 = n * variance,
                             .m3 = n * row[TONNX__MOMENT_SKEWNESS] * variance * deviation,
                             .m4 = n * row[TONNX__MOMENT_KURTOSIS] * variance * variance,
                             .min = row[TONNX__MOMENT_MIN],
                             .max = row[TONNX__MOMENT_MAX],
                             .zeros = row[TONNX__MOMENT_ZEROS],
                             .below = row[TONNX__MOMENT_BELOW],
                             .above = row[TONNX__MOMENT_ABOVE] };
}

void tonnx__moments_put(const tonnx__moments *from, double column[9])
{
    const double n = from->count, deviation = sqrt(from->m2 / n), variance = from->m2 / n;
    const bool flat = variance == 0;
    column[TONNX__MOMENT_MEAN] = from->mean;
    column[TONNX__MOMENT_DEVIATION] = deviation;
    column[TONNX__MOMENT_SKEWNESS] = flat ? 0 : from->m3 / n / (variance * deviation);
    column[TONNX__MOMENT_KURTOSIS] = flat ? 0 : from->m4 / n / (variance * variance);
    column[TONNX__MOMENT_MIN] = from->min;
    column[TONNX__MOMENT_MAX] = from->max;
    column[TONNX__MOMENT_ZEROS] = from->zeros;
    column[TONNX__MOMENT_BELOW] = from->below;
    column[TONNX__MOMENT_ABOVE] = from->above;
}

void tonnx__moments_summary(const tonnx__moments *from, tonnx_summary *out)
{
    const double variance = from->m2 / from->count;
    *out = (tonnx_summary){ .mean = NAN, .std = NAN, .rms = NAN, .min = NAN, .max = NAN, .kurtosis = NAN };
    if (from->count == 0) return;
    out->count = (uint64_t)from->count;
    out->zeros = (uint64_t)from->zeros;
    out->mean = from->mean;
    out->std = sqrt(variance);
    out->rms = sqrt(from->mean * from->mean + variance);
    out->min = from->min;
    out->max = from->max;
    out->kurtosis = variance > 0 ? from->m4 / from->count / (variance * variance) : NAN;
}
