/* How fast a backend is, how much work a run is, and what the one takes for the other. */
#ifndef TONNX_RUNTIME_SPEED_IMPL_H
#define TONNX_RUNTIME_SPEED_IMPL_H

#include "runtime/backend_impl.h"

typedef struct tonnx__speed {
    double flops, bytes; /* a second: of matrix products; read and written */
    double latency;      /* s from one instruction to the next that waits for it */
    double opening;      /* s, once */
} tonnx__speed;

typedef struct tonnx__workload {
    double flops, bytes; /* of a step */
    double chain;        /* its instructions that wait one for the other */
    double steps;
    size_t parameters;
} tonnx__workload;

/* Seconds of a step; of the whole run. */
double tonnx__step_forecast(const tonnx__speed *speed, const tonnx__workload *work);
double tonnx__run_forecast(const tonnx__speed *speed, const tonnx__workload *work);

/* Some products, copies and chains, timed; `opening` is left alone. Some tens of milliseconds. */
tonnx_status tonnx__speed_measure(tonnx__speed *speed, tonnx__backend *backend);

/* A backend that `auto` may take. */
typedef struct tonnx__candidate {
    const char *name;
    bool opens;
    char why[300]; /* where it does not */
    tonnx__speed speed;
} tonnx__candidate;

/* The fastest for that run; the first, unless another is clearly faster, for what is measured shortly is measured roughly.
 * `reason` says why, to be read after "auto: NAME, because ". */
size_t tonnx__choose(const tonnx__candidate *list, size_t count, const tonnx__workload *work, char *reason, size_t size);

#endif
