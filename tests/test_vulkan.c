/* The Vulkan backend against the reference, every variant of every kind, as the device is and as if it had no more than
 * Vulkan promises; the same bits twice; what the validation layer says. Without a device: skipped, in CI a failure. */

#include "trial_judge.h"
#include "vulkan/exec_impl.h"

static const char *const names[] = { "vulkan", "vulkan:minimum" };
enum { NAMES = sizeof names / sizeof *names };

START_TEST(vulkan_is_reference)
{
    const int kind = _i / NAMES;
    const char *name = names[_i % NAMES];
    tonnx__backend *vulkan = trial_open(name, 0);
    check_against_reference(vulkan, kind, name, kind == TONNX__GEMM || kind == TONNX__GEMM_UPDATE ? 5 : 1);
    tonnx__backend_close(vulkan);
}
END_TEST

/* A product whose every number is a sum of many. */
static void product(trial *t)
{
    trial_begin(t, 67, 130, 5);
    ck_assert(make_GEMM(t, 4 * 3 + 2));
}

START_TEST(the_same_bits_twice)
{
    double *work[2] = { NULL, NULL };
    size_t size = 0;
    for (int k = 0; k < 2; k++) {
        trial t;
        tonnx__backend *vulkan = trial_open("vulkan", 0);
        product(&t);
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

START_TEST(devices_are_named)
{
    tonnx__backend *vulkan = NULL;
    const tonnx__backend_options first = { "vulkan:0", 0, { NULL, NULL } }, none = { "vulkan:99", 0, { NULL, NULL } };
    ck_ok(tonnx__backend_open(&vulkan, &first));
    tonnx__backend_close(vulkan);
    ck_fails(tonnx__backend_open(&vulkan, &none), TONNX_BAD_DEVICE, "no device '99'");
}
END_TEST

/* A lost device stays lost: every call says so, none hangs. */
START_TEST(loss_is_latched)
{
    trial t;
    const size_t sizes[TONNX__STATE_ARENAS] = { 0 };
    tonnx__backend *vulkan = trial_open("vulkan", 0);
    tonnx__device_state *state = NULL;
    tonnx__exec *exec = NULL;
    double result[TONNX__RESULTS];
    product(&t);
    ck_ok(tonnx__device_state_new(&state, vulkan, sizes));
    ck_ok(tonnx__exec_new(&exec, state, t.program));
    ck_fails(tonnx__vk_check((tonnx__vk *)vulkan, VK_ERROR_DEVICE_LOST, "a test"), TONNX_BAD_DEVICE, "was lost");
    ck_fails(tonnx__exec_run(exec, NULL, NULL, &t.record, 1), TONNX_BAD_DEVICE, "--resume");
    ck_fails(tonnx__exec_results(exec, 1, result), TONNX_BAD_DEVICE, "was lost");
    ck_fails(tonnx__backend_finish(vulkan), TONNX_BAD_DEVICE, "was lost");
    tonnx__exec_free(exec);
    tonnx__device_state_free(state);
    tonnx__backend_close(vulkan);
    trial_end(&t);
}
END_TEST

static Suite *vulkan_suite(void)
{
    Suite *suite = suite_create("vulkan");
    TCase *kinds = tcase_create("kinds"), *device = tcase_create("device");
    tcase_set_timeout(kinds, 240);
    tcase_set_timeout(device, 240);
    tcase_add_loop_test(kinds, vulkan_is_reference, 0, TONNX__KINDS * NAMES);
    tcase_add_test(device, the_same_bits_twice);
    tcase_add_loop_test(device, large_operands_are_split, 0, NAMES);
    tcase_add_test(device, more_than_a_binding_spans);
    tcase_add_test(device, devices_are_named);
    tcase_add_test(device, loss_is_latched);
    suite_add_tcase(suite, kinds);
    suite_add_tcase(suite, device);
    return suite;
}

int main(void)
{
    tonnx__backend *backend = NULL;
    const char *ci = getenv("CI");
    const bool has = !tonnx__backend_open(&backend, &(tonnx__backend_options){ "vulkan", 0, { NULL, NULL } });
    if (has) tonnx__backend_close(backend);
    if (has) return run_suite(vulkan_suite());
    printf("%s\n", tonnx_last_message());
    return ci && !strcmp(ci, "true") ? 1 : 77;
}
