/* The reports: what --html writes. Each returns an exit code; `path` "-" is stdout. */
#ifndef TONNX_CLI_REPORT_REPORT_H
#define TONNX_CLI_REPORT_REPORT_H

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
} report_inspection;

int report_inspect(const report_inspection *found, const char *path);

#endif
