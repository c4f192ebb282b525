/* The sections of inspect's page. */
#ifndef TONNX_CLI_REPORT_INSPECT_PARTS_H
#define TONNX_CLI_REPORT_INSPECT_PARTS_H

#include "cli/report/chart.h"
#include "cli/report/report.h"

void inspect_part_verdicts(report_page *page, const report_inspection *found);
void inspect_part_weights(report_page *page, const report_inspection *found);
void inspect_part_signal(report_page *page, const report_inspection *found);
void inspect_part_maps(report_page *page, const report_inspection *found);
void inspect_part_gradients(report_page *page, const report_inspection *found);

/* Rows of a chart, filled one by one, with room for what stands at their right ends. */
typedef struct row_list {
    chart_row *rows;
    char (*notes)[16];
    size_t count;
} row_list;

row_list row_list_new(size_t room);
void row_list_free(row_list *list);

/* A row of a ridge, with its standard deviation at the end; a row of bars, with its value. */
void row_list_summary(row_list *list, const char *name, const tonnx_summary *summary);
void row_list_value(row_list *list, const char *name, double value, double wanted);

/* Draws the rows, if there are any, and empties the list. */
typedef enum row_kind { ROW_RIDGE, ROW_BARS } row_kind;
void row_list_draw(row_list *list, report_page *page, row_kind kind, int color, const char *title, const char *caption);

#endif
