/* What the files of the statistics share. */
#ifndef TONNX_RUNTIME_STATS_IMPL_H
#define TONNX_RUNTIME_STATS_IMPL_H

#include "runtime/lower/lower_impl.h"
#include "runtime/moments_impl.h"
#include "runtime/stats.h"

/* A layer as it is told: an activation or head joined to the dense layer right before it, whose value nothing else reads. */
typedef struct tonnx__told {
    size_t layer;      /* the dense layer, or the one that is told alone */
    int act;           /* the layer that activates: the joined one, or itself; -1 where none does */
    int before, after; /* values: what enters the activation, what leaves; both the logits where it is the head */
} tonnx__told;

/* One per told layer, in order; the caller frees. */
tonnx_status tonnx__net_told(tonnx__told **out, size_t *count, const tonnx_net *net);

/* Outputs beyond these count as saturated: the op book's row, hard tanh's by its own limits. */
void tonnx__saturation(const tonnx__layer *layer, double *below, double *above);

/* A survey: what the net's values are on a data set, unit by unit, on an existing state; and, where the goal has a
 * loss, its mean and (with collect) the gradients in MOMENT1. */
typedef struct tonnx__survey {
    tonnx__state *state;       /* borrowed */
    const tonnx_dataset *data; /* borrowed */
    tonnx__goal goal;
    size_t batch;
    struct tonnx__pass {
        tonnx__program *programs[2]; /* a full batch, and the rows that are left */
        tonnx__exec *execs[2];
        tonnx__probe *probes[2]; /* per value */
    } pass;
    tonnx__moments **units;       /* per value, per unit; NULL where the value is not computed */
    uint64_t (*bins)[TONNX_BINS]; /* per value */
    float *room;                  /* for what is read back */
    double loss;
} tonnx__survey;

/* `goal` as for a sweep; rows, probing and probes are set here. Everything is borrowed and outlives the survey. */
tonnx_status tonnx__survey_new(tonnx__survey **out, tonnx__state *state, const tonnx_dataset *data,
                               const tonnx__goal *goal, size_t batch);
void tonnx__survey_free(tonnx__survey *survey);

/* Sweeps over the data; what an earlier run found is forgotten. */
tonnx_status tonnx__survey_run(tonnx__survey *survey);

/* Sweeps again and fills `bins`, from each value's least to its greatest. */
tonnx_status tonnx__survey_bins(tonnx__survey *survey);

/* The first `rows` samples once more: `take` is called for every value that is computed, which stands in `buffer`. */
tonnx_status tonnx__survey_rows(tonnx__survey *survey, size_t rows,
                                tonnx_status (*take)(void *user, int value, tonnx__exec *exec, int buffer), void *user);

/* All units of a value together. */
tonnx__moments tonnx__survey_value(const tonnx__survey *survey, int value);

/* What a survey found, as layers of *stats (which hold their numbers already). Maps are made too where `map_samples`. */
tonnx_status tonnx__stats_layers(tonnx_stats *stats, tonnx__survey *survey, size_t map_samples);

/* tonnx_stats_measure on a backend that is open; `options` are taken as they are. */
tonnx_status tonnx__stats_on(tonnx_stats **out, tonnx_net *net, tonnx__backend *backend, const tonnx_dataset *data,
                             tonnx_stats_options *options);

/* Room for the layers of a net, their numbers and nothing else known; and their arrays freed. */
tonnx_status tonnx__stats_tell(tonnx_stats *stats, const tonnx_net *net);
void tonnx__stats_layers_clear(tonnx_stats *stats);

/* Every parameter's values, into weights that have their numbers. */
tonnx_status tonnx__stats_values(tonnx_stats *stats, const tonnx_net *net, tonnx__backend *backend, bool histograms);
tonnx_status tonnx__stats_spectra(tonnx_stats *stats, const tonnx_net *net);

/* The collected gradients and the step that they would make. `goal` has the optimizer, `rate` its rate. */
tonnx_status tonnx__stats_gradients(tonnx_stats *stats, tonnx__state *state, const tonnx__goal *goal, double rate,
                                    bool histograms);

/* Losses of answers that know nothing of the sample. */
tonnx_status tonnx__stats_baseline(tonnx_stats *stats, const tonnx_net *net, const tonnx_dataset *data,
                                   const tonnx__goal *goal);

extern const tonnx_summary tonnx__no_summary;

/* Where bins begin and how many there are in a unit, so that [min, max] is covered by TONNX_BINS of them. */
void tonnx__bin_range(double min, double max, float range[2]);

#endif
