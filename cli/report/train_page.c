/* tonnx train --html: the story of a run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/print.h"
#include "cli/report/chart.h"
#include "cli/report/report.h"
#include "cli/report/train_flow.h"

/* Columns of numbers that grow together; the first is x. */
typedef struct table {
    double *columns[4];
    size_t width, rows, room;
} table;

enum { STEP_AT, STEP_LOSS, STEP_RATE, STEP_NORM, STEP_WIDTH };
enum { EPOCH_AT, EPOCH_TRAIN, EPOCH_VAL, EPOCH_ACCURACY, EPOCH_WIDTH };

struct report_run {
    table steps, epochs;
    train_flow flow;
    double seconds, samples_per_second;
    uint64_t last_step;
    tonnx_status status;
};

static void add_row(table *t, const double *numbers)
{
    if (t->rows == t->room) {
        t->room = 2 * t->room + 64;
        for (size_t c = 0; c < t->width; c++) t->columns[c] = cli_grow(t->columns[c], t->room, sizeof(double));
    }
    for (size_t c = 0; c < t->width; c++) t->columns[c][t->rows] = numbers[c];
    t->rows++;
}

report_run *report_run_new(void)
{
    report_run *run = cli_alloc(1, sizeof *run);
    run->steps.width = STEP_WIDTH;
    run->epochs.width = EPOCH_WIDTH;
    return run;
}

void report_run_free(report_run *run)
{
    if (!run) return;
    for (size_t c = 0; c < STEP_WIDTH; c++) free(run->steps.columns[c]);
    for (size_t c = 0; c < EPOCH_WIDTH; c++) free(run->epochs.columns[c]);
    train_flow_clear(&run->flow);
    free(run);
}

uint64_t report_run_interval(uint64_t steps, uint64_t wanted)
{
    enum { POINTS = 600 }; /* a curve has no more */
    uint64_t every = steps / POINTS + 1;
    if (!wanted) return every;
    if (every >= wanted) return wanted;
    while (wanted % every) every--;
    return every;
}

void report_run_hear(report_run *run, const tonnx_event *event)
{
    if (event->kind == TONNX_EVENT_STEP) {
        add_row(&run->steps, (const double[]){ (double)event->step, event->loss, event->rate, event->grad_norm });
        run->last_step = event->step;
    } else if (event->kind == TONNX_EVENT_EPOCH) {
        add_row(&run->epochs,
                (const double[]){ (double)event->epoch, event->train_loss, event->val_loss, event->val_accuracy });
        run->samples_per_second = event->samples_per_second;
    } else if (event->kind == TONNX_EVENT_STATS) {
        train_flow_hear(&run->flow, event);
    } else if (event->kind == TONNX_EVENT_END) {
        run->status = event->status;
        run->seconds = event->seconds;
        if (event->step) run->last_step = event->step;
    }
}

uint64_t report_run_stats_interval(uint64_t steps)
{
    enum { LOOKS = 50 };
    return steps / LOOKS + 1;
}

static bool any_finite(const table *t, size_t column)
{
    for (size_t i = 0; i < t->rows; i++)
        if (isfinite(t->columns[column][i])) return true;
    return false;
}

static double last_of(const table *t, size_t column)
{
    return t->rows ? t->columns[column][t->rows - 1] : NAN;
}

static void add_facts(report_page *page, const report_run *run)
{
    page_facts(page);
    page_fact(page, "ended", "%s", run->status ? tonnx_status_name(run->status) : "well");
    page_fact(page, "epochs", "%s", print_count(run->epochs.rows));
    page_fact(page, "steps", "%s", print_count(run->last_step));
    if (run->epochs.rows) page_fact(page, "training loss", "%s", print_number(last_of(&run->epochs, EPOCH_TRAIN)));
    if (any_finite(&run->epochs, EPOCH_VAL))
        page_fact(page, "validation loss", "%s", print_number(last_of(&run->epochs, EPOCH_VAL)));
    if (any_finite(&run->epochs, EPOCH_ACCURACY))
        page_fact(page, "validation accuracy", "%.4f", last_of(&run->epochs, EPOCH_ACCURACY));
    page_fact(page, "time", "%.3g s", run->seconds);
    if (run->samples_per_second > 0)
        page_fact(page, "samples a second", "%s", print_count((uint64_t)run->samples_per_second));
    page_facts_end(page);
}

static chart_series series_of(const table *t, size_t column, const char *name)
{
    return (chart_series){ .name = name, .x = t->columns[0], .y = t->columns[column], .count = t->rows };
}

/* A loss that fell to a small part of what it was is still seen to fall on a logarithmic axis. */
static bool wants_log(const double *values, size_t count)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        const double value = values[i];
        if (!isfinite(value)) continue;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    return low > 0 && high > 20 * low;
}

static void draw_epochs(report_page *page, const report_run *run)
{
    const table *t = &run->epochs;
    chart_series series[] = { series_of(t, EPOCH_TRAIN, "training"), series_of(t, EPOCH_VAL, "validation") };
    const chart_series accuracy[] = { series_of(t, EPOCH_ACCURACY, "validation") };
    series[1].dashed = true;
    const chart_plot loss = { .title = "loss by epoch",
                              .caption = any_finite(t, EPOCH_VAL)
                                             ? "Where validation turns upwards while training falls, the net learns by "
                                               "heart."
                                             : NULL,
                              .x_label = "epoch",
                              .whole_x = true,
                              .log_y = wants_log(t->columns[EPOCH_TRAIN], t->rows),
                              .series = series,
                              .series_count = any_finite(t, EPOCH_VAL) ? 2 : 1 };
    const chart_plot right = { .title = "accuracy by epoch",
                               .caption = "Share of the validation samples that are classed right.",
                               .x_label = "epoch",
                               .whole_x = true,
                               .series = accuracy,
                               .series_count = 1 };
    if (t->rows) chart_lines(page, &loss);
    if (any_finite(t, EPOCH_ACCURACY)) chart_lines(page, &right);
}

/* y[i] = the mean of the finite numbers within a window around row i; NaN where there are none. */
static double *smoothed(const table *t, size_t column)
{
    const size_t reach = t->rows / 50;
    const double *x = t->columns[column];
    double *y = cli_alloc(t->rows, sizeof *y), sum = 0;
    size_t from = 0, to = 0, count = 0;
    for (size_t i = 0; i < t->rows; i++) {
        for (; to < t->rows && to <= i + reach; to++) {
            sum += isfinite(x[to]) ? x[to] : 0;
            count += isfinite(x[to]);
        }
        for (; from + reach < i; from++) {
            sum -= isfinite(x[from]) ? x[from] : 0;
            count -= isfinite(x[from]);
        }
        y[i] = sum / (double)count;
    }
    return y;
}

static void draw_steps(report_page *page, const report_run *run)
{
    const table *t = &run->steps;
    double *smooth = smoothed(t, STEP_LOSS);
    chart_series loss[] = { series_of(t, STEP_LOSS, "smoothed"), series_of(t, STEP_LOSS, "batch") };
    const chart_series rate[] = { series_of(t, STEP_RATE, "rate") }, norm[] = { series_of(t, STEP_NORM, "norm") };
    loss[0].y = smooth;
    loss[1].thin = true;
    const chart_plot plots[] = {
        { .title = "loss by step",
          .caption = "Of each batch, before its update.",
          .x_label = "step",
          .whole_x = true,
          .log_y = wants_log(smooth, t->rows),
          .series = loss,
          .series_count = 2 },
        { .title = "learning rate", .x_label = "step", .whole_x = true, .series = rate, .series_count = 1 },
        { .title = "gradient norm",
          .x_label = "step",
          .whole_x = true,
          .log_y = true,
          .series = norm,
          .series_count = 1 },
    };
    chart_lines(page, &plots[0]);
    chart_lines(page, &plots[1]);
    if (any_finite(t, STEP_NORM)) chart_lines(page, &plots[2]);
    free(smooth);
}

int report_train(const report_run *run, const char *model, const char *how, const char *path)
{
    const char *slash = strrchr(model, '/');
    char title[300];
    snprintf(title, sizeof title, "Training of %s", slash ? slash + 1 : model);
    report_page *page = page_new(title, how);
    add_facts(page, run);
    page_section(page, "The run", NULL);
    page_figures(page, PAGE_GRID);
    draw_epochs(page, run);
    if (run->steps.rows) draw_steps(page, run);
    page_figures_end(page);
    train_flow_draw(page, &run->flow);
    return page_end(page, path);
}
