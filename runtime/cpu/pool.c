#define _GNU_SOURCE /* sched_getaffinity */
#include "runtime/cpu/pool_impl.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* Something to wait for: a number that only grows. Who waits spins first, then sleeps. */
typedef struct gate {
    _Atomic unsigned turn;
    _Atomic int sleepers;
    pthread_mutex_t lock;
    pthread_cond_t moved;
} gate;

typedef struct worker {
    pthread_t thread;
    tonnx__pool *pool;
    int index;
} worker;

struct tonnx__pool {
    int threads;
    long spin_ns; /* beyond a short look; 0 where there are more threads than processors: it would take what it waits for */
    gate start, meet;
    _Atomic int arrived;
    void (*work)(void *arg, int thread); /* NULL: the pool is closing */
    void *arg;
    worker *workers; /* threads − 1 of them; [i] is thread i + 1 */
    int started;
};

/* How long to spin; from when on to offer the processor to others at each look, for the one who is waited for may be
 * among them. Waking a sleeper takes a virtual machine some 50 µs, in which the waker would fall asleep in turn. And from when on to
 * help, and to help again behind a task of others that is done: who is late by a tile is best left alone, for a tile's weights
 * would go to the helper's core, and back a step later. Who does not spin helps at once, as it would sleep before. */
enum { SPIN_NS = 1000000, ALONE_NS = 20000, PATIENCE_NS = 30000, SPINS_PER_LOOK = 64 };

void tonnx__pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void gate_init(gate *g)
{
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->moved, NULL);
}

static void gate_destroy(gate *g)
{
    pthread_cond_destroy(&g->moved);
    pthread_mutex_destroy(&g->lock);
}

/* A sleeper counts itself before it looks at `turn` again, and the opener moves `turn` before it looks for sleepers
 * (all sequentially consistent), so one of them sees the other. */
static void gate_open(gate *g)
{
    atomic_fetch_add(&g->turn, 1);
    if (!atomic_load(&g->sleepers)) return;
    pthread_mutex_lock(&g->lock);
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

static void gate_sleep(gate *g, unsigned seen)
{
    atomic_fetch_add(&g->sleepers, 1);
    pthread_mutex_lock(&g->lock);
    while (atomic_load(&g->turn) == seen) pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
    atomic_fetch_sub(&g->sleepers, 1);
}

/* Looks a while; returns whether `turn` is no longer `seen`. */
static bool gate_look(gate *g, unsigned seen)
{
    for (int i = 0; i < SPINS_PER_LOOK; i++) {
        if (atomic_load_explicit(&g->turn, memory_order_acquire) != seen) return true;
        tonnx__pause();
    }
    return false;
}

/* Returns once `turn` is no longer `seen`. After some patience help(arg), where there is such, does what there is to do; false: nothing. */
static void gate_wait(gate *g, unsigned seen, long spin_ns, bool (*help)(void *arg), void *arg)
{
    const long patience = spin_ns ? PATIENCE_NS : 0;
    long begin = now_ns(), spun = 0;
    do {
        while (help && spun >= patience && atomic_load_explicit(&g->turn, memory_order_acquire) == seen && help(arg)) begin = now_ns();
        if (gate_look(g, seen)) return;
        if (spun > ALONE_NS) sched_yield();
        spun = now_ns() - begin;
    } while (spun < spin_ns);
    gate_sleep(g, seen);
}

void tonnx__pool_barrier(tonnx__pool *pool, bool (*help)(void *arg), void *arg)
{
    if (pool->threads == 1) return;
    const unsigned seen = atomic_load(&pool->meet.turn); /* cannot move before this thread has arrived */
    if (atomic_fetch_add(&pool->arrived, 1) + 1 == pool->threads) {
        atomic_store(&pool->arrived, 0);
        gate_open(&pool->meet);
    } else {
        gate_wait(&pool->meet, seen, pool->spin_ns, help, arg);
    }
}

static void *worker_main(void *arg)
{
    const worker *self = arg;
    tonnx__pool *pool = self->pool;
    for (unsigned turn = 0;; turn++) {
        gate_wait(&pool->start, turn, pool->spin_ns, NULL, NULL);
        if (!pool->work) return NULL;
        pool->work(pool->arg, self->index);
        tonnx__pool_barrier(pool, NULL, NULL);
    }
}

void tonnx__pool_run(tonnx__pool *pool, void (*work)(void *arg, int thread), void *arg)
{
    pool->work = work;
    pool->arg = arg;
    if (pool->threads > 1) gate_open(&pool->start);
    work(arg, 0);
    tonnx__pool_barrier(pool, NULL, NULL);
}

/* Signals are the process's own affair: its handlers run on its threads, never on ours. */
static tonnx_status start_workers(tonnx__pool *pool)
{
    sigset_t all, old;
    tonnx_status status = TONNX_OK;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (int i = 0; i < pool->threads - 1 && !status; i++) {
        pool->workers[i] = (worker){ .pool = pool, .index = i + 1 };
        if (pthread_create(&pool->workers[i].thread, NULL, worker_main, &pool->workers[i]))
            status = tonnx__fail(TONNX_NO_MEMORY,
                                 "out of memory or of threads: thread %d of %d could not be started; "
                                 "give fewer --threads",
                                 i + 2, pool->threads);
        else pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return status;
}

tonnx_status tonnx__pool_new(tonnx__pool **out, int threads)
{
    tonnx__pool *pool = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&pool, 1, sizeof *pool);
    if (status) return status;
    pool->threads = threads;
    pool->spin_ns = threads <= tonnx__cpu_count() ? SPIN_NS : 0;
    gate_init(&pool->start);
    gate_init(&pool->meet);
    status = tonnx__alloc(&pool->workers, (size_t)threads - 1, sizeof *pool->workers);
    if (!status) status = start_workers(pool);
    if (status) tonnx__pool_free(pool);
    else *out = pool;
    return status;
}

void tonnx__pool_free(tonnx__pool *pool)
{
    if (!pool) return;
    pool->work = NULL;
    gate_open(&pool->start);
    for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
    gate_destroy(&pool->start);
    gate_destroy(&pool->meet);
    tonnx__free(pool->workers);
    tonnx__free(pool);
}

int tonnx__pool_threads(const tonnx__pool *pool)
{
    return pool->threads;
}

int tonnx__cpu_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}
