/* Optimizers against PyTorch's trajectories, schedules against hand-computed rates and PyTorch's OneCycleLR, names. */
#include "tests/support.h"

#include <string.h>

#include "runtime/cpu/kernel_impl.h"
#include "runtime/ops/book_impl.h"
#include "runtime/ops/math_f32.h"
#include "tests/golden.h"

typedef tonnx_element_f32 float_step(tonnx_element_f32 e, float g, tonnx_step_f32 s);

static float_step *const float_steps[TONNX_OPTIMIZER_COUNT] = {
#define TONNX_OPTIMIZER(id, ...) tonnx_optim_##id##_f32,
#include "runtime/ops/optimizers.def"
#undef TONNX_OPTIMIZER
};

/* Element i's gradient at step t; golden/make.py computes the same. */
static double gradient(int i, uint64_t t)
{
    return (1 + i) * sin((double)t + 0.7 * i);
}

/* One element's way through `steps` steps, in double and in float. */
static void walk(tonnx_optimizer optimizer, const double *numbers, uint64_t steps, int i, double *p, float *p32)
{
    const double rate = numbers[0], h[6] = { numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], 0 };
    const double start[] = { 0.5, -1.25, 3.0 };
    double m = 0, v = 0, c[4];
    tonnx_element_f32 e = { (float)start[i], 0, 0 };
    *p = start[i];
    for (uint64_t t = 1; t <= steps; t++) {
        tonnx__optimizer_coefficients(optimizer, h, t, c);
        tonnx__optimizer_step(optimizer, p, gradient(i, t), &m, &v, rate, c, h);
        e = float_steps[optimizer](e, (float)gradient(i, t), tonnx_step_of_f32(rate, c, h));
    }
    *p32 = e.p;
}

START_TEST(trajectories_are_pytorchs)
{
    golden *file = golden_open("optimizers.csv");
    bool seen[TONNX_OPTIMIZER_COUNT] = { false };
    while (golden_next(file)) {
        tonnx_optimizer optimizer;
        ck_assert_msg(tonnx_optimizer_named(file->name, &optimizer), "%s", file->name);
        seen[optimizer] = true;
        for (int i = 0; i < 3; i++) {
            double p;
            float p32;
            walk(optimizer, file->values, (uint64_t)file->values[6], i, &p, &p32);
            ck_near(p, file->values[7 + i], 1e-12, 1e-12);
            ck_near((double)p32, file->values[7 + i], 2e-6, 2e-6);
        }
    }
    for (int i = 0; i < TONNX_OPTIMIZER_COUNT; i++) ck_assert_msg(seen[i], "optimizer %d has no golden values", i);
    golden_close(file);
}
END_TEST

/* A step of Adam's by every kind of gradient, on one instruction set: finite where the book's is, to some ulps. */
static void check_extremes(const tonnx__kernels *kernels, double eps)
{
    const float g[] = { 0, 1e-30f, -1e-18f, 1e-12f, 1, -1e12f, 1e18f, -1e25f, INFINITY, -INFINITY, NAN };
    enum { COUNT = sizeof g / sizeof *g };
    const double h[6] = { 0.9, 0.999, eps }, rate = 0.01;
    double c[4];
    float p[COUNT] = { 0 }, m[COUNT] = { 0 }, v[COUNT] = { 0 };
    tonnx__optimizer_coefficients(TONNX_ADAM, h, 1, c);
    const tonnx_step_f32 step = tonnx_step_of_f32(rate, c, h);
    const tonnx__step_rows rows = { .p = p, .m = m, .v = v, .g = g, .rows = 1, .cols = COUNT, .stride = COUNT };
    kernels->update->update[TONNX_ADAM](&rows, rate, c, h);
    for (int i = 0; i < COUNT; i++) {
        const float want = tonnx_optim_ADAM_f32((tonnx_element_f32){ 0, 0, 0 }, g[i], step).p;
        ck_assert_msg(isnan(want)   ? isnan(p[i])
                      : isinf(want) ? p[i] == want
                                    : fabsf(p[i] - want) <= 4e-7f * fabsf(want),
                      "%s, eps %g: gradient %g gives %g, not %g", kernels->name, eps, (double)g[i], (double)p[i],
                      (double)want);
    }
}

START_TEST(kernels_bear_extremes)
{
    for (int isa = 0; isa < tonnx__isa_count(); isa++)
        if (tonnx__isa_runs(isa)) {
            check_extremes(tonnx__isa_kernels(isa), 1e-8);
            check_extremes(tonnx__isa_kernels(isa), 0);
        }
}
END_TEST

/* A moment that is not kept is passed as 0: without momentum nothing changes. */
START_TEST(moments_may_be_dropped)
{
    const double h[6] = { 0, 0.99, 1e-8, 0, 0, 0 }, c[4] = { 0 };
    double p = 1, q = 1, m = 0, n = 0, v = 0;
    for (uint64_t t = 1; t < 9; t++) {
        double none = 0;
        tonnx__optimizer_step(TONNX_RMSPROP, &p, gradient(1, t), &m, &v, 0.1, c, h);
        tonnx__optimizer_step(TONNX_RMSPROP, &q, gradient(1, t), &n, &none, 0.1, c, h);
        ck_near(p, q, 0, 0);
    }
}
END_TEST

START_TEST(defaults_are_pytorchs)
{
    tonnx_optimizer_info info;
    tonnx_optimizer_describe(TONNX_SGD, &info);
    ck_assert_str_eq(info.name, "sgd");
    ck_assert(info.rate == 1e-3 && info.momentum == 0 && isnan(info.beta1) && info.moments == 1 && !info.decoupled);
    tonnx_optimizer_describe(TONNX_ADAMW, &info);
    ck_assert(info.rate == 1e-3 && info.beta2 == 0.999 && info.eps == 1e-8 && info.decay == 1e-2 && info.decoupled);
    tonnx_optimizer_describe(TONNX_RMSPROP, &info);
    ck_assert(info.rate == 1e-2 && info.rho == 0.99 && info.momentum == 0 && isnan(info.beta1));
    tonnx_optimizer_describe(TONNX_NADAM, &info);
    ck_assert(info.rate == 2e-3 && info.moments == 2);
}
END_TEST

static double rate_at(tonnx_schedule schedule, uint64_t t, uint64_t total)
{
    const tonnx_schedule_options options = { 30, 0.1, 0.01 };
    return tonnx__schedule_rate(schedule, &options, 0.2, t, total);
}

START_TEST(schedules_by_hand)
{
    ck_near(rate_at(TONNX_SCHEDULE_constant, 77, 100), 0.2, 0, 0);
    ck_near(rate_at(TONNX_SCHEDULE_plateau, 77, 100), 0.2, 0, 0);
    ck_near(rate_at(TONNX_SCHEDULE_step, 29, 100), 0.2, 0, 1e-15);
    ck_near(rate_at(TONNX_SCHEDULE_step, 30, 100), 0.02, 0, 1e-15);
    ck_near(rate_at(TONNX_SCHEDULE_step, 89, 100), 0.002, 0, 1e-14);
    ck_near(rate_at(TONNX_SCHEDULE_exponential, 3, 100), 0.0002, 0, 1e-14);
    ck_near(rate_at(TONNX_SCHEDULE_linear, 0, 100), 0.2, 0, 0);
    ck_near(rate_at(TONNX_SCHEDULE_linear, 50, 100), 0.105, 0, 1e-15);
    ck_near(rate_at(TONNX_SCHEDULE_linear, 100, 100), 0.01, 0, 1e-14);
    ck_near(rate_at(TONNX_SCHEDULE_cosine, 0, 100), 0.2, 0, 0);
    ck_near(rate_at(TONNX_SCHEDULE_cosine, 25, 100), 0.01 + 0.19 * 0.8535533905932737, 0, 1e-14);
    ck_near(rate_at(TONNX_SCHEDULE_cosine, 50, 100), 0.105, 0, 1e-14);
    ck_near(rate_at(TONNX_SCHEDULE_cosine, 100, 100), 0.01, 0, 1e-14);
}
END_TEST

START_TEST(one_cycle_is_pytorchs)
{
    golden *file = golden_open("one_cycle.csv");
    while (golden_next(file)) {
        const uint64_t total = (uint64_t)file->values[0], t = (uint64_t)file->values[1];
        ck_near(rate_at(TONNX_SCHEDULE_one_cycle, t, total), file->values[2], 1e-16, 1e-12);
    }
    golden_close(file);
}
END_TEST

/* No length of training, however short, gives a rate that is no number. */
START_TEST(schedules_of_few_steps)
{
    const tonnx_schedule_options options = { 0, 0.5, 0.0 };
    for (uint64_t total = 0; total < 12; total++)
        for (uint64_t t = 0; t <= total; t++)
            for (int s = 0; s < TONNX_SCHEDULE_COUNT; s++) {
                const double rate = tonnx__schedule_rate((tonnx_schedule)s, &options, 0.2, t, total);
                ck_assert_msg(rate >= 0 && rate <= 0.2, "%s at %d of %d: %g", tonnx_schedule_name((tonnx_schedule)s),
                              (int)t, (int)total, rate);
            }
}
END_TEST

START_TEST(names)
{
    tonnx_loss loss;
    tonnx_scheme scheme;
    tonnx_schedule schedule;
    ck_assert_str_eq(tonnx_loss_name(TONNX_CROSS_ENTROPY), "cross-entropy");
    ck_assert_str_eq(tonnx_schedule_name(TONNX_SCHEDULE_one_cycle), "one-cycle");
    ck_assert(tonnx_loss_named("cross_entropy", &loss) && loss == TONNX_CROSS_ENTROPY);
    ck_assert(!tonnx_loss_named("cross", &loss) && !tonnx_loss_named("", &loss));
    ck_assert(tonnx_schedule_named("one-cycle", &schedule) && schedule == TONNX_SCHEDULE_one_cycle);
    ck_assert(tonnx_scheme_named("kaiming-normal", &scheme) && scheme == TONNX_INIT_he_normal);
    ck_assert(tonnx_scheme_named("xavier_uniform", &scheme) && scheme == TONNX_INIT_glorot_uniform);
    ck_assert(!tonnx_scheme_named("xavier-", &scheme) && !tonnx_scheme_named("kaiming", &scheme));
    for (int i = 0; i < TONNX_INIT_COUNT; i++)
        ck_assert(tonnx_scheme_named(tonnx_scheme_name((tonnx_scheme)i), &scheme) && (int)scheme == i);
}
END_TEST

START_TEST(activation_texts)
{
    tonnx_activation act;
    double a, b;
    char text[64];
    ck_assert(tonnx__activation_parse("leaky-relu:0.2", &act, &a, &b) && act == TONNX_ACT_leaky_relu && a == 0.2);
    ck_assert(tonnx__activation_parse("rrelu", &act, &a, &b) && a == 0.125 && b > 0.333);
    ck_assert(tonnx__activation_parse("rrelu:0.1:0.3", &act, &a, &b) && a == 0.1 && b == 0.3);
    tonnx__activation_text(act, a, b, text, sizeof text);
    ck_assert_str_eq(text, "rrelu:0.1:0.3");
    tonnx__activation_text(TONNX_ACT_elu, 1.0, 0.0, text, sizeof text);
    ck_assert_str_eq(text, "elu");
    tonnx__activation_text(TONNX_ACT_leaky_relu, (double)0.2f, 0.0, text, sizeof text);
    ck_assert_str_eq(text, "leaky_relu:0.2");
    tonnx__activation_text(TONNX_ACT_NONE, 0, 0, text, sizeof text);
    ck_assert_str_eq(text, "none");
    static const char *const bad[] = { "", "rel", "relu:1", "elu:", "elu:x", "elu:1:2", "elu:nan", "elu: 1", "elu:1 " };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!tonnx__activation_parse(bad[i], &act, &a, &b), "'%s' was taken", bad[i]);
}
END_TEST

START_TEST(rows_by_op)
{
    ck_assert_int_eq(tonnx__activation_by_op("LeakyRelu"), TONNX_ACT_leaky_relu);
    ck_assert_int_eq(tonnx__activation_by_op("Clip"), TONNX_ACT_hard_tanh);
    ck_assert_int_eq(tonnx__activation_by_op("Gelu"), TONNX_ACT_gelu);
    ck_assert_int_eq(tonnx__activation_by_op("Swish"), TONNX_ACT_swish);
    ck_assert_int_eq(tonnx__activation_by_op("none"), TONNX_ACT_NONE);
    ck_assert_int_eq(tonnx__activation_by_op("Gemm"), TONNX_ACT_NONE);
}
END_TEST

START_TEST(gains_are_calculate_gains)
{
    ck_near(tonnx__activation_gain(TONNX_ACT_NONE, 0, 0), 1.0, 0, 0);
    ck_near(tonnx__activation_gain(TONNX_ACT_sigmoid, 0, 0), 1.0, 0, 0);
    ck_near(tonnx__activation_gain(TONNX_ACT_tanh, 0, 0), 5.0 / 3, 0, 1e-15);
    ck_near(tonnx__activation_gain(TONNX_ACT_relu, 0, 0), sqrt(2.0), 0, 1e-15);
    ck_near(tonnx__activation_gain(TONNX_ACT_leaky_relu, 0.2, 0), sqrt(2 / 1.04), 0, 1e-15);
    ck_near(tonnx__activation_gain(TONNX_ACT_selu, 0, 0), 0.75, 0, 0);
}
END_TEST

static Suite *optim_suite(void)
{
    Suite *suite = suite_create("optim");
    TCase *cases = tcase_create("rows");
    tcase_add_test(cases, trajectories_are_pytorchs);
    tcase_add_test(cases, kernels_bear_extremes);
    tcase_add_test(cases, moments_may_be_dropped);
    tcase_add_test(cases, defaults_are_pytorchs);
    tcase_add_test(cases, schedules_by_hand);
    tcase_add_test(cases, one_cycle_is_pytorchs);
    tcase_add_test(cases, schedules_of_few_steps);
    tcase_add_test(cases, names);
    tcase_add_test(cases, activation_texts);
    tcase_add_test(cases, rows_by_op);
    tcase_add_test(cases, gains_are_calculate_gains);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    return run_suite(optim_suite());
}
