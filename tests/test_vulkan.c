/* The Vulkan backend against the reference, every variant of every kind, as the device is and as if it had no more than
 * Vulkan promises; the same bits twice. Without a device: skipped, in CI a failure. */
#include "runtime/train_impl.h"

#include "graphs.h"
#include "trial_judge.h"
#include "vulkan/variant_impl.h"
#include "vulkan_suite.h"

static const char *const names[] = { "vulkan", "vulkan:minimum" };
enum { NAMES = sizeof names / sizeof *names };

/* Above 1: a build in which one case stands for some that differ in shaders alone (tests.cmake). */
#ifndef TONNX_TEST_THINNER
#define TONNX_TEST_THINNER 1
#endif
enum { THINNER = TONNX_TEST_THINNER };

/* Whether case `i` is left to others. */
static bool is_spared(size_t i)
{
    return i % THINNER != 0;
}

/* Where each kind has one name only: it is not this one. */
static bool is_others(int kind, int name)
{
    return THINNER > 1 && kind % NAMES != name;
}

START_TEST(vulkan_is_reference)
{
    const int kind = _i / NAMES;
    const char *name = names[_i % NAMES];
    if (is_others(kind, _i % NAMES)) return;
    tonnx__backend *vulkan = trial_open(name, 0);
    check_against_reference(vulkan, kind, name, kind == TONNX__GEMM || kind == TONNX__GEMM_UPDATE ? 12 : 1);
    tonnx__backend_close(vulkan);
}
END_TEST

/* A product whose every number is a sum of many; of more than fit into one slice, if `depth` is long. */
static void product(trial *t, size_t depth)
{
    trial_begin(t, 67, 130, 5);
    t->depth = depth;
    ck_assert(make_GEMM(t, 4 * 3 + 2));
}

enum { DEPTHS = 2 };
static const size_t depths[DEPTHS] = { 0, 2053 };

/* Little of C and much of K: what weights' gradients of long batches are, and outputs of wide layers. Those from 2048 on
 * come in slices however the factors lie, others where A is transposed. */
static const struct deep {
    size_t n, f, depth, align;
} deep[] = { { 10, 128, 1024, 4 }, { 1, 1, 2048, 0 },  { 33, 31, 257, 0 },  { 7, 13, 4099, 0 },
             { 64, 48, 2080, 4 },  { 5, 65, 2053, 0 }, { 131, 67, 521, 0 }, { 32, 12, 4096, 4 } };
enum { DEEP = sizeof deep / sizeof *deep };

static bool check_deep(tonnx__backend *vulkan, tonnx__backend *reference, int kind, const struct deep *d, unsigned v)
{
    trial t;
    trial_begin(&t, d->n, d->f, v);
    t.depth = d->depth;
    t.align = d->align;
    return check_trial(vulkan, reference, kind, &t, v, "in slices");
}

/* Every third variant of a product with one of these shapes: each is compiled first. */
START_TEST(slices_are_reference)
{
    enum { THIN = 3 };
    static const int kinds[] = { TONNX__GEMM, TONNX__GEMM_UPDATE };
    const int kind = kinds[_i / NAMES];
    if (is_others(kind, _i % NAMES)) return;
    tonnx__backend *reference = trial_open("reference", 0), *vulkan = trial_open(names[_i % NAMES], 0);
    for (unsigned s = 0; s < DEEP; s++)
        for (unsigned v = (DEEP - s) % DEEP; check_deep(vulkan, reference, kind, &deep[s], v);) v += THIN * DEEP;
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
}
END_TEST

/* By the shape alone: few tiles, long sums. None is empty, and none has less than a variant takes at once. */
START_TEST(slices_cover_their_product)
{
    for (size_t m = 1; m < 5000; m = m * 3 + 1)
        for (size_t k = 1; k < 100000; k = k * 2 + m % 5)
            for (uint32_t lie = 0; lie < 4; lie++) {
                tonnx__vk_product p = { m, 33, k, lie, false, 0, 0 };
                tonnx__vk_slice(&p);
                ck_assert_msg(p.slices * p.depth >= k && (p.slices - 1) * p.depth < k && p.slices <= 128 &&
                                  p.depth % TONNX__VK_SLICE_UNIT == 0,
                              "[%zu,33] of depth %zu: %zu slices of %zu", m, k, p.slices, p.depth);
                ck_assert(p.slices == 1 || k >= (lie & TONNX__VK_TRANS_A ? 256 : 2048));
            }
}
END_TEST

START_TEST(the_same_bits_twice)
{
    double *work[2] = { NULL, NULL };
    size_t size = 0;
    for (int k = 0; k < 2; k++) {
        trial t;
        tonnx__backend *vulkan = trial_open("vulkan", 0);
        product(&t, depths[_i]);
        size = t.program->arena_size[TONNX__ARENA_WORK] * sizeof *work[k];
        work[k] = calloc(1, size);
        trial_run(&t, vulkan, work[k], NULL, 3);
        trial_end(&t);
        tonnx__backend_close(vulkan);
    }
    ck_assert_int_eq(memcmp(work[0], work[1], size), 0);
    for (int k = 0; k < 2; k++) free(work[k]);
}
END_TEST

/* As a device whose bindings span 36 KiB would have it: operands of more come in parts. */
START_TEST(large_operands_are_split)
{
    static const int kinds[] = { TONNX__GEMM, TONNX__GEMM_UPDATE, TONNX__ACT,     TONNX__COLUMN_SUM,   TONNX__LOSS,
                                 TONNX__COPY, TONNX__UPDATE,      TONNX__SOFTMAX, TONNX__ROW_NORM_BACK };
    enum { SHAPE_97_101 = 7 };
    tonnx__backend *reference = trial_open("reference", 0), *vulkan = trial_open(names[_i % NAMES], 0);
    tonnx__vk *vk = (tonnx__vk *)vulkan;
    vk->limits.range = 36864 + vk->limits.align;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (unsigned v = 0; v % 7 || check_variant(vulkan, reference, kinds[i], SHAPE_97_101, v, "in parts");) v++;
    ck_assert(check_deep(vulkan, reference, TONNX__GEMM, &(struct deep){ 67, 13, 1031, 0 }, TONNX__VK_TRANS_A));
    ck_assert(check_deep(vulkan, reference, TONNX__GEMM_UPDATE, &(struct deep){ 67, 13, 1031, 0 }, TONNX__VK_TRANS_A));
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
}
END_TEST

/* What lies so that four numbers may be read and written at once, by each block that does. */
START_TEST(aligned_operands_go_by_fours)
{
    static const struct {
        int kind;
        unsigned thin;
    } ways[] = { { TONNX__GATHER, 1 }, { TONNX__GEMM, 7 }, { TONNX__GEMM_UPDATE, 3 } };
    static const uint32_t rows[] = { TONNX__VK_VARIANT_direct_broad, TONNX__VK_VARIANT_direct_block,
                                     TONNX__VK_VARIANT_texels_broad, TONNX__VK_VARIANT_texels_block };
    tonnx__backend *reference = trial_open("reference", 0), *vulkan = trial_open("vulkan", 0);
    ((tonnx__vk *)vulkan)->forced = rows[_i] + 1;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        bool has = true;
        for (unsigned v = 0; has; v += THINNER * ways[i].thin) {
            trial t;
            trial_begin(&t, 100, 100, v);
            t.align = 4;
            has = check_trial(vulkan, reference, ways[i].kind, &t, v, "by fours");
        }
    }
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
}
END_TEST

/* More than the 128 MiB that Vulkan promises of a binding. */
START_TEST(more_than_a_binding_spans)
{
    trial t;
    tonnx__backend *reference = trial_open("reference", 0), *vulkan = trial_open("vulkan:minimum", 0);
    trial_begin(&t, 4099, 8209, 1);
    ck_assert(make_COLUMN_SUM(&t, 0));
    const size_t count = t.program->arena_size[TONNX__ARENA_WORK] + 1;
    double *want = calloc(count, sizeof *want), *got = calloc(count, sizeof *got);
    trial_run(&t, reference, want, NULL, 1);
    trial_run(&t, vulkan, got, NULL, 1);
    compare(&t, got, want, "vulkan", 0);
    free(want);
    free(got);
    trial_end(&t);
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
}
END_TEST

/* A net of `depth` dense layers, tanh between them. */
static tonnx_model *dense_net(size_t depth, size_t inputs, size_t width, size_t outputs)
{
    tonnx_model *model = NULL;
    char from[24] = "input", to[24], act[24];
    ck_ok(tonnx__model_new(&model, 17, inputs, outputs));
    for (size_t l = 1; l < depth; l++) {
        snprintf(to, sizeof to, "fc%zu", l);
        snprintf(act, sizeof act, "h%zu", l);
        graph_dense(model, from, to, l == 1 ? inputs : width, width);
        graph_node(model, "Tanh", to, act);
        snprintf(from, sizeof from, "%s", act);
    }
    graph_dense(model, from, "output", depth == 1 ? inputs : width, outputs);
    return model;
}

/* Trains six steps, each of them verified; how many dispatches of a step waited one for the other. */
static size_t train_verified(tonnx_model *model, const tonnx_dataset *data, tonnx_train_options *options)
{
    tonnx_trainer *trainer = NULL;
    tonnx_verification found;
    size_t levels = 0;
    options->steps = 6;
    options->verify = 1;
    ck_ok(tonnx_trainer_new(&trainer, model, data, options));
    ck_ok(tonnx_trainer_run(trainer));
    ck_ok(tonnx_trainer_verification(trainer, &found));
    ck_assert_uint_eq(found.steps, 6);
    ck_assert_msg(found.loss < 1e-6, "%s: loss %g", options->backend, found.loss);
    ck_assert_msg(found.weights < 1e-5, "%s: weights %g in %s", options->backend, found.weights, found.tensor);
    const tonnx__vk_exec *exec = (const tonnx__vk_exec *)trainer->execs[0];
    for (size_t i = 0; i + 1 < exec->count; i++) levels += exec->list[i].barrier;
    tonnx_trainer_free(trainer);
    return levels;
}

/* Of L dense layers: the gather, L products, the last with the loss, L - 1 products back, the last update. Where batches
 * are so long that gradients come in slices, the last one's are one more; what joins the others is one's of those. */
START_TEST(few_dependent_dispatches)
{
    const size_t slices = (size_t)_i, step = slices || THINNER > 1 ? 3 : 1;
    for (size_t depth = 1; depth <= 8; depth += step) {
        tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
        tonnx_model *model = dense_net(depth, 19, 21, 10);
        tonnx_dataset *data = graph_data(slices ? 307 : 198, 19, 10, 0);
        options.backend = "vulkan";
        options.batch = slices ? 307 : 33;
        const size_t levels = train_verified(model, data, &options);
        ck_assert_msg(levels <= 2 * depth + 1 + slices, "%zu layers: %zu levels", depth, levels);
        tonnx_dataset_free(data);
        tonnx_model_free(model);
    }
}
END_TEST

/* The last product takes the loss with it where its rows are whole in a workgroup: every loss, widths on both sides. A
 * product that comes in slices has its loss after it. */
START_TEST(losses_ride_on_products)
{
    static const size_t widths[] = { 2, 33, 65, 33 }, inputs[] = { 19, 19, 19, 2053 };
    static const tonnx_loss losses[] = { TONNX_CROSS_ENTROPY, TONNX_BCE, TONNX_MSE, TONNX_MAE, TONNX_HUBER };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        for (int fancy = 0; !is_spared(i + (size_t)_i) && fancy < (losses[i] == TONNX_CROSS_ENTROPY ? 2 : 1); fancy++) {
            tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
            tonnx_model *model = dense_net(1, inputs[_i], 21, widths[_i]);
            const bool classes = losses[i] == TONNX_CROSS_ENTROPY;
            tonnx_dataset *data = graph_data(198, inputs[_i], classes ? widths[_i] : 0, classes ? 0 : widths[_i]);
            options.backend = names[i % NAMES];
            options.batch = 33;
            options.optimizer = TONNX_SGD;
            options.rate = 0.01;
            options.loss = losses[i];
            options.label_smoothing = fancy ? 0.1 : 0;
            options.balance_classes = fancy;
            train_verified(model, data, &options);
            tonnx_dataset_free(data);
            tonnx_model_free(model);
        }
}
END_TEST

/* Every variant that the device's limits allow: right, however the factors lie. */
START_TEST(variants_multiply)
{
    enum { WIDE = TONNX__VK_WIDE_A | TONNX__VK_WIDE_B };
    static const uint32_t lies[] = { 0, TONNX__VK_TRANS_A | WIDE, TONNX__VK_TRANS_B | WIDE,
                                     TONNX__VK_TRANS_A | TONNX__VK_SLICED | WIDE };
    tonnx__backend *vulkan = trial_open("vulkan", 0);
    tonnx__vk *vk = (tonnx__vk *)vulkan;
    const size_t row = (size_t)_i;
    bool right = tonnx__vk_variant_lawful(tonnx__vk_variant_row(row), &vk->limits);
    for (size_t i = 0; right && i < sizeof lies / sizeof *lies; i++) {
        if (is_spared(row + i)) continue;
        ck_ok(tonnx__vk_variant_is_right(vk, row, lies[i], &right));
        ck_assert_msg(right, "%s, %u", tonnx__vk_variant_row(row)->name, lies[i]);
    }
    tonnx__backend_close(vulkan);
}
END_TEST

/* Which one is used shows in no bit. */
START_TEST(variants_add_up_alike)
{
    tonnx__backend *vulkan = trial_open("vulkan", 0);
    tonnx__vk *vk = (tonnx__vk *)vulkan;
    double *first = NULL;
    for (uint32_t row = 0; row < TONNX__VK_VARIANTS; row += THINNER) {
        trial t;
        product(&t, depths[_i]);
        const size_t count = t.program->arena_size[TONNX__ARENA_WORK];
        double *work = calloc(count, sizeof *work);
        vk->forced = row + 1;
        if (tonnx__vk_variant_lawful(tonnx__vk_variant_row(row), &vk->limits)) {
            trial_run(&t, vulkan, work, NULL, 1);
            if (!first) first = work;
            ck_assert_msg(!memcmp(first, work, count * sizeof *work), "%s", tonnx__vk_variant_row(row)->name);
        }
        if (work != first) free(work);
        trial_end(&t);
    }
    free(first);
    tonnx__backend_close(vulkan);
}
END_TEST

static Suite *vulkan_suite(void)
{
    Suite *suite = suite_create("vulkan");
    TCase *kinds = tcase_create("kinds"), *device = tcase_create("device");
    TCase *variants = tcase_create("variants");
    tcase_set_timeout(kinds, 900);
    tcase_set_timeout(device, 900);
    tcase_set_timeout(variants, 900);
    tcase_add_loop_test(kinds, vulkan_is_reference, 0, TONNX__KINDS * NAMES);
    tcase_add_loop_test(kinds, slices_are_reference, 0, 2 * NAMES);
    tcase_add_test(device, slices_cover_their_product);
    tcase_add_loop_test(device, the_same_bits_twice, 0, DEPTHS);
    tcase_add_loop_test(device, large_operands_are_split, 0, THINNER > 1 ? 1 : NAMES);
    tcase_add_loop_test(device, aligned_operands_go_by_fours, 0, 4);
    tcase_add_test(device, more_than_a_binding_spans);
    tcase_add_loop_test(device, few_dependent_dispatches, 0, 2);
    tcase_add_loop_test(device, losses_ride_on_products, 0, 4);
    tcase_add_loop_test(variants, variants_multiply, 0, TONNX__VK_VARIANTS);
    tcase_add_loop_test(variants, variants_add_up_alike, 0, DEPTHS);
    suite_add_tcase(suite, kinds);
    suite_add_tcase(suite, device);
    suite_add_tcase(suite, variants);
    return suite;
}

int main(void)
{
    return run_on_vulkan(vulkan_suite);
}
