/* tonnx ops --html: the op book, drawn by its own formulas. */
#include <math.h>
#include <stdio.h>

#include "cli/print.h"
#include "cli/report/chart.h"
#include "cli/report/report.h"
#include "runtime/ops/book.h"

enum { POINTS = 161, STEPS = 200 };

static const double reach = 4; /* activations and losses are drawn from −reach to reach */

static double x_at(size_t i)
{
    return reach * (2.0 * (double)i / (POINTS - 1) - 1);
}

static void caption_of(const tonnx_activation_info *info, char *text, size_t size)
{
    int used = *info->onnx_op ? snprintf(text, size, "%s, since opset %d", info->onnx_op, info->since)
                              : snprintf(text, size, "several ONNX nodes");
    const size_t at = (size_t)used;
    if (*info->a_name && *info->b_name)
        used += snprintf(text + at, size - at, "; %s %.4g, %s %.4g", info->a_name, info->a_default, info->b_name,
                         info->b_default);
    else if (*info->a_name)
        used += snprintf(text + at, size - at, "; %s %.4g%s", info->a_name, info->a_default,
                         info->trained ? ", trained" : "");
    used += snprintf(text + used, size - (size_t)used, "; init gain %.4f", info->gain);
    if (isfinite(info->saturated_below) && isfinite(info->saturated_above))
        snprintf(text + used, size - (size_t)used, "; saturated below %.3g and above %.3g", info->saturated_below,
                 info->saturated_above);
    else if (isfinite(info->saturated_above))
        snprintf(text + used, size - (size_t)used, "; saturated above %.3g", info->saturated_above);
}

static void draw_activation(report_page *page, tonnx_activation act)
{
    double x[POINTS], y[POINTS], slope[POINTS];
    char caption[256];
    tonnx_activation_info info;
    tonnx_activation_describe(act, &info);
    caption_of(&info, caption, sizeof caption);
    for (size_t i = 0; i < POINTS; i++) {
        x[i] = x_at(i);
        tonnx_activation_evaluate(act, x[i], NAN, NAN, &y[i], &slope[i]);
    }
    const chart_series series[] = { { .name = "f(x)", .x = x, .y = y, .count = POINTS },
                                    { .name = "f′(x)", .x = x, .y = slope, .count = POINTS, .dashed = true } };
    const chart_plot plot = { .title = info.name,
                              .caption = caption,
                              .x_label = "x",
                              .series = series,
                              .series_count = 2,
                              .low = -2,
                              .high = reach };
    chart_lines(page, &plot);
}

/* One logit among `classes`, the others 0: exp(x) / (exp(x) + classes − 1) = sigmoid(x − ln(classes − 1)). */
static void draw_softmax(report_page *page, bool logarithm)
{
    static const char *const names[] = { "of 2", "of 10", "of 100" };
    static const double classes[] = { 2, 10, 100 };
    enum { CURVES = sizeof classes / sizeof *classes };
    double x[POINTS], y[CURVES][POINTS], slope;
    chart_series series[CURVES];
    for (size_t i = 0; i < POINTS; i++) x[i] = 2 * x_at(i);
    for (size_t c = 0; c < CURVES; c++) {
        for (size_t i = 0; i < POINTS; i++)
            tonnx_activation_evaluate(logarithm ? TONNX_ACT_log_sigmoid : TONNX_ACT_sigmoid, x[i] - log(classes[c] - 1),
                                      NAN, NAN, &y[c][i], &slope);
        series[c] = (chart_series){ .name = names[c], .x = x, .y = y[c], .count = POINTS };
    }
    const chart_plot plot = { .title = logarithm ? "log-softmax" : "softmax",
                              .caption = logarithm
                                             ? "Its logarithm: straight where the probability is small, so that "
                                               "a wrong answer's gradient does not fade."
                                             : "Probability of a class over its logit, all others' at 0. Fresh logits "
                                               "are near 0: each class gets 1/C.",
                              .x_label = "logit",
                              .series = series,
                              .series_count = CURVES };
    chart_lines(page, &plot);
}

/* x · act(gate) over the gate, for a value of 1 and by its slope for both factors. */
static void draw_gate(report_page *page, tonnx_activation act, const char *title, const char *caption)
{
    double x[POINTS], y[POINTS], slope[POINTS];
    for (size_t i = 0; i < POINTS; i++) {
        x[i] = x_at(i);
        tonnx_activation_evaluate(act, x[i], NAN, NAN, &y[i], &slope[i]);
    }
    const chart_series series[] = { { .name = "by the value", .x = x, .y = y, .count = POINTS },
                                    { .name = "by the gate", .x = x, .y = slope, .count = POINTS, .dashed = true } };
    const chart_plot plot = {
        .title = title, .caption = caption, .x_label = "gate", .series = series, .series_count = 2
    };
    chart_lines(page, &plot);
}

/* Losses that are a sum over outputs, against the distance of an output from its target. */
static void draw_losses(report_page *page, bool slopes)
{
    double x[POINTS], y[TONNX_LOSS_COUNT][POINTS], value, slope;
    chart_series series[TONNX_LOSS_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < POINTS; i++) x[i] = x_at(i);
    for (int loss = 0; loss < TONNX_LOSS_COUNT; loss++) {
        for (size_t i = 0; i < POINTS; i++) {
            tonnx_loss_evaluate((tonnx_loss)loss, x[i], 0, 1, &value, &slope);
            y[count][i] = slopes ? slope : value;
        }
        if (isnan(y[count][0])) continue;
        series[count] =
            (chart_series){ .name = tonnx_loss_name((tonnx_loss)loss), .x = x, .y = y[count], .count = POINTS };
        count++;
    }
    const chart_plot plot = { .title = slopes ? "gradient by the output" : "loss of one output",
                              .caption = slopes
                                             ? "What flows back: mse grows with the error, mae and huber do not, bce "
                                               "stays below 1."
                                             : "Target 0; bce reads a logit, the others a value. Cross-entropy is of "
                                               "a whole row: of two outputs, it is bce of their difference.",
                              .x_label = "output",
                              .series = series,
                              .series_count = count,
                              .low = slopes ? -4 : 0,
                              .high = slopes ? 4 : 8 };
    chart_lines(page, &plot);
}

static void draw_schedules(report_page *page)
{
    double x[STEPS], y[TONNX_SCHEDULE_COUNT][STEPS];
    chart_series series[TONNX_SCHEDULE_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < STEPS; i++) x[i] = (double)i;
    for (int kind = 0; kind < TONNX_SCHEDULE_COUNT; kind++) {
        if (kind == TONNX_SCHEDULE_plateau) continue; /* it answers to the losses of a run */
        const tonnx_schedule_options options = { STEPS / 4, kind == TONNX_SCHEDULE_exponential ? 0.98 : 0.5, 0 };
        for (size_t i = 0; i < STEPS; i++)
            y[count][i] = tonnx_schedule_rate((tonnx_schedule)kind, &options, 1, i, STEPS);
        series[count] =
            (chart_series){ .name = tonnx_schedule_name((tonnx_schedule)kind), .x = x, .y = y[count], .count = STEPS };
        count++;
    }
    const chart_plot plot = { .title = "learning rate over 200 steps",
                              .caption = "From --lr 1. Step: --step-size 50 --gamma 0.5; exponential: --gamma 0.98. "
                                         "Plateau lowers the rate when the loss stands still.",
                              .x_label = "step",
                              .series = series,
                              .series_count = count };
    chart_lines(page, &plot);
}

int report_ops(const char *path)
{
    report_page *page =
        page_new("The op book", "Every activation, loss and schedule that tonnx trains, drawn by the formulas "
                                "it trains with.");
    page_section(page, "Activations",
                 "Solid: f(x). Dashed: its derivative, which multiplies the gradient on its way back. Where it is 0, "
                 "nothing is learnt; where it stays below 1, a deep net's gradient fades.");
    page_figures(page, PAGE_GRID);
    for (int act = 0; act < TONNX_ACT_COUNT; act++) draw_activation(page, (tonnx_activation)act);
    page_figures_end(page);
    page_section(
        page, "Gates and rows",
        "A gated layer multiplies one half of its outputs by an activation of the other; softmax reads a whole row.");
    page_figures(page, PAGE_GRID);
    draw_gate(page, TONNX_ACT_sigmoid, "GLU",
              "value · sigmoid(gate): its derivatives for a value of 1. The first is also "
              "the output.");
    draw_gate(page, TONNX_ACT_silu, "SwiGLU",
              "value · silu(gate): the gate has no ceiling, and passes a gradient where it "
              "is open.");
    draw_softmax(page, false);
    draw_softmax(page, true);
    page_figures_end(page);
    page_section(page, "Losses", NULL);
    page_figures(page, PAGE_GRID);
    draw_losses(page, false);
    draw_losses(page, true);
    page_figures_end(page);
    page_section(page, "Schedules", NULL);
    page_figures(page, PAGE_GRID);
    draw_schedules(page);
    page_figures_end(page);
    return page_end(page, path);
}
