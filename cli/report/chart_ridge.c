/* Histograms one behind the other on one axis. The axis is linear where all rows are of one order; where they differ
 * more it is logarithmic to both sides of zero, so that the narrowest and the widest row both have a shape. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/report/rows.h"
#include "cli/report/svg.h"

enum { RISE = 26, DECADES_SHOWN = 12 };

static double extent_of(const chart_row *row)
{
    return fmax(fabs(row->low), fabs(row->high));
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Rows' spreads, sorted; those that are 0 or unknown are left out. */
static size_t sorted_spreads(const chart_rows *chart, double *spreads)
{
    size_t count = 0;
    for (size_t i = 0; i < chart->count; i++)
        if (isfinite(chart->rows[i].spread) && chart->rows[i].spread > 0) spreads[count++] = chart->rows[i].spread;
    qsort(spreads, count, sizeof *spreads, compare);
    return count;
}

static axis axis_of(const chart_rows *chart)
{
    double *spreads = cli_alloc(chart->count, sizeof *spreads), low = INFINITY, high = -INFINITY;
    const size_t count = sorted_spreads(chart, spreads);
    const double least = count ? spreads[0] : 1, most = count ? spreads[count - 1] : 1;
    free(spreads);
    for (size_t i = 0; i < chart->count; i++) {
        if (!isfinite(extent_of(&chart->rows[i]))) continue;
        low = fmin(low, fmax(chart->rows[i].low, -4.5 * most));
        high = fmax(high, fmin(chart->rows[i].high, 6 * most));
    }
    const double length = SVG_WIDTH - ROWS_LEFT - ROWS_RIGHT;
    if (most < 12 * least) return axis_fit(AXIS_LINEAR, low, high, ROWS_LEFT, length);
    return axis_symlog(4 * most, fmax(least, most * pow(10, -DECADES_SHOWN)), ROWS_LEFT, length);
}

/* The mass of the bins as a density over the picture's width, `slots` of them: a bin spreads over the slots that it
 * covers, so that unequal widths (a logarithmic axis) do not lie. */
static void spread_bins(const chart_row *row, const axis *x, double *density, size_t slots)
{
    const double width = (row->high - row->low) / (double)row->bins, slot = x->length / (double)slots;
    for (size_t b = 0; b < row->bins; b++) {
        const double low = row->low + width * (double)b, high = low + width;
        if (!row->histogram[b] || high < x->low || low > x->high) continue;
        const double from = (axis_place(x, low) - x->at) / slot, to = (axis_place(x, high) - x->at) / slot;
        const size_t first = from < (double)slots ? (size_t)from : slots - 1;
        const size_t last = to < (double)slots ? (size_t)to : slots - 1;
        const double share = (double)row->histogram[b] / fmax(to - from, 1);
        for (size_t s = first; s <= last; s++) {
            const double covered = fmin((double)s + 1, to) - fmax((double)s, from);
            density[s] += first == last ? share * fmax(to - from, 1) : share * fmax(0, covered);
        }
    }
}

static double tallest(const double *density, size_t slots)
{
    double most = 0;
    for (size_t s = 0; s < slots; s++) most = fmax(most, density[s]);
    return most;
}

/* The square root of the density: a spike, such as ReLU's zeros, leaves the rest visible. */
static void draw_hill(report_page *page, const char *class, const axis *x, const double *density, size_t slots,
                      double base, double rise)
{
    const double most = tallest(density, slots), slot = x->length / (double)slots;
    if (!(most > 0)) return;
    bool pen = false;
    svg_path(page, class);
    for (size_t s = 0; s < slots; s++) {
        const bool seen = density[s] > 0 || (s && density[s - 1] > 0) || (s + 1 < slots && density[s + 1] > 0);
        if (!seen) continue;
        if (!pen) svg_point(page, true, x->at + slot * (double)s, base);
        pen = true;
        svg_point(page, false, x->at + slot * ((double)s + 0.5), base - rise * sqrt(density[s] / most));
        const bool ends = s + 1 == slots || (!(density[s + 1] > 0) && !(density[s] > 0));
        if (!ends) continue;
        svg_point(page, false, x->at + slot * (double)(s + 1), base);
        pen = false;
    }
    if (pen) svg_point(page, false, x->at + x->length, base);
    svg_path_end(page, true);
}

static void draw_row(report_page *page, const chart_rows *chart, const rows_layout *layout, const axis *x, size_t place)
{
    enum { SLOTS = 132 };
    const chart_row *row = &chart->rows[rows_at(layout, chart->count, place)];
    const double base = layout->top + layout->pitch * (double)(place + 1);
    double density[SLOTS] = { 0 };
    char class[16];
    snprintf(class, sizeof class, "hill f%d", row->alarm ? 2 : chart->color);
    svg_line(page, "axis", ROWS_LEFT, base, SVG_WIDTH - ROWS_RIGHT, base);
    if (isfinite(extent_of(row)) && row->high > row->low) {
        spread_bins(row, x, density, SLOTS);
        draw_hill(page, class, x, density, SLOTS, base, fmin(RISE, layout->pitch * 1.7));
    } else if (isfinite(row->low)) {
        svg_line(page, "want", axis_place(x, row->low), base - layout->pitch, axis_place(x, row->low), base);
    }
    rows_label(page, layout, row, base - 2);
}

void chart_ridge(report_page *page, const chart_rows *chart)
{
    const rows_layout layout = rows_lay_out(chart, 14);
    const axis x = axis_of(chart);
    rows_begin(page, chart, &layout);
    rows_axis(page, &layout, &x);
    for (size_t place = 0; place < layout.shown; place++) draw_row(page, chart, &layout, &x, place);
    rows_end(page);
}
