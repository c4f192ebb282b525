/* Values above 0 as bars on a logarithmic axis, a row per layer. */
#include <math.h>
#include <stdio.h>

#include "cli/report/rows.h"
#include "cli/report/svg.h"

static axis axis_of(const chart_rows *chart)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < chart->count; i++) {
        const double values[] = { chart->rows[i].value, chart->rows[i].wanted };
        for (size_t k = 0; k < 2; k++) {
            if (!isfinite(values[k]) || values[k] <= 0) continue;
            low = fmin(low, values[k]);
            high = fmax(high, values[k]);
        }
    }
    axis x = axis_fit(AXIS_LOG, low, high, ROWS_LEFT, SVG_WIDTH - ROWS_LEFT - ROWS_RIGHT);
    if (isfinite(low) && x.low > low * 0.5) x.low *= 0.1; /* the least still has a bar */
    return x;
}

static void draw_row(report_page *page, const chart_rows *chart, const rows_layout *layout, const axis *x, size_t place)
{
    const chart_row *row = &chart->rows[rows_at(layout, chart->count, place)];
    const double top = layout->top + layout->pitch * (double)place, thick = layout->pitch * 0.62;
    char class[8];
    snprintf(class, sizeof class, "f%d", row->alarm ? 2 : chart->color);
    if (isfinite(row->value) && row->value > 0)
        svg_rect(page, class, ROWS_LEFT, top, fmax(1, axis_place(x, row->value) - ROWS_LEFT), thick);
    if (isfinite(row->wanted) && row->wanted > 0) {
        const double at = axis_place(x, row->wanted);
        svg_line(page, "want", at, top - 1.5, at, top + thick + 1.5);
    }
    rows_label(page, layout, row, top + thick / 2 + 3.6);
}

void chart_bars(report_page *page, const chart_rows *chart)
{
    const rows_layout layout = rows_lay_out(chart, 8);
    const axis x = axis_of(chart);
    rows_begin(page, chart, &layout);
    rows_axis(page, &layout, &x);
    for (size_t place = 0; place < layout.shown; place++) draw_row(page, chart, &layout, &x, place);
    rows_end(page);
}
