/* A program made ready for the CPU.
 *
 * Unless it is long, the next step's batch is gathered within this step. So there are two batches and two lists of tasks, of
 * even and of odd steps, which differ in which batch they compute with and which they gather. The last step of a run is an
 * even one: its batch lies where the program says.
 *
 * Of a small batch each thread gathers all features for itself, where nobody but the tasks looks at them; those that threads would
 * share are left unused. What one core has just written is further from another than what both have asked for in memory. */
#ifndef TONNX_RUNTIME_CPU_EXEC_IMPL_H
#define TONNX_RUNTIME_CPU_EXEC_IMPL_H

#include "runtime/cpu/cpu_impl.h"
#include "runtime/cpu/queue_impl.h"
#include "runtime/cpu/trial_impl.h"

typedef struct tonnx__cpu_exec {
    tonnx__exec base;
    tonnx__cpu_task *tasks; /* `count` of an even step, then as many of an odd one, in the same order */
    size_t count;
    size_t threads; /* that take part: all of the pool's, or one */
    tonnx__trial trial; /* on where it is in doubt which */
    tonnx__queue *queues; /* one for each of these */
    size_t gather; /* which task gathers; SIZE_MAX: none */
    float *work, *odd; /* the program's own arena; the batch of odd steps */
    float *copies; /* of the batch's features: each thread's of even steps, and of odd ones; NULL where they share one */
    size_t copy;   /* elements of one */
    float *own;    /* what first halves of tasks hand second ones */
    size_t beside; /* elements of `odd`, `copies` and `own` */
    tonnx__meter *meter; /* NULL: nobody asks what the tasks take */
    float results[TONNX__MAX_STEPS][TONNX__RESULTS];
} tonnx__cpu_exec;

#endif
