/* Lines over x: axes, a key, curves thinned to what a figure can show. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/report/axis.h"
#include "cli/report/chart.h"
#include "cli/report/svg.h"

enum { HEIGHT = 230, LEFT = 44, RIGHT = 16, TOP = 12, BOTTOM = 34, BUCKETS = 180 };

typedef struct range {
    double low, high;
} range;

static void widen(range *r, double value, bool positive)
{
    if (!isfinite(value) || (positive && value <= 0)) return;
    r->low = fmin(r->low, value);
    r->high = fmax(r->high, value);
}

static range range_x(const chart_plot *plot)
{
    range r = { INFINITY, -INFINITY };
    for (size_t s = 0; s < plot->series_count; s++)
        for (size_t i = 0; i < plot->series[s].count; i++) widen(&r, plot->series[s].x[i], plot->log_x);
    return r;
}

static range range_y(const chart_plot *plot)
{
    range r = { INFINITY, -INFINITY };
    for (size_t s = 0; s < plot->series_count; s++)
        for (size_t i = 0; i < plot->series[s].count; i++) widen(&r, plot->series[s].y[i], plot->log_y);
    if (plot->guide_label) widen(&r, plot->guide, plot->log_y);
    return r;
}

static void draw_axes(report_page *page, const chart_plot *plot, const axis *x, const axis *y)
{
    double ticks[AXIS_TICKS];
    char text[AXIS_LABEL];
    size_t count = axis_ticks(y, 6, ticks);
    for (size_t i = 0; i < count; i++) {
        const double at = axis_place(y, ticks[i]);
        svg_line(page, ticks[i] == 0 && y->low < 0 ? "zero" : "grid", LEFT, at, SVG_WIDTH - RIGHT, at);
        svg_text(page, "end", LEFT - 6, at + 4, 0, axis_label(y, ticks[i], text));
    }
    count = axis_ticks(x, 7, ticks);
    for (size_t i = 0; i < count; i++) {
        const double at = axis_place(x, ticks[i]);
        if (plot->whole_x && fabs(ticks[i] - nearbyint(ticks[i])) > 1e-9) continue;
        svg_line(page, "axis", at, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 4);
        svg_text(page, "mid", at, HEIGHT - BOTTOM + 16, 0, axis_label(x, ticks[i], text));
    }
    svg_line(page, "axis", LEFT, HEIGHT - BOTTOM, SVG_WIDTH - RIGHT, HEIGHT - BOTTOM);
    svg_text(page, "mid", (LEFT + SVG_WIDTH - RIGHT) / 2.0, HEIGHT - 4, 0, plot->x_label);
}

static bool shown(const chart_plot *plot, double x, double y)
{
    if (plot->low < plot->high && (y < plot->low || y > plot->high)) return false;
    return isfinite(x) && isfinite(y) && (!plot->log_x || x > 0) && (!plot->log_y || y > 0);
}

/* The least and the greatest of each bucket of points, in their order: a spike survives the thinning. */
static void draw_thinned(report_page *page, const chart_plot *plot, const chart_series *series, const axis *x,
                         const axis *y)
{
    const size_t size = series->count / BUCKETS + 1;
    bool pen = false;
    for (size_t from = 0; from < series->count; from += size) {
        const size_t to = from + size < series->count ? from + size : series->count;
        size_t least = from, most = from;
        for (size_t i = from; i < to; i++) {
            if (!(series->y[least] <= series->y[i])) least = i;
            if (!(series->y[most] >= series->y[i])) most = i;
        }
        const size_t order[2] = { least < most ? least : most, least < most ? most : least };
        for (size_t k = 0; k < 1 + (least != most); k++) {
            const size_t i = order[k];
            const bool good = shown(plot, series->x[i], series->y[i]);
            if (good) svg_point(page, !pen, axis_place(x, series->x[i]), axis_place(y, series->y[i]));
            pen = good;
        }
    }
}

static void draw_dots(report_page *page, const chart_plot *plot, size_t s, const axis *x, const axis *y)
{
    const chart_series *series = &plot->series[s];
    enum { MOST = 30 };
    if (series->count > MOST || series->thin) return;
    for (size_t i = 0; i < series->count; i++)
        if (shown(plot, series->x[i], series->y[i]))
            page_add(page, "<circle class=\"f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.4\"/>\n", s % SVG_SERIES + 1,
                     axis_place(x, series->x[i]), axis_place(y, series->y[i]));
}

static const char *class_of(const chart_plot *plot, size_t s, char *text, size_t size)
{
    const chart_series *series = &plot->series[s];
    snprintf(text, size, "c c%zu%s%s", s % SVG_SERIES + 1, series->dashed || s >= SVG_SERIES ? " dash" : "",
             series->thin ? " thin" : "");
    return text;
}

static void draw_series(report_page *page, const chart_plot *plot, size_t s, const axis *x, const axis *y)
{
    char class[32];
    svg_path(page, class_of(plot, s, class, sizeof class));
    draw_thinned(page, plot, &plot->series[s], x, y);
    svg_path_end(page, false);
    draw_dots(page, plot, s, x, y);
}

/* The text stands beside its line, on the side where there is room, and crosses no other line: of lines whose texts go
 * the same way, the one that another's text would cross begins below that text. */
static void draw_mark(report_page *page, const chart_plot *plot, size_t which, const axis *x)
{
    const double at = axis_place(x, plot->marks[which].at), middle = SVG_WIDTH * 0.66;
    const bool left = at > middle;
    int row = 0; /* labels to the right stand above those to the left, as they may meet */
    for (size_t i = 0; i < plot->mark_count; i++) {
        const double other = axis_place(x, plot->marks[i].at);
        row += i != which && (left ? other > at || other <= middle : other < at);
    }
    svg_line(page, "mark", at, TOP + 14.0 * row, at, HEIGHT - BOTTOM);
    svg_text(page, left ? "name end" : "name", at + (left ? -4 : 4), TOP + 10 + 14.0 * row, 0,
             plot->marks[which].label);
}

static void draw_marks(report_page *page, const chart_plot *plot, const axis *x, const axis *y)
{
    for (size_t i = 0; i < plot->mark_count; i++) draw_mark(page, plot, i, x);
    if (!plot->guide_label) return;
    const double at = axis_place(y, plot->guide);
    svg_line(page, "mark", LEFT, at, SVG_WIDTH - RIGHT, at);
    svg_text(page, "end", SVG_WIDTH - RIGHT, at - 4, 0, plot->guide_label);
}

static void draw_key(report_page *page, const chart_plot *plot)
{
    char class[32];
    if (plot->series_count < 2) return;
    page_add(page, "<ul class=\"key\">\n");
    for (size_t s = 0; s < plot->series_count; s++) {
        page_add(page, "<li><svg viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path class=\"%s\" d=\"M1 5H21\"/></svg>",
                 class_of(plot, s, class, sizeof class));
        page_text(page, plot->series[s].name);
        page_add(page, "</li>\n");
    }
    page_add(page, "</ul>\n");
}

void chart_lines(report_page *page, const chart_plot *plot)
{
    const range rx = range_x(plot), ry = range_y(plot);
    axis x = axis_fit(plot->log_x ? AXIS_LOG : AXIS_LINEAR, rx.low, rx.high, LEFT, SVG_WIDTH - LEFT - RIGHT);
    axis y = axis_fit(plot->log_y ? AXIS_LOG : AXIS_LINEAR, ry.low, ry.high, HEIGHT - BOTTOM, -(HEIGHT - BOTTOM - TOP));
    if (rx.high > rx.low && (!plot->log_x || rx.low > 0)) { /* x ends where the data end, not at a round number */
        x.low = rx.low;
        x.high = rx.high;
    }
    if (plot->low < plot->high) {
        y.low = plot->low;
        y.high = plot->high;
    }
    svg_figure(page, plot->title, plot->caption);
    draw_key(page, plot);
    svg_open(page, SVG_WIDTH, HEIGHT, "plot", plot->title);
    draw_axes(page, plot, &x, &y);
    for (size_t s = 0; s < plot->series_count; s++) /* what is in the background comes first */
        if (plot->series[s].thin) draw_series(page, plot, s, &x, &y);
    for (size_t s = 0; s < plot->series_count; s++)
        if (!plot->series[s].thin) draw_series(page, plot, s, &x, &y);
    draw_marks(page, plot, &x, &y);
    svg_close(page);
    svg_figure_end(page);
}
