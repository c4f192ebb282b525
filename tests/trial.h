/* A trial: one program, made by hand, with random numbers in its buffers, run on any backend. One maker per instruction
 * kind gives every variant of it, so that tests can loop over kinds × variants × shapes × backends. */
#ifndef TONNX_TESTS_TRIAL_H
#define TONNX_TESTS_TRIAL_H

#include <string.h>

#include "runtime/backend_impl.h"
#include "runtime/rng_impl.h"
#include "support.h"

typedef struct trial {
    tonnx__program *program;
    size_t n, f;    /* the shape asked for */
    size_t depth;   /* of products; 0: some */
    double *values; /* the WORK arena's start, each a float's value */
    uint64_t drawn; /* random numbers so far */
    uint64_t seed;
    size_t align; /* of buffers, in elements; 0: offsets are odd, so that nothing leans on alignment */
    tonnx__feed feed;
    tonnx__record record;
    uint32_t *order;
    float *x;
    unsigned char *bytes;
    int32_t *classes;
} trial;

static inline double trial_uniform(trial *t)
{
    return tonnx__rng_uniform(t->seed, 1, t->drawn++);
}

/* A number that a float holds, in (−3, 3), never within 0.02 of a multiple of ½, where kinks are. */
static inline double trial_number(trial *t)
{
    for (;;) {
        const double x = (double)(float)(6.0 * trial_uniform(t) - 3.0), twice = 2.0 * x;
        if (fabs(twice - round(twice)) > 0.04) return x;
    }
}

static inline void trial_begin(trial *t, size_t n, size_t f, uint64_t seed)
{
    *t = (trial){ .n = n, .f = f, .seed = seed };
    ck_ok(tonnx__alloc(&t->program, 1, sizeof *t->program));
    t->program->rows = n;
    t->program->seed = seed;
    t->program->output = -1;
    t->program->arena_size[TONNX__ARENA_RESULT] = TONNX__RESULTS;
    t->record = (tonnx__record){ .rate = 0.01, .c = { 1.5, 2.5, 1.25, 1.0 }, .rows = n, .step = 7 };
}

static inline void trial_end(trial *t)
{
    tonnx__program_free(t->program);
    free(t->values);
    free(t->order);
    free(t->x);
    free(t->bytes);
    free(t->classes);
}

/* A buffer of WORK, filled with numbers. */
static inline int trial_buffer(trial *t, const char *name, size_t rows, size_t cols)
{
    int buffer = -1;
    size_t *end = &t->program->arena_size[TONNX__ARENA_WORK];
    const size_t at = t->align ? (*end + t->align - 1) / t->align * t->align : *end, next = at + rows * cols + 1;
    ck_ok(tonnx__program_buffer(t->program, &buffer, name, TONNX__ARENA_WORK, rows, cols));
    t->program->buffers[buffer].offset = at;
    t->values = realloc(t->values, next * sizeof *t->values);
    ck_assert_ptr_nonnull(t->values);
    for (size_t i = *end; i < next; i++) t->values[i] = trial_number(t);
    *end = next;
    return buffer;
}

static inline double *trial_values(trial *t, int buffer)
{
    return t->values + t->program->buffers[buffer].offset;
}

static inline int trial_positive(trial *t, const char *name, size_t rows, size_t cols)
{
    const int buffer = trial_buffer(t, name, rows, cols);
    for (size_t i = 0; i < rows * cols; i++) trial_values(t, buffer)[i] = fabs(trial_values(t, buffer)[i]) + 0.25;
    return buffer;
}

static inline tonnx__instruction *trial_add(trial *t, tonnx__kind kind)
{
    tonnx__instruction *code = NULL;
    ck_ok(tonnx__program_add(t->program, &code, kind));
    return code;
}

/* Runs `steps` steps on a backend that is open, and reads all of WORK (and the results, if asked) back. */
static inline void trial_run(trial *t, tonnx__backend *backend, double *work, double *results, size_t steps)
{
    const size_t sizes[TONNX__STATE_ARENAS] = { 0 };
    tonnx__device_state *state = NULL;
    tonnx__exec *exec = NULL;
    tonnx__record records[TONNX__MAX_STEPS];
    const size_t count = t->program->arena_size[TONNX__ARENA_WORK];
    for (size_t s = 0; s < steps; s++) {
        records[s] = t->record;
        records[s].step += s;
    }
    ck_ok(tonnx__device_state_new(&state, backend, sizes));
    ck_ok(tonnx__exec_new(&exec, state, t->program));
    if (count) ck_ok(backend->kind->work_write(exec, 0, count, t->values, TONNX__F64));
    ck_ok(tonnx__exec_run(exec, t->feed.samples ? &t->feed : NULL, t->order, records, steps));
    if (count) ck_ok(backend->kind->work_read(exec, 0, count, work, TONNX__F64));
    if (results) ck_ok(tonnx__exec_results(exec, steps, results));
    tonnx__exec_free(exec);
    tonnx__device_state_free(state);
}

static inline tonnx__backend *trial_open(const char *name, int threads)
{
    tonnx__backend *backend = NULL;
    ck_ok(tonnx__backend_open(&backend, &(tonnx__backend_options){ name, threads, { NULL, NULL }, TONNX_FP32 }));
    return backend;
}

#endif
