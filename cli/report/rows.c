#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/report/rows.h"
#include "cli/report/svg.h"

enum { NAME_FITS = 14 }; /* characters, in ROWS_LEFT units */

static bool is_border(char c)
{
    return c == '.' || c == '/' || c == '_' || c == ':';
}

/* Bytes that two names begin with (`step` 1), or end in (−1), up to and with a border. */
static size_t common(const char *a, const char *b, int step)
{
    const size_t short_one = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    const char *x = step > 0 ? a : a + strlen(a) - 1, *y = step > 0 ? b : b + strlen(b) - 1;
    size_t whole = 0;
    for (size_t i = 0; i + 1 < short_one && *x == *y; i++, x += step, y += step)
        if (is_border(*x)) whole = i + 1;
    return whole;
}

/* Where a name does not fit, what all of them share is left out: "blocks.3.linear.weight" becomes "3.linear". */
static void shorten_names(rows_layout *layout, const chart_rows *chart)
{
    size_t longest = 0, skip = SIZE_MAX, drop = SIZE_MAX;
    for (size_t i = 0; i < chart->count; i++) {
        const char *first = chart->rows[0].name, *name = chart->rows[i].name;
        const size_t head = common(first, name, 1), tail = common(first, name, -1);
        longest = strlen(name) > longest ? strlen(name) : longest;
        if (!i) continue;
        skip = head < skip ? head : skip;
        drop = tail < drop ? tail : drop;
    }
    if (longest <= NAME_FITS || chart->count < 2) return;
    layout->skip = skip;
    layout->drop = drop;
    for (size_t i = 0; i < chart->count; i++) /* nothing is left of "a.b" beside "a.c.b" */
        if (strlen(chart->rows[i].name) <= skip + drop) layout->skip = layout->drop = 0;
}

rows_layout rows_lay_out(const chart_rows *chart, double top)
{
    rows_layout layout = { .shown = chart->count < ROWS_MOST ? chart->count : ROWS_MOST, .top = top };
    layout.pitch = layout.shown <= 12 ? 24 : layout.shown <= 24 ? 17 : 12.5;
    layout.height = top + layout.pitch * (double)layout.shown + ROWS_BOTTOM;
    shorten_names(&layout, chart);
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

enum { LETTER = 6 }; /* about as wide, in an axis' labels */

void rows_axis(report_page *page, const rows_layout *layout, const axis *x)
{
    double ticks[AXIS_TICKS];
    char text[AXIS_LABEL];
    const double bottom = layout->height - ROWS_BOTTOM;
    const size_t count = axis_ticks(x, 5, ticks);
    double taken = 0; /* up to there labels stand */
    for (size_t i = 0; i < count; i++) {
        const double at = axis_place(x, ticks[i]), half = LETTER * (double)strlen(axis_label(x, ticks[i], text)) / 2;
        svg_line(page, "grid", at, layout->top - 4, at, bottom);
        if (at - half < taken) continue;
        svg_text(page, "mid", at, bottom + 15, 0, text);
        taken = at + half + LETTER;
    }
    svg_line(page, "axis", ROWS_LEFT, bottom, SVG_WIDTH - ROWS_RIGHT, bottom);
}

void rows_label(report_page *page, const rows_layout *layout, const chart_row *row, double baseline)
{
    const size_t length = strlen(row->name) - layout->skip - layout->drop;
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)length, row->name + layout->skip);
    if (layout->pitch < 14) page_add(page, "<g font-size=\"9.5\">\n");
    svg_text(page, "name end", ROWS_LEFT - 6, baseline, ROWS_LEFT - 8, name);
    if (row->note) svg_text(page, "end", SVG_WIDTH - 2, baseline, 0, row->note);
    if (layout->pitch < 14) page_add(page, "</g>\n");
}

void rows_end(report_page *page)
{
    svg_close(page);
    svg_figure_end(page);
}
