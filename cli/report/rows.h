/* What charts with a row per layer share: which rows of a deep net are shown, and how high they are. */
#ifndef TONNX_CLI_REPORT_ROWS_H
#define TONNX_CLI_REPORT_ROWS_H

#include "cli/report/axis.h"
#include "cli/report/chart.h"

enum { ROWS_MOST = 60, ROWS_LEFT = 92, ROWS_RIGHT = 52, ROWS_BOTTOM = 22 };

typedef struct rows_layout {
    size_t shown;      /* at most ROWS_MOST */
    double pitch, top; /* height of a row; where the first begins */
    double height;     /* of the picture */
    size_t skip, drop; /* bytes that all names begin with and end in, and that are not written */
} rows_layout;

rows_layout rows_lay_out(const chart_rows *chart, double top);

/* The row that stands in place `place`: all of them, or evenly chosen, the first and the last among them. */
size_t rows_at(const rows_layout *layout, size_t count, size_t place);

/* Figure, caption (with what was left out) and the picture's beginning; axis with its lines; a row's texts; the end. */
void rows_begin(report_page *page, const chart_rows *chart, const rows_layout *layout);
void rows_axis(report_page *page, const rows_layout *layout, const axis *x);
void rows_label(report_page *page, const rows_layout *layout, const chart_row *row, double baseline);
void rows_end(report_page *page);

#endif
