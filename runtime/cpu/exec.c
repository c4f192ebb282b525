/* A program made ready: its tasks, their grids and barriers; and the walk over them. */
#include "runtime/cpu/cpu_impl.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

typedef struct cpu_exec {
    tonnx__exec base;
    tonnx__cpu_task *tasks;
    size_t count;
    float *work;
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

static tonnx__cpu_operand operand(cpu_exec *exec, int index)
{
    if (index < 0) return (tonnx__cpu_operand){ 0 };
    const tonnx__buffer *b = &exec->base.program->buffers[index];
    const tonnx__cpu_state *state = (const tonnx__cpu_state *)exec->base.state;
    const bool result = b->arena == TONNX__ARENA_RESULT;
    float *arena = result ? exec->results[0] : b->arena == TONNX__ARENA_WORK ? exec->work : state->arenas[b->arena];
    return (tonnx__cpu_operand){ arena + b->offset, b->rows, b->cols, result };
}

static void add_tasks(cpu_exec *exec, const tonnx__instruction *code)
{
    const tonnx__cpu *cpu = (const tonnx__cpu *)exec->base.state->backend;
    tonnx__cpu_task task[2] = { { .code = code, .kernels = cpu->kernels, .seed = exec->base.program->seed } };
    for (int k = 0; k < TONNX__MAX_IN; k++) task[0].in[k] = operand(exec, code->in[k]);
    for (int k = 0; k < TONNX__MAX_OUT; k++) task[0].out[k] = operand(exec, code->out[k]);
    for (int k = 0; k < TONNX__MAX_IN; k++) task[0].result |= task[0].in[k].result;
    for (int k = 0; k < TONNX__MAX_OUT; k++) task[0].result |= task[0].out[k].result;
    task[1] = task[0];
    cuts[code->kind](task);
    for (int half = 0; half < 2; half++)
        if (task[half].tiles) exec->tasks[exec->count++] = task[half];
}

/* BLAS counts in int. */
static tonnx_status check_sizes(const tonnx__program *program)
{
    for (size_t i = 0; i < program->buffer_count; i++) {
        const tonnx__buffer *b = &program->buffers[i];
        if (b->arena == TONNX__ARENA_WORK && (b->rows > INT_MAX || b->cols > INT_MAX))
            return tonnx__fail(TONNX_BAD_DEVICE,
                               "buffer %s [%zu,%zu]: the CPU backend takes at most %d rows and columns", b->name,
                               b->rows, b->cols, INT_MAX);
    }
    return TONNX_OK;
}

tonnx_status tonnx__cpu_exec_new(tonnx__device_state *state, const tonnx__program *program, tonnx__exec **out)
{
    cpu_exec *exec = NULL;
    size_t room = 0;
    tonnx_status status = check_sizes(program);
    if (!status && !tonnx__mul(&room, program->code_count, 2))
        status = tonnx__fail(TONNX_NO_MEMORY, "too many instructions");
    if (!status) status = tonnx__alloc(&exec, 1, sizeof *exec);
    if (status) return status;
    exec->base = (tonnx__exec){ state, program };
    status = tonnx__alloc(&exec->tasks, room, sizeof *exec->tasks);
    if (!status) status = tonnx__alloc_aligned(&exec->work, program->arena_size[TONNX__ARENA_WORK], sizeof(float));
    if (status) goto out;
    for (size_t i = 0; i < program->code_count; i++) add_tasks(exec, &program->code[i]);
    tonnx__place_barriers(exec->tasks, exec->count,
                          (size_t)tonnx__pool_threads(((const tonnx__cpu *)state->backend)->pool));
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

/* Once a stop is asked for, tiles are left out but barriers are not: the threads need not agree on where
 * they stopped. */
static void do_share(walk *w, const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t thread)
{
    const tonnx__span share = tonnx__share(task, thread, (size_t)tonnx__pool_threads(w->pool));
    for (size_t i = share.from; i < share.to; i++)
        if (tonnx__backend_stopped(w->exec->base.state->backend)) atomic_store(&w->left, true);
        else task->tile(task, step, i);
}

/* A task whose results lie in the row of this step. */
static tonnx__cpu_task moved(const tonnx__cpu_task *task, size_t step)
{
    tonnx__cpu_task here = *task;
    for (int k = 0; k < TONNX__MAX_IN; k++)
        if (here.in[k].result) here.in[k].at += step * TONNX__RESULTS;
    for (int k = 0; k < TONNX__MAX_OUT; k++)
        if (here.out[k].result) here.out[k].at += step * TONNX__RESULTS;
    return here;
}

static void walk_step(walk *w, const tonnx__cpu_step *step, size_t thread)
{
    tonnx__meter *meter = w->exec->meter;
    for (size_t i = 0; i < w->exec->count; i++) {
        const tonnx__cpu_task *task = &w->exec->tasks[i];
        if (task->barrier && !(i == 0 && step->index == 0)) tonnx__pool_barrier(w->pool);
        if (meter && task->barrier) tonnx__meter_waited(meter, thread, i);
        if (task->result) {
            const tonnx__cpu_task here = moved(task, step->index);
            do_share(w, &here, step, thread);
        } else {
            do_share(w, task, step, thread);
        }
        if (meter) tonnx__meter_worked(meter, thread, i);
    }
}

static void walk_steps(void *arg, int thread)
{
    walk *w = arg;
    for (size_t s = 0; s < w->steps; s++) {
        const tonnx__cpu_step step = { w->feed, w->order, &w->records[s], s };
        walk_step(w, &step, (size_t)thread);
    }
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
    const tonnx__pool *pool = ((tonnx__cpu *)base->state->backend)->pool;
    tonnx__meter_free(exec->meter);
    exec->meter = NULL;
    if (!spent) return TONNX_OK;
    for (size_t i = 0; i < exec->count; i++) {
        tonnx__spent *of = &spent[exec->tasks[i].code - base->program->code];
        of->tiles += (uint32_t)exec->tasks[i].tiles;
        of->meets += exec->tasks[i].barrier;
    }
    return tonnx__meter_new(&exec->meter, spent, exec->count, (size_t)tonnx__pool_threads(pool));
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
    snprintf(text, sizeof text, "%s: %zu tasks in %zu tiles, all threads meet %zu times a step",
             tonnx__backend_device(base->state->backend), exec->count, tiles, meets);
    line(user, text);
    tonnx__program_memory(base->program, sizeof(float), text);
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
