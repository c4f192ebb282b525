/* What each task of an exec takes, thread by thread. Every thread writes on its own page, and a run's pages are added
 * up when it has ended. */
#ifndef TONNX_RUNTIME_CPU_METER_IMPL_H
#define TONNX_RUNTIME_CPU_METER_IMPL_H

#include "runtime/backend_impl.h"

typedef struct tonnx__meter tonnx__meter;

/* For `tasks` tasks on `threads` threads; what is added up goes to `spent`, the caller's. */
tonnx_status tonnx__meter_new(tonnx__meter **out, tonnx__spent *spent, size_t tasks, size_t threads);
void tonnx__meter_free(tonnx__meter *meter);

/* A run begins: all threads' clocks start, so that the way to their first task counts as waiting for it. */
void tonnx__meter_begin(tonnx__meter *meter);

/* On thread `thread`: the time since its last mark was spent waiting for, or working on, this task. */
void tonnx__meter_waited(tonnx__meter *meter, size_t thread, size_t task);
void tonnx__meter_worked(tonnx__meter *meter, size_t thread, size_t task);

/* The run has ended: what the `threads` that took part spent on a task, as a mean, and `calls`, go to an instruction. */
void tonnx__meter_add(tonnx__meter *meter, size_t task, size_t instruction, size_t calls, size_t threads);

#endif
