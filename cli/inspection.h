/* What inspect and check have in common: a model, measured and judged. */
#ifndef TONNX_CLI_INSPECTION_H
#define TONNX_CLI_INSPECTION_H

#include "cli/probe_args.h"
#include "runtime/diagnose.h"

/* What the command line says of it; everything is borrowed. */
typedef struct inspection_args {
    const char *model; /* its path; "-": stdin */
    const probe_args *probe;
    const step_args *step;
    const run_args *run;
    bool spectral, histograms;
    size_t map_samples;
    bool probe_always; /* where there is no --data, take unit-normal samples */
    tonnx_log log;
} inspection_args;

typedef struct inspection {
    tonnx_model *model;
    tonnx_net *net;
    data_sets sets;
    tonnx_stats *stats;         /* as the model is used: batch norms by their running statistics */
    tonnx_diagnosis *diagnosis; /* of the same, but for batch norms that have never run: by the batch's statistics */
} inspection;

/* Loads, measures and judges. An exit code; what was made until then is for inspection_close all the same. */
int inspection_open(inspection *out, const inspection_args *args);
void inspection_close(inspection *in);

/* The verdicts on stdout, the gravest first: the rule, the layers, what was measured, and the command that mends it. */
void inspection_print_verdicts(const inspection *in);

#endif
