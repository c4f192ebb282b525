/* A program made ready for the CPU.
 *
 * Unless it is long, the next step's batch is gathered within this step. So there are two batches and two lists of tasks, of
 * even and of odd steps, which differ in which batch they compute with and which they gather. The last step of a run is an
 * even one: its batch lies where the program says. */
#ifndef TONNX_RUNTIME_CPU_EXEC_IMPL_H
#define TONNX_RUNTIME_CPU_EXEC_IMPL_H

#include "runtime/cpu/cpu_impl.h"
#include "runtime/cpu/queue_impl.h"

typedef struct tonnx__cpu_exec {
    tonnx__exec base;
    tonnx__cpu_task *tasks; /* `count` of an even step, then as many of an odd one, in the same order */
    size_t count;
    size_t threads; /* that take part: all of the pool's, or one */
    tonnx__queue *queues; /* one for each of these */
    size_t gather; /* which task gathers; SIZE_MAX: none */
    float *work, *odd; /* the program's own arena; the batch of odd steps */
    float *own;    /* what first halves of tasks hand second ones */
    size_t beside; /* elements of `odd` and `own` */
    tonnx__meter *meter; /* NULL: nobody asks what the tasks take */
    float results[TONNX__MAX_STEPS][TONNX__RESULTS];
} tonnx__cpu_exec;

#endif
