#include "runtime/cpu/queue_impl.h"

#include "runtime/cpu/pool_impl.h"

#include <sched.h>

void tonnx__queue_open(tonnx__queue *queue, const void *work, size_t from, size_t end)
{
    queue->work = work;
    queue->end = end;
    atomic_store(&queue->left, (long)(end - from));
}

bool tonnx__queue_take(tonnx__queue *queue, size_t *tile)
{
    const long left = atomic_fetch_sub(&queue->left, 1);
    if (left > 0) *tile = queue->end - (size_t)left;
    return left > 0;
}

void tonnx__queue_close(tonnx__queue *queue)
{
    enum { LOOKS = 1000 }; /* some tens of µs: then the helper may be waiting for this processor */
    for (long looks = 0; atomic_load(&queue->helpers); looks++) {
        if (looks < LOOKS) tonnx__pause();
        else sched_yield();
    }
}

bool tonnx__queue_help(tonnx__queue *queue, void (*call)(void *arg, const void *work, size_t tile), void *arg)
{
    size_t tile;
    if (atomic_load_explicit(&queue->left, memory_order_relaxed) <= 0) return false; /* leaves the owner its cache line */
    atomic_fetch_add(&queue->helpers, 1);
    const bool took = atomic_load(&queue->left) > 0 && tonnx__queue_take(queue, &tile);
    if (took) call(arg, queue->work, tile);
    atomic_fetch_sub(&queue->helpers, 1);
    return took;
}
