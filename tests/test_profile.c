/* Profiles: every instruction of a run is counted on every backend, what they took adds up to the run's time, and no
 * bit of the training depends on being watched. */
#include "runtime/clock_impl.h"
#include "runtime/train.h"
#include "tests/graphs.h"

static tonnx_model *mlp(void)
{
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 17, 97, 10));
    graph_dense(model, "input", "fc1", 97, 213);
    graph_node(model, "Relu", "fc1", "h");
    graph_dense(model, "h", "output", 213, 10);
    return model;
}

/* What the rows say all together. */
typedef struct seen {
    size_t rows[2], gemms, tiles;
    uint64_t least_calls[2], most_calls[2];
    double seconds, flops;
} seen;

static void see(void *user, const tonnx_profile_row *row)
{
    seen *s = user;
    const int p = row->program;
    ck_assert_uint_eq(row->number, s->rows[p]);
    ck_assert(strstr(row->text, row->kind) && strstr(row->text, row->result));
    if (!s->rows[p] || row->calls < s->least_calls[p]) s->least_calls[p] = row->calls;
    if (row->calls > s->most_calls[p]) s->most_calls[p] = row->calls;
    ck_assert(row->seconds >= 0 && row->waited >= 0 && row->bytes > 0);
    s->rows[p]++;
    s->gemms += !strcmp(row->kind, "gemm");
    s->tiles += row->tiles;
    s->seconds += row->seconds + row->waited;
    s->flops += p ? 0 : row->flops;
}

static const struct {
    const char *backend;
    int threads;
} runs[] = { { "cpu", 1 }, { "cpu", 2 }, { "cpu", 3 }, { "reference", 1 } };

/* 301 samples: four batches of 67 and one of 33 in each of three epochs. */
static void train(tonnx_model *model, int which, bool watched, seen *s)
{
    tonnx_dataset *data = graph_data(301, 97, 10, 0);
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    tonnx_trainer *trainer = NULL;
    tonnx_profile profile;
    options.epochs = 3;
    options.batch = 67;
    options.backend = runs[which].backend;
    options.threads = runs[which].threads;
    options.profile = watched;
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    const double begin = tonnx__now();
    ck_ok(tonnx_trainer_run(trainer));
    const double wall = tonnx__now() - begin;
    ck_ok(tonnx_trainer_pull(trainer, model));
    if (!watched) {
        ck_fails(tonnx_trainer_profile(trainer, &profile, see, s), TONNX_BAD_USAGE, "profile");
    } else {
        ck_ok(tonnx_trainer_profile(trainer, &profile, see, s));
        ck_assert_uint_eq(profile.steps, 15);
        ck_assert(profile.order >= 0 && profile.records >= 0 && profile.results >= 0 && profile.between >= 0);
        ck_assert(s->seconds <= profile.backend * 1.000001 && profile.backend <= wall);
    }
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
}

START_TEST(every_instruction_is_counted)
{
    tonnx_model *model = mlp();
    seen s = { 0 };
    train(model, _i, true, &s);
    ck_assert_uint_eq(s.rows[0], s.rows[1]);
    ck_assert(s.gemms && s.tiles >= s.rows[0] + s.rows[1]);
    ck_assert(s.least_calls[0] == 12 && s.most_calls[0] == 12);
    ck_assert(s.least_calls[1] == 3 && s.most_calls[1] == 3);
    ck_near(s.flops, 6.0 * 67 * (97 * 213 + 213 * 10) - 2.0 * 67 * 97 * 213, 1e-12, 0);
    tonnx_model_free(model);
}
END_TEST

START_TEST(watching_changes_no_bit)
{
    tonnx_model *watched = mlp(), *alone = mlp();
    double *first = calloc(97 * 213, sizeof *first), *other = calloc(97 * 213, sizeof *other);
    seen s = { 0 };
    train(watched, _i, true, &s);
    train(alone, _i, false, &s);
    for (size_t t = 0; t < watched->tensor_count; t++) {
        ck_ok(tonnx_model_read(watched, t, first));
        ck_ok(tonnx_model_read(alone, t, other));
        ck_assert(!memcmp(first, other, watched->tensors[t].count * sizeof *first));
    }
    free(first);
    free(other);
    tonnx_model_free(watched);
    tonnx_model_free(alone);
}
END_TEST

static Suite *profile_suite(void)
{
    Suite *suite = suite_create("profile");
    TCase *tcase = tcase_create("profile");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_instruction_is_counted, 0, sizeof runs / sizeof *runs);
    tcase_add_loop_test(tcase, watching_changes_no_bit, 0, sizeof runs / sizeof *runs);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(profile_suite());
}
