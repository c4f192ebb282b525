/* Charts: what a report draws. Each is a figure of its own; all of them stay bounded in size, however deep the net or
 * long the run, and say so where they leave something out. Numbers that are not finite are gaps. */
#ifndef TONNX_CLI_REPORT_CHART_H
#define TONNX_CLI_REPORT_CHART_H

#include <stdint.h>

#include "cli/report/page.h"

/* ---- lines over x */

typedef struct chart_series {
    const char *name;
    const double *x, *y; /* `count` numbers each, x rising */
    size_t count;
    bool thin;   /* in the background: raw numbers behind their smoothed curve */
    bool dashed; /* a comparison, like validation beside training */
} chart_series;

typedef struct chart_mark {
    double at;         /* a vertical line there */
    const char *label; /* beside it */
} chart_mark;

typedef struct chart_plot {
    const char *title, *caption, *x_label;
    bool log_x, log_y;
    bool whole_x; /* x counts: no ticks between whole numbers */
    const chart_series *series;
    size_t series_count;
    const chart_mark *marks;
    size_t mark_count;
    const char *guide_label; /* of a horizontal line at `guide`; NULL: none */
    double guide;
    double low, high; /* where low < high: what the y axis shows; curves are cut there */
} chart_plot;

void chart_lines(report_page *page, const chart_plot *plot);

/* ---- a row per layer */

typedef struct chart_row {
    const char *name;
    const char *note;          /* at the right end; NULL: none */
    double value;              /* bars */
    double wanted;             /* bars: a mark where it should be; NaN: none */
    const uint64_t *histogram; /* ridge: `bins` counts from `low` to `high` */
    size_t bins;
    double low, high, spread; /* ridge; spread: the standard deviation, for the common axis */
    bool alarm;               /* drawn in the colour of what needs a look */
} chart_row;

typedef struct chart_rows {
    const char *title, *caption;
    const chart_row *rows;
    size_t count;
    int color; /* 1 … 6 */
} chart_rows;

/* Values above 0 as bars on a logarithmic axis. */
void chart_bars(report_page *page, const chart_rows *chart);

/* Histograms one behind the other on one axis: what fades with depth gets narrow, what explodes gets wide. */
void chart_ridge(report_page *page, const chart_rows *chart);

/* ---- samples × units, a bit each */

typedef struct chart_map {
    const char *title, *caption;
    size_t rows, columns;
    const unsigned char *cells; /* rows × columns, not 0: white */
} chart_map;

void chart_bits(report_page *page, const chart_map *map);

#endif
