/* The CPU backend's threads. They live as long as the pool; between jobs and at barriers they spin for a moment (a
 * step's instructions follow each other within microseconds) and then sleep. */
#ifndef TONNX_RUNTIME_CPU_POOL_IMPL_H
#define TONNX_RUNTIME_CPU_POOL_IMPL_H

#include "runtime/mem_impl.h"

typedef struct tonnx__pool tonnx__pool;

/* `threads` ≥ 1, the caller of run among them. */
tonnx_status tonnx__pool_new(tonnx__pool **out, int threads);
void tonnx__pool_free(tonnx__pool *pool);

int tonnx__pool_threads(const tonnx__pool *pool);

/* Calls work(arg, thread) once on every thread, the caller's being thread 0, and waits for all. One run at a time. */
void tonnx__pool_run(tonnx__pool *pool, void (*work)(void *arg, int thread), void *arg);

/* Inside a run: waits until every thread has come here. What any of them wrote before, all of them see after. Who waits long calls
 * help(arg), where that is not NULL: it may do something for those who have not come, and returns whether it did. The last help may
 * return when others have gone on. */
void tonnx__pool_barrier(tonnx__pool *pool, bool (*help)(void *arg), void *arg);

/* What a processor is told while it looks again and again. */
void tonnx__pause(void);

/* How many processors this process may use. */
int tonnx__cpu_count(void);

#endif
