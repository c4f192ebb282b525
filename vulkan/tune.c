/* Which variant is fastest here, shape by shape: each that serves is tried, then timed. Measurement chooses among variants
 * that add up alike, so that it shows in no bit. */
#include <stdio.h>

#include "runtime/clock_impl.h"
#include "vulkan/variant_impl.h"

/* How long one is measured for, and how often. */
static const double SECONDS = 0.02;
enum { ROUNDS = 3 };

static const struct measure {
    const char *name;
    tonnx__vk_product product;
} measures[TONNX__VK_SHAPES] = {
#define TONNX_SHAPE(id, tiled, direct, m, n, k) { #id, { m, n, k, 0, TONNX__VK_##id == TONNX__VK_LOSS } },
#include "vulkan/shapes.def"
#undef TONNX_SHAPE
};

typedef struct tuner {
    tonnx__vk *vk;
    void (*line)(void *user, const char *text);
    void *user;
} tuner;

static tonnx_status run_for(const tonnx__vk_bench *bench, size_t count, double *seconds)
{
    tonnx__record records[TONNX__MAX_STEPS] = { { .rows = bench->program->rows, .step = 1 } };
    double results[TONNX__RESULTS];
    for (size_t i = 1; i < count; i++) records[i] = records[0];
    const double begin = tonnx__now();
    tonnx_status status = tonnx__vk_run(bench->exec, NULL, NULL, records, count);
    if (!status) status = tonnx__vk_results(bench->exec, 1, results); /* waits */
    *seconds = tonnx__now() - begin;
    return status;
}

/* Seconds of one product, the least of some rounds. */
static tonnx_status time_variant(tonnx__vk *vk, const tonnx__vk_product *p, size_t row, double *best)
{
    tonnx__vk_bench bench;
    double seconds = 0.0;
    size_t count = 1;
    *best = 1e30;
    tonnx_status status = tonnx__vk_bench_open(&bench, vk, p, row);
    if (!status) status = run_for(&bench, 1, &seconds); /* what is made on first use */
    for (int round = 0; round < ROUNDS && !status; round++) {
        do {
            status = run_for(&bench, count, &seconds);
        } while (!status && seconds < SECONDS && count < TONNX__MAX_STEPS && (count *= 2));
        if (seconds / (double)count < *best) *best = seconds / (double)count;
    }
    tonnx__vk_bench_close(&bench);
    return status;
}

/* All variants that serve; *fastest: a row, from 1 on. */
static tonnx_status time_all(const tuner *t, const tonnx__vk_product *p, uint8_t *fastest, double *least)
{
    tonnx_status status = TONNX_OK;
    *fastest = 0;
    *least = 1e30;
    for (size_t row = 0; row < TONNX__VK_VARIANTS && !status; row++) {
        double seconds = 1e30;
        bool right = tonnx__vk_variant_serves(t->vk, row, p);
        if (right) status = tonnx__vk_variant_is_right(t->vk, row, p->lie, &right);
        if (right && !status) status = time_variant(t->vk, p, row, &seconds);
        if (seconds >= *least) continue;
        *least = seconds;
        *fastest = (uint8_t)(row + 1);
    }
    return status;
}

/* "SMALL [128,256]·[256,128], B transposed: tiled_small, 105 GFLOP/s" */
static void tell(const tuner *t, const struct measure *of, const tonnx__vk_product *p, uint8_t fastest, double seconds)
{
    static const char *const lies[] = { "as they are", "A transposed", "B transposed", "both transposed" };
    char text[160];
    snprintf(text, sizeof text, "%-5s  %5zu x %5zu, depth %5zu, %-15s  %-14s  %8.1f GFLOP/s", of->name, p->m, p->n, p->k,
             lies[p->lie % TONNX__VK_WIDE_A], tonnx__vk_variant_row(fastest - 1u)->name,
             2e-9 * (double)p->m * (double)p->n * (double)p->k / seconds);
    t->line(t->user, text);
}

tonnx_status tonnx__vk_tune(tonnx__backend *backend, void (*line)(void *user, const char *text), void *user)
{
    const tuner t = { (tonnx__vk *)backend, line, user };
    tonnx_status status = TONNX_OK;
    for (size_t s = 0; s < TONNX__VK_SHAPES && !status; s++)
        for (uint32_t lie = 0; lie < TONNX__VK_WIDE_A && !status; lie++) {
            tonnx__vk_product p = measures[s].product;
            uint8_t fastest = 0;
            double seconds = 0.0;
            p.lie = lie | TONNX__VK_WIDE_A | TONNX__VK_WIDE_B;
            status = time_all(&t, &p, &fastest, &seconds);
            if (!fastest || status) continue;
            *tonnx__vk_measured(t.vk, &p) = fastest;
            tell(&t, &measures[s], &p, fastest, seconds);
        }
    if (!status) tonnx__vk_variants_close(t.vk);
    return status;
}
