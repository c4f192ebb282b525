/* The trainer: a model, a data set and options become a better model. */
#ifndef TONNX_RUNTIME_TRAIN_H
#define TONNX_RUNTIME_TRAIN_H

#include "backend.h"
#include "checkpoint.h"
#include "dataset.h"
#include "log.h"
#include "model.h"
#include "net.h"
#include "ops/book.h"
#include "profile.h"
#include "stats.h"

TONNX_BEGIN

typedef enum tonnx_bn_variance { TONNX_BN_AUTO, TONNX_BN_BIASED, TONNX_BN_UNBIASED } tonnx_bn_variance;

typedef enum tonnx_event_kind { TONNX_EVENT_START, TONNX_EVENT_STEP, TONNX_EVENT_EPOCH, TONNX_EVENT_END, TONNX_EVENT_STATS } tonnx_event_kind;

/* One line of the story of a run; which fields mean something depends on `kind`. Numbers that are not known are NaN. */
typedef struct tonnx_event {
    tonnx_event_kind kind;
    const char *backend, *device;                 /* start */
    size_t parameters, samples;                   /* start */
    uint64_t total_steps, steps_per_epoch, total_epochs; /* start */
    uint64_t step, epoch;                         /* counted from 1 */
    double loss, rate, grad_norm;                 /* step: the batch's loss before its update */
    double train_loss, val_loss, val_accuracy;    /* epoch */
    double seconds, samples_per_second;           /* epoch: its wall time with shuffling, without validation; end: the sum of these */
    tonnx_status status;                          /* end */
    /* stats: the net after the step, on some samples spread over the data, batch norms as in training; updates are the
     * step's own. Borrowed for the call, as is the net that the numbers of layers and parameters are of. */
    const tonnx_stats *stats;
    const tonnx_net *net;
} tonnx_event;

typedef struct tonnx_train_options {
    size_t size; /* sizeof(tonnx_train_options): fields may be added */
    tonnx_loss loss;
    double huber_delta;
    tonnx_optimizer optimizer;
    double rate, momentum, beta1, beta2, eps, rho, weight_decay; /* NaN: the optimizer's default (op book) */
    bool nesterov;
    tonnx_schedule schedule;
    tonnx_schedule_options schedule_options;
    uint64_t warmup; /* steps */
    double clip_norm, clip_value; /* 0: none */
    uint64_t epochs, steps;       /* steps 0: as many as the epochs have; else whichever ends first */
    size_t batch;
    bool drop_last, shuffle;
    uint64_t seed;
    const char *const *freeze; /* globs over initializer names, NULL-terminated; NULL: none */
    const char *const *only;   /* the same: train nothing else */
    bool freeze_bn;
    tonnx_bn_variance bn;
    bool dropout; /* false: dropout layers do nothing */
    bool keep_ties, untie;
    bool add_bias; /* dense layers without a bias get one of zeros */
    double bn_momentum;         /* NaN: the file's, or 0.9 */
    const char *input, *output; /* NULL: the only ones */
    const char *backend;        /* "auto", "cpu", "reference" */
    int threads;                /* 0: all cores, or one where the net is so small that more are slower */
    const tonnx_dataset *validation; /* borrowed; NULL: none */
    uint64_t log_every;         /* step events every N steps; 0: none */
    bool log_grad_norm;         /* step events carry the gradient's norm */
    tonnx_log log;
    void (*event)(void *user, const tonnx_event *event); /* may be NULL */
    void *event_user;
    uint64_t steps_per_epoch; /* 0: as many as the data has batches; else an epoch goes on where the last one stopped */
    uint64_t patience;        /* stop after so many epochs without a lower loss (of validation, else of training); 0: never */
    bool best;                /* end with the weights of the epoch that had the lowest loss */
    const tonnx_checkpoint *resume; /* borrowed by tonnx_trainer_new: go on from here; NULL: from the start */
    uint64_t checkpoint_steps, checkpoint_epochs; /* how often `checkpoint` is called; 0: not by these */
    /* Also called at the end and, with the last good state, on divergence and where the device is lost. A failure ends the
     * run. NULL: none. */
    tonnx_status (*checkpoint)(void *user, const tonnx_checkpoint *checkpoint);
    void *checkpoint_user;
    /* Cross-entropy as PyTorch's CrossEntropyLoss(weight, label_smoothing) means it, in training; validation is plain. */
    double label_smoothing;       /* 0 … 1 */
    const double *class_weights;  /* one per class; NULL: all 1 */
    size_t class_weight_count;
    bool balance_classes;         /* weights are samples / (classes that occur · samples of the class) */
    bool profile; /* measure what each instruction takes: tonnx_trainer_profile */
    uint64_t verify; /* every Nth step is also done by the reference backend: tonnx_trainer_verification; 0: none */
    uint64_t stats_every; /* stats events every N steps, after each of which the model holds the net's numbers; 0: none */
    tonnx_precision precision; /* TONNX_BAD_DEVICE where the backend, or its device, has no such products */
    bool dynamic_batch; /* changes the model as tonnx_net_options' does; TONNX_BAD_MODEL where a node holds the batch */
} tonnx_train_options;

#define TONNX_TRAIN_OPTIONS_DEFAULT                                                                                    \
    { sizeof(tonnx_train_options), TONNX_LOSS_AUTO, 1.0, TONNX_ADAM, TONNX_NAN, TONNX_NAN, TONNX_NAN, TONNX_NAN,       \
      TONNX_NAN, TONNX_NAN, TONNX_NAN, false, TONNX_SCHEDULE_constant, { 30, 0.1, 0.0 }, 0, 0.0, 0.0, 10, 0, 32,       \
      false, true, 0, NULL, NULL, false, TONNX_BN_AUTO, true, false, false, false, TONNX_NAN, NULL, NULL, "auto", 0, NULL, 0, \
      false, { NULL, NULL }, NULL, NULL, 0, 0, false, NULL, 0, 0, NULL, NULL, 0.0, NULL, 0, false, false, 0, 0, TONNX_FP32, false }
#define TONNX_NAN __builtin_nan("")

/* How far a backend's steps were from those of the reference backend, done in double from the same state. */
typedef struct tonnx_verification {
    uint64_t steps;                   /* that were compared */
    double loss, weights;             /* largest relative deviation: |l - r| / |r|; of a tensor, |w - r| / |r| by Euclid's norm */
    uint64_t loss_step, weights_step; /* where that was, counted from 1; 0: nowhere */
    const char *tensor;               /* whose that was, borrowed from the trainer; NULL: none's */
} tonnx_verification;

typedef struct tonnx_trainer tonnx_trainer;

/* Recognises the model, binds the data, compiles the step. Model, data, `validation` and the options' strings and globs
 * are borrowed and must outlive the trainer; the options themselves and `resume` need not. `options` may be NULL: the
 * defaults. *out is NULL on failure: TONNX_BAD_MODEL where the model cannot be read or trained, TONNX_BAD_DATA where
 * data and model do not fit, naming both dimensions, TONNX_BAD_USAGE where an option is wrong, and where model, data or
 * options are not those of the checkpoint to resume from, naming what differs (epochs, steps and threads may). */
TONNX_API tonnx_status tonnx_trainer_new(tonnx_trainer **out, tonnx_model *model, const tonnx_dataset *data,
                                         const tonnx_train_options *options);
TONNX_API void tonnx_trainer_free(tonnx_trainer *trainer);

TONNX_API bool tonnx_trainer_done(const tonnx_trainer *trainer);

/* One step; one epoch (or what is left of it); all that is left. TONNX_OK, and nothing done, where the run is done.
 * TONNX_DIVERGED where loss or gradient norm is not finite, naming the step; TONNX_INTERRUPTED after a stop; what the
 * checkpoint callback returned where that failed. The weights stay on the backend until they are pulled. */
TONNX_API tonnx_status tonnx_trainer_step(tonnx_trainer *trainer);
TONNX_API tonnx_status tonnx_trainer_epoch(tonnx_trainer *trainer);
TONNX_API tonnx_status tonnx_trainer_run(tonnx_trainer *trainer);

/* Asks a trainer to stop: what runs, or is called next, returns TONNX_INTERRUPTED after a step or more (50 ms at most,
 * where a step takes less), or at once where a step takes long (more than 0.5 s): then that step is abandoned. The state
 * is that of the last whole step, and can be pulled or kept in a checkpoint. The wish stays:
 * to go on, resume in a new trainer. A run whose last step is done ends with TONNX_OK all the same. Async-signal-safe;
 * callable from any thread while the trainer lives. */
TONNX_API void tonnx_trainer_stop(tonnx_trainer *trainer);

/* The state after the last step, for the caller to free. TONNX_DIVERGED where a trained tensor is not finite. */
TONNX_API tonnx_status tonnx_trainer_checkpoint(tonnx_checkpoint **out, tonnx_trainer *trainer);

/* Trained tensors and running statistics back into `model` (TONNX_BAD_USAGE for another than the trainer was made with):
 * the last ones, or where a run that is done had `best` or ran out of `patience`, the best ones. Elements that did not
 * change keep their bytes. TONNX_DIVERGED where one of these tensors, in its own type, then holds NaN or Inf. May be
 * called between any two steps, as often as wanted, and changes nothing in the run. */
TONNX_API tonnx_status tonnx_trainer_pull(tonnx_trainer *trainer, tonnx_model *model);

/* The loss that `auto` came to, and the loss of the last step; NaN before the first. */
TONNX_API tonnx_loss tonnx_trainer_loss(const tonnx_trainer *trainer);
TONNX_API double tonnx_trainer_last_loss(const tonnx_trainer *trainer);

/* The program of a full batch's training step, as text, one instruction a line, through `line` (design.md: a program
 * is data and can be printed); then how the backend runs it, and the memory that takes. */
TONNX_API tonnx_status tonnx_trainer_plan(const tonnx_trainer *trainer, void (*line)(void *user, const char *text),
                                          void *user);

/* Where the time went so far: *out, and a row per instruction in the order of the plan, valid during its call.
 * TONNX_BAD_USAGE where the options did not ask for a profile. */
TONNX_API tonnx_status tonnx_trainer_profile(const tonnx_trainer *trainer, tonnx_profile *out,
                                             void (*row)(void *user, const tonnx_profile_row *row), void *user);

/* What `verify` has found so far. TONNX_BAD_USAGE where the options did not ask for it. */
TONNX_API tonnx_status tonnx_trainer_verification(const tonnx_trainer *trainer, tonnx_verification *out);

TONNX_END

#endif
