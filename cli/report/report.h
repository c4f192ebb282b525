/* The reports: what --html writes. Each returns an exit code; `path` "-" is stdout. */
#ifndef TONNX_CLI_REPORT_REPORT_H
#define TONNX_CLI_REPORT_REPORT_H

#include "runtime/diagnose.h"
#include "runtime/lr_find.h"
#include "runtime/net.h"
#include "runtime/stats.h"

enum { REPORT_MAP_SAMPLES = 64 }; /* what tonnx_stats_options' map_samples should be */

/* Every activation with its derivative, the losses, the schedules. */
int report_ops(const char *path);

/* The loss over the rate; `model` is how it was named. */
int report_lr(const tonnx_lr_curve *curve, const char *model, const char *path);

/* What inspection found; all borrowed. */
typedef struct report_inspection {
    const char *name, *data; /* how model and data were named; data NULL: none */
    const tonnx_model *model;
    const tonnx_net *net;
    const tonnx_stats *stats; /* with histograms, and with maps where there are data */
    const tonnx_diagnosis *diagnosis;
} report_inspection;

int report_inspect(const report_inspection *found, const char *path);

/* The story of a run, heard event by event and then told. */
typedef struct report_run report_run;
report_run *report_run_new(void);
void report_run_free(report_run *run);
void report_run_hear(report_run *run, const tonnx_event *event);

/* Every how many of a run's `steps` it wants to hear of one, where something else wants every `wanted`th (0: none). */
uint64_t report_run_interval(uint64_t steps, uint64_t wanted);

/* The same for stats events, where nothing else wants them. */
uint64_t report_run_stats_interval(uint64_t steps);

/* `model` is how it was named; `how` says in a line what was trained on what. */
int report_train(const report_run *run, const char *model, const char *how, const char *path);

#endif
