/* Statistics: how a model's weights are distributed, and what happens to signal and gradient on the way through it.
 * Everything is computed by programs on a backend; bits do not depend on threads. */
#ifndef TONNX_RUNTIME_STATS_H
#define TONNX_RUNTIME_STATS_H

#include "dataset.h"
#include "net.h"
#include "ops/book.h"

TONNX_BEGIN

enum { TONNX_BINS = 64 };

/* A set of numbers in brief. All are NaN where the set is empty or not known; where one of its numbers is not finite,
 * mean, std, rms and kurtosis are not finite either, and the histogram is empty. */
typedef struct tonnx_summary {
    uint64_t count, zeros;           /* zeros: exactly 0 */
    double mean, std, rms, min, max; /* std: of the population */
    double kurtosis;                 /* fourth moment over the variance's square: 3 for normal, 1.8 for uniform numbers */
    uint64_t histogram[TONNX_BINS];  /* equal bins from min to max; all 0 where it was not asked for */
} tonnx_summary;

/* What a unit did for one sample, as one byte of a map. */
typedef enum tonnx_unit_state {
    TONNX_UNIT_ACTIVE,
    TONNX_UNIT_LOW,  /* saturated at the activation's lower end */
    TONNX_UNIT_HIGH, /* … at its upper end */
    TONNX_UNIT_ZERO  /* exactly 0, where zero is the activation's flat side (ReLU) */
} tonnx_unit_state;

/* A layer on data. Layers are told as people tell them: an activation (or softmax head) belongs to the dense layer
 * right before it. */
typedef struct tonnx_layer_stats {
    size_t layer;         /* its number for tonnx_net_layer: the dense layer's, where an activation was joined to it */
    size_t units;         /* features of its value */
    tonnx_summary before; /* what enters the activation; the layer's own value where it has none */
    tonnx_summary after;  /* what leaves the layer; of the last one the logits, before a softmax or sigmoid head */
    double saturated;     /* share of `after` beyond the op book's thresholds; 0 where the activation has none */
    size_t dead_units;      /* zero, or saturated on one and the same side, for every sample */
    size_t saturated_units; /* saturated for every sample, on whichever side */
    double theory_std;    /* std of `before` that its weight's variance predicts for the measured input; NaN: no weight */
    /* Per unit, `units` of each: mean and std of `after`, shares of the samples that are saturated, and zero. */
    const double *unit_mean, *unit_std, *unit_saturated, *unit_zero;
    /* [map_samples, units] of tonnx_unit_state, row-major, of the first samples; NULL where `map_samples` is 0. */
    const unsigned char *map;
    size_t map_samples;
} tonnx_layer_stats;

/* A parameter, and what one backward pass over the whole set as one batch says of it. */
typedef struct tonnx_weight_stats {
    size_t parameter;       /* its number for tonnx_net_parameter */
    tonnx_summary values;
    size_t not_finite;      /* values that are NaN or infinite */
    size_t first_not_finite; /* index of the first of them */
    tonnx_summary gradient; /* unknown (count 0) without targets, and for what is not trained */
    double update_rms;      /* of the first step that the optimizer would take; NaN where not known */
    double update_ratio;    /* update_rms / values.rms: healthy near 1e-3; NaN where not known, or the weight is all 0 */
    double spectral_norm;   /* largest singular value; NaN unless asked for, and of vectors */
    double effective_rank;  /* exp of the entropy of the singular values' shares; NaN likewise */
} tonnx_weight_stats;

typedef struct tonnx_stats {
    size_t samples; /* 0 where there was no data: then layers have no numbers */
    size_t layer_count, weight_count;
    tonnx_layer_stats *layers;   /* in order */
    tonnx_weight_stats *weights; /* every parameter of the net, by its number */
    tonnx_summary input;         /* the features as the model gets them */
    double input_mean_max;       /* largest |mean| and largest std of a single feature */
    double input_std_max;
    const double *input_unit_mean, *input_unit_std; /* of every feature; NULL without data */
    tonnx_loss loss_kind;        /* TONNX_LOSS_AUTO where there are no targets */
    double loss;                 /* mean over the set; NaN without targets */
    double baseline_loss; /* of an answer that knows nothing: ln C, ln 2 for bce, the targets' variance (mse) or the like */
    double share_loss;    /* of one that knows how the targets are spread: the entropy of the class shares; else the same */
    double target_mean;   /* of number targets, over all outputs; NaN else */
    double grad_norm;     /* over all trained tensors; NaN without targets */
    tonnx_optimizer optimizer; /* whose step was measured, and its rate */
    double rate;
    bool batch_statistics; /* batch norms normalised with the batch's own statistics, not the running ones */
} tonnx_stats;

typedef struct tonnx_stats_options {
    size_t size; /* sizeof(tonnx_stats_options): fields may be added */
    const char *backend;
    int threads;  /* 0: all cores */
    size_t batch; /* rows at a time; the whole set counts as one batch whatever this is */
    tonnx_loss loss;
    double huber_delta;
    tonnx_optimizer optimizer; /* for the update:weight ratio */
    double rate, momentum, beta1, beta2, eps, rho, weight_decay; /* NaN: the optimizer's default (op book) */
    bool nesterov;
    bool histograms;       /* fill them: a second sweep over weights and data */
    bool spectral;         /* spectral norm and effective rank: a singular value decomposition per weight */
    bool batch_statistics; /* batch norm as in training, by batches of `batch` rows; else by the running statistics */
    bool fresh_batch_statistics; /* the same, but only where no batch norm has ever run: means are 0, variances 1 */
    size_t map_samples;    /* rows of the saturation maps; 0: none */
    bool no_gradients;     /* forward only, though there are targets */
    tonnx_log log;
} tonnx_stats_options;

#define TONNX_STATS_OPTIONS_DEFAULT                                                                                    \
    { sizeof(tonnx_stats_options), "cpu", 0, 1024, TONNX_LOSS_AUTO, 1.0, TONNX_ADAM, __builtin_nan(""),                \
      __builtin_nan(""), __builtin_nan(""), __builtin_nan(""), __builtin_nan(""), __builtin_nan(""),                   \
      __builtin_nan(""), false, true, false, false, false, 0, false,         \
      { NULL, NULL } }

/* Measures the parameters of `net` and, where `data` is not NULL, layers, loss and gradients on it (gradients where it
 * has targets), in inference mode: dropout off. The caller frees *out with tonnx_stats_free; net and data are borrowed
 * for the call and not changed. `options` may be NULL: the defaults. *out is NULL on failure: TONNX_BAD_DATA where data
 * and net do not fit, TONNX_BAD_USAGE for an option, TONNX_BAD_DEVICE for the backend. Numbers that are not finite are
 * no failure: they are what somebody looks for. */
TONNX_API tonnx_status tonnx_stats_measure(tonnx_stats **out, tonnx_net *net, const tonnx_dataset *data,
                                           const tonnx_stats_options *options);
TONNX_API void tonnx_stats_free(tonnx_stats *stats);

TONNX_END

#endif
