/* Which variant is fastest here, shape by shape: each that serves is tried, then timed. Measurement chooses among variants
 * that add up alike, so that it shows in no bit. */
#include <stdio.h>

#include "runtime/clock_impl.h"
#include "vulkan/variant_impl.h"

/* How long one is measured for, and how often. */
static const double SECONDS = 0.02, HOPELESS = 3.0;
enum { ROUNDS = 3 };

static const struct measure {
    const char *name;
    tonnx__vk_product product;
} measures[TONNX__VK_SHAPES] = {
#define TONNX_SHAPE(id, tiled, direct, texels, m, n, k) { #id, { m, n, k, 0, TONNX__VK_##id <= TONNX__VK_LOSS, 0, 0 } },
#include "vulkan/shapes.def"
#undef TONNX_SHAPE
};

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

/* Seconds of one product, the least of some rounds; of one that is far behind `least`, what its first run says. */
static tonnx_status time_variant(tonnx__vk *vk, const tonnx__vk_product *p, size_t row, double least, double *best)
{
    tonnx__vk_bench bench;
    size_t count = 1;
    *best = 1e30;
    tonnx_status status = tonnx__vk_bench_open(&bench, vk, p, row);
    if (!status) status = run_for(&bench, 1, best); /* what is made on first use */
    if (!status) status = run_for(&bench, 1, best);
    for (int round = 0; round < ROUNDS && !status && *best < HOPELESS * least; round++) {
        double seconds = 0.0;
        do {
            status = run_for(&bench, count, &seconds);
        } while (!status && seconds < SECONDS && count < TONNX__MAX_STEPS && (count *= 2));
        if (seconds / (double)count < *best) *best = seconds / (double)count;
    }
    tonnx__vk_bench_close(&bench);
    return status;
}

/* All variants that serve; *fastest: a row, from 1 on. */
static tonnx_status time_all(tonnx__vk *vk, const tonnx__vk_product *p, uint8_t *fastest, double *least)
{
    tonnx_status status = TONNX_OK;
    *fastest = 0;
    *least = 1e30;
    for (size_t row = 0; row < TONNX__VK_VARIANTS && !status; row++) {
        double seconds = 1e30;
        bool right = tonnx__vk_variant_serves(vk, row, p);
        if (right) status = tonnx__vk_variant_is_right(vk, row, tonnx__vk_lie(p), &right);
        if (right && !status) status = time_variant(vk, p, row, *least, &seconds);
        if (seconds >= *least) continue;
        *least = seconds;
        *fastest = (uint8_t)(row + 1);
    }
    return status;
}

tonnx_status tonnx__vk_tune_shape(tonnx__vk *vk, tonnx__vk_shape shape, uint32_t lie, char text[TONNX__VK_TUNED])
{
    static const char *const lies[] = { "", ", A transposed", ", B transposed", ", both transposed" };
    tonnx__vk_product p = measures[shape].product;
    uint8_t fastest = 0;
    double seconds = 0.0;
    p.lie = lie | TONNX__VK_WIDE_A | TONNX__VK_WIDE_B;
    tonnx__vk_slice(&p);
    *text = '\0';
    const tonnx_status status = time_all(vk, &p, &fastest, &seconds);
    if (status || !fastest) return status;
    *tonnx__vk_measured(vk, &p) = fastest;
    snprintf(text, TONNX__VK_TUNED, "%s [%zu,%zu] of depth %zu%s: %s, %.1f GFLOP/s", measures[shape].name, p.m, p.n, p.k,
             lies[lie], tonnx__vk_variant_row(fastest - 1u)->name,
             2e-9 * (double)p.m * (double)p.n * (double)p.k / seconds);
    return TONNX_OK;
}

/* What training has: products as they are, of A transposed (weights' gradients), of B transposed (forward). */
tonnx_status tonnx__vk_tune(tonnx__backend *backend, void (*line)(void *user, const char *text), void *user)
{
    tonnx__vk *vk = (tonnx__vk *)backend;
    char text[TONNX__VK_TUNED];
    tonnx_status status = TONNX_OK;
    for (int shape = 0; shape < TONNX__VK_SHAPES && !status; shape++)
        for (uint32_t lie = 0; lie <= TONNX__VK_TRANS_B && !status; lie++) {
            status = tonnx__vk_tune_shape(vk, (tonnx__vk_shape)shape, lie, text);
            if (*text) line(user, text);
        }
    if (!status) tonnx__vk_variants_close(vk);
    return status;
}
