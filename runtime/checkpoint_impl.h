/* The checkpoint's inside: neutral parts, which format/ spells as bytes. */
#ifndef TONNX_RUNTIME_CHECKPOINT_IMPL_H
#define TONNX_RUNTIME_CHECKPOINT_IMPL_H

#include "runtime/checkpoint.h"
#include "runtime/state_impl.h"

/* How far a run has come. Whole numbers and doubles only: a file holds them in this order (progress.def). */
typedef struct tonnx__progress {
#define TONNX_PROGRESS(type, name, meaning) type name;
#include "runtime/progress.def"
#undef TONNX_PROGRESS
} tonnx__progress;

struct tonnx_checkpoint {
    char *path;             /* its file, which messages begin with; NULL: it is this run's own */
    char *backend, *device; /* what computed */
    char *options;          /* lines "name value": all that the numbers depend on (train_options.c) */
    uint64_t model, data, validation; /* fingerprints */
    uint64_t total_steps;
    tonnx__progress progress;
    tonnx__image state;
    tonnx__image best; /* parameters and statistics of the best epoch; empty where none are kept */
};

#endif
