#include <math.h>
#include <stdio.h>

#include "cli/report/rows.h"
#include "cli/report/svg.h"

rows_layout rows_lay_out(size_t count, double top)
{
    rows_layout layout = { .shown = count < ROWS_MOST ? count : ROWS_MOST, .top = top };
    layout.pitch = layout.shown <= 12 ? 24 : layout.shown <= 24 ? 17 : 12.5;
    layout.height = top + layout.pitch * (double)layout.shown + ROWS_BOTTOM;
    return layout;
}

size_t rows_at(const rows_layout *layout, size_t count, size_t place)
{
    if (layout->shown == count) return place;
    return (size_t)lround((double)place * (double)(count - 1) / (double)(layout->shown - 1));
}

void rows_begin(report_page *page, const chart_rows *chart, const rows_layout *layout)
{
    char caption[512];
    snprintf(caption, sizeof caption, "%s", chart->caption ? chart->caption : "");
    if (layout->shown < chart->count)
        snprintf(caption, sizeof caption, "%s%s%zu of %zu layers are shown, evenly chosen.",
                 chart->caption ? chart->caption : "", chart->caption ? " " : "", layout->shown, chart->count);
    svg_figure(page, chart->title, *caption ? caption : NULL);
    svg_open(page, SVG_WIDTH, layout->height, "rows", chart->title);
}

void rows_axis(report_page *page, const rows_layout *layout, const axis *x)
{
    double ticks[AXIS_TICKS];
    char text[AXIS_LABEL];
    const double bottom = layout->height - ROWS_BOTTOM;
    const size_t count = axis_ticks(x, 5, ticks);
    for (size_t i = 0; i < count; i++) {
        const double at = axis_place(x, ticks[i]);
        svg_line(page, "grid", at, layout->top - 4, at, bottom);
        svg_text(page, "mid", at, bottom + 15, 0, axis_label(ticks[i], text));
    }
    svg_line(page, "axis", ROWS_LEFT, bottom, SVG_WIDTH - ROWS_RIGHT, bottom);
}

void rows_label(report_page *page, const rows_layout *layout, const chart_row *row, double baseline)
{
    const double width = ROWS_LEFT - 8;
    if (layout->pitch < 14) page_add(page, "<g font-size=\"9.5\">\n");
    svg_text(page, "name end", ROWS_LEFT - 6, baseline, width, row->name);
    if (row->note) svg_text(page, "end", SVG_WIDTH - 2, baseline, ROWS_RIGHT, row->note);
    if (layout->pitch < 14) page_add(page, "</g>\n");
}

void rows_end(report_page *page)
{
    svg_close(page);
    svg_figure_end(page);
}
