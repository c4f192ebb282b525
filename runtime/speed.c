/* What `auto` goes by: a model of a step's cost with three numbers per backend, which a short measurement gives. */
#include "runtime/speed_impl.h"

#include <stdio.h>

#include "runtime/clock_impl.h"

double tonnx__step_forecast(const tonnx__speed *speed, const tonnx__workload *work)
{
    const double counting = work->flops / speed->flops, moving = work->bytes / speed->bytes;
    return (counting > moving ? counting : moving) + work->chain * speed->latency;
}

double tonnx__run_forecast(const tonnx__speed *speed, const tonnx__workload *work)
{
    return speed->opening + work->steps * tonnx__step_forecast(speed, work);
}

/* Seconds as a person would say them. */
static const char *say_seconds(double seconds, char text[32])
{
    const char *unit = seconds < 1e-3 ? "us" : seconds < 1 ? "ms" : "s";
    const double value = seconds < 1e-3 ? 1e6 * seconds : seconds < 1 ? 1e3 * seconds : seconds;
    snprintf(text, 32, value < 99.5 ? "%.2g %s" : "%.0f %s", value, unit); /* %.2g would write 100 as 1e+02 */
    return text;
}

/* The fastest of all but the first; 0 where none opens. */
static size_t best_other(const tonnx__candidate *list, size_t count, const tonnx__workload *work)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (list[i].opens && (!best || tonnx__run_forecast(&list[i].speed, work) <
                                           tonnx__run_forecast(&list[best].speed, work)))
            best = i;
    return best;
}

size_t tonnx__choose(const tonnx__candidate *list, size_t count, const tonnx__workload *work, char *reason, size_t size)
{
    static const double CLEARLY = 0.8;
    char there[32], here[32];
    const double home = tonnx__run_forecast(&list[0].speed, work);
    const size_t other = best_other(list, count, work);
    if (count == 1) snprintf(reason, size, "the whole run takes about %s there", say_seconds(home, here));
    else if (!other) snprintf(reason, size, "%s", list[count - 1].why);
    if (!other) return 0;
    const double seconds = tonnx__run_forecast(&list[other].speed, work);
    const size_t chosen = seconds < CLEARLY * home ? other : 0;
    snprintf(reason, size, "the run takes about %s there and %s on %s",
             say_seconds(chosen ? seconds : home, there), say_seconds(chosen ? home : seconds, here),
             list[chosen ? 0 : other].name);
    return chosen;
}

/* A program of `count` equal instructions, each of which waits for the one before. */
typedef tonnx_status maker(tonnx__program *program, size_t count);

static tonnx_status add_buffer(tonnx__program *program, int *out, const char *name, size_t rows, size_t cols)
{
    const tonnx_status status = tonnx__program_buffer(program, out, name, TONNX__ARENA_WORK, rows, cols);
    if (status) return status;
    program->buffers[*out].offset = program->arena_size[TONNX__ARENA_WORK];
    program->arena_size[TONNX__ARENA_WORK] += rows * cols;
    return TONNX_OK;
}

enum { SIDE = 512, MANY_ROWS = 1024, MANY_COLS = 2048 };

static tonnx_status make_products(tonnx__program *program, size_t count)
{
    int a = -1, b = -1, c = -1;
    tonnx_status status = add_buffer(program, &a, "A", SIDE, SIDE);
    if (!status) status = add_buffer(program, &b, "B", SIDE, SIDE);
    if (!status) status = add_buffer(program, &c, "C", SIDE, SIDE);
    for (size_t i = 0; i < count && !status; i++) {
        tonnx__instruction *code = NULL;
        status = tonnx__program_add(program, &code, TONNX__GEMM);
        if (status) break;
        code->in[0] = a;
        code->in[1] = b;
        code->out[0] = c;
    }
    return status;
}

static tonnx_status make_copies(tonnx__program *program, size_t count, size_t rows, size_t cols)
{
    int x[2] = { -1, -1 };
    tonnx_status status = add_buffer(program, &x[0], "X", rows, cols);
    if (!status) status = add_buffer(program, &x[1], "Y", rows, cols);
    for (size_t i = 0; i < count && !status; i++) {
        tonnx__instruction *code = NULL;
        status = tonnx__program_add(program, &code, TONNX__COPY);
        if (status) break;
        code->in[0] = x[i % 2];
        code->out[0] = x[1 - i % 2];
        code->width = cols;
    }
    return status;
}

static tonnx_status make_large_copies(tonnx__program *program, size_t count)
{
    return make_copies(program, count, MANY_ROWS, MANY_COLS);
}

static tonnx_status make_small_copies(tonnx__program *program, size_t count)
{
    return make_copies(program, count, 1, 1);
}

/* The shortest of a few runs, the first of which warms up. */
static tonnx_status time_exec(double *out, tonnx__exec *exec)
{
    const tonnx__record record = { .rows = 1 };
    double results[TONNX__RESULTS];
    tonnx_status status = TONNX_OK;
    for (int i = 0; i < 4 && !status; i++) {
        const double begin = tonnx__now();
        status = tonnx__exec_run(exec, NULL, NULL, &record, 1);
        if (!status) status = tonnx__exec_results(exec, 1, results);
        const double seconds = tonnx__now() - begin;
        if (i < 2 || seconds < *out) *out = seconds;
    }
    return status;
}

static tonnx_status time_program(double *out, tonnx__backend *backend, maker *make, size_t count)
{
    const size_t sizes[TONNX__STATE_ARENAS] = { 0 };
    tonnx__program *program = NULL;
    tonnx__device_state *state = NULL;
    tonnx__exec *exec = NULL;
    tonnx_status status = tonnx__alloc(&program, 1, sizeof *program);
    if (status) return status;
    program->rows = 1;
    program->output = program->class_weights = -1;
    program->arena_size[TONNX__ARENA_RESULT] = TONNX__RESULTS;
    status = make(program, count);
    if (!status) status = tonnx__device_state_new(&state, backend, sizes);
    if (!status) status = tonnx__exec_new(&exec, state, program);
    if (!status) status = time_exec(out, exec);
    tonnx__exec_free(exec);
    tonnx__device_state_free(state);
    tonnx__program_free(program);
    return status;
}

/* Of one instruction, without what a run costs by itself. */
static tonnx_status time_one(double *out, tonnx__backend *backend, maker *make, size_t count)
{
    double one = 0, all = 0;
    tonnx_status status = time_program(&one, backend, make, 1);
    if (!status) status = time_program(&all, backend, make, count + 1);
    *out = all > one ? (all - one) / (double)count : 1e-9;
    return status;
}

tonnx_status tonnx__speed_measure(tonnx__speed *speed, tonnx__backend *backend)
{
    double product = 1, copy = 1;
    tonnx_status status = time_one(&speed->latency, backend, make_small_copies, 128);
    if (!status) status = time_one(&product, backend, make_products, 4);
    if (!status) status = time_one(&copy, backend, make_large_copies, 4);
    speed->flops = 2.0 * SIDE * SIDE * SIDE / product;
    speed->bytes = 2.0 * sizeof(float) * MANY_ROWS * MANY_COLS / copy;
    return status;
}
