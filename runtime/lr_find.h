/* The learning-rate range test: a run over ever larger rates shows from which one on a net learns, and from which one on
 * it is torn apart (L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2015). */
#ifndef TONNX_RUNTIME_LR_FIND_H
#define TONNX_RUNTIME_LR_FIND_H

#include "train.h"

TONNX_BEGIN

/* One batch of the test. */
typedef struct tonnx_lr_point {
    uint64_t step; /* from 1 */
    double rate;
    double loss;    /* of the batch, before its update */
    double average; /* the running average so far, which decides when the test stops */
} tonnx_lr_point;

typedef struct tonnx_lr_options {
    size_t size;            /* sizeof(tonnx_lr_options) */
    double first, last;     /* rates of the first and the last batch; they grow by one factor a batch */
    uint64_t steps;         /* batches, at least 10 */
    double smoothing;       /* 0 … below 1: weight of the old running average */
    double stop;            /* ends where the running average is so many times its lowest; 0: never */
    void (*point)(void *user, const tonnx_lr_point *point); /* called once a batch; may be NULL */
    void *user;
} tonnx_lr_options;

#define TONNX_LR_OPTIONS_DEFAULT { sizeof(tonnx_lr_options), 1e-7, 10.0, 100, 0.7, 4.0, NULL, NULL }

/* What came of it: `count` points in order (fewer than `steps` where it stopped). */
typedef struct tonnx_lr_curve {
    size_t count;
    double *rate, *loss, *smooth; /* smooth: the loss averaged forwards and backwards, so that nothing is shifted */
    tonnx_loss loss_kind;
    bool stopped;    /* the loss rose beyond `stop`, or was not finite: the rates after the last point are too large */
    double valley;   /* halfway, on the logarithmic axis, down the fall of the smooth curve; NaN where it does not fall */
    double steepest; /* where it falls most per decade; NaN likewise */
    double lowest;   /* where it is lowest: on the brink, too large to train with */
} tonnx_lr_curve;

/* Runs the test with everything but the rate as `train` says (NULL: the defaults; its rate, schedule, warm-up, epochs,
 * steps, validation, checkpoints and events are not looked at). The model's numbers are not changed. The caller frees
 * *out, which is NULL on failure: errors of tonnx_trainer_new, and TONNX_BAD_USAGE for an option here. A loss that is
 * not finite ends the test, as any too large one does. */
TONNX_API tonnx_status tonnx_lr_find(tonnx_lr_curve **out, tonnx_model *model, const tonnx_dataset *data,
                                     const tonnx_train_options *train, const tonnx_lr_options *options);
TONNX_API void tonnx_lr_curve_free(tonnx_lr_curve *curve);

TONNX_END

#endif
