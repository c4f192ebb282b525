/* A program made ready: its tasks, their grids and barriers; and the walk over them.
 *
 * Unless it is long, the next step's batch is gathered within this step. So there are two batches and two lists of tasks, of
 * even and of odd steps, which differ in which batch they compute with and which they gather. The last step of a run is an
 * even one: its batch lies where the program says. */
#include "runtime/cpu/cpu_impl.h"

#include <stdio.h>
#include <string.h>

typedef struct cpu_exec {
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
} cpu_exec;

static void (*const cuts[TONNX__KINDS])(tonnx__cpu_task task[2]) = {
#define TONNX_KIND(id, name, inputs, outputs) tonnx__cpu_cut_##id,
#include "runtime/kinds.def"
#undef TONNX_KIND
};

void tonnx__cpu_copy_in(float *to, const void *from, size_t count, tonnx__numbers numbers)
{
    if (numbers == TONNX__F32) memcpy(to, from, count * sizeof *to);
    else
        for (size_t i = 0; i < count; i++) to[i] = (float)((const double *)from)[i];
}

void tonnx__cpu_copy_out(void *to, const float *from, size_t count, tonnx__numbers numbers)
{
    if (numbers == TONNX__F32) memcpy(to, from, count * sizeof *from);
    else
        for (size_t i = 0; i < count; i++) ((double *)to)[i] = (double)from[i];
}

/* The instruction that gathers a step ahead, the first one; NULL where none does. */
static const tonnx__instruction *gatherer(const tonnx__program *program)
{
    const tonnx__instruction *first = program->code;
    if (program->code_count < 2 || first->kind != TONNX__GATHER) return NULL;
    return tonnx__buffer_count(&program->buffers[first->out[0]]) * sizeof(float) <= TONNX__BATCH_AHEAD ? first : NULL;
}

/* A batch's buffer of odd steps lies in `odd`: features first, then targets. NULL where `index` is none of these. */
static float *odd_place(const cpu_exec *exec, int index)
{
    const tonnx__instruction *gather = exec->odd ? gatherer(exec->base.program) : NULL;
    if (!gather || (index != gather->out[0] && index != gather->out[1])) return NULL;
    return exec->odd + (index == gather->out[0] ? 0 : tonnx__buffer_count(&exec->base.program->buffers[gather->out[0]]));
}

/* Whether a buffer holds the batch's features, and nobody but the tasks looks at it, who only read it. */
static bool is_batch(const tonnx__program *program, int index)
{
    const tonnx__instruction *code = program->code;
    if (program->buffers[index].keep || code->kind != TONNX__GATHER || code->out[0] != index) return false;
    for (size_t i = 1; i < program->code_count; i++)
        for (int k = 0; k < TONNX__MAX_OUT; k++)
            if (code[i].out[k] == index) return false;
    return true;
}

static tonnx__cpu_operand operand(const cpu_exec *exec, int index, bool odd)
{
    if (index < 0) return (tonnx__cpu_operand){ 0 };
    const tonnx__buffer *b = &exec->base.program->buffers[index];
    const tonnx__cpu_state *state = (const tonnx__cpu_state *)exec->base.state;
    const bool result = b->arena == TONNX__ARENA_RESULT;
    const float *arena = result ? exec->results[0] : b->arena == TONNX__ARENA_WORK ? exec->work : state->arenas[b->arena];
    float *moved = odd ? odd_place(exec, index) : NULL;
    return (tonnx__cpu_operand){ .at = moved ? moved : (float *)arena + b->offset,
                                .rows = b->rows,
                                .cols = b->cols,
                                .result = result,
                                .batch = is_batch(exec->base.program, index) };
}

/* In FLOP: some 3 µs, beside which a tile's way to another processor is short. */
static const double HEAVY = 3e5;

static void add_tasks(cpu_exec *exec, const tonnx__instruction *code, bool odd, bool shared)
{
    const tonnx__cpu *cpu = (const tonnx__cpu *)exec->base.state->backend;
    const bool elsewhere = code->kind == TONNX__GATHER ? !odd : odd; /* it gathers for the other kind of step */
    tonnx__cpu_task task[2] = { { .code = code, .kernels = &cpu->kernels, .seed = exec->base.program->seed } };
    task[0].shared = shared;
    for (int k = 0; k < TONNX__MAX_IN; k++) task[0].in[k] = operand(exec, code->in[k], elsewhere);
    for (int k = 0; k < TONNX__MAX_OUT; k++) task[0].out[k] = operand(exec, code->out[k], elsewhere);
    for (int k = 0; k < TONNX__MAX_IN; k++) task[0].result |= task[0].in[k].result;
    for (int k = 0; k < TONNX__MAX_OUT; k++) task[0].result |= task[0].out[k].result;
    task[1] = task[0];
    cuts[code->kind](task);
    for (int half = 0; half < 2; half++) {
        if (!task[half].tiles) continue;
        task[half].heavy = tonnx__instruction_work(exec->base.program, code) >= HEAVY * (double)task[half].tiles;
        exec->tasks[exec->count++] = task[half];
    }
}

static void swap(tonnx__cpu_task *a, tonnx__cpu_task *b)
{
    const tonnx__cpu_task t = *a;
    *a = *b;
    *b = t;
}

/* What ends in a result (the loss' mean) would have threads meet for a number that only the host reads: it goes down the
 * list as far as it may. */
static void sink_results(cpu_exec *exec, size_t from)
{
    for (size_t i = exec->count; i-- > from;)
        for (tonnx__cpu_task *task = &exec->tasks[i];
             task->result && task + 1 < exec->tasks + exec->count && !tonnx__tasks_conflict(task, task + 1); task++)
            swap(task, task + 1);
}

static void list_tasks(cpu_exec *exec)
{
    const tonnx__program *program = exec->base.program;
    bool shared = false;
    for (size_t i = 0; i < program->code_count; i++) shared |= tonnx__gemm_shares(program, &program->code[i]);
    exec->gather = SIZE_MAX;
    for (int odd = 0; odd < 2; odd++) {
        const size_t first = exec->count;
        for (size_t i = 0; i < program->code_count; i++) add_tasks(exec, &program->code[i], odd, shared);
        sink_results(exec, first);
        tonnx__spread_ahead(exec->tasks + first, exec->count - first, program);
        if (!exec->odd) continue;
        exec->gather = 1; /* first of all it would wait for who still works on the step before */
        swap(&exec->tasks[first], &exec->tasks[first + 1]);
    }
    exec->count /= 2;
}

/* Places operand `k` that the halves of an instruction share, of even and odd steps alike; returns its elements. */
static size_t place_slot(cpu_exec *exec, const tonnx__instruction *code, int k, float *at)
{
    size_t count = 0;
    for (size_t i = 0; i < 2 * exec->count; i++) {
        tonnx__cpu_operand *const of[] = { &exec->tasks[i].in[k], &exec->tasks[i].out[k] };
        for (int side = 0; side < 2; side++) {
            if (exec->tasks[i].code != code || !of[side]->own) continue;
            of[side]->at = at;
            count = of[side]->rows * of[side]->cols;
        }
    }
    return count;
}

/* Places all of these; returns how much room they take. */
static size_t place_own(cpu_exec *exec)
{
    const tonnx__program *program = exec->base.program;
    size_t end = 0;
    for (size_t i = 0; i < program->code_count; i++)
        for (int k = 0; k < TONNX__MAX_OUT; k++)
            end += place_slot(exec, &program->code[i], k, exec->own ? exec->own + end : NULL);
    return end;
}

static tonnx_status new_own(cpu_exec *exec)
{
    const size_t room = place_own(exec);
    const tonnx_status status = room ? tonnx__alloc_aligned(&exec->own, room, sizeof *exec->own) : TONNX_OK;
    if (!status) place_own(exec);
    exec->beside += room;
    return status;
}

static tonnx_status new_batch(cpu_exec *exec, const tonnx__instruction *gather)
{
    const tonnx__buffer *buffers = exec->base.program->buffers;
    const size_t features = tonnx__buffer_count(&buffers[gather->out[0]]);
    const size_t targets = gather->out[1] < 0 ? 0 : tonnx__buffer_count(&buffers[gather->out[1]]);
    exec->beside += features + targets;
    return tonnx__alloc_aligned(&exec->odd, features + targets, sizeof(float));
}

static tonnx_status choose_threads(cpu_exec *exec)
{
    const tonnx__cpu *cpu = (const tonnx__cpu *)exec->base.state->backend;
    exec->threads = (size_t)tonnx__pool_threads(cpu->pool);
    tonnx__place_barriers(exec->tasks, 2 * exec->count, exec->threads);
    if (cpu->free_choice && !tonnx__threads_pay(exec->tasks, exec->count, exec->threads, exec->base.program)) exec->threads = 1;
    tonnx__place_barriers(exec->tasks, 2 * exec->count, exec->threads);
    return tonnx__alloc_aligned(&exec->queues, exec->threads, sizeof *exec->queues);
}

tonnx_status tonnx__cpu_exec_new(tonnx__device_state *state, const tonnx__program *program, tonnx__exec **out)
{
    cpu_exec *exec = NULL;
    size_t room = 0;
    if (!tonnx__mul(&room, program->code_count, 4)) return tonnx__fail(TONNX_NO_MEMORY, "too many instructions");
    tonnx_status status = tonnx__alloc(&exec, 1, sizeof *exec);
    if (status) return status;
    exec->base = (tonnx__exec){ state, program };
    status = tonnx__alloc(&exec->tasks, room, sizeof *exec->tasks);
    if (!status) status = tonnx__alloc_aligned(&exec->work, program->arena_size[TONNX__ARENA_WORK], sizeof(float));
    if (!status && gatherer(program)) status = new_batch(exec, gatherer(program));
    if (status) goto out;
    list_tasks(exec);
    status = new_own(exec);
    if (!status) status = choose_threads(exec);
    if (status) goto out;
    *out = &exec->base;
    exec = NULL;
out:
    if (exec) tonnx__cpu_exec_free(&exec->base);
    return status;
}

void tonnx__cpu_exec_free(tonnx__exec *base)
{
    cpu_exec *exec = (cpu_exec *)base;
    tonnx__free(exec->tasks);
    tonnx__free(exec->work);
    tonnx__free(exec->odd);
    tonnx__free(exec->own);
    tonnx__free(exec->queues);
    tonnx__meter_free(exec->meter);
    tonnx__free(exec);
}

typedef struct walk {
    cpu_exec *exec;
    tonnx__pool *pool;
    const tonnx__feed *feed;
    const uint32_t *order;
    const tonnx__record *records;
    size_t steps;
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
    return tonnx__share(task, w->thread, w->run->exec->threads);
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
        do_tile(w->run, &of, i);
        tonnx__ahead_some(&w->ahead, task->ahead);
    }
}

/* The same, where other threads may take part. */
static void do_queue(walker *w, const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    const tonnx__span share = share_of(w, task);
    const job of = { task, step, w->at };
    tonnx__queue *queue = &w->run->exec->queues[w->thread];
    tonnx__queue_open(queue, &of, share.from, share.to);
    for (size_t tile; tonnx__queue_take(queue, &tile);) {
        do_tile(w->run, &of, tile);
        tonnx__ahead_some(&w->ahead, task->ahead);
    }
    tonnx__queue_close(queue);
}

/* A tile of another thread's, by one that waits before its task `at`. */
static void do_others(void *arg, const void *work, size_t tile)
{
    const walker *w = arg;
    const job *of = work;
    tonnx__meter *meter = w->run->exec->meter;
    if (meter) tonnx__meter_waited(meter, w->thread, w->at);
    do_tile(w->run, of, tile);
    if (meter) tonnx__meter_worked(meter, w->thread, of->at);
}

/* Does a tile of the next thread that has some left. */
static bool help(void *arg)
{
    walker *w = arg;
    const cpu_exec *exec = w->run->exec;
    for (size_t i = 1; i < exec->threads; i++)
        if (tonnx__queue_help(&exec->queues[(w->thread + i) % exec->threads], do_others, w)) return true;
    return false;
}

static void meet(walker *w)
{
    tonnx__pool_barrier(w->run->pool, help, w);
}

/* A task of which results lie in the row of this step, and the batch in the feed if `batch` is there. */
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

static const float *batch_of(const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    for (int k = 0; k < TONNX__MAX_IN; k++)
        if (task->in[k].batch) return tonnx__batch_in_feed(step, task->in[k].cols);
    return NULL;
}

static void do_task(walker *w, const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    const float *batch = batch_of(task, step);
    void (*const share)(walker *, const tonnx__cpu_task *, const tonnx__cpu_step *) =
        task->heavy && w->run->exec->threads > 1 ? do_queue : do_share;
    if (!task->result && !batch) {
        share(w, task, step);
        return;
    }
    const tonnx__cpu_task here = moved(task, step->index, batch);
    share(w, &here, step);
}

/* The tasks of step `index` of the run. */
static const tonnx__cpu_task *list_of(const walk *run, size_t index)
{
    return run->exec->tasks + ((run->steps - 1 - index) & 1) * run->exec->count;
}

static tonnx__cpu_step step_of(const walk *run, size_t index)
{
    return (tonnx__cpu_step){ run->feed, run->order, &run->records[index], index };
}

/* Gathers the batch of step `index`, where there is one; the one behind it will be asked for. */
static void gather(walker *w, const tonnx__cpu_task *task, size_t index)
{
    if (index >= w->run->steps) return;
    const tonnx__cpu_step step = step_of(w->run, index);
    do_task(w, task, &step);
    if (index + 1 >= w->run->steps) return;
    const tonnx__cpu_step next = step_of(w->run, index + 1);
    w->ahead = tonnx__ahead_of(task, &next, share_of(w, task));
}

static void walk_step(walker *w, size_t index)
{
    const cpu_exec *exec = w->run->exec;
    const tonnx__cpu_task *list = list_of(w->run, index);
    const tonnx__cpu_step step = step_of(w->run, index);
    for (size_t i = 0; i < exec->count; i++) {
        w->at = i;
        if (list[i].barrier) meet(w);
        if (exec->meter && list[i].barrier) tonnx__meter_waited(exec->meter, w->thread, i);
        if (i == exec->gather) gather(w, &list[i], index + 1);
        else do_task(w, &list[i], &step);
        if (exec->meter) tonnx__meter_worked(exec->meter, w->thread, i);
    }
}

/* The first batch, by the list that gathers for the first step. */
static void walk_first(walker *w)
{
    const cpu_exec *exec = w->run->exec;
    const tonnx__cpu_task *list = list_of(w->run, 0) == exec->tasks ? exec->tasks + exec->count : exec->tasks;
    if (exec->gather == SIZE_MAX) return;
    w->at = exec->gather;
    gather(w, &list[exec->gather], 0);
    if (exec->meter) tonnx__meter_worked(exec->meter, w->thread, exec->gather);
    if (exec->threads > 1) meet(w);
    if (exec->meter) tonnx__meter_waited(exec->meter, w->thread, exec->gather);
}

static void walk_steps(void *arg, int thread)
{
    walker w = { .run = arg, .thread = (size_t)thread };
    if (w.thread >= w.run->exec->threads) return;
    walk_first(&w);
    for (size_t s = 0; s < w.run->steps; s++) walk_step(&w, s);
    if (w.run->exec->threads > 1) meet(&w); /* who helps looks at the run, which ends when all are back */
}

/* What the meter saw of each task in a run of `steps`, added to its instruction. */
static void add_up(cpu_exec *exec, size_t steps)
{
    const tonnx__instruction *code = exec->base.program->code;
    for (size_t i = 0; i < exec->count; i++) {
        const tonnx__cpu_task *task = &exec->tasks[i];
        const bool first = i == 0 || task->code != task[-1].code;
        tonnx__meter_add(exec->meter, i, (size_t)(task->code - code), first ? steps : 0);
    }
}

tonnx_status tonnx__cpu_profile(tonnx__exec *base, tonnx__spent *spent, tonnx__handing *handing)
{
    (void)handing; /* the caller's thread is one of those that work */
    cpu_exec *exec = (cpu_exec *)base;
    tonnx__meter_free(exec->meter);
    exec->meter = NULL;
    if (!spent) return TONNX_OK;
    for (size_t i = 0; i < exec->count; i++) {
        tonnx__spent *of = &spent[exec->tasks[i].code - base->program->code];
        of->tiles += (uint32_t)exec->tasks[i].tiles;
        of->meets += exec->tasks[i].barrier;
    }
    return tonnx__meter_new(&exec->meter, spent, exec->count, exec->threads);
}

tonnx_status tonnx__cpu_plan(tonnx__exec *base, const tonnx__feed *feed, void (*line)(void *user, const char *text),
                             void *user)
{
    const cpu_exec *exec = (const cpu_exec *)base;
    char text[TONNX__INSTRUCTION_TEXT];
    size_t tiles = 0, meets = 0;
    (void)feed;
    for (size_t i = 0; i < exec->count; i++) {
        tiles += exec->tasks[i].tiles;
        meets += exec->tasks[i].barrier;
    }
    snprintf(text, sizeof text, "%s: %zu tasks in %zu tiles, all threads meet %zu times a step%s",
             tonnx__backend_device(base->state->backend), exec->count, tiles, meets,
             exec->threads == 1 ? "; on one thread" : "");
    line(user, text);
    tonnx__program_memory(base->program, sizeof(float), text);
    line(user, text);
    if (!exec->beside) return TONNX_OK;
    snprintf(text, sizeof text, "beside these: %.1f KiB for the next batch and for parts of sums",
             (double)(exec->beside * sizeof(float)) / 1024);
    line(user, text);
    return TONNX_OK;
}

tonnx_status tonnx__cpu_run(tonnx__exec *base, const tonnx__feed *feed, const uint32_t *order,
                            const tonnx__record *records, size_t count)
{
    cpu_exec *exec = (cpu_exec *)base;
    tonnx__pool *pool = ((tonnx__cpu *)base->state->backend)->pool;
    walk w = { exec, pool, feed, order, records, count, false };
    memset(exec->results, 0, count * sizeof exec->results[0]);
    if (exec->meter) tonnx__meter_begin(exec->meter);
    tonnx__pool_run(pool, walk_steps, &w);
    if (exec->meter) add_up(exec, count);
    return atomic_load(&w.left) ? tonnx__abandoned() : TONNX_OK;
}

tonnx_status tonnx__cpu_results(tonnx__exec *base, size_t count, double *to)
{
    tonnx__cpu_copy_out(to, ((cpu_exec *)base)->results[0], count * TONNX__RESULTS, TONNX__F64);
    return TONNX_OK;
}

tonnx_status tonnx__cpu_work_write(tonnx__exec *exec, size_t offset, size_t count, const void *from,
                                   tonnx__numbers numbers)
{
    tonnx__cpu_copy_in(((cpu_exec *)exec)->work + offset, from, count, numbers);
    return TONNX_OK;
}

tonnx_status tonnx__cpu_work_read(tonnx__exec *exec, size_t offset, size_t count, void *to, tonnx__numbers numbers)
{
    tonnx__cpu_copy_out(to, ((cpu_exec *)exec)->work + offset, count, numbers);
    return TONNX_OK;
}
