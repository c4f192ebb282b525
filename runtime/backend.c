/* The front door: which backend, and every size and range checked once, so that implementers need not. */
#include "runtime/backend_impl.h"

#include <stdio.h>
#include <string.h>

#include "runtime/clock_impl.h"
#include "runtime/speed_impl.h"

#define TONNX_BACKEND(name, rank) extern const tonnx__backend_kind tonnx__backend_##name;
#include "runtime/backends.def"
#undef TONNX_BACKEND

static const struct backend_row {
    const tonnx__backend_kind *kind;
    int rank;
} rows[] = {
#define TONNX_BACKEND(name, rank) { &tonnx__backend_##name, rank },
#include "runtime/backends.def"
#undef TONNX_BACKEND
};

enum { ROWS = sizeof rows / sizeof *rows };

tonnx_status tonnx_devices(void (*visit)(void *user, const tonnx_device_info *info), void *user)
{
    for (size_t i = 0; i < ROWS; i++) {
        const tonnx_status status = rows[i].kind->devices(visit, user);
        if (status) return status;
    }
    return TONNX_OK;
}

static tonnx_status no_such_backend(const char *name)
{
    char known[256] = "auto";
    for (size_t i = 0; i < ROWS; i++) {
        const size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, ", %s", rows[i].kind->name);
    }
    return tonnx__fail(TONNX_BAD_DEVICE, "backend '%s' is not in this build; there is %s", name, known);
}

static tonnx_status open_kind(const tonnx__backend_kind *kind, tonnx__backend **out, const tonnx__backend_options *options)
{
    if (options->precision != TONNX_FP32 && !kind->bf16)
        return tonnx__fail(TONNX_BAD_DEVICE, "backend %s has no bf16: give --backend cpu, or --precision fp32", kind->name);
    return kind->open(out, options);
}

/* The row with the next lower rank; 0 or less: none that `auto` may take. */
static const struct backend_row *next_row(const struct backend_row *before)
{
    const struct backend_row *next = NULL;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].rank > 0 && (!before || rows[i].rank < before->rank) && (!next || rows[i].rank > next->rank))
            next = &rows[i];
    return next;
}

/* A backend that may be faster, measured; the device has to have room for the parameters. */
static tonnx_status try_other(tonnx__backend **out, tonnx__candidate *c, const struct backend_row *row,
                              const tonnx__backend_options *options, const tonnx__workload *work)
{
    const size_t sizes[TONNX__STATE_ARENAS] = { work->parameters, work->parameters, work->parameters, work->parameters };
    tonnx__device_state *state = NULL;
    const double begin = tonnx__now();
    tonnx_status status = open_kind(row->kind, out, options);
    c->name = row->kind->name;
    c->speed.opening = tonnx__now() - begin;
    if (!status) status = tonnx__device_state_new(&state, *out, sizes);
    tonnx__device_state_free(state);
    if (!status) status = tonnx__speed_measure(&c->speed, *out);
    c->opens = !status;
    if (status) snprintf(c->why, sizeof c->why, "%s", tonnx_last_message());
    return status;
}

/* Whether a run is so short that no other backend is worth a look: on a slow machine, or on this one. */
static bool is_short(const tonnx__speed *speed, const tonnx__workload *work)
{
    static const double WORTH_A_LOOK = 5;
    return tonnx__run_forecast(speed, work) < WORTH_A_LOOK;
}

/* *out is the first choice, opened; it may give way to another. */
static tonnx_status prefer_faster(tonnx__backend **out, const struct backend_row *home,
                                  const tonnx__backend_options *options, const tonnx__workload *work)
{
    static const tonnx__speed slow = { .flops = 5e9, .bytes = 5e9, .latency = 1e-5 };
    tonnx__candidate list[ROWS] = { { .name = home->kind->name, .opens = true } };
    tonnx__backend *opened[ROWS] = { *out };
    char reason[400];
    size_t count = 1;
    if (is_short(&slow, work)) return TONNX_OK;
    const tonnx_status status = tonnx__speed_measure(&list[0].speed, *out);
    if (status) return status;
    for (const struct backend_row *row = home; !is_short(&list[0].speed, work) && (row = next_row(row)); count++)
        try_other(&opened[count], &list[count], row, options, work);
    const size_t chosen = tonnx__choose(list, count, work, reason, sizeof reason);
    for (size_t i = 0; i < count; i++)
        if (i != chosen) tonnx__backend_close(opened[i]);
    *out = opened[chosen];
    tonnx__say(&options->log, TONNX_LOG_INFO, "auto: %s, because %s", list[chosen].name, reason);
    return TONNX_OK;
}

/* `auto`: the first choice that opens; where none does, the first one's reason is the message. */
static tonnx_status open_best(tonnx__backend **out, const tonnx__backend_options *options, const tonnx__workload *work)
{
    const tonnx__backend_options automatic = { "auto", options->threads, options->log, options->precision };
    tonnx_status status = tonnx__fail(TONNX_BAD_DEVICE, "auto may choose none of this build's backends: name one");
    const struct backend_row *home = NULL;
    char reason[400];
    tonnx_status first = TONNX_OK;
    while ((home = next_row(home))) {
        if (!(status = open_kind(home->kind, out, &automatic))) break;
        if (!first) snprintf(reason, sizeof reason, "%s", tonnx_last_message());
        if (!first) first = status;
    }
    if (status && first) status = tonnx__fail(first, "%s", reason);
    if (!status && work) status = prefer_faster(out, home, &automatic, work);
    return status;
}

/* The name up to a colon; what follows it ("vulkan:1") is the backend's to read. */
static bool same_name(const char *kind, const char *name)
{
    const size_t length = strcspn(name, ":");
    return strlen(kind) == length && !strncmp(kind, name, length);
}

tonnx_status tonnx__backend_open(tonnx__backend **out, const tonnx__backend_options *options)
{
    return tonnx__backend_open_for(out, options, NULL);
}

tonnx_status tonnx__backend_open_for(tonnx__backend **out, const tonnx__backend_options *options,
                                     const tonnx__workload *work)
{
    const char *name = options->name ? options->name : "auto";
    *out = NULL;
    if (options->threads < 0)
        return tonnx__fail(TONNX_BAD_USAGE, "threads %d: give 1 or more, or 0 for all cores", options->threads);
    if (!strcmp(name, "auto")) return open_best(out, options, work);
    for (size_t i = 0; i < ROWS; i++)
        if (same_name(rows[i].kind->name, name)) return open_kind(rows[i].kind, out, options);
    return no_such_backend(name);
}

tonnx_status tonnx__nothing_to_tune(tonnx__backend *backend, void (*line)(void *user, const char *text), void *user)
{
    char text[300];
    snprintf(text, sizeof text, "%s: nothing to tune: %s", backend->kind->name, tonnx__backend_device(backend));
    line(user, text);
    return TONNX_OK;
}

tonnx_status tonnx_backend_tune(const char *name, const tonnx_log *log, void (*line)(void *user, const char *text),
                                void *user)
{
    tonnx__backend_options options = { .name = name };
    tonnx__backend *backend = NULL;
    if (log) options.log = *log;
    tonnx_status status = tonnx__backend_open(&backend, &options);
    if (!status) status = backend->kind->tune(backend, line, user);
    if (backend) tonnx__backend_close(backend);
    return status;
}

tonnx_status tonnx__backend_judge(tonnx__backend **out)
{
    const tonnx__backend_options options = { 0 };
    *out = NULL;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].rank < 0) return rows[i].kind->open(out, &options);
    return tonnx__fail(TONNX_BAD_DEVICE, "none of this build's backends judges the others");
}

void tonnx__backend_close(tonnx__backend *backend)
{
    if (backend) backend->kind->close(backend);
}

const char *tonnx__backend_device(const tonnx__backend *backend)
{
    return backend->kind->device(backend);
}

void tonnx__backend_heed(tonnx__backend *backend, const _Atomic bool *stop)
{
    backend->stop = stop;
}

tonnx_status tonnx__abandoned(void)
{
    return tonnx__fail(TONNX_INTERRUPTED, "stopped within a step");
}

tonnx_status tonnx__device_state_new(tonnx__device_state **out, tonnx__backend *backend, const size_t *sizes)
{
    size_t bytes = 0;
    *out = NULL;
    for (int a = 0; a < TONNX__STATE_ARENAS; a++)
        if (!tonnx__mul(&bytes, sizes[a], sizeof(double)))
            return tonnx__fail(TONNX_NO_MEMORY, "arena %s: %zu elements do not fit into memory", tonnx__arena_name(a),
                               sizes[a]);
    for (int a = TONNX__ARENA_GRAD; a <= TONNX__ARENA_MOMENT2; a++)
        if (sizes[a] > sizes[TONNX__ARENA_PARAM])
            return tonnx__fail(TONNX_BAD_USAGE, "arena %s: %zu elements, more than parameters (%zu)",
                               tonnx__arena_name(a), sizes[a], sizes[TONNX__ARENA_PARAM]);
    const tonnx_status status = backend->kind->state_new(backend, sizes, out);
    if (status) return status;
    (*out)->backend = backend;
    memcpy((*out)->sizes, sizes, sizeof(*out)->sizes);
    return TONNX_OK;
}

void tonnx__device_state_free(tonnx__device_state *state)
{
    if (state) state->backend->kind->state_free(state);
}

static tonnx_status check_range(const char *what, size_t offset, size_t count, size_t size)
{
    size_t end = 0;
    if (tonnx__add(&end, offset, count) && end <= size) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_USAGE, "%s: elements %zu to %zu lie beyond its %zu", what, offset, end, size);
}

static tonnx_status check_state_range(const tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count)
{
    if ((unsigned)arena >= TONNX__STATE_ARENAS)
        return tonnx__fail(TONNX_BAD_USAGE, "arena %s is no part of a state", tonnx__arena_name(arena));
    return check_range(tonnx__arena_name(arena), offset, count, state->sizes[arena]);
}

tonnx_status tonnx__device_state_write(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                       const void *from, tonnx__numbers numbers)
{
    const tonnx_status status = check_state_range(state, arena, offset, count);
    if (status || !count) return status;
    return state->backend->kind->state_write(state, arena, offset, count, from, numbers);
}

tonnx_status tonnx__device_state_read(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                      void *to, tonnx__numbers numbers)
{
    const tonnx_status status = check_state_range(state, arena, offset, count);
    if (status || !count) return status;
    return state->backend->kind->state_read(state, arena, offset, count, to, numbers);
}

tonnx_status tonnx__exec_new(tonnx__exec **out, tonnx__device_state *state, const tonnx__program *program)
{
    *out = NULL;
    tonnx_status status = tonnx__program_verify(program);
    for (int a = 0; a < TONNX__STATE_ARENAS && !status; a++)
        if (program->arena_size[a] > state->sizes[a])
            status = tonnx__fail(TONNX_BAD_USAGE, "the program wants %zu elements of arena %s, the state has %zu",
                                 program->arena_size[a], tonnx__arena_name(a), state->sizes[a]);
    if (!status) status = state->backend->kind->exec_new(state, program, out);
    if (status) return status;
    (*out)->state = state;
    (*out)->program = program;
    return TONNX_OK;
}

void tonnx__exec_free(tonnx__exec *exec)
{
    if (exec) exec->state->backend->kind->exec_free(exec);
}

/* The feed against one gather of the program. */
static tonnx_status check_gather(const tonnx__exec *exec, const tonnx__instruction *code, const tonnx__feed *feed)
{
    const tonnx__buffer *buffers = exec->program->buffers;
    const size_t width = !feed ? 0 : feed->classes ? 1 : feed->targets ? feed->width : 0;
    if (!feed || (!feed->x && !feed->x_bytes))
        return tonnx__fail(TONNX_BAD_USAGE, "the program gathers batches, and there is no data to gather from");
    if (feed->features != buffers[code->out[0]].cols)
        return tonnx__fail(TONNX_BAD_DATA, "the data has %zu features, the program %zu", feed->features,
                           buffers[code->out[0]].cols);
    if (code->out[1] >= 0 && width != buffers[code->out[1]].cols)
        return tonnx__fail(TONNX_BAD_DATA, "the data has %zu targets per sample, the program %zu", width,
                           buffers[code->out[1]].cols);
    return TONNX_OK;
}

static tonnx_status check_records(const tonnx__exec *exec, const tonnx__feed *feed, const tonnx__record *records,
                                  size_t count)
{
    for (size_t s = 0; s < count; s++) {
        if (records[s].rows != exec->program->rows)
            return tonnx__fail(TONNX_BAD_USAGE, "record %zu has %zu rows, the program %zu", s, records[s].rows,
                               exec->program->rows);
        const tonnx_status status =
            feed ? check_range("data", records[s].first, records[s].rows, feed->samples) : TONNX_OK;
        if (status) return status;
    }
    return TONNX_OK;
}

static tonnx_status check_feed(const tonnx__exec *exec, const tonnx__feed *feed)
{
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < exec->program->code_count && !status; i++) {
        const tonnx__instruction *code = &exec->program->code[i];
        if (code->kind == TONNX__GATHER) status = check_gather(exec, code, feed);
    }
    return status;
}

tonnx_status tonnx__exec_plan(tonnx__exec *exec, const tonnx__feed *feed, void (*line)(void *user, const char *text),
                              void *user)
{
    const tonnx_status status = check_feed(exec, feed);
    return status ? status : exec->state->backend->kind->plan(exec, feed, line, user);
}

tonnx_status tonnx__exec_run(tonnx__exec *exec, const tonnx__feed *feed, const uint32_t *order,
                             const tonnx__record *records, size_t count)
{
    if (!count) return TONNX_OK;
    if (count > TONNX__MAX_STEPS)
        return tonnx__fail(TONNX_BAD_USAGE, "%zu steps in one run; at most %d", count, TONNX__MAX_STEPS);
    tonnx_status status = check_feed(exec, feed);
    if (!status) status = check_records(exec, feed, records, count);
    if (status) return status;
    if (tonnx__backend_stopped(exec->state->backend)) return tonnx__abandoned();
    return exec->state->backend->kind->run(exec, feed, order, records, count);
}

tonnx_status tonnx__exec_results(tonnx__exec *exec, size_t count, double *to)
{
    if (count > TONNX__MAX_STEPS)
        return tonnx__fail(TONNX_BAD_USAGE, "%zu results of one run; at most %d", count, TONNX__MAX_STEPS);
    return exec->state->backend->kind->results(exec, count, to);
}

static tonnx_status check_buffer(const tonnx__exec *exec, int buffer, const tonnx__buffer **out)
{
    *out = NULL;
    if (buffer < 0 || (size_t)buffer >= exec->program->buffer_count)
        return tonnx__fail(TONNX_BAD_USAGE, "the program has no buffer %d", buffer);
    *out = &exec->program->buffers[buffer];
    if ((*out)->arena == TONNX__ARENA_RESULT)
        return tonnx__fail(TONNX_BAD_USAGE, "buffer %s is a result: results are read with exec_results", (*out)->name);
    return check_range((*out)->name, (*out)->offset, tonnx__buffer_count(*out),
                       exec->program->arena_size[(*out)->arena]);
}

tonnx_status tonnx__exec_write(tonnx__exec *exec, int buffer, const void *from, tonnx__numbers numbers)
{
    const tonnx__buffer *b = NULL;
    const tonnx_status status = check_buffer(exec, buffer, &b);
    if (status) return status;
    if (b->arena != TONNX__ARENA_WORK)
        return tonnx__device_state_write(exec->state, b->arena, b->offset, tonnx__buffer_count(b), from, numbers);
    return exec->state->backend->kind->work_write(exec, b->offset, tonnx__buffer_count(b), from, numbers);
}

tonnx_status tonnx__exec_read(tonnx__exec *exec, int buffer, void *to, tonnx__numbers numbers)
{
    const tonnx__buffer *b = NULL;
    const tonnx_status status = check_buffer(exec, buffer, &b);
    if (status) return status;
    if (b->arena != TONNX__ARENA_WORK)
        return tonnx__device_state_read(exec->state, b->arena, b->offset, tonnx__buffer_count(b), to, numbers);
    return exec->state->backend->kind->work_read(exec, b->offset, tonnx__buffer_count(b), to, numbers);
}

tonnx_status tonnx__exec_profile(tonnx__exec *exec, tonnx__spent *spent, tonnx__handing *handing)
{
    if (handing) *handing = (tonnx__handing){ .pieces = "tiles", .meets = "meets" };
    return exec->state->backend->kind->profile(exec, spent, handing);
}

tonnx_status tonnx__backend_finish(tonnx__backend *backend)
{
    return backend->kind->finish(backend);
}
