#include "cli/report/train_flow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/report/chart.h"

enum { LINES = 6 }; /* as many as a chart has colours */

static void add_row(train_flow *flow, double step)
{
    if (flow->rows == flow->room) {
        flow->room = 2 * flow->room + 64;
        flow->steps = cli_grow(flow->steps, flow->room, sizeof(double));
        for (size_t k = 0; k < FLOW_KINDS; k++)
            for (size_t i = 0; i < flow->kinds[k].count; i++) {
                flow_track *track = &flow->kinds[k].tracks[i];
                track->values = cli_grow(track->values, flow->room, sizeof(double));
            }
    }
    flow->steps[flow->rows++] = step;
}

/* The i-th track's value in the newest row; the first row makes the tracks. */
static void put(train_flow *flow, flow_kind kind, size_t i, const char *name, double value)
{
    if (i == flow->kinds[kind].count) {
        flow->kinds[kind].tracks = cli_grow(flow->kinds[kind].tracks, i + 1, sizeof(flow_track));
        flow_track *made = &flow->kinds[kind].tracks[flow->kinds[kind].count++];
        made->name = cli_alloc(strlen(name) + 1, 1);
        strcpy(made->name, name);
        made->values = cli_alloc(flow->room, sizeof(double));
    }
    flow->kinds[kind].tracks[i].values[flow->rows - 1] = value;
}

void train_flow_hear(train_flow *flow, const tonnx_event *event)
{
    const tonnx_stats *stats = event->stats;
    size_t weights = 0, hidden = 0;
    add_row(flow, (double)event->step);
    for (size_t i = 0; i < stats->weight_count; i++) {
        tonnx_parameter_info info;
        tonnx_net_parameter(event->net, stats->weights[i].parameter, &info);
        if (strcmp(info.role, "weight") != 0) continue;
        put(flow, FLOW_UPDATE, weights, info.name, stats->weights[i].update_ratio);
        put(flow, FLOW_GRADIENT, weights++, info.name, stats->weights[i].gradient.rms);
    }
    for (size_t i = 0; i < stats->layer_count; i++) {
        const tonnx_layer_stats *layer = &stats->layers[i];
        tonnx_layer_info info;
        tonnx_net_layer(event->net, layer->layer, &info);
        put(flow, FLOW_SPREAD, i, info.name, layer->after.std);
        if (!strcmp(info.activation, "none")) continue;
        put(flow, FLOW_SATURATED, hidden, info.name, layer->saturated);
        put(flow, FLOW_DEAD, hidden++, info.name, (double)layer->dead_units);
    }
}

static bool any_above(const train_flow *flow, flow_kind kind, double least)
{
    for (size_t i = 0; i < flow->kinds[kind].count; i++)
        for (size_t row = 0; row < flow->rows; row++)
            if (flow->kinds[kind].tracks[i].values[row] > least) return true;
    return false;
}

/* Of many tracks, as many as can be told apart, the first and the last among them. */
static void draw(report_page *page, const train_flow *flow, flow_kind kind, chart_plot plot, const char *words)
{
    const size_t count = flow->kinds[kind].count, shown = count < LINES ? count : LINES;
    chart_series series[LINES];
    char caption[256];
    for (size_t line = 0; line < shown; line++) {
        const size_t i = shown < 2 ? 0 : line * (count - 1) / (shown - 1);
        const flow_track *track = &flow->kinds[kind].tracks[i];
        series[line] = (chart_series){ .name = track->name, .x = flow->steps, .y = track->values, .count = flow->rows };
    }
    snprintf(caption, sizeof caption, shown < count ? "%s %zu of %zu are drawn." : "%s", words, shown, count);
    plot.caption = caption;
    plot.x_label = "step";
    plot.whole_x = true;
    plot.series = series;
    plot.series_count = shown;
    if (shown) chart_lines(page, &plot);
}

void train_flow_draw(report_page *page, const train_flow *flow)
{
    if (!flow->rows) return;
    page_section(page, "Inside the net", "Measured on some samples spread over the data, every few steps.");
    page_figures(page, PAGE_GRID);
    draw(page, flow, FLOW_UPDATE,
         (chart_plot){ .title = "update : weight", .log_y = true, .guide_label = "healthy", .guide = 1e-3 },
         "How far a step moves each weight, beside the weight.");
    draw(page, flow, FLOW_GRADIENT, (chart_plot){ .title = "gradients", .log_y = true },
         "RMS of each weight's. They should keep to one order of size.");
    draw(page, flow, FLOW_SPREAD, (chart_plot){ .title = "activations", .log_y = true },
         "Deviation of what leaves each layer, of the last one the logits.");
    if (any_above(flow, FLOW_SATURATED, 0.01))
        draw(page, flow, FLOW_SATURATED, (chart_plot){ .title = "saturation", .low = 0, .high = 1 },
             "Share of each layer's outputs that are saturated.");
    if (any_above(flow, FLOW_DEAD, 0))
        draw(page, flow, FLOW_DEAD, (chart_plot){ .title = "dead units" },
             "Units of each layer that are the same flat value for every sample.");
    page_figures_end(page);
}

void train_flow_clear(train_flow *flow)
{
    for (size_t k = 0; k < FLOW_KINDS; k++) {
        for (size_t i = 0; i < flow->kinds[k].count; i++) {
            free(flow->kinds[k].tracks[i].name);
            free(flow->kinds[k].tracks[i].values);
        }
        free(flow->kinds[k].tracks);
    }
    free(flow->steps);
    *flow = (train_flow){ 0 };
}
