/* The trainer's inside. */
#ifndef TONNX_RUNTIME_TRAIN_IMPL_H
#define TONNX_RUNTIME_TRAIN_IMPL_H

#include <stdatomic.h>

#include "runtime/sweep_impl.h"
#include "runtime/train.h"

struct tonnx_trainer {
    tonnx_train_options options; /* numbers that were NaN are filled in */
    tonnx_net *net;
    const tonnx_dataset *data; /* borrowed */
    tonnx__backend *backend;
    tonnx__state *state;
    bool *trained; /* per parameter */
    tonnx__goal goal, validation_goal;
    tonnx__program *programs[2]; /* a full batch, and the rows that are left at an epoch's end */
    tonnx__exec *execs[2];
    tonnx__sweep *validation; /* NULL: none */
    tonnx__feed feed;
    uint32_t *order; /* of the present epoch; NULL where batches follow the file */
    tonnx__record records[TONNX__MAX_STEPS];
    double results[TONNX__MAX_STEPS * TONNX__RESULTS];

    uint64_t steps_per_epoch, total_steps;
    uint64_t step, epoch;       /* done */
    uint64_t step_in_epoch;     /* done of the present epoch */
    double epoch_loss;          /* Σ loss·rows of the present epoch */
    uint64_t epoch_rows;
    double epoch_seconds, seconds, last_loss;
    double step_seconds;        /* a step's time, for sizing runs so that a stop is heard soon */
    double plateau_factor, plateau_best;
    uint64_t plateau_bad;       /* epochs without improvement */
    bool started, ended;
    _Atomic bool stop;
};

/* Runs up to `steps` steps, but not past the epoch's end; closes the epoch where it is reached. */
tonnx_status tonnx__train_some(tonnx_trainer *trainer, uint64_t steps);

/* Emits START once. */
void tonnx__train_start(tonnx_trainer *trainer);

/* Emits END once, with the status; returns it. */
tonnx_status tonnx__train_end(tonnx_trainer *trainer, tonnx_status status);

#endif
