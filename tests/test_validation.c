/* What Khronos' validation layer says of all that the Vulkan backend does: nothing. So that its silence means
 * something, it has to see a barrier that is missing, and a write beyond a buffer's end. Without layer or device:
 * skipped, in CI a failure. */
#include "format/data.h"
#include "format/onnx.h"
#include "runtime/train_impl.h"
#include "scratch.h"
#include "trial_judge.h"

#include "graphs.h"
#include "vulkan/exec_impl.h"
#include "vulkan_suite.h"

#define SYNC "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"
#define ON_GPU                                                                                                         \
    "VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT"

/* From here on the layer looks at what is opened; what it says goes into a file of the test's folder. */
static void watch(const char *checks)
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
}

static tonnx__backend *open_watched(const char *checks)
{
    watch(checks);
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

/* Products in slices, whose joins have an epilogue: bias and activation, sums beside them; an optimizer's step with bias. Instrumented,
 * the first one alone: its shaders take half a minute to be made. */
START_TEST(slices_in_order)
{
    static const struct {
        int kind;
        unsigned v;
    } deep[] = { { TONNX__GEMM, 4 * 3 + 1 }, { TONNX__GEMM, 4 * 4 + 1 }, { TONNX__GEMM_UPDATE, 4 * 4 + 2 } };
    tonnx__backend *reference = trial_open("reference", 0), *vulkan = open_watched(_i ? ON_GPU : SYNC);
    for (size_t i = 0; i < (_i ? 1 : sizeof deep / sizeof *deep); i++) {
        trial t;
        trial_begin(&t, 33, 31, i);
        t.depth = 2053;
        ck_assert(check_trial(vulkan, reference, deep[i].kind, &t, deep[i].v, "watched"));
    }
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
    expect_silence();
}
END_TEST

/* Of each kind the first variants; of products more, in all their ways to lie: every third of sixteen. */
START_TEST(no_write_goes_astray)
{
    const unsigned step = _i == TONNX__GEMM ? 3 : 1, most = _i == TONNX__GEMM ? 16 : 3;
    tonnx__backend *reference = trial_open("reference", 0), *vulkan = open_watched(ON_GPU);
    unsigned v = 0;
    while (v < most && check_variant(vulkan, reference, _i, 6, v, "watched")) v += step;
    ck_assert(v > 0);
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
    expect_silence();
}
END_TEST

/* What is trained: a model of its own making or a fixture's, and on what. */
typedef struct subject {
    const char *fixture; /* NULL: the net below */
    bool norm, rows;   /* with batch norm and dropout, or layer norm and an activation of its own */
    bool on_gpu;       /* with instrumented shaders too, which take their time to be made */
    const char *backend;
    double submit;   /* s; 0: as it is */
    size_t resident; /* bytes; 0: as it is */
} subject;

static const subject subjects[] = {
    { .backend = "vulkan", .on_gpu = true },
    { .norm = true, .backend = "vulkan", .on_gpu = true },
    { .norm = true, .backend = "vulkan:minimum" },
    { .norm = true, .backend = "vulkan", .submit = 1e-9 },
    { .norm = true, .backend = "vulkan", .resident = 10000, .on_gpu = true },
    { .rows = true, .backend = "vulkan", .on_gpu = true },
    { .fixture = "clip-norm", .backend = "vulkan" },
    { .fixture = "layernorm-gelu-adamw-cosine", .backend = "vulkan" },
    { .fixture = "glu", .backend = "vulkan" },
    { .fixture = "mixed-acts-2", .backend = "vulkan:minimum" },
    { .fixture = "nll-log-softmax-end", .backend = "vulkan" },
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static void make_net(tonnx_model **model, tonnx_dataset **data, const subject *s)
{
    ck_ok(tonnx__model_new(model, 17, 37, 10));
    graph_dense(*model, "input", "fc1", 37, 65);
    if (s->norm || s->rows) {
        graph_tensor(*model, "scale", 0, 65, 0.5, 1.5);
        graph_tensor(*model, "shift", 0, 65, -0.5, 0.5);
    }
    if (s->norm) {
        graph_tensor(*model, "mean", 0, 65, -0.1, 0.1);
        graph_tensor(*model, "var", 0, 65, 0.5, 1.5);
        graph_node(*model, "BatchNormalization", "fc1 scale shift mean var", "bn");
        graph_node(*model, "Relu", "bn", "r");
        graph_node(*model, "Dropout", "r", "h");
    } else if (s->rows) {
        graph_node(*model, "LayerNormalization", "fc1 scale shift", "ln");
        graph_node(*model, "Softplus", "ln", "h");
    } else graph_node(*model, "Relu", "fc1", "h");
    graph_dense(*model, "h", "output", 65, 10);
    *data = graph_data(131, 37, 10, 0);
}

static void load_fixture(tonnx_model **model, tonnx_dataset **data, const char *name)
{
    char paths[3][400];
    static const char *const files[] = { "model.onnx", "x.npy", "y.npy" };
    for (int i = 0; i < 3; i++) snprintf(paths[i], sizeof paths[i], TONNX_TEST_DATA "/train/%s/%s", name, files[i]);
    ck_ok(tonnx_onnx_load(model, paths[0], NULL));
    ck_ok(tonnx_dataset_load(data, paths[1], paths[2], NULL));
}

/* Whole epochs, with their short last batch and validation; or a few steps. */
static void train_subject(const subject *s, bool few)
{
    tonnx_model *model = NULL;
    tonnx_dataset *data = NULL;
    tonnx_trainer *trainer = NULL;
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    if (s->fixture) load_fixture(&model, &data, s->fixture);
    else make_net(&model, &data, s);
    options.backend = s->backend;
    options.epochs = few ? 1 : 2;
    options.steps_per_epoch = few ? 2 : 5;
    options.validation = few ? NULL : data;
    options.clip_norm = s->fixture && !strcmp(s->fixture, "clip-norm") ? 0.5 : 0;
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    tonnx__vk *vk = (tonnx__vk *)trainer->backend;
    if (s->submit > 0) vk->limits.submit = s->submit;
    if (s->resident) vk->limits.resident = s->resident;
    ck_ok(tonnx_trainer_run(trainer));
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}

START_TEST(training_is_in_order)
{
    watch(SYNC);
    train_subject(&subjects[_i], false);
    expect_silence();
}
END_TEST

START_TEST(training_writes_nowhere_else)
{
    if (!subjects[_i].on_gpu) return;
    watch(ON_GPU);
    train_subject(&subjects[_i], true);
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
    tcase_add_loop_test(all, slices_in_order, 0, 2);
    tcase_add_loop_test(all, no_write_goes_astray, 0, TONNX__KINDS);
    tcase_add_loop_test(all, training_is_in_order, 0, SUBJECTS);
    tcase_add_loop_test(all, training_writes_nowhere_else, 0, SUBJECTS);
    tcase_add_test(all, a_missing_barrier_is_seen);
    tcase_add_test(all, a_write_beyond_the_end_is_seen);
    suite_add_tcase(suite, all);
    return suite;
}

int main(void)
{
    setenv("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", 1);
    return run_on_vulkan(validation_suite);
}
