/* tonnx lr-find --html: the loss over the rate. */
#include <math.h>
#include <stdio.h>

#include "cli/print.h"
#include "cli/report/chart.h"
#include "cli/report/report.h"

static void draw_curve(report_page *page, const tonnx_lr_curve *curve)
{
    double high = 0, low = INFINITY;
    char valley[48], steepest[48];
    snprintf(valley, sizeof valley, "valley %.2g", curve->valley);
    snprintf(steepest, sizeof steepest, "steepest %.2g", curve->steepest);
    for (size_t i = 0; i < curve->count; i++) {
        high = fmax(high, fmin(curve->loss[i], 1.5 * curve->smooth[0]));
        low = fmin(low, fmin(curve->loss[i], curve->smooth[i]));
    }
    const chart_series series[] = {
        { .name = "smoothed", .x = curve->rate, .y = curve->smooth, .count = curve->count },
        { .name = "batch", .x = curve->rate, .y = curve->loss, .count = curve->count, .thin = true },
    };
    const chart_mark marks[] = { { curve->valley, valley }, { curve->steepest, steepest } };
    const chart_plot plot = { .title = "loss over learning rate",
                              .caption =
                                  "One batch for each rate. Flat: too small to learn from. Falling: good. Rising: "
                                  "each step makes it worse.",
                              .x_label = "learning rate",
                              .log_x = true,
                              .series = series,
                              .series_count = 2,
                              .marks = marks,
                              .mark_count = isnan(curve->valley) ? 0 : 2,
                              .low = low - 0.05 * (high - low),
                              .high = high };
    page_figures(page, PAGE_WIDE);
    chart_lines(page, &plot);
    page_figures_end(page);
}

int report_lr(const tonnx_lr_curve *curve, const char *model, const char *path)
{
    report_page *page = page_new("Learning-rate range test", model);
    page_facts(page);
    page_fact(page, "suggestion (valley)", "%s", isnan(curve->valley) ? "none" : print_number(curve->valley));
    page_fact(page, "steepest", "%s", print_number(curve->steepest));
    page_fact(page, "lowest loss at", "%s", print_number(curve->lowest));
    page_fact(page, "batches", "%s%s", print_count(curve->count), curve->stopped ? ", stopped" : "");
    page_fact(page, "loss", "%s", tonnx_loss_name(curve->loss_kind));
    page_facts_end(page);
    page_section(
        page, "The curve",
        "The valley is halfway down the fall on the logarithmic axis: a rate to start from. The lowest point is "
        "already the brink.");
    if (curve->count) draw_curve(page, curve);
    return page_end(page, path);
}
