/* What the data become on their way through the net. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/print.h"
#include "cli/report/inspect_parts.h"

enum { MAPS_MOST = 12, MAP_COLUMNS = 160 };

static void name_of(const report_inspection *found, size_t i, tonnx_layer_info *layer)
{
    tonnx_net_layer(found->net, found->stats->layers[i].layer, layer);
}

static void add_row(report_page *page, const tonnx_layer_info *layer, const tonnx_layer_stats *stats)
{
    const double zero = stats->after.count ? (double)stats->after.zeros / (double)stats->after.count : NAN;
    page_cell(page, "%s", layer->name);
    page_cell(page, "%s", strcmp(layer->activation, "none") != 0 ? layer->activation : "");
    page_cell(page, "%zu", stats->units);
    page_cell(page, "%s", print_number(stats->before.mean));
    page_cell(page, "%s", print_number(stats->before.std));
    page_cell(page, "%s", isnan(stats->theory_std) ? "" : print_number(stats->theory_std));
    page_cell(page, "%s", print_number(stats->after.mean));
    page_cell(page, "%s", print_number(stats->after.std));
    page_cell(page, "%.1f %%", 100 * stats->saturated);
    page_cell(page, "%.1f %%", 100 * zero);
    page_cell(page, "%zu", stats->dead_units);
}

static void add_table(report_page *page, const report_inspection *found)
{
    static const char *const head[] = { "layer",      "activation", "units",      "mean before",
                                        "std before", "expected",   "mean after", "std after",
                                        "saturated",  "zero",       "dead units" };
    page_table(page, "llrrrrrrrrr");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) page_cell(page, "%s", head[i]);
    for (size_t i = 0; i < found->stats->layer_count; i++) {
        tonnx_layer_info layer;
        name_of(found, i, &layer);
        add_row(page, &layer, &found->stats->layers[i]);
    }
    page_table_end(page);
}

static void draw_signal(report_page *page, const report_inspection *found, row_list *list)
{
    const tonnx_stats *stats = found->stats;
    tonnx_layer_info layer;
    for (size_t i = 0; i < stats->layer_count; i++) {
        name_of(found, i, &layer);
        row_list_summary(list, layer.name, &stats->layers[i].after);
    }
    row_list_draw(list, page, ROW_RIDGE, 3, "activations",
                  "What leaves each layer, on one axis: what fades with depth gets narrow, what explodes gets wide. "
                  "Right: std.");
    for (size_t i = 0; i < stats->layer_count; i++) {
        name_of(found, i, &layer);
        row_list_value(list, layer.name, stats->layers[i].before.std, stats->layers[i].theory_std);
    }
    row_list_draw(
        list, page, ROW_BARS, 3, "actual and expected std",
        "What enters each activation. Marked: what the weight's variance predicts for what the layer is fed.");
}

void inspect_part_signal(report_page *page, const report_inspection *found)
{
    row_list list = row_list_new(found->stats->layer_count);
    page_section(page, "Signal",
                 "Before: what enters the activation. After: what leaves the layer, of the last one the logits. Dead: "
                 "zero, or saturated on one side, for every sample.");
    page_figures(page, PAGE_GRID);
    draw_signal(page, found, &list);
    page_figures_end(page);
    add_table(page, found);
    row_list_free(&list);
}

/* ---- maps */

static bool has_map(const tonnx_layer_stats *layer)
{
    for (size_t i = 0; i < layer->map_samples * layer->units; i++)
        if (layer->map[i] != TONNX_UNIT_ACTIVE) return true;
    return false;
}

static void draw_map(report_page *page, const report_inspection *found, size_t i)
{
    const tonnx_layer_stats *stats = &found->stats->layers[i];
    const size_t columns = stats->units < MAP_COLUMNS ? stats->units : MAP_COLUMNS;
    unsigned char *cells = cli_alloc(stats->map_samples * columns, 1);
    char caption[160];
    tonnx_layer_info layer;
    name_of(found, i, &layer);
    for (size_t row = 0; row < stats->map_samples; row++)
        for (size_t column = 0; column < columns; column++)
            cells[row * columns + column] = stats->map[row * stats->units + column * stats->units / columns] != 0;
    snprintf(caption, sizeof caption, "%s: %.1f %% saturated, %.1f %% zero; %zu of %zu units dead%s", layer.activation,
             100 * stats->saturated, 100 * (double)stats->after.zeros / (double)stats->after.count, stats->dead_units,
             stats->units, columns < stats->units ? "; 160 of them are drawn, evenly chosen" : "");
    const chart_map map = {
        .title = layer.name, .caption = caption, .rows = stats->map_samples, .columns = columns, .cells = cells
    };
    chart_bits(page, &map);
    free(cells);
}

void inspect_part_maps(report_page *page, const report_inspection *found)
{
    const tonnx_stats *stats = found->stats;
    size_t *which = cli_alloc(stats->layer_count, sizeof *which), count = 0;
    for (size_t i = 0; i < stats->layer_count; i++)
        if (has_map(&stats->layers[i])) which[count++] = i;
    const size_t shown = count < MAPS_MOST ? count : MAPS_MOST;
    if (count) {
        page_section(page, "Saturation",
                     "A row is a sample, a column a unit. White: saturated, or zero on the flat side: no gradient "
                     "passes there. A column that is white throughout is a dead unit.");
        page_figures(page, PAGE_GRID);
        for (size_t k = 0; k < shown; k++) draw_map(page, found, which[shown > 1 ? k * (count - 1) / (shown - 1) : 0]);
        page_figures_end(page);
    }
    free(which);
}
