/* The trainer's inside. */
#ifndef TONNX_RUNTIME_TRAIN_IMPL_H
#define TONNX_RUNTIME_TRAIN_IMPL_H

#include <stdatomic.h>

#include "runtime/checkpoint_impl.h"
#include "runtime/clock_impl.h"
#include "runtime/fingerprint_impl.h"
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

    double *class_weights;    /* per output; NULL: all 1 */
    uint64_t pass_steps;      /* batches of a pass over the data */
    uint64_t steps_per_epoch; /* the same, unless the options say else */
    uint64_t total_steps;
    tonnx__progress at;
    uint64_t order_pass;     /* the pass that `order` is of; UINT64_MAX: none yet */
    double epoch_seconds, seconds;
    double step_seconds;     /* a step's time, for sizing runs so that a stop is heard soon */
    uint64_t prints[3];      /* fingerprints: model, data, validation */
    tonnx__image guarded;    /* the state before a long step; empty where steps are short */
    bool back;               /* that step was left, and this is the state again */
    tonnx__image best;       /* the model of the best epoch; empty where none is kept */
    tonnx_checkpoint *good;  /* the last state that was looked at and finite; NULL where no checkpoints are wanted */
    tonnx__spent *spent[2];  /* per instruction of the programs; NULL where no profile is wanted */
    tonnx__handing handing[2];
    tonnx_profile profile;
    struct tonnx__verify *verify; /* NULL where no step is verified */
    tonnx_dataset *sample;   /* what stats events are measured on; NULL before the first */
    tonnx__image before;     /* parameters before the step that one tells of */
    double mark; /* when the trainer last looked at the clock */
    bool started, ended, told;
    _Atomic bool stop;
};

/* train_options.c: the caller's options into *to, checked, what an older caller does not know at its default; numbers
 * that were not given get the optimizer's defaults, and the goal its hyper-parameters; all that the numbers of a run
 * depend on as lines "name value" (freed by tonnx__free). Warns of numbers that were given and the optimizer has not. */
tonnx_status tonnx__options_copy(tonnx_train_options *to, const tonnx_train_options *from);
void tonnx__options_fill(tonnx_train_options *options, tonnx__goal *goal);
void tonnx__options_warn(const tonnx_train_options *options);
tonnx_status tonnx__options_text(char **out, const tonnx_trainer *trainer);

/* train_weights.c: label smoothing and class weights into the goal, checked against the task. */
tonnx_status tonnx__train_weigh(tonnx_trainer *trainer);

/* train_profile.c: has the backend measure its instructions; adds the time since the last lap to *to and returns it. */
tonnx_status tonnx__train_profile(tonnx_trainer *trainer);
double tonnx__lap(tonnx_trainer *trainer, double *to);

/* train_verify.c: the judge made ready, where wanted; how many steps may run before it has to look; whether it looks at
 * the next one; before that step, which is a run of its own, and after it. */
tonnx_status tonnx__verify_new(tonnx_trainer *trainer);
void tonnx__verify_free(struct tonnx__verify *verify);
uint64_t tonnx__verify_steps(const tonnx_trainer *trainer);
bool tonnx__verify_due(const tonnx_trainer *trainer);
tonnx_status tonnx__verify_before(tonnx_trainer *trainer);
tonnx_status tonnx__verify_after(tonnx_trainer *trainer, int which);

/* train_event.c: an event of a kind with everything unknown; START and END, once each. */
tonnx_event tonnx__event_of(const tonnx_trainer *trainer, tonnx_event_kind kind);
void tonnx__emit(const tonnx_trainer *trainer, const tonnx_event *event);
void tonnx__train_start(tonnx_trainer *trainer);
tonnx_status tonnx__train_end(tonnx_trainer *trainer, tonnx_status status);

/* train_stats.c: whether a stats event is due once `step` steps are done; before and after that step. */
bool tonnx__train_stats_due(const tonnx_trainer *trainer, uint64_t step);
tonnx_status tonnx__train_stats_begin(tonnx_trainer *trainer);
tonnx_status tonnx__train_stats_tell(tonnx_trainer *trainer);

/* train_watch.c: what an epoch's loss decides, the rate's plateau and the best weights; whether patience is at its end;
 * and, once a run is done, what it ends with: the best weights where wanted, which is said, and numbers that are finite. */
tonnx_status tonnx__watch_epoch(tonnx_trainer *trainer, double loss);
bool tonnx__is_out_of_patience(const tonnx_trainer *trainer);
tonnx_status tonnx__watch_end(tonnx_trainer *trainer);
/* TONNX_DIVERGED, naming the step, `what` is not finite and the first trained tensor that is not. */
tonnx_status tonnx__diverged(tonnx_trainer *trainer, const char *what);

/* train_checkpoint.c: takes over a checkpoint's state; keeps the present state as the last good one, and hands it to the
 * caller where one is due. */
tonnx_status tonnx__train_resume(tonnx_trainer *trainer, const tonnx_checkpoint *checkpoint);
tonnx_status tonnx__train_keep(tonnx_trainer *trainer);
tonnx_status tonnx__train_hand(tonnx_trainer *trainer);

/* train_guard.c: before a run whose step may take long, keeps the state and lets a stop come within it; after a run that
 * was left, puts the state back. `guard` is OK too where there is no memory for it: then a stop waits for the step. */
tonnx_status tonnx__train_guard(tonnx_trainer *trainer, const tonnx__program *program);
tonnx_status tonnx__train_unguard(tonnx_trainer *trainer, tonnx_status status);
tonnx_status tonnx__train_stopped(const tonnx_trainer *trainer);

/* Runs up to `steps` steps, but not past the epoch's end; closes the epoch where it is reached. */
tonnx_status tonnx__train_some(tonnx_trainer *trainer, uint64_t steps);

#endif
