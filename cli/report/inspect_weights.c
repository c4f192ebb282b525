/* Weights as they stand in the file, and what one backward pass says of them. */
#include <math.h>
#include <string.h>

#include "cli/print.h"
#include "cli/report/inspect_parts.h"

static bool is_a(const tonnx_net *net, size_t i, const char *role, const char **name)
{
    tonnx_parameter_info info;
    tonnx_net_parameter(net, i, &info);
    *name = info.name;
    return !strcmp(info.role, role);
}

static bool is_weight(const tonnx_net *net, size_t i, const char **name)
{
    return is_a(net, i, "weight", name);
}

static void add_number(report_page *page, double number)
{
    page_cell(page, "%s", isfinite(number) ? print_number(number) : "–");
}

static void add_row(report_page *page, const tonnx_net *net, const tonnx_weight_stats *weight, bool spectral)
{
    const tonnx_summary *s = &weight->values;
    tonnx_parameter_info info;
    tonnx_net_parameter(net, weight->parameter, &info);
    page_cell(page, "%s", info.name);
    page_cell(page, "%s", info.role);
    if (info.rows > 1) page_cell(page, "%zu × %zu", info.rows, info.cols);
    else page_cell(page, "%zu", info.cols);
    add_number(page, s->mean);
    add_number(page, s->std);
    add_number(page, isfinite(s->mean) ? s->min : (double)NAN);
    add_number(page, isfinite(s->mean) ? s->max : (double)NAN);
    page_cell(page, "%s", print_count(s->zeros));
    add_number(page, s->kurtosis);
    if (!spectral) return;
    add_number(page, weight->spectral_norm);
    add_number(page, weight->effective_rank);
}

/* Who draws such numbers, and how they compare with what suits the activation that follows. */
static void add_origins(report_page *page, const report_inspection *found)
{
    static const char *const head[] = { "parameter", "drawn by", "z", "suits", "variance ratio" };
    page_table(page, "llrlr");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) page_cell(page, "%s", head[i]);
    for (size_t i = 0; i < found->stats->weight_count; i++) {
        const tonnx_origin *origin = &found->diagnosis->origins[i];
        const char *name;
        if (!is_weight(found->net, i, &name)) continue;
        page_cell(page, "%s", name);
        page_cell(page, "%s", origin->known ? origin->scheme : "–");
        add_number(page, origin->z);
        page_cell(page, "%s", origin->recommended ? origin->recommended : "–");
        add_number(page, origin->variance_ratio);
    }
    page_table_end(page);
}

static bool has_spectra(const tonnx_stats *stats)
{
    for (size_t i = 0; i < stats->weight_count; i++)
        if (!isnan(stats->weights[i].spectral_norm)) return true;
    return false;
}

static void add_table(report_page *page, const report_inspection *found)
{
    static const char *const head[] = { "parameter", "is",    "shape",    "mean",          "std",           "min",
                                        "max",       "zeros", "kurtosis", "spectral norm", "effective rank" };
    const tonnx_stats *stats = found->stats;
    const bool spectral = has_spectra(stats);
    const size_t columns = sizeof head / sizeof *head - (spectral ? 0 : 2);
    page_table(page, spectral ? "llrrrrrrrrr" : "llrrrrrrr");
    for (size_t i = 0; i < columns; i++) page_cell(page, "%s", head[i]);
    for (size_t i = 0; i < stats->weight_count; i++) add_row(page, found->net, &stats->weights[i], spectral);
    page_table_end(page);
}

void inspect_part_weights(report_page *page, const report_inspection *found)
{
    const tonnx_stats *stats = found->stats;
    const char *name;
    if (!stats->weight_count) return;
    row_list list = row_list_new(stats->weight_count);
    page_section(page, "Weights",
                 "As the net computes with them. A normal distribution has a kurtosis of 3, a uniform one of 1.8.");
    page_figures(page, PAGE_GRID);
    for (size_t i = 0; i < stats->weight_count; i++)
        if (is_weight(found->net, i, &name)) row_list_summary(&list, name, &stats->weights[i].values);
    row_list_draw(&list, page, ROW_RIDGE, 1, "weights", "A histogram for each layer, on one axis. Right: std.");
    for (size_t i = 0; i < stats->weight_count; i++)
        if (is_a(found->net, i, "bias", &name) && stats->weights[i].values.zeros < stats->weights[i].values.count)
            row_list_summary(&list, name, &stats->weights[i].values);
    row_list_draw(&list, page, ROW_RIDGE, 5, "biases", "Those that are not all zero. Right: std.");
    page_figures_end(page);
    add_table(page, found);
    page_add(page,
             "<p class=\"lead\">Which initialisation makes such numbers likeliest, its variance's distance in standard "
             "errors, and the variance over that of the scheme that suits the activation.</p>\n");
    add_origins(page, found);
    row_list_free(&list);
}

static void draw_gradients(report_page *page, const report_inspection *found, row_list *list)
{
    const tonnx_stats *stats = found->stats;
    const char *name;
    for (size_t i = 0; i < stats->weight_count; i++)
        if (is_weight(found->net, i, &name) && stats->weights[i].gradient.count)
            row_list_summary(list, name, &stats->weights[i].gradient);
    row_list_draw(list, page, ROW_RIDGE, 4, "gradients", "A histogram for each layer, on one axis. Right: std.");
    for (size_t i = 0; i < stats->weight_count; i++)
        if (is_weight(found->net, i, &name) && stats->weights[i].gradient.count)
            row_list_value(list, name, stats->weights[i].gradient.rms, NAN);
    row_list_draw(list, page, ROW_BARS, 4, "gradient flow",
                  "RMS of each weight's gradient. It should keep its order from the last layer to the first.");
    for (size_t i = 0; i < stats->weight_count; i++)
        if (is_weight(found->net, i, &name) && !isnan(stats->weights[i].update_ratio))
            row_list_value(list, name, stats->weights[i].update_ratio, 1e-3);
    row_list_draw(list, page, ROW_BARS, 3, "update : weight",
                  "How far the optimizer's first step goes, beside the weight it changes. Marked: 1e-3, where learning "
                  "is healthy.");
}

void inspect_part_gradients(report_page *page, const report_inspection *found)
{
    row_list list = row_list_new(found->stats->weight_count + 1);
    if (found->stats->loss_kind != TONNX_LOSS_AUTO) {
        page_section(page, "Gradients", "One backward pass over all samples as one batch; the first layer is on top.");
        page_figures(page, PAGE_GRID);
        draw_gradients(page, found, &list);
        page_figures_end(page);
    }
    row_list_free(&list);
}
