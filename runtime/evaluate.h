/* Evaluation and prediction: the model in inference mode over a data set. */
#ifndef TONNX_RUNTIME_EVALUATE_H
#define TONNX_RUNTIME_EVALUATE_H

#include "dataset.h"
#include "log.h"
#include "model.h"
#include "ops/book.h"

TONNX_BEGIN

typedef struct tonnx_evaluate_options {
    size_t size; /* sizeof(tonnx_evaluate_options) */
    tonnx_loss loss;
    double huber_delta;
    size_t batch; /* rows at a time */
    const char *input, *output; /* NULL: the only ones */
    const char *backend;
    int threads; /* 0: all cores */
    tonnx_log log;
} tonnx_evaluate_options;

#define TONNX_EVALUATE_OPTIONS_DEFAULT                                                                                 \
    { sizeof(tonnx_evaluate_options), TONNX_LOSS_AUTO, 1.0, 1024, NULL, NULL, "cpu", 0, { NULL, NULL } }

/* Numbers that the kind of target does not define are NaN. */
typedef struct tonnx_metrics {
    tonnx_loss loss_kind;
    size_t samples;
    double loss;         /* mean over samples (and outputs), as in training */
    double accuracy;     /* classes: share of samples whose largest output (or output > ½) is the target */
    double mse, mae, r2; /* numbers; r2 over all outputs against their own means */
} tonnx_metrics;

/* The loss and metrics of `data` into *out, whose numbers are NaN on failure. `options` may be NULL: the defaults.
 * TONNX_BAD_MODEL where the model cannot be read, TONNX_BAD_DATA where data and model or loss do not fit or there are no
 * targets, TONNX_BAD_USAGE for an option, TONNX_BAD_DEVICE for the backend. The model is not changed. */
TONNX_API tonnx_status tonnx_evaluate(tonnx_metrics *out, tonnx_model *model, const tonnx_dataset *data,
                                      const tonnx_evaluate_options *options);

/* Calls `rows` with consecutive batches of outputs, row-major [count, width], borrowed for the call; stops where it
 * returns a failure, and returns that. Errors and NULL options as in tonnx_evaluate; targets are not looked at. */
typedef tonnx_status (*tonnx_rows_fn)(void *user, const float *values, size_t count, size_t width);
TONNX_API tonnx_status tonnx_predict(tonnx_model *model, const tonnx_dataset *data,
                                     const tonnx_evaluate_options *options, tonnx_rows_fn rows, void *user);

TONNX_END

#endif
