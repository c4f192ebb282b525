#include "cli/train_watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/print.h"

enum { PAST = 12, NAME = 24, MOST_ROWS = 20 }; /* ratios that are remembered; columns of a name; rows of a live table */

/* A dense layer: what it gave, how its weight moves. */
typedef struct row {
    char name[NAME + 8];
    double weight_std, out_std, saturated, gradient, ratio;
    size_t dead, units;
    double past[PAST]; /* update:weight, the oldest first */
    size_t past_count;
} row;

struct train_watch {
    row *rows;
    size_t count, lines; /* lines: how many of them stand on the terminal */
    uint64_t step;
};

train_watch *train_watch_new(void)
{
    return cli_alloc(1, sizeof(train_watch));
}

void train_watch_free(train_watch *watch)
{
    if (watch) free(watch->rows);
    free(watch);
}

uint64_t train_watch_interval(uint64_t steps_per_epoch)
{
    const uint64_t times = print_is_live(stderr) ? 10 : 1;
    return steps_per_epoch > times ? steps_per_epoch / times : 1;
}

/* A long name keeps its end, which tells layers apart. */
static void take_name(row *r, const char *name)
{
    const size_t length = strlen(name);
    if (length <= NAME) snprintf(r->name, sizeof r->name, "%s", name);
    else snprintf(r->name, sizeof r->name, "..%s", name + length - NAME + 2);
}

static void remember(row *r, double ratio)
{
    if (r->past_count == PAST) memmove(r->past, r->past + 1, --r->past_count * sizeof *r->past);
    r->past[r->past_count++] = ratio;
}

static void take_row(row *r, const tonnx_layer_stats *layer, const tonnx_layer_info *info,
                     const tonnx_weight_stats *weight)
{
    take_name(r, info->name);
    r->weight_std = weight->values.std;
    r->out_std = layer->after.std;
    r->saturated = layer->saturated;
    r->dead = layer->dead_units;
    r->units = layer->units;
    r->gradient = weight->gradient.rms;
    r->ratio = weight->update_ratio;
    remember(r, r->ratio);
}

void train_watch_hear(train_watch *watch, const tonnx_event *event)
{
    const tonnx_stats *stats = event->stats;
    size_t at = 0;
    if (!watch->rows) watch->rows = cli_alloc(stats->layer_count, sizeof *watch->rows);
    for (size_t i = 0; i < stats->layer_count; i++) {
        tonnx_layer_info info;
        tonnx_net_layer(event->net, stats->layers[i].layer, &info);
        if (strcmp(info.kind, "dense") != 0) continue;
        take_row(&watch->rows[at++], &stats->layers[i], &info, &stats->weights[info.weight_at]);
    }
    watch->count = at;
    watch->step = event->step;
}

/* The ratios' course in bars, each as high as its logarithm stands between the least and the greatest. */
static const char *course(const row *r)
{
    uint64_t heights[PAST];
    double low = INFINITY, high = -INFINITY;
    if (!print_is_live(stderr)) return "";
    for (size_t i = 0; i < r->past_count; i++) {
        if (!(r->past[i] > 0)) continue;
        low = fmin(low, log(r->past[i]));
        high = fmax(high, log(r->past[i]));
    }
    for (size_t i = 0; i < r->past_count; i++)
        heights[i] = r->past[i] > 0 ? 1 + (uint64_t)(1000 * (log(r->past[i]) - low) / fmax(high - low, 0.1)) : 0;
    return print_bars(heights, r->past_count);
}

static void print_row(print_table *table, const row *r)
{
    print_table_cell(table, "%s", r->name);
    print_table_cell(table, "%.3g", r->weight_std);
    print_table_cell(table, "%.3g", r->out_std);
    print_table_cell(table, "%.3g%%", 100 * r->saturated);
    print_table_cell(table, "%zu/%zu", r->dead, r->units);
    print_table_cell(table, "%.2g", r->gradient);
    if (isnan(r->ratio)) print_table_cell(table, "-");
    else print_table_cell(table, "%.2g", r->ratio);
    print_table_cell(table, "%s", course(r));
}

void train_watch_clear(train_watch *watch)
{
    if (watch->lines) fprintf(stderr, "\033[%zuA\033[J", watch->lines);
    watch->lines = 0;
}

void train_watch_show(train_watch *watch)
{
    static const char *const head[] = { "layer", "weights", "out", "satur.", "dead", "gradient", "upd:weight", "" };
    const bool live = print_is_live(stderr);
    if (!watch->count) return;
    const size_t shown = live && watch->count > MOST_ROWS ? MOST_ROWS : watch->count;
    print_table *table = print_table_new("lrrrrrrl");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) print_table_cell(table, "%s", head[i]);
    for (size_t i = 0; i < shown; i++) print_row(table, &watch->rows[i]);
    print_table_end(table, stderr);
    if (shown < watch->count) fprintf(stderr, "and %zu more\n", watch->count - shown);
    watch->lines = live ? 1 + shown + (shown < watch->count) : 0;
}
