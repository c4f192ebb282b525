/* A thread's tiles of the task it is at, in a queue from which a thread that waits for it may take one (work stealing; here both
 * take from the same end of one counter). The owner stays with the task until every tile that was taken is done, so for all others
 * a tile is done when the owner would have done it. Which thread does a tile changes no bit of it.
 *
 * A helper counts itself before it looks whether a tile is left, and the owner empties the queue before it looks for helpers (all
 * sequentially consistent): so who has seen a tile is waited for, and what the queue says holds until it is done. */
#ifndef TONNX_RUNTIME_CPU_QUEUE_IMPL_H
#define TONNX_RUNTIME_CPU_QUEUE_IMPL_H

#include "runtime/mem_impl.h"

#include <stdatomic.h>

/* Empty when all is 0. No two queues share a cache line. */
typedef struct tonnx__queue {
    _Alignas(TONNX__ALIGN) _Atomic long left; /* tiles that nobody has taken; below 0: so many looked in vain */
    _Atomic long helpers;                     /* other threads that look at the queue or do a tile of it */
    size_t end;                               /* the tile behind the last */
    const void *work;                         /* what the tiles are of */
} tonnx__queue;

/* The owner's part. Opens the queue with tiles from … end − 1 of `work`, which stays as it is until the queue is closed. */
void tonnx__queue_open(tonnx__queue *queue, const void *work, size_t from, size_t end);

/* The next tile; false: none is left. */
bool tonnx__queue_take(tonnx__queue *queue, size_t *tile);

/* Returns when the queue is empty and its tiles that others took are done. */
void tonnx__queue_close(tonnx__queue *queue);

/* Another thread's part: takes a tile and has it done by call(arg, work, tile). False where none is left. */
bool tonnx__queue_help(tonnx__queue *queue, void (*call)(void *arg, const void *work, size_t tile), void *arg);

#endif
