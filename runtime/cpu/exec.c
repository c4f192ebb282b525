/* A program made ready: its tasks, their grids and barriers. */
#include "runtime/cpu/exec_impl.h"

#include <stdio.h>
#include <string.h>

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
static float *odd_place(const tonnx__cpu_exec *exec, int index)
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

static tonnx__cpu_operand operand(const tonnx__cpu_exec *exec, int index, bool odd)
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

/* Whether a norm over the batch made what an instruction reads first. */
static bool reads_columns(const tonnx__program *program, const tonnx__instruction *code)
{
    for (const tonnx__instruction *maker = code; maker-- > program->code;)
        if (maker->out[0] == code->in[0]) return maker->kind == TONNX__BATCH_NORM || maker->kind == TONNX__BATCH_NORM_BACK;
    return false;
}

/* In FLOP: some 3 µs a tile, beside which a queue costs little. Both halves of an instruction count as all of it. */
static const double HEAVY = 3e5;

static void add_tasks(tonnx__cpu_exec *exec, const tonnx__instruction *code, bool odd, bool shared)
{
    const tonnx__cpu *cpu = (const tonnx__cpu *)exec->base.state->backend;
    const bool elsewhere = code->kind == TONNX__GATHER ? !odd : odd; /* it gathers for the other kind of step */
    tonnx__cpu_task task[2] = { { .code = code, .kernels = &cpu->kernels, .seed = exec->base.program->seed } };
    task[0].shared = shared;
    task[0].by_columns = reads_columns(exec->base.program, code);
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
static void sink_results(tonnx__cpu_exec *exec, size_t from)
{
    for (size_t i = exec->count; i-- > from;)
        for (tonnx__cpu_task *task = &exec->tasks[i];
             task->result && task + 1 < exec->tasks + exec->count && !tonnx__tasks_conflict(task, task + 1); task++)
            swap(task, task + 1);
}

static void list_tasks(tonnx__cpu_exec *exec)
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
static size_t place_slot(tonnx__cpu_exec *exec, const tonnx__instruction *code, int k, float *at)
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
static size_t place_own(tonnx__cpu_exec *exec)
{
    const tonnx__program *program = exec->base.program;
    size_t end = 0;
    for (size_t i = 0; i < program->code_count; i++)
        for (int k = 0; k < TONNX__MAX_OUT; k++)
            end += place_slot(exec, &program->code[i], k, exec->own ? exec->own + end : NULL);
    return end;
}

static tonnx_status new_own(tonnx__cpu_exec *exec)
{
    const size_t room = place_own(exec);
    const tonnx_status status = room ? tonnx__alloc_aligned(&exec->own, room, sizeof *exec->own) : TONNX_OK;
    if (!status) place_own(exec);
    exec->beside += room;
    return status;
}

static tonnx_status new_batch(tonnx__cpu_exec *exec, const tonnx__instruction *gather)
{
    const tonnx__buffer *buffers = exec->base.program->buffers;
    const size_t features = tonnx__buffer_count(&buffers[gather->out[0]]);
    const size_t targets = gather->out[1] < 0 ? 0 : tonnx__buffer_count(&buffers[gather->out[1]]);
    exec->beside += features + targets;
    return tonnx__alloc_aligned(&exec->odd, features + targets, sizeof(float));
}

/* Unless so many threads were asked for: all, one, or what runs will tell. Between cores that share a cache a meeting costs an
 * eighth of what it does where they are far apart. */
static tonnx_status choose_threads(tonnx__cpu_exec *exec)
{
    const double near = 0.125;
    const tonnx__cpu *cpu = (const tonnx__cpu *)exec->base.state->backend;
    exec->threads = (size_t)tonnx__pool_threads(cpu->pool);
    tonnx__place_barriers(exec->tasks, 2 * exec->count, exec->threads);
    if (cpu->free_choice && exec->threads > 1) {
        const double gain = tonnx__threads_gain(exec->tasks, exec->count, exec->threads, exec->base.program);
        if (gain < near) exec->threads = 1;
        else exec->trial.on = gain < 1;
    }
    return tonnx__alloc_aligned(&exec->queues, exec->threads, sizeof *exec->queues);
}

/* Each thread's features, all of whose lines it asks for itself; where these copies together are a small batch still: gathering is
 * no work to share then, and what is asked for behind a tile is not much. */
static tonnx_status new_copies(tonnx__cpu_exec *exec)
{
    const tonnx__program *program = exec->base.program;
    const tonnx__instruction *gather = gatherer(program);
    if (!gather || exec->threads == 1 || !is_batch(program, gather->out[0])) return TONNX_OK;
    const size_t granule = TONNX__ALIGN / sizeof(float), features = tonnx__buffer_count(&program->buffers[gather->out[0]]);
    if (features > TONNX__BATCH_AHEAD / sizeof(float) / exec->threads) return TONNX_OK;
    exec->copy = tonnx__parts(features, granule) * granule;
    exec->beside += 2 * exec->threads * exec->copy;
    for (size_t i = 0; i < 2 * exec->count; i++) exec->tasks[i].ahead *= exec->threads;
    return tonnx__alloc_aligned(&exec->copies, 2 * exec->threads * exec->copy, sizeof(float));
}

tonnx_status tonnx__cpu_exec_new(tonnx__device_state *state, const tonnx__program *program, tonnx__exec **out)
{
    tonnx__cpu_exec *exec = NULL;
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
    if (!status) status = new_copies(exec);
    if (status) goto out;
    *out = &exec->base;
    exec = NULL;
out:
    if (exec) tonnx__cpu_exec_free(&exec->base);
    return status;
}

void tonnx__cpu_exec_free(tonnx__exec *base)
{
    tonnx__cpu_exec *exec = (tonnx__cpu_exec *)base;
    tonnx__free(exec->tasks);
    tonnx__free(exec->work);
    tonnx__free(exec->odd);
    tonnx__free(exec->copies);
    tonnx__free(exec->own);
    tonnx__free(exec->queues);
    tonnx__meter_free(exec->meter);
    tonnx__free(exec);
}

tonnx_status tonnx__cpu_profile(tonnx__exec *base, tonnx__spent *spent, tonnx__handing *handing)
{
    (void)handing; /* the caller's thread is one of those that work */
    tonnx__cpu_exec *exec = (tonnx__cpu_exec *)base;
    tonnx__meter_free(exec->meter);
    exec->meter = NULL;
    if (!spent) return TONNX_OK;
    for (size_t i = 0; i < exec->count; i++) {
        tonnx__spent *of = &spent[exec->tasks[i].code - base->program->code];
        of->tiles += (uint32_t)exec->tasks[i].tiles;
        of->meets += exec->threads > 1 && exec->tasks[i].barrier;
    }
    return tonnx__meter_new(&exec->meter, spent, exec->count, exec->threads);
}

tonnx_status tonnx__cpu_plan(tonnx__exec *base, const tonnx__feed *feed, void (*line)(void *user, const char *text),
                             void *user)
{
    const tonnx__cpu_exec *exec = (const tonnx__cpu_exec *)base;
    char text[TONNX__INSTRUCTION_TEXT];
    size_t tiles = 0, meets = 0;
    (void)feed;
    for (size_t i = 0; i < exec->count; i++) {
        tiles += exec->tasks[i].tiles;
        meets += exec->tasks[i].barrier;
    }
    snprintf(text, sizeof text, "%s: %zu tasks in %zu tiles, all threads meet %zu times a step%s",
             tonnx__backend_device(base->state->backend), exec->count, tiles, exec->threads == 1 ? 0 : meets,
             exec->threads == 1 ? "; on one thread" : exec->trial.on ? "; or on one thread, where that is faster" : "");
    line(user, text);
    tonnx__program_memory(base->program, sizeof(float), text);
    line(user, text);
    if (!exec->beside) return TONNX_OK;
    snprintf(text, sizeof text, "beside these: %.1f KiB for the next batch and for parts of sums",
             (double)(exec->beside * sizeof(float)) / 1024);
    line(user, text);
    return TONNX_OK;
}

tonnx_status tonnx__cpu_results(tonnx__exec *base, size_t count, double *to)
{
    tonnx__cpu_copy_out(to, ((tonnx__cpu_exec *)base)->results[0], count * TONNX__RESULTS, TONNX__F64);
    return TONNX_OK;
}

tonnx_status tonnx__cpu_work_write(tonnx__exec *exec, size_t offset, size_t count, const void *from,
                                   tonnx__numbers numbers)
{
    tonnx__cpu_copy_in(((tonnx__cpu_exec *)exec)->work + offset, from, count, numbers);
    return TONNX_OK;
}

tonnx_status tonnx__cpu_work_read(tonnx__exec *exec, size_t offset, size_t count, void *to, tonnx__numbers numbers)
{
    tonnx__cpu_copy_out(to, ((tonnx__cpu_exec *)exec)->work + offset, count, numbers);
    return TONNX_OK;
}
