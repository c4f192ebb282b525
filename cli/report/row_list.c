#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/report/inspect_parts.h"

row_list row_list_new(size_t room)
{
    return (row_list){ cli_alloc(room, sizeof(chart_row)), cli_alloc(room, sizeof(char[16])), 0 };
}

void row_list_free(row_list *list)
{
    free(list->rows);
    free(list->notes);
    *list = (row_list){ 0 };
}

static void add(row_list *list, chart_row row, double note)
{
    char *text = list->notes[list->count];
    if (isfinite(note)) snprintf(text, sizeof list->notes[0], "%.2g", note);
    else snprintf(text, sizeof list->notes[0], "not finite");
    row.note = text;
    row.alarm = !isfinite(note);
    list->rows[list->count++] = row;
}

void row_list_summary(row_list *list, const char *name, const tonnx_summary *s)
{
    const bool finite = isfinite(s->mean);
    const chart_row row = { .name = name,
                            .histogram = s->histogram,
                            .bins = TONNX_BINS,
                            .low = finite ? s->min : (double)NAN,
                            .high = finite ? s->max : (double)NAN,
                            .spread = s->std };
    add(list, row, s->std);
}

void row_list_value(row_list *list, const char *name, double value, double wanted)
{
    add(list, (chart_row){ .name = name, .value = value, .wanted = wanted }, value);
}

void row_list_draw(row_list *list, report_page *page, row_kind kind, int color, const char *title, const char *caption)
{
    const chart_rows chart = {
        .title = title, .caption = caption, .rows = list->rows, .count = list->count, .color = color
    };
    if (!list->count) return;
    if (kind == ROW_RIDGE) chart_ridge(page, &chart);
    else chart_bars(page, &chart);
    list->count = 0;
}
