/* Options of the commands that look at a model on data without training it, where data may also be the built-in source
 * gaussian:N. */
#ifndef TONNX_CLI_PROBE_ARGS_H
#define TONNX_CLI_PROBE_ARGS_H

#include "cli/data_args.h"
#include "cli/run_args.h"
#include "runtime/stats.h"

typedef struct probe_args {
    data_args data;
    uint64_t seed;
} probe_args;

/* --data, which may be left out, and --seed; what else is said of data is data_options + 1. */
extern const opt probe_options[];

/* Loads --data as data_load does, or makes gaussian:N with as many features as the model takes and random targets.
 * out->data is NULL where there is no --data. An exit code. */
int probe_load(data_sets *out, const probe_args *args, const char *loss, const tonnx_model *model,
               const tonnx_log *log);

/* Whether --data is gaussian:N. */
bool probe_is_made_up(const probe_args *args);

/* The optimizer that would be used, and the loss: what gradients are measured with. */
typedef struct step_args {
    const char *loss, *optimizer;
    double rate, momentum, weight_decay;
} step_args;

extern const opt step_options[];

/* All that was given, into options for tonnx_stats_measure. */
void probe_apply(const step_args *step, const run_args *run, const tonnx_log *log, tonnx_stats_options *options);

#endif
