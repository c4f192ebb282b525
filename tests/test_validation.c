/* What Khronos' validation layer says of all that the Vulkan backend does: nothing. So that its silence means
 * something, it has to see a barrier that is missing, and a write beyond a buffer's end. Without layer or device:
 * skipped, in CI a failure. */
#include "scratch.h"
#include "trial_judge.h"
#include "vulkan/exec_impl.h"

#define SYNC "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"
#define ON_GPU                                                                                                         \
    "VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT"

/* The backend, opened under the layer; what it says goes into a file of the test's folder. */
static tonnx__backend *open_watched(const char *checks)
{
    FILE *file = fopen(scratch_path("vk_layer_settings.txt"), "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG\n");
    fprintf(file, "khronos_validation.report_flags = error,warn,perf\n");
    fprintf(file, "khronos_validation.log_filename = %s\n", scratch_path("messages"));
    fprintf(file, "khronos_validation.enables = %s\n", checks);
    fclose(file);
    setenv("VK_LAYER_SETTINGS_PATH", scratch_path("vk_layer_settings.txt"), 1);
    setenv("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", 1);
    return trial_open("vulkan", 0);
}

/* The layer's messages; it makes the file as it starts, so a file that is missing is no silence. */
static void read_messages(char *text, size_t size)
{
    FILE *file = fopen(scratch_path("messages"), "r");
    ck_assert_msg(file != NULL, "the validation layer did not start");
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void expect_silence(void)
{
    char text[2000];
    read_messages(text, sizeof text);
    ck_assert_msg(!*text, "%s", text);
}

START_TEST(every_kind_in_order)
{
    tonnx__backend *reference = trial_open("reference", 0), *vulkan = open_watched(SYNC);
    const unsigned thin = _i == TONNX__GEMM || _i == TONNX__GEMM_UPDATE || _i == TONNX__ACT_BACK ? 7 : 1;
    enum { SHAPE_33_31 = 6 };
    unsigned v = 0;
    while (v % thin || check_variant(vulkan, reference, _i, SHAPE_33_31, v, "watched")) v++;
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
    expect_silence();
}
END_TEST

START_TEST(no_write_goes_astray)
{
    static const int kinds[] = { TONNX__FILL, TONNX__COLUMN_SUM, TONNX__SOFTMAX };
    tonnx__backend *reference = trial_open("reference", 0), *vulkan = open_watched(ON_GPU);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        ck_assert(check_variant(vulkan, reference, kinds[i], 6, 0, "watched"));
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
    expect_silence();
}
END_TEST

/* Runs one variant without looking at what it makes; `tamper` may spoil the exec before. */
static void run_spoilt(tonnx__backend *vulkan, int kind, void (*tamper)(tonnx__vk_exec *exec))
{
    trial t;
    const size_t sizes[TONNX__STATE_ARENAS] = { 0 };
    tonnx__device_state *state = NULL;
    tonnx__exec *exec = NULL;
    trial_begin(&t, 33, 31, 1);
    ck_assert(makers[kind](&t, 0));
    ck_ok(tonnx__device_state_new(&state, vulkan, sizes));
    ck_ok(tonnx__exec_new(&exec, state, t.program));
    if (tamper) tamper((tonnx__vk_exec *)exec);
    ck_ok(tonnx__exec_run(exec, NULL, NULL, &t.record, 1));
    ck_ok(tonnx__backend_finish(vulkan));
    tonnx__exec_free(exec);
    tonnx__device_state_free(state);
    tonnx__backend_close(vulkan);
    trial_end(&t);
}

START_TEST(a_missing_barrier_is_seen)
{
    char text[2000];
    tonnx__backend *vulkan = open_watched(SYNC);
    ((tonnx__vk *)vulkan)->no_barriers = true;
    run_spoilt(vulkan, TONNX__BATCH_NORM, NULL);
    read_messages(text, sizeof text);
    ck_assert_msg(strstr(text, "SYNC-HAZARD"), "the layer says '%s'", text);
}
END_TEST

/* A thousand elements more than the buffer has. */
static void write_beyond(tonnx__vk_exec *exec)
{
    exec->list[0].push.n += 1000;
    exec->list[0].groups[0] += 1000 / 64;
}

START_TEST(a_write_beyond_the_end_is_seen)
{
    char text[2000];
    run_spoilt(open_watched(ON_GPU), TONNX__FILL, write_beyond);
    read_messages(text, sizeof text);
    ck_assert_msg(strstr(text, "out of bounds"), "the layer says '%s'", text);
}
END_TEST

static Suite *validation_suite(void)
{
    Suite *suite = suite_create("validation");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, scratch_make, scratch_remove);
    tcase_set_timeout(all, 240);
    tcase_add_loop_test(all, every_kind_in_order, 0, TONNX__KINDS);
    tcase_add_test(all, no_write_goes_astray);
    tcase_add_test(all, a_missing_barrier_is_seen);
    tcase_add_test(all, a_write_beyond_the_end_is_seen);
    suite_add_tcase(suite, all);
    return suite;
}

int main(void)
{
    tonnx__backend *backend = NULL;
    const char *ci = getenv("CI");
    setenv("XDG_CACHE_HOME", "/nonexistent", 1);
    setenv("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", 1);
    const bool has = !tonnx__backend_open(&backend, &(tonnx__backend_options){ "vulkan", 0, { NULL, NULL } });
    if (has) tonnx__backend_close(backend);
    if (has) return run_suite(validation_suite());
    printf("with the validation layer: %s\n", tonnx_last_message());
    return ci && !strcmp(ci, "true") ? 1 : 77;
}
