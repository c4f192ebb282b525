/* A sweep: a forward program over all samples of a data set in order, batch after batch, on an existing state. */
#ifndef TONNX_RUNTIME_SWEEP_IMPL_H
#define TONNX_RUNTIME_SWEEP_IMPL_H

#include <stdatomic.h>

#include "runtime/evaluate.h"
#include "runtime/lower/lower_impl.h"

typedef struct tonnx__sweep tonnx__sweep;

/* `goal` says what is computed (its rows are set here; train must be false). Everything is borrowed and outlives the sweep. */
tonnx_status tonnx__sweep_new(tonnx__sweep **out, tonnx__state *state, const tonnx_dataset *data, const tonnx__goal *goal,
                              size_t batch);
void tonnx__sweep_free(tonnx__sweep *sweep);

/* Sweeps end early with TONNX_INTERRUPTED once *stop is set; the flag is borrowed. */
void tonnx__sweep_heed(tonnx__sweep *sweep, const _Atomic bool *stop);

/* Calls `rows` with each batch's outputs, if the goal keeps them; *loss (may be NULL) gets the mean over all samples. */
tonnx_status tonnx__sweep_run(tonnx__sweep *sweep, tonnx_rows_fn rows, void *user, double *loss);

/* A sweep that measures: loss and metrics. */
tonnx_status tonnx__measure(tonnx_metrics *out, tonnx__sweep *sweep, const tonnx_dataset *data, const tonnx__goal *goal);

#endif
