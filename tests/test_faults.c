/* The whole way, load to save, with the N-th allocation failing, N = 1 … end: every status is "out of memory", the
 * sources and what was there before are whole, nothing is left over. (The sanitizers' build adds: nothing leaks. The
 * command itself, its libraries' allocations and the N-th call on a file are tests/faults.) */
#include "format/checkpoint.h"
#include "format/data.h"
#include "format/onnx.h"
#include "runtime/mem_impl.h"
#include "runtime/net.h"
#include "runtime/stats.h"
#include "runtime/train.h"
#include "scratch.h"

#define CASE TONNX_TEST_DATA "/train/bn-after-linear-sgd/"

/* Two steps, a checkpoint and the model, over what is there. */
static tonnx_status train(tonnx_model *model, const tonnx_dataset *data)
{
    tonnx_trainer *trainer = NULL;
    tonnx_checkpoint *checkpoint = NULL;
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    options.backend = "cpu";
    options.threads = 2;
    options.steps = 2;
    tonnx_status status = tonnx_trainer_new(&trainer, model, data, &options);
    for (int step = 0; step < 2 && !status; step++) status = tonnx_trainer_step(trainer);
    if (!status) status = tonnx_trainer_checkpoint(&checkpoint, trainer);
    if (!status) status = tonnx_checkpoint_save(checkpoint, scratch_path("out.ckpt"));
    if (!status) status = tonnx_trainer_pull(trainer, model);
    if (!status) status = tonnx_onnx_save(model, scratch_path("out.onnx"), NULL);
    tonnx_checkpoint_free(checkpoint);
    tonnx_trainer_free(trainer);
    return status;
}

static tonnx_status whole_way(void)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    tonnx_dataset *data = NULL;
    tonnx_stats *stats = NULL;
    tonnx_status status = tonnx_onnx_load(&model, CASE "model.onnx", NULL);
    if (!status) status = tonnx_dataset_load(&data, CASE "x.npy", CASE "y.npy", NULL);
    if (!status) status = tonnx_net_new(&net, model, NULL);
    if (!status) status = tonnx_stats_measure(&stats, net, data, NULL);
    if (!status) status = train(model, data);
    tonnx_stats_free(stats);
    tonnx_net_free(net);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
    return status;
}

/* How many files the folder holds. */
static size_t files(void)
{
    size_t count = 0;
    DIR *folder = opendir(scratch_folder);
    for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void is_old_or_whole(const char *name, const unsigned char *whole, size_t size)
{
    size_t got = 0;
    unsigned char *bytes = scratch_read(scratch_path(name), &got);
    const bool is_whole = got == size && !memcmp(bytes, whole, size), is_old = got == 3 && !memcmp(bytes, "old", 3);
    ck_assert_msg(is_whole || is_old, "%s is torn: %zu bytes", name, got);
    free(bytes);
}

static void loop(bool forever)
{
    size_t model_size = 0, checkpoint_size = 0, nth = 0;
    ck_ok(whole_way());
    unsigned char *model = scratch_read(scratch_path("out.onnx"), &model_size);
    unsigned char *checkpoint = scratch_read(scratch_path("out.ckpt"), &checkpoint_size);
    tonnx_status status = TONNX_NO_MEMORY;
    while (status) {
        scratch_text("out.onnx", "old");
        scratch_text("out.ckpt", "old");
        tonnx__mem_fault(++nth, forever);
        status = whole_way();
        const size_t made = tonnx__mem_fault(0, false);
        ck_assert_msg(status == (made >= nth ? TONNX_NO_MEMORY : TONNX_OK), "allocation %zu: %s", nth,
                      tonnx_last_message());
        ck_assert_msg(!status || strstr(tonnx_last_message(), "out of memory"), "allocation %zu: %s", nth,
                      tonnx_last_message());
        is_old_or_whole("out.onnx", model, model_size);
        is_old_or_whole("out.ckpt", checkpoint, checkpoint_size);
        ck_assert_uint_eq(files(), 2);
    }
    printf("N = 1 … %zu\n", nth - 1);
    free(model);
    free(checkpoint);
}

START_TEST(one_allocation_fails)
{
    loop(false);
}
END_TEST

START_TEST(an_allocation_and_all_after_it_fail)
{
    loop(true);
}
END_TEST

static Suite *faults_suite(void)
{
    Suite *suite = suite_create("faults");
    TCase *tests = tcase_create("memory");
    tcase_add_unchecked_fixture(tests, scratch_make, scratch_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, one_allocation_fails);
    tcase_add_test(tests, an_allocation_and_all_after_it_fail);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(faults_suite());
}
