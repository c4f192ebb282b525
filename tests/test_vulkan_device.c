/* What a device is to the backend: which are there and fit, what is kept of one between runs, and that a lost one stays lost. */
#include <limits.h>
#include <unistd.h>

#include "runtime/train_impl.h"
#include "scratch.h"
#include "trial_judge.h"
#include "vulkan/variant_impl.h"
#include "vulkan_suite.h"

static void product(trial *t)
{
    trial_begin(t, 67, 130, 5);
    ck_assert(make_GEMM(t, 4 * 3 + 2));
}

/* Makes a pipeline and closes; the hash of what the cache began with. */
static uint64_t use_cache(void)
{
    trial t;
    tonnx__backend *vulkan = trial_open("vulkan", 0);
    const uint64_t cached = ((tonnx__vk *)vulkan)->cached;
    product(&t);
    double *work = calloc(t.program->arena_size[TONNX__ARENA_WORK], sizeof *work);
    trial_run(&t, vulkan, work, NULL, 1);
    free(work);
    trial_end(&t);
    tonnx__backend_close(vulkan);
    return cached;
}

/* Pipelines are found again; a byte that is another, wherever, and a file that is cut: the driver sees nothing of them, and
 * the file is made anew. */
START_TEST(pipelines_are_kept)
{
    char name[PATH_MAX], command[PATH_MAX + 64];
    setenv("XDG_CACHE_HOME", scratch_folder, 1);
    ck_assert_uint_eq(use_cache(), 0);
    const uint64_t first = use_cache();
    ck_assert_uint_ne(first, 0);
    snprintf(command, sizeof command, "ls %s/tonnx/pipelines-*", scratch_folder);
    FILE *list = popen(command, "r");
    ck_assert(fgets(name, sizeof name, list));
    pclose(list);
    name[strcspn(name, "\n")] = 0;
    for (long at = 0; at < 80; at += 3) {
        FILE *file = fopen(name, "r+b");
        fseek(file, at, SEEK_SET);
        const int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ 1, file);
        fclose(file);
        tonnx__backend *vulkan = trial_open("vulkan", 0);
        ck_assert_msg(!((tonnx__vk *)vulkan)->cached, "byte %ld", at);
        tonnx__backend_close(vulkan);
        file = fopen(name, "r+b");
        fseek(file, at, SEEK_SET);
        fputc(byte, file);
        fclose(file);
    }
    ck_assert_int_eq(truncate(name, 70), 0);
    ck_assert_uint_eq(use_cache(), 0);
    ck_assert_uint_ne(use_cache(), 0);
    snprintf(command, sizeof command, "rm -r %s/tonnx", scratch_folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

typedef struct said {
    int lines;
    char last[400];
} said;

static void note_line(void *user, tonnx_log_level level, const char *line)
{
    said *s = user;
    if (level != TONNX_LOG_WARNING) return;
    snprintf(s->last, sizeof s->last, "%s", line);
    s->lines++;
}

/* A product on a device whose variant `faulty` (a row, from 1 on) leaves a term out; the row that was used for it. */
static size_t multiply_on(uint32_t faulty, said *s)
{
    tonnx__backend *vulkan = NULL, *reference = trial_open("reference", 0);
    const tonnx__vk_variant *used = NULL;
    *s = (said){ 0 };
    ck_ok(tonnx__backend_open(&vulkan, &(tonnx__backend_options){ "vulkan", 0, { note_line, s }, TONNX_FP32 }));
    ((tonnx__vk *)vulkan)->faulty = faulty;
    ck_assert(check_variant(vulkan, reference, TONNX__GEMM, 11, 2, "vulkan"));
    const tonnx__vk_product p = { 67, 130, 5, TONNX__VK_TRANS_B, false, 1, 32 };
    ck_ok(tonnx__vk_variant_choose((tonnx__vk *)vulkan, &p, &used));
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
    return (size_t)(used - tonnx__vk_variant_row(0));
}

/* One that multiplies wrong is not used, now or later; that is said once. */
START_TEST(wrong_variants_are_shunned)
{
    said s;
    setenv("XDG_CACHE_HOME", scratch_folder, 1);
    const size_t usual = multiply_on(0, &s);
    ck_assert_int_eq(s.lines, 0);
    ck_assert_int_eq(system("rm -r \"$XDG_CACHE_HOME/tonnx\""), 0);
    const size_t other = multiply_on((uint32_t)usual + 1, &s);
    ck_assert_uint_ne(other, usual);
    ck_assert_msg(s.lines == 1 && strstr(s.last, tonnx__vk_variant_row(usual)->name), "%d: %s", s.lines, s.last);
    ck_assert_uint_eq(multiply_on(0, &s), other);
    ck_assert_int_eq(s.lines, 0);
    ck_assert_int_eq(system("for f in \"$XDG_CACHE_HOME\"/tonnx/variants-*; do truncate -s -1 $f; done"), 0);
    ck_assert_uint_eq(multiply_on(0, &s), usual);
    ck_assert_msg(s.lines == 1 && strstr(s.last, "is not used"), "%d: %s", s.lines, s.last);
    multiply_on(0, &s);
    ck_assert_int_eq(s.lines, 0);
    ck_assert_int_eq(system("rm -r \"$XDG_CACHE_HOME/tonnx\""), 0);
}
END_TEST

/* What was measured is used in later runs. */
START_TEST(tuning_is_kept)
{
    char text[TONNX__VK_TUNED];
    const tonnx__vk_variant *used = NULL;
    const tonnx__vk_product p = { 1, 512, 512, TONNX__VK_TRANS_B, false, 1, 512 };
    setenv("XDG_CACHE_HOME", scratch_folder, 1);
    tonnx__backend *vulkan = trial_open("vulkan", 0);
    ck_ok(tonnx__vk_tune_shape((tonnx__vk *)vulkan, TONNX__VK_FLAT, TONNX__VK_TRANS_B, text));
    const size_t best = *tonnx__vk_measured((tonnx__vk *)vulkan, &p);
    ck_assert_msg(best && strstr(text, tonnx__vk_variant_row(best - 1)->name), "%s", text);
    tonnx__backend_close(vulkan);
    vulkan = trial_open("vulkan", 0);
    ck_ok(tonnx__vk_variant_choose((tonnx__vk *)vulkan, &p, &used));
    ck_assert_ptr_eq(used, tonnx__vk_variant_row(best - 1));
    tonnx__backend_close(vulkan);
    ck_assert_int_eq(system("rm -r \"$XDG_CACHE_HOME/tonnx\""), 0);
}
END_TEST

START_TEST(too_few_buffers_are_refused)
{
    char why[120];
    tonnx__backend *vulkan = trial_open("vulkan", 0);
    tonnx__vk_card card = ((tonnx__vk *)vulkan)->card;
    ck_assert(!tonnx__vk_unfit(&card, why, sizeof why));
    card.properties.limits.maxPerStageDescriptorStorageBuffers = 4;
    ck_assert(tonnx__vk_unfit(&card, why, sizeof why) && strstr(why, "4 storage buffers"));
    tonnx__backend_close(vulkan);
}
END_TEST

START_TEST(devices_are_named)
{
    tonnx__backend *vulkan = NULL;
    const tonnx__backend_options first = { "vulkan:0", 0, { NULL, NULL }, TONNX_FP32 }, none = { "vulkan:99", 0, { NULL, NULL }, TONNX_FP32 };
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

static Suite *device_suite(void)
{
    Suite *suite = suite_create("vulkan_device");
    TCase *device = tcase_create("device");
    tcase_set_timeout(device, 900);
    tcase_add_checked_fixture(device, scratch_make, scratch_remove);
    tcase_add_test(device, pipelines_are_kept);
    tcase_add_test(device, wrong_variants_are_shunned);
    tcase_add_test(device, tuning_is_kept);
    tcase_add_test(device, too_few_buffers_are_refused);
    tcase_add_test(device, devices_are_named);
    tcase_add_test(device, loss_is_latched);
    suite_add_tcase(suite, device);
    return suite;
}

int main(void)
{
    return run_on_vulkan(device_suite);
}
