/* The judge: a backend against the reference, every variant of an instruction kind, over shapes. */
#ifndef TONNX_TESTS_TRIAL_JUDGE_H
#define TONNX_TESTS_TRIAL_JUDGE_H

#include "trial_kinds.h"

/* Sizes: one, primes, about a vector, about a tile, more than one tile. */
static const size_t shapes[][2] = { { 1, 1 },   { 1, 7 },    { 5, 1 },    { 2, 3 },    { 31, 33 },  { 32, 32 },
                                    { 33, 31 }, { 97, 101 }, { 7, 1031 }, { 1, 4099 }, { 1031, 5 }, { 67, 130 } };

/* Random numbers compared on both sides carry errors of some 6e-8 each: NMSE about 1e-14; ten thousand times that is
 * far from any wrong formula, which gives 1e-4 and more. */
static const double nmse_bound = 1e-10;

static inline void compare(const trial *t, const double *got, const double *want, const char *who, unsigned v)
{
    const tonnx__program *program = t->program;
    for (size_t b = 0; b < program->buffer_count; b++) {
        const tonnx__buffer *buffer = &program->buffers[b];
        double error = 0.0, size = 0.0; /* NaN fails below; an assertion per element would take minutes */
        for (size_t i = buffer->offset; i < buffer->offset + tonnx__buffer_count(buffer); i++) {
            error += (got[i] - want[i]) * (got[i] - want[i]);
            size += want[i] * want[i];
        }
        ck_assert_msg(error <= nmse_bound * size + 1e-20, "%s: %s of %s, variant %u, op %d, [%zu,%zu]: NMSE %g", who,
                      buffer->name, tonnx__kind_name(program->code[0].kind), v, program->code[0].op, t->n, t->f,
                      error / size);
    }
}

/* One variant, if the kind has it, of a trial that has begun, and ends here. */
static inline bool check_trial(tonnx__backend *backend, tonnx__backend *reference, int kind, trial *t, unsigned v,
                               const char *who)
{
    const bool has = makers[kind](t, v);
    if (has) {
        const size_t count = t->program->arena_size[TONNX__ARENA_WORK] + 1;
        double *want = calloc(count, sizeof *want), *got = calloc(count, sizeof *got);
        trial_run(t, reference, want, NULL, 1);
        trial_run(t, backend, got, NULL, 1);
        compare(t, got, want, who, v);
        free(want);
        free(got);
    }
    trial_end(t);
    return has;
}

static inline bool check_variant(tonnx__backend *backend, tonnx__backend *reference, int kind, size_t s, unsigned v,
                                 const char *who)
{
    trial t;
    trial_begin(&t, shapes[s][0], shapes[s][1], s * 1000 + v);
    return check_trial(backend, reference, kind, &t, v, who);
}

/* Every variant with every shape; with `thin` above 1, with one of so many shapes (where each variant is compiled
 * first). */
static inline void check_against_reference(tonnx__backend *backend, int kind, const char *who, unsigned thin)
{
    tonnx__backend *reference = trial_open("reference", 0);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        unsigned v = 0;
        while ((v + s) % thin || check_variant(backend, reference, kind, s, v, who)) v++;
    }
    tonnx__backend_close(reference);
}

#endif
