/* tonnx bench: how fast nets train here, and (--tune) how the device does their products best. */
#include <stdio.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/print.h"
#include "cli/run_args.h"
#include "runtime/backend.h"
#include "runtime/init.h"
#include "runtime/train.h"

typedef struct args {
    opt_common common;
    const char *backend;
    uint64_t threads;
    bool tune;
} args;

#define AT(field) offsetof(args, field)
static const opt options[] = {
    { "backend", 0, OPT_WORD, AT(backend), "NAME", "auto", "where to train", &backend_words, OPT_FREE },
    { "threads", 0, OPT_COUNT, AT(threads), "N", "0", "threads; 0: all cores", NULL, OPT_FREE },
    { "tune", 0, OPT_FLAG, AT(tune), NULL, NULL,
      "first measure how the device does products best, and keep that for all later runs", NULL, OPT_FREE },
    { 0 },
};
static const opt_group groups[] = { { "Run", options, 0 }, { 0 } };
static const char *const examples[] = { "tonnx bench", "tonnx bench --tune --backend vulkan:1", NULL };

/* What is timed: ReLU nets with ten outputs, cross-entropy and Adam. */
static const struct workload {
    size_t widths[3], batch;
} workloads[] = { { { 784, 128, 10 }, 32 }, { { 784, 128, 10 }, 1024 }, { { 784, 500, 10 }, 500 } };

enum { BATCHES = 12 };                          /* of an epoch */
static const double SECONDS = 0.5, PATIENCE = 5; /* at least so long in all; no longer, where epochs are long */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The fastest epoch's seconds; the first one, in which all is made ready, does not count. */
static int time_epochs(tonnx_trainer *trainer, double *best)
{
    const double begin = now();
    *best = 1e30;
    int code = cli_status(tonnx_trainer_epoch(trainer));
    for (double from = now(); !code; from = now()) {
        code = cli_status(tonnx_trainer_epoch(trainer));
        const double seconds = now() - from, all = now() - begin;
        if (!code && seconds < *best) *best = seconds;
        if (all > SECONDS && (all > PATIENCE || seconds < *best * 1.5)) break;
    }
    return code;
}

static int run_workload(const args *a, const struct workload *w, double *seconds)
{
    tonnx_mlp_options mlp = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_train_options train = TONNX_TRAIN_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_dataset *data = NULL;
    tonnx_trainer *trainer = NULL;
    train.backend = a->backend;
    train.threads = (int)a->threads;
    train.batch = w->batch;
    train.epochs = 100000;
    int code = cli_status(tonnx_model_mlp(&model, w->widths, 3, &mlp));
    if (!code) code = cli_status(tonnx_dataset_gaussian(&data, BATCHES * w->batch, w->widths[0], w->widths[2], 0));
    if (!code) code = cli_status(tonnx_trainer_new(&trainer, model, data, &train));
    if (!code) code = time_epochs(trainer, seconds);
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
    return code;
}

/* Products forward and backward, but none back into the data. */
static double flops_of(const struct workload *w)
{
    const double first = (double)w->widths[0] * (double)w->widths[1], second = (double)w->widths[1] * (double)w->widths[2];
    return (double)w->batch * (4 * first + 6 * second);
}

static void add_row(print_table *table, const struct workload *w, double seconds)
{
    const double steps = BATCHES / seconds;
    print_table_cell(table, "%zu-%zu-%zu", w->widths[0], w->widths[1], w->widths[2]);
    print_table_cell(table, "%zu", w->batch);
    print_table_cell(table, "%s", print_count((uint64_t)(steps * (double)w->batch)));
    print_table_cell(table, "%.1f", 1e6 / steps);
    print_table_cell(table, "%.1f", 1e-9 * steps * flops_of(w));
}

static void print_line(void *user, const char *text)
{
    (void)user;
    puts(text);
    fflush(stdout);
}

static int bench(void *opaque)
{
    static const char *const head[] = { "net", "batch", "samples/s", "us a step", "GFLOP/s" };
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    int code = a->tune ? cli_status(tonnx_backend_tune(a->backend, &log, print_line, NULL)) : 0;
    if (code) return code;
    print_table *table = print_table_new("lrrrr");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) print_table_cell(table, "%s", head[i]);
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads && !code; i++) {
        double seconds = 0.0;
        code = run_workload(a, &workloads[i], &seconds);
        if (!code) add_row(table, &workloads[i], seconds);
    }
    print_table_end(table, stdout);
    return code;
}

const command cmd_bench = {
    "bench", "how fast nets train here; --tune: how the device does their products best",
    "Times ReLU nets with cross-entropy and Adam on random data, which lies in memory. --tune tries every way that a device "
    "has to cut a product, keeps the fastest for each shape in the user's cache folder, for this device and driver, and no "
    "result depends on it.",
    examples, NULL, groups, sizeof(args), bench,
};
