#include "cli/report/axis.h"

#include <math.h>
#include <stdio.h>

/* The round step, 1, 2 or 5 times a power of ten, that makes about `parts` of a range. */
static double round_step(double range, double parts)
{
    const double rough = range / parts, power = pow(10, floor(log10(rough))), lead = rough / power;
    return (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10) * power;
}

static axis fit_linear(axis a)
{
    if (!(a.high > a.low)) {
        const double margin = a.low ? fabs(a.low) / 2 : 1;
        a.low -= margin;
        a.high += margin;
    }
    const double step = round_step(a.high - a.low, 5);
    a.low = floor(a.low / step + 1e-9) * step;
    a.high = ceil(a.high / step - 1e-9) * step;
    return a;
}

static axis fit_log(axis a)
{
    enum { DECADES = 36 };
    double top = ceil(log10(a.high) - 1e-9), bottom = floor(log10(a.low) + 1e-9);
    if (top == bottom) top++;
    if (top - bottom > DECADES) bottom = top - DECADES;
    if (log10(a.high / a.low) < 1.2 && log10(a.high / a.low) > 0.2) return a; /* within about a decade, as it is */
    a.low = pow(10, bottom);
    a.high = pow(10, top);
    return a;
}

axis axis_fit(axis_kind kind, double low, double high, double at, double length)
{
    axis a = { kind, low, high, 1, at, length };
    if (!isfinite(low) || !isfinite(high) || (kind == AXIS_LOG && !(low > 0 && high >= low))) {
        a.low = kind == AXIS_LOG ? 0.1 : 0;
        a.high = 1;
    }
    return kind == AXIS_LOG ? fit_log(a) : fit_linear(a);
}

axis axis_symlog(double extent, double unit, double at, double length)
{
    if (!isfinite(extent) || !(extent > 0)) extent = 1;
    if (!(unit > 0) || unit > extent) unit = extent;
    return (axis){ AXIS_SYMLOG, -extent, extent, unit, at, length };
}

static double bend(const axis *a, double value)
{
    if (a->kind == AXIS_LOG) return log10(value);
    return a->kind == AXIS_SYMLOG ? asinh(value / a->unit) : value;
}

double axis_place(const axis *a, double value)
{
    const double held = fmin(a->high, fmax(a->low, value));
    return a->at + a->length * (bend(a, held) - bend(a, a->low)) / (bend(a, a->high) - bend(a, a->low));
}

static size_t ticks_linear(const axis *a, size_t most, double *ticks)
{
    static const double larger[] = { 2, 2.5, 2 }; /* 1 → 2 → 5 → 10 */
    double step = round_step(a->high - a->low, (double)most - 1);
    const double lead = step / pow(10, floor(log10(step) + 1e-9));
    size_t count = 0, next = lead < 1.5 ? 0 : lead < 3.5 ? 1 : 2;
    while (floor(a->high / step + 1e-9) - ceil(a->low / step - 1e-9) + 1 > (double)most) step *= larger[next++ % 3];
    for (double k = ceil(a->low / step - 1e-9); k * step <= a->high + step * 1e-9 && count < most; k++)
        ticks[count++] = k * step;
    return count;
}

/* Powers of ten, every one or every so many of them. */
static size_t ticks_log(const axis *a, size_t most, double *ticks)
{
    const double first = ceil(log10(a->low) - 1e-9), last = floor(log10(a->high) + 1e-9);
    const double stride = fmax(1, ceil((last - first + 1) / (double)most));
    size_t count = 0;
    if (last - first < 1) return ticks_linear(a, most, ticks);
    for (double k = ceil(first / stride) * stride; k <= last && count < most; k += stride) ticks[count++] = pow(10, k);
    return count;
}

/* 0 and powers of ten to either side, those within the unit left out, where all runs together. */
static size_t ticks_symlog(const axis *a, size_t most, double *ticks)
{
    const double first = ceil(log10(a->unit) - 1e-9), last = floor(log10(a->high) + 1e-9);
    const double stride = fmax(1, ceil((last - first + 1) / floor((double)(most - 1) / 2)));
    size_t count = 0;
    ticks[count++] = 0;
    for (double k = last; k >= first && count + 2 <= most; k -= stride) {
        ticks[count++] = pow(10, k);
        ticks[count++] = -pow(10, k);
    }
    return count;
}

size_t axis_ticks(const axis *a, size_t most, double *ticks)
{
    if (most > AXIS_TICKS) most = AXIS_TICKS;
    if (a->kind == AXIS_LOG) return ticks_log(a, most, ticks);
    return a->kind == AXIS_SYMLOG ? ticks_symlog(a, most, ticks) : ticks_linear(a, most, ticks);
}

/* Digits behind the point that 1e-4, 2.5e-4, 1.25e-4 need. */
static int mantissa(double size)
{
    const double lead = size / pow(10, floor(log10(size) + 1e-9));
    return fabs(lead - round(lead)) < 5e-3 ? 0 : fabs(10 * lead - round(10 * lead)) < 5e-2 ? 1 : 2;
}

const char *axis_label(const axis *a, double value, char *text)
{
    const double size = fabs(value), small = a->kind == AXIS_LINEAR ? 1e-4 : 1e-3;
    char digits[AXIS_LABEL];
    if (size > 0 && size < 0.9995 * small)
        snprintf(digits, sizeof digits, "%.*e", size < 1e-12 ? 0 : mantissa(size), value);
    else if (size >= 1e6) snprintf(digits, sizeof digits, "%.3g", value);
    else if (size >= 1e4) snprintf(digits, sizeof digits, "%.4gk", value / 1e3);
    else snprintf(digits, sizeof digits, "%.4g", size ? value : 0.0);
    char *to = text; /* 1e-07 is written 1e-7, 1e+06 is written 1e6 */
    for (const char *c = digits; *c; c++) {
        *to++ = *c;
        if (*c != 'e') continue;
        if (c[1] == '-') *to++ = '-';
        for (c++; c[1] == '0' && c[2]; c++) continue;
    }
    *to = '\0';
    return text;
}
