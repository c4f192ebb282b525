/* `auto`: the cost model by hand-computed values, the choice among injected devices, and a measurement that is believable. */
#include <string.h>

#include "runtime/speed_impl.h"
#include "tests/support.h"

/* 784-128-10, batch 32, as a number for each: 0.02 GFLOP, 4 MB, 5 in a row. */
static const tonnx__workload small = { .flops = 2e7, .bytes = 4e6, .chain = 5, .steps = 100000, .parameters = 100 };
static const tonnx__workload brief = { .flops = 2e7, .bytes = 4e6, .chain = 5, .steps = 2000, .parameters = 100 };
static const tonnx__workload large = { .flops = 1e12, .bytes = 4e9, .chain = 7, .steps = 100, .parameters = 100 };

static const tonnx__candidate cpu = { "cpu", true, "", { .flops = 2e11, .bytes = 1e10, .latency = 1e-6 } };
static const tonnx__candidate gpu = { "gpu", true, "", { .flops = 1e13, .bytes = 5e11, .latency = 1e-5, .opening = 0.5 } };
static const tonnx__candidate slow = { "slow", true, "", { .flops = 4e11, .bytes = 2e10, .latency = 2e-4, .opening = 0.4 } };
static const tonnx__candidate none = { "none", false, "there is no GPU here", { .flops = 1 } };

START_TEST(forecasts_are_those_by_hand)
{
    ck_near(tonnx__step_forecast(&cpu.speed, &small), 4e-4 + 5e-6, 0, 1e-12);  /* moving 4e-4, counting 1e-4 */
    ck_near(tonnx__step_forecast(&gpu.speed, &small), 8e-6 + 5e-5, 0, 1e-12);  /* moving 8e-6, counting 2e-6 */
    ck_near(tonnx__step_forecast(&cpu.speed, &large), 5 + 7e-6, 0, 1e-12);     /* counting 5, moving 0.4 */
    ck_near(tonnx__run_forecast(&gpu.speed, &small), 0.5 + 5.8, 0, 1e-12);
    ck_near(tonnx__run_forecast(&gpu.speed, &large), 0.5 + 100 * (0.1 + 7e-5), 0, 1e-12);
}
END_TEST

static void expect(const tonnx__candidate *list, size_t count, const tonnx__workload *work, size_t want, const char *why)
{
    char reason[400];
    ck_assert_uint_eq(tonnx__choose(list, count, work, reason, sizeof reason), want);
    ck_assert_str_eq(reason, why);
}

START_TEST(the_clearly_faster_is_chosen)
{
    expect((tonnx__candidate[]){ cpu, gpu }, 2, &small, 1, "the run takes about 6.3 s there and 40 s on cpu");
    expect((tonnx__candidate[]){ cpu, gpu }, 2, &large, 1, "the run takes about 11 s there and 500 s on cpu");
    expect((tonnx__candidate[]){ cpu, slow }, 2, &small, 0, "the run takes about 40 s there and 120 s on slow");
    expect((tonnx__candidate[]){ cpu, slow, gpu }, 3, &large, 2, "the run takes about 11 s there and 500 s on cpu");
    expect((tonnx__candidate[]){ cpu, none }, 2, &large, 0, "there is no GPU here");
    expect((tonnx__candidate[]){ cpu, gpu, none }, 3, &large, 1, "the run takes about 11 s there and 500 s on cpu");
    expect((tonnx__candidate[]){ cpu }, 1, &small, 0, "the whole run takes about 40 s there");
    expect((tonnx__candidate[]){ cpu }, 1, &brief, 0, "the whole run takes about 810 ms there");
}
END_TEST

/* A little faster is no reason: the measurement is short. */
START_TEST(a_tie_stays_at_home)
{
    tonnx__candidate twin = cpu;
    twin.name = "twin";
    twin.speed.flops *= 1.2;
    twin.speed.bytes *= 1.2;
    expect((tonnx__candidate[]){ cpu, twin }, 2, &large, 0, "the run takes about 500 s there and 417 s on twin");
    twin.speed.flops *= 1.1;
    expect((tonnx__candidate[]){ cpu, twin }, 2, &large, 1, "the run takes about 379 s there and 500 s on cpu");
}
END_TEST

START_TEST(measurements_are_believable)
{
    tonnx__backend *backend = NULL;
    tonnx__speed speed = { 0 };
    ck_ok(tonnx__backend_open(&backend, &(tonnx__backend_options){ "cpu", 1, { NULL, NULL }, TONNX_FP32 }));
    ck_ok(tonnx__speed_measure(&speed, backend));
    tonnx__backend_close(backend);
    ck_assert_msg(speed.flops > 1e8 && speed.flops < 1e13, "%g FLOP/s", speed.flops);
    ck_assert_msg(speed.bytes > 1e8 && speed.bytes < 1e13, "%g B/s", speed.bytes);
    ck_assert_msg(speed.latency > 0 && speed.latency < 1e-2, "%g s", speed.latency);
}
END_TEST

static char said[400];

static void say(void *user, tonnx_log_level level, const char *line)
{
    (void)user;
    (void)level;
    snprintf(said, sizeof said, "%s", line);
}

/* Of a long run it is said why, and a CPU's driver is never chosen; of a short one nothing. */
START_TEST(auto_says_why)
{
    const tonnx__workload day = { .flops = 1e10, .bytes = 1e9, .chain = 5, .steps = 1e6, .parameters = 10 };
    const tonnx__workload blink = { .flops = 1e6, .bytes = 1e5, .chain = 5, .steps = 10, .parameters = 10 };
    const tonnx__backend_options options = { "auto", 1, { say, NULL }, TONNX_FP32 };
    tonnx__backend *backend = NULL;
    ck_ok(tonnx__backend_open_for(&backend, &options, &blink));
    ck_assert_str_eq(backend->kind->name, "cpu");
    ck_assert_str_eq(said, "");
    tonnx__backend_close(backend);
    ck_ok(tonnx__backend_open_for(&backend, &options, &day));
    ck_assert_msg(!strncmp(said, "auto: ", 6) && strstr(said, ", because "), "%s", said);
    ck_assert(!strstr(tonnx__backend_device(backend), "llvmpipe"));
    tonnx__backend_close(backend);
}
END_TEST

static Suite *speed_suite(void)
{
    Suite *suite = suite_create("speed");
    TCase *tcase = tcase_create("speed");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, forecasts_are_those_by_hand);
    tcase_add_test(tcase, the_clearly_faster_is_chosen);
    tcase_add_test(tcase, a_tie_stays_at_home);
    tcase_add_test(tcase, measurements_are_believable);
    tcase_add_test(tcase, auto_says_why);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(speed_suite());
}
