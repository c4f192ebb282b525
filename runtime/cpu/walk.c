/* The walk over a program's tasks: every thread does its share of each, and of the others' while it would wait for them. */
#include "runtime/clock_impl.h"
#include "runtime/cpu/exec_impl.h"

#include <string.h>

typedef struct walk {
    tonnx__cpu_exec *exec;
    tonnx__pool *pool;
    const tonnx__feed *feed;
    const uint32_t *order;
    const tonnx__record *records;
    size_t steps;
    size_t threads; /* that take part: the exec's, or one */
    _Atomic bool left; /* a tile was left out, for somebody asked to stop */
} walk;

/* One thread's way through a run. */
typedef struct walker {
    walk *run;
    size_t thread, at; /* which task of the list it is at */
    tonnx__ahead ahead;
} walker;

/* What a queue's tiles are of. */
typedef struct job {
    const tonnx__cpu_task *task;
    const tonnx__cpu_step *step;
    size_t at;
} job;

static tonnx__span share_of(const walker *w, const tonnx__cpu_task *task)
{
    return tonnx__share(task, w->thread, w->run->threads);
}

/* Once a stop is asked for, tiles are left out but barriers are not: the threads need not agree on where
 * they stopped. */
static void do_tile(walk *run, const job *of, size_t tile)
{
    if (tonnx__backend_stopped(run->exec->base.state->backend)) atomic_store(&run->left, true);
    else of->task->tile(of->task, of->step, tile);
}

static void do_share(walker *w, const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    const tonnx__span share = share_of(w, task);
    const job of = { task, step, w->at };
    for (size_t i = share.from; i < share.to; i++) {
        w->ahead.left = task->ahead;
        do_tile(w->run, &of, i);
        tonnx__ahead_some(&w->ahead, w->ahead.left);
    }
}

/* The same, where threads that wait may take part. */
static void do_queue(walker *w, const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    const tonnx__span share = share_of(w, task);
    const job of = { task, step, w->at };
    tonnx__queue *queue = &w->run->exec->queues[w->thread];
    tonnx__queue_open(queue, &of, share.from, share.to);
    for (size_t tile; tonnx__queue_take(queue, &tile);) {
        w->ahead.left = task->ahead;
        do_tile(w->run, &of, tile);
        tonnx__ahead_some(&w->ahead, w->ahead.left);
    }
    tonnx__queue_close(queue);
}

/* A tile of another thread's, by one that waits before its task `at`. */
static void do_others(void *arg, const void *work, size_t tile)
{
    const walker *w = arg;
    const job *of = work;
    tonnx__cpu_step step = *of->step;
    const job alike = { of->task, &step, of->at };
    tonnx__meter *meter = w->run->exec->meter;
    step.ahead = NULL; /* the other's */
    if (meter) tonnx__meter_waited(meter, w->thread, w->at);
    do_tile(w->run, &alike, tile);
    if (meter) tonnx__meter_worked(meter, w->thread, of->at);
}

/* Does a tile of the next thread that has one left. */
static bool help(void *arg)
{
    walker *w = arg;
    const tonnx__cpu_exec *exec = w->run->exec;
    for (size_t i = 1; i < w->run->threads; i++)
        if (tonnx__queue_help(&exec->queues[(w->thread + i) % w->run->threads], do_others, w)) return true;
    return false;
}

static void meet(walker *w)
{
    tonnx__pool_barrier(w->run->pool, help, w);
}

/* A task of which results lie in the row of this step, and the batch's features in `batch` unless that is NULL. */
static tonnx__cpu_task moved(const tonnx__cpu_task *task, size_t step, const float *batch)
{
    tonnx__cpu_task here = *task;
    for (int k = 0; k < TONNX__MAX_IN; k++) {
        if (here.in[k].result) here.in[k].at += step * TONNX__RESULTS;
        if (here.in[k].batch && batch) here.in[k].at = (float *)batch; /* tasks read their inputs alone */
    }
    for (int k = 0; k < TONNX__MAX_OUT; k++)
        if (here.out[k].result) here.out[k].at += step * TONNX__RESULTS;
    return here;
}

/* 1: the batch of step `index` of the run is that of odd steps. */
static size_t parity(const walk *run, size_t index)
{
    return (run->steps - 1 - index) & 1;
}

/* The thread's own features of step `index`; NULL where threads share them. */
static float *copy_of(const walker *w, size_t index)
{
    const tonnx__cpu_exec *exec = w->run->exec;
    return exec->copies ? exec->copies + (2 * w->thread + parity(w->run, index)) * exec->copy : NULL;
}

/* Where the batch's features are that a task reads, if not where the program says. */
static const float *batch_of(const walker *w, const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    for (int k = 0; k < TONNX__MAX_IN; k++) {
        if (!task->in[k].batch) continue;
        const float *in_feed = tonnx__batch_in_feed(step, task->in[k].cols);
        return in_feed ? in_feed : copy_of(w, step->index);
    }
    return NULL;
}

static void do_task(walker *w, const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    const float *batch = batch_of(w, task, step);
    tonnx__cpu_task here;
    if (task->result || batch) {
        here = moved(task, step->index, batch);
        task = &here;
    }
    if (task->heavy && w->run->threads > 1) do_queue(w, task, step);
    else do_share(w, task, step);
}

/* The tasks of step `index` of the run. */
static const tonnx__cpu_task *list_of(const walk *run, size_t index)
{
    return run->exec->tasks + parity(run, index) * run->exec->count;
}

static tonnx__cpu_step step_of(const walk *run, size_t index)
{
    return (tonnx__cpu_step){ run->feed, run->order, &run->records[index], index, NULL };
}

/* The features of the other threads' samples, into the thread's own copy. */
static void gather_others(walker *w, const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    const tonnx__span mine = share_of(w, task);
    tonnx__cpu_task here = *task;
    const job of = { &here, step, w->at };
    here.out[1].at = NULL;
    for (size_t i = 0; i < task->tiles; i++)
        if (i < mine.from || i >= mine.to) do_tile(w->run, &of, i);
}

/* Gathers the batch of step `index`, where there is one; the one behind it will be asked for. */
static void gather(walker *w, const tonnx__cpu_task *task, size_t index)
{
    if (index >= w->run->steps) return;
    const tonnx__cpu_step step = step_of(w->run, index), next = step_of(w->run, index + 1);
    tonnx__cpu_task here = *task;
    float *copy = copy_of(w, index);
    if (copy) here.out[0].at = copy;
    do_task(w, &here, &step);
    if (copy) gather_others(w, &here, &step);
    if (index + 1 >= w->run->steps) return;
    w->ahead = tonnx__ahead_of(task, &next, copy ? (tonnx__span){ 0, task->tiles } : share_of(w, task));
}

static void walk_step(walker *w, size_t index)
{
    const tonnx__cpu_exec *exec = w->run->exec;
    const tonnx__cpu_task *list = list_of(w->run, index);
    tonnx__cpu_step step = step_of(w->run, index);
    step.ahead = &w->ahead;
    for (size_t i = 0; i < exec->count; i++) {
        const bool meeting = list[i].barrier && w->run->threads > 1;
        w->at = i;
        if (meeting) meet(w);
        if (exec->meter && meeting) tonnx__meter_waited(exec->meter, w->thread, i);
        if (i == exec->gather) gather(w, &list[i], index + 1);
        else do_task(w, &list[i], &step);
        if (exec->meter) tonnx__meter_worked(exec->meter, w->thread, i);
    }
}

/* The first batch, by the list that gathers for the first step. */
static void walk_first(walker *w)
{
    const tonnx__cpu_exec *exec = w->run->exec;
    const tonnx__cpu_task *list = list_of(w->run, 0) == exec->tasks ? exec->tasks + exec->count : exec->tasks;
    if (exec->gather == SIZE_MAX) return;
    w->at = exec->gather;
    gather(w, &list[exec->gather], 0);
    if (exec->meter) tonnx__meter_worked(exec->meter, w->thread, exec->gather);
    if (w->run->threads > 1) meet(w);
    if (exec->meter) tonnx__meter_waited(exec->meter, w->thread, exec->gather);
}

/* Who helps looks at the run, which is over once all have come to the pool's own barrier: so nobody helps there, but here. */
static void leave(walker *w)
{
    const tonnx__cpu_exec *exec = w->run->exec;
    if (w->run->threads == 1) return;
    w->at = 0; /* what the next run's first task would have waited for */
    meet(w);
    if (exec->meter) tonnx__meter_waited(exec->meter, w->thread, 0);
}

static void walk_steps(void *arg, int thread)
{
    walker w = { .run = arg, .thread = (size_t)thread };
    if (w.thread >= w.run->threads) return;
    walk_first(&w);
    for (size_t s = 0; s < w.run->steps; s++) walk_step(&w, s);
    leave(&w);
}

/* What the meter saw of each task in a run, added to its instruction. */
static void add_up(const walk *run)
{
    tonnx__cpu_exec *exec = run->exec;
    const tonnx__instruction *code = exec->base.program->code;
    for (size_t i = 0; i < exec->count; i++) {
        const tonnx__cpu_task *task = &exec->tasks[i];
        const bool first = i == 0 || task->code != task[-1].code;
        tonnx__meter_add(exec->meter, i, (size_t)(task->code - code), first ? run->steps : 0, run->threads);
    }
}

tonnx_status tonnx__cpu_run(tonnx__exec *base, const tonnx__feed *feed, const uint32_t *order,
                            const tonnx__record *records, size_t count)
{
    tonnx__cpu_exec *exec = (tonnx__cpu_exec *)base;
    tonnx__pool *pool = ((tonnx__cpu *)base->state->backend)->pool;
    const size_t threads = tonnx__trial_alone(&exec->trial) ? 1 : exec->threads;
    const double begin = tonnx__now();
    walk w = { exec, pool, feed, order, records, count, threads, false };
    memset(exec->results, 0, count * sizeof exec->results[0]);
    if (exec->meter) tonnx__meter_begin(exec->meter);
    tonnx__pool_run(pool, walk_steps, &w);
    if (exec->meter) add_up(&w);
    if (atomic_load(&w.left)) return tonnx__abandoned();
    tonnx__trial_ran(&exec->trial, (tonnx__now() - begin) / (double)count);
    return TONNX_OK;
}
