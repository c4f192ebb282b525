/* Training through the public API: what moves, what stays, when it ends, and that the bits do not depend on threads. */
#include "runtime/dataset_impl.h"
#include "runtime/evaluate.h"
#include "runtime/init.h"
#include "runtime/train.h"
#include "tests/graphs.h"

/* in → dense → ReLU (→ batch norm) → dense → out, the same numbers every time. */
static tonnx_model *mlp(size_t in, size_t hidden, size_t out, bool norm)
{
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 17, in, out));
    graph_dense(model, "input", "fc1", in, hidden);
    graph_node(model, "Relu", "fc1", norm ? "r" : "h");
    if (norm) {
        graph_tensor(model, "scale", 0, hidden, 0.5, 1.5);
        graph_tensor(model, "shift", 0, hidden, -0.5, 0.5);
        graph_tensor(model, "mean", 0, hidden, -0.5, 0.5);
        graph_tensor(model, "var", 0, hidden, 0.5, 1.5);
        graph_node(model, "BatchNormalization", "r scale shift mean var", "h");
    }
    graph_dense(model, "h", "output", hidden, out);
    return model;
}

static size_t tensor_of(const tonnx_model *model, const char *name)
{
    size_t i = 0;
    ck_ok(tonnx_model_find(model, name, &i));
    return i;
}

static bool changed(const tonnx_model *model, const char *name)
{
    tonnx_tensor_info info;
    const size_t i = tensor_of(model, name);
    double values[4096], again[4096];
    tonnx_model *fresh = mlp(7, 11, 3, tonnx__model_find_tensor(model, "scale") >= 0);
    tonnx_model_tensor(model, i, &info);
    ck_ok(tonnx_model_read(model, i, values));
    ck_ok(tonnx_model_read(fresh, i, again));
    tonnx_model_free(fresh);
    return memcmp(values, again, info.count * sizeof *values) != 0;
}

static tonnx_train_options options_of(tonnx_optimizer optimizer, double rate)
{
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    options.optimizer = optimizer;
    options.rate = rate;
    options.epochs = 3;
    options.batch = 8;
    options.backend = "cpu";
    options.threads = 1;
    return options;
}

/* Trains and pulls; the model then holds the result. */
static void train(tonnx_model *model, const tonnx_dataset *data, const tonnx_train_options *options)
{
    tonnx_trainer *trainer = NULL;
    ck_ok(tonnx_trainer_new(&trainer, model, data, options));
    ck_ok(tonnx_trainer_run(trainer));
    ck_assert(tonnx_trainer_done(trainer));
    ck_ok(tonnx_trainer_pull(trainer, model));
    tonnx_trainer_free(trainer);
}

START_TEST(learns)
{
    tonnx_model *model = mlp(7, 11, 3, false);
    tonnx_dataset *data = graph_data(60, 7, 3, 0);
    tonnx_train_options options = options_of((tonnx_optimizer)_i, TONNX_NAN);
    tonnx_metrics before, after;
    options.epochs = 40;
    if (_i == TONNX_SGD) options.rate = 0.1;
    ck_ok(tonnx_evaluate(&before, model, data, NULL));
    train(model, data, &options);
    ck_ok(tonnx_evaluate(&after, model, data, NULL));
    ck_assert_msg(after.loss < before.loss, "%g → %g", before.loss, after.loss);
    ck_assert(after.accuracy >= 0 && after.accuracy <= 1);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

START_TEST(rate_zero_changes_nothing)
{
    tonnx_model *model = mlp(7, 11, 3, false);
    tonnx_dataset *data = graph_data(60, 7, 3, 0);
    tonnx_train_options options = options_of((tonnx_optimizer)_i, 0);
    train(model, data, &options);
    for (size_t t = 0; t < model->tensor_count; t++) ck_assert(!changed(model, model->tensors[t].name));
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

START_TEST(freeze_and_only)
{
    static const char *const globs[] = { "fc1.*", NULL }, *const nothing[] = { "fc9.*", NULL };
    tonnx_model *model = mlp(7, 11, 3, false);
    tonnx_dataset *data = graph_data(60, 7, 3, 0);
    tonnx_train_options options = options_of(TONNX_ADAM, 0.01);
    tonnx_trainer *trainer = NULL;
    if (_i) options.only = globs;
    else options.freeze = globs;
    train(model, data, &options);
    ck_assert_int_eq(changed(model, "fc1.weight"), _i);
    ck_assert_int_eq(changed(model, "fc1.bias"), _i);
    ck_assert_int_eq(changed(model, "output.weight"), !_i);
    options.freeze = nothing;
    ck_fails(tonnx_trainer_new(&trainer, model, data, &options), TONNX_BAD_USAGE, "fc9.*");
    ck_assert_ptr_null(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

/* Weights that no loss has met (the best epoch's, its last update behind it), or that the tensor's type does not hold
 * (float's, of a state in double), are not written. */
START_TEST(what_is_pulled_is_finite)
{
    tonnx_model *model = mlp(7, 11, 3, false);
    tonnx_dataset *data = graph_data(60, 7, 3, 0);
    tonnx_train_options options = options_of(TONNX_SGD, 1e42);
    tonnx_trainer *trainer = NULL;
    options.backend = _i ? "reference" : "cpu";
    options.best = !_i;
    options.batch = 60;
    options.epochs = 1;
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    ck_ok(tonnx_trainer_run(trainer));
    ck_fails(tonnx_trainer_pull(trainer, model), TONNX_DIVERGED, "what is to be written is not finite");
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

/* Batch norm: its statistics move in training; --freeze-bn leaves all four tensors alone. */
START_TEST(batch_norm)
{
    tonnx_model *model = mlp(7, 11, 3, true);
    tonnx_dataset *data = graph_data(60, 7, 3, 0);
    tonnx_train_options options = options_of(TONNX_SGD, 0.05);
    options.freeze_bn = _i;
    train(model, data, &options);
    static const char *const names[] = { "scale", "shift", "mean", "var" };
    for (size_t i = 0; i < 4; i++) ck_assert_int_eq(changed(model, names[i]), !_i);
    ck_assert(changed(model, "fc1.weight"));
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

/* What the events of a run add up to. */
typedef struct story {
    uint64_t starts, steps, epochs, ends, total, per_epoch;
    double last_loss;
    tonnx_status status;
    tonnx_trainer *stop_at_step; /* asked to stop at the first step */
    double rates[64]; /* the first steps' */
} story;

static void note(void *user, const tonnx_event *event)
{
    story *s = user;
    s->starts += event->kind == TONNX_EVENT_START;
    s->epochs += event->kind == TONNX_EVENT_EPOCH;
    s->ends += event->kind == TONNX_EVENT_END;
    if (event->kind == TONNX_EVENT_START) s->total = event->total_steps, s->per_epoch = event->steps_per_epoch;
    if (event->kind == TONNX_EVENT_END) s->status = event->status;
    if (event->kind != TONNX_EVENT_STEP) return;
    if (s->steps < 64) s->rates[s->steps] = event->rate;
    s->steps++;
    s->last_loss = event->loss;
    if (s->stop_at_step) tonnx_trainer_stop(s->stop_at_step);
}

static void tell(tonnx_model *model, const tonnx_dataset *data, tonnx_train_options *options, story *s)
{
    *s = (story){ 0 };
    options->event = note;
    options->event_user = s;
    options->log_every = 1;
    train(model, data, options);
    ck_assert_uint_eq(s->starts, 1);
    ck_assert_uint_eq(s->ends, 1);
    ck_assert_uint_eq(s->steps, s->total);
}

START_TEST(counts_steps)
{
    tonnx_model *model = mlp(7, 11, 3, true);
    tonnx_dataset *data = graph_data(33, 7, 3, 0);
    tonnx_train_options options = options_of(TONNX_SGD, 0.01);
    story s;
    tell(model, data, &options, &s); /* 33 = 4·8 + 1: the single row cannot be normalised */
    ck_assert_uint_eq(s.steps, 12);
    options.freeze_bn = true;
    tell(model, data, &options, &s);
    ck_assert_uint_eq(s.steps, 15);
    ck_assert_uint_eq(s.epochs, 3);
    options.drop_last = true;
    tell(model, data, &options, &s);
    ck_assert_uint_eq(s.steps, 12);
    options.steps = 7;
    tell(model, data, &options, &s);
    ck_assert_uint_eq(s.steps, 7);
    ck_assert_uint_eq(s.epochs, 2);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

/* A loss that stays: ReduceLROnPlateau keeps the rate for the first epoch and ten more, and then cuts it. */
START_TEST(plateau_cuts_after_ten_epochs_and_never_raises)
{
    tonnx_model *model = mlp(7, 11, 3, false);
    tonnx_dataset *data = graph_data(8, 7, 3, 0);
    tonnx_train_options options = options_of(TONNX_SGD, 1e-30);
    story s;
    options.schedule = TONNX_SCHEDULE_plateau;
    options.epochs = 40;
    options.schedule_options.min_rate = 5e-32;
    tell(model, data, &options, &s);
    for (size_t i = 0; i < 40; i++) ck_near(s.rates[i] * 1e30, i < 12 ? 1 : i < 23 ? 0.1 : 0.05, 1e-12, 0);
    options.schedule_options.min_rate = 1; /* a floor above the rate */
    tell(model, data, &options, &s);
    for (size_t i = 0; i < 40; i++) ck_assert(s.rates[i] == 1e-30);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

START_TEST(schedules)
{
    tonnx_model *model = mlp(7, 11, 3, false);
    tonnx_dataset *data = graph_data(32, 7, 3, 0);
    tonnx_train_options options = options_of(TONNX_SGD, 0.1);
    story s;
    options.warmup = 4;
    tell(model, data, &options, &s);
    static const double warm[] = { 0.025, 0.05, 0.075, 0.1, 0.1 };
    for (size_t i = 0; i < 5; i++) ck_near(s.rates[i], warm[i], 1e-12, 0);
    options.warmup = 0;
    options.schedule = TONNX_SCHEDULE_cosine; /* 12 steps: lr·(1 + cos(π·t/12))/2 */
    tell(model, data, &options, &s);
    ck_near(s.rates[0], 0.1, 1e-12, 0);
    ck_near(s.rates[6], 0.05, 1e-12, 0);
    options.schedule = TONNX_SCHEDULE_step;
    options.schedule_options.step_size = 5;
    tell(model, data, &options, &s);
    ck_near(s.rates[4], 0.1, 1e-12, 0);
    ck_near(s.rates[5], 0.01, 1e-12, 0);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

/* Odd sizes, and wide enough for at least seven tiles of every kind. */
START_TEST(threads_agree)
{
    static const tonnx_optimizer optimizers[] = { TONNX_SGD, TONNX_ADAM, TONNX_RMSPROP };
    tonnx_dataset *data = graph_data(301, 97, 10, 0);
    double *first = NULL, *now = NULL;
    size_t count = 0;
    for (int threads = 1; threads <= 3; threads++) {
        tonnx_model *model = mlp(97, 613, 10, true);
        tonnx_train_options options = options_of(optimizers[_i], 0.01);
        options.batch = 67;
        options.threads = threads;
        options.clip_norm = 1;
        train(model, data, &options);
        count = 613 * 97;
        if (!now) ck_ok(tonnx__alloc(&now, count, sizeof *now));
        if (!first) ck_ok(tonnx__alloc(&first, count, sizeof *first));
        for (size_t t = 0; t < model->tensor_count; t++) {
            ck_ok(tonnx_model_read(model, t, now));
            const size_t bytes = model->tensors[t].count * sizeof *now;
            if (t == tensor_of(model, "fc1.weight")) {
                if (threads == 1) memcpy(first, now, bytes);
                ck_assert_msg(!memcmp(first, now, bytes), "%d threads differ from 1", threads);
            }
        }
        tonnx_model_free(model);
    }
    tonnx__free(first);
    tonnx__free(now);
    tonnx_dataset_free(data);
}
END_TEST

/* Samples of bytes. */
static tonnx_dataset *byte_data(size_t samples, size_t features, size_t classes)
{
    unsigned char *x = malloc(samples * features);
    int32_t *c = malloc(samples * sizeof *c);
    tonnx_dataset *data = NULL;
    for (size_t i = 0; i < samples * features; i++) x[i] = (unsigned char)tonnx__rng_word(1, 1, i);
    for (size_t i = 0; i < samples; i++) c[i] = (int32_t)(tonnx__rng_word(1, 3, i) % classes);
    ck_ok(tonnx_dataset_from_arrays(&data, &(tonnx_dataset_arrays){ .size = sizeof(tonnx_dataset_arrays), .samples = samples,
                                                                    .features = features, .x_bytes = x, .classes = c }));
    free(x);
    free(c);
    return data;
}

/* fc1's weights after `steps` steps. */
static void weights_after(double *to, const tonnx_dataset *data, uint64_t steps, bool shuffled, int threads)
{
    tonnx_model *model = mlp(97, 613, 10, true);
    tonnx_train_options options = options_of(TONNX_ADAM, 0.01);
    options.batch = 23;
    options.steps = steps;
    options.shuffle = shuffled;
    options.threads = threads;
    train(model, data, &options);
    ck_ok(tonnx_model_read(model, tensor_of(model, "fc1.weight"), to));
    tonnx_model_free(model);
}

/* A small batch, which few threads gather each for itself, of floats or bytes, shuffled or in place, whose last is smaller. */
START_TEST(threads_agree_on_small_batches)
{
    enum { COUNT = 613 * 97 };
    tonnx_dataset *data = _i & 1 ? byte_data(60, 97, 10) : graph_data(60, 97, 10, 0);
    double *first = malloc(COUNT * sizeof *first), *now = malloc(COUNT * sizeof *now);
    for (uint64_t steps = 1; steps <= 5; steps++) {
        weights_after(first, data, steps, _i & 2, 1);
        for (int threads = 2; threads <= 5; threads++) {
            weights_after(now, data, steps, _i & 2, threads);
            ck_assert_msg(!memcmp(first, now, COUNT * sizeof *now), "after %d steps %d threads differ from 1", (int)steps, threads);
        }
    }
    free(first);
    free(now);
    tonnx_dataset_free(data);
}
END_TEST

/* The first weights of a deep net after training. */
static void deep_after(double *to, const tonnx_dataset *data, const tonnx_train_options *options)
{
    enum { DEPTH = 13, WIDTH = 64 };
    size_t widths[DEPTH + 1];
    tonnx_mlp_options mlp_options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    for (int i = 0; i < DEPTH; i++) widths[i] = WIDTH;
    widths[DEPTH] = 10;
    mlp_options.norm = "batch";
    ck_ok(tonnx_model_mlp(&model, widths, DEPTH + 1, &mlp_options));
    train(model, data, options);
    ck_ok(tonnx_model_read(model, tensor_of(model, "fc1.weight"), to));
    tonnx_model_free(model);
}

/* A gradient that somebody else reads is not stepped where it is made, but by an update at the end: so the order in which steps are
 * taken behind products is checked against one in which nothing is moved. */
START_TEST(steps_behind_products_are_those_at_the_end)
{
    enum { COUNT = 64 * 64 };
    double fused[COUNT], plain[COUNT];
    tonnx_dataset *data = graph_data(60, 64, 10, 0);
    for (int clip = 0; clip < 2; clip++) {
        tonnx_train_options options = options_of(TONNX_ADAM, 0.001);
        options.backend = "reference";
        options.batch = 30;
        options.steps = 3;
        options.clip_value = clip ? 1e9 : 0; /* reads the gradient, and changes nothing */
        deep_after(clip ? plain : fused, data, &options);
    }
    for (int i = 0; i < COUNT; i++) ck_near(fused[i], plain[i], 1e-12, 1e-12);
    tonnx_dataset_free(data);
}
END_TEST

/* Where it is in doubt how many threads pay (0), runs by one and by all take turns: here runs of one step or two. */
START_TEST(threads_agree_on_deep_nets)
{
    enum { COUNT = 64 * 64 };
    double first[COUNT], now[COUNT];
    tonnx_dataset *data = graph_data(60, 64, 10, 0);
    for (int threads = 0; threads <= 5; threads++) {
        tonnx_train_options options = options_of(TONNX_ADAM, 0.001);
        options.batch = 30;
        options.steps = options.epochs = 70;
        options.threads = threads;
        deep_after(threads ? now : first, data, &options);
        ck_assert_msg(!threads || !memcmp(first, now, sizeof now), "%d threads differ from as many as pay", threads);
    }
    tonnx_dataset_free(data);
}
END_TEST

START_TEST(stops_when_asked)
{
    tonnx_model *model = mlp(7, 11, 3, false);
    tonnx_dataset *data = graph_data(60, 7, 3, 0);
    tonnx_train_options options = options_of(TONNX_SGD, 0.01);
    tonnx_trainer *trainer = NULL;
    story s = { 0 };
    options.epochs = 100000;
    options.event = note;
    options.event_user = &s;
    options.log_every = 1;
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    s.stop_at_step = trainer;
    ck_fails(tonnx_trainer_run(trainer), TONNX_INTERRUPTED, "stopped after step");
    ck_assert(s.steps < 1000);
    ck_assert_int_eq(s.status, TONNX_INTERRUPTED);
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

START_TEST(diverges)
{
    tonnx_model *model = mlp(7, 11, 1, false);
    tonnx_dataset *data = graph_data(60, 7, 0, 1);
    tonnx_train_options options = options_of(TONNX_SGD, 1e6);
    tonnx_trainer *trainer = NULL;
    options.loss = TONNX_MSE;
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    ck_fails(tonnx_trainer_run(trainer), TONNX_DIVERGED, "not finite");
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

START_TEST(a_weight_that_was_never_finite_is_named)
{
    tonnx_model *model = mlp(7, 11, 1, false);
    tonnx_dataset *data = graph_data(60, 7, 0, 1);
    const tonnx_train_options options = options_of(TONNX_SGD, 0.01);
    tonnx_trainer *trainer = NULL;
    tonnx__tensor_set(&model->tensors[tensor_of(model, "output.weight")], 3, NAN);
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    ck_fails(tonnx_trainer_run(trainer), TONNX_DIVERGED, "the model's tensor 'output.weight' was not to begin with");
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

START_TEST(misfits)
{
    tonnx_model *model = mlp(7, 11, 3, false);
    tonnx_dataset *narrow = graph_data(10, 6, 3, 0), *many = graph_data(200, 7, 9, 0), *numbers = graph_data(10, 7, 0, 2);
    tonnx_train_options options = options_of(TONNX_SGD, 0.1);
    tonnx_trainer *trainer = NULL;
    ck_fails(tonnx_trainer_new(&trainer, model, narrow, &options), TONNX_BAD_DATA, "6 features");
    ck_fails(tonnx_trainer_new(&trainer, model, many, &options), TONNX_BAD_DATA, "3 outputs");
    ck_fails(tonnx_trainer_new(&trainer, model, numbers, &options), TONNX_BAD_DATA, "wants 3 numbers");
    options.batch = 0;
    ck_fails(tonnx_trainer_new(&trainer, model, many, &options), TONNX_BAD_USAGE, "batch of 0");
    options.batch = 8;
    options.backend = "abacus";
    tonnx_dataset *good = graph_data(10, 7, 3, 0);
    ck_fails(tonnx_trainer_new(&trainer, model, good, &options), TONNX_BAD_DEVICE, "abacus");
    tonnx_dataset_free(good);
    tonnx_dataset_free(narrow);
    tonnx_dataset_free(many);
    tonnx_dataset_free(numbers);
    tonnx_model_free(model);
}
END_TEST

/* Every second step is done in double too, short batches among them; the run itself does not change. */
START_TEST(verifies)
{
    tonnx_model *plain = mlp(7, 11, 3, true), *watched = mlp(7, 11, 3, true);
    tonnx_dataset *data = graph_data(60, 7, 3, 0);
    tonnx_train_options options = options_of(TONNX_ADAM, 0.01);
    tonnx_trainer *trainer = NULL;
    tonnx_verification found;
    double numbers[2][128];
    train(plain, data, &options);
    options.verify = 2;
    ck_ok(tonnx_trainer_new(&trainer, watched, data, &options));
    ck_ok(tonnx_trainer_run(trainer));
    ck_ok(tonnx_trainer_verification(trainer, &found));
    ck_assert_uint_eq(found.steps, 3 * 8 / 2);
    ck_assert_msg(found.loss > 0 && found.loss < 1e-6, "loss %g", found.loss);
    ck_assert_msg(found.weights > 0 && found.weights < 1e-5, "weights %g in %s", found.weights, found.tensor);
    ck_assert(found.loss_step % 2 == 0 && found.weights_step % 2 == 0);
    ck_ok(tonnx_trainer_pull(trainer, watched));
    for (size_t t = 0; t < plain->tensor_count; t++) {
        ck_ok(tonnx_model_read(plain, t, numbers[0]));
        ck_ok(tonnx_model_read(watched, t, numbers[1]));
        ck_assert(!memcmp(numbers[0], numbers[1], plain->tensors[t].count * sizeof **numbers));
    }
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(plain);
    tonnx_model_free(watched);
}
END_TEST

/* Validation never disturbs training. */
START_TEST(validation)
{
    double plain[7 * 11], watched[7 * 11];
    for (int v = 0; v < 2; v++) {
        tonnx_model *model = mlp(7, 11, 3, true);
        tonnx_dataset *data = graph_data(60, 7, 3, 0), *held = graph_data(20, 7, 3, 0);
        tonnx_train_options options = options_of(TONNX_ADAM, 0.01);
        options.validation = v ? held : NULL;
        train(model, data, &options);
        ck_ok(tonnx_model_read(model, tensor_of(model, "fc1.weight"), v ? watched : plain));
        tonnx_dataset_free(data);
        tonnx_dataset_free(held);
        tonnx_model_free(model);
    }
    ck_assert(!memcmp(plain, watched, sizeof plain));
}
END_TEST

static void note_validation(void *user, const tonnx_event *event)
{
    if (event->kind == TONNX_EVENT_EPOCH) *(double *)user = event->val_loss;
}

/* Targets of 0 and 1 are bce's, others are not: what `auto` makes of the training data is meant of the validation, too. */
START_TEST(validation_has_the_loss_that_is_trained)
{
    tonnx_model *model = mlp(7, 11, 1, false);
    tonnx_dataset *data = graph_data(60, 7, 0, 1), *held = graph_data(20, 7, 0, 1);
    tonnx_train_options options = options_of(TONNX_ADAM, 0.01);
    tonnx_evaluate_options how = TONNX_EVALUATE_OPTIONS_DEFAULT;
    tonnx_metrics metrics;
    double seen = 0;
    for (size_t i = 0; i < data->samples; i++) data->targets[i] = (float)(i % 2);
    options.validation = held;
    options.event = note_validation;
    options.event_user = &seen;
    train(model, data, &options);
    how.loss = TONNX_BCE;
    ck_ok(tonnx_evaluate(&metrics, model, held, &how));
    ck_near(seen, metrics.loss, 1e-6, 0);
    tonnx_dataset_free(data);
    tonnx_dataset_free(held);
    tonnx_model_free(model);
}
END_TEST

static Suite *train_suite(void)
{
    Suite *suite = suite_create("train");
    TCase *tcase = tcase_create("trainer");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, learns, 0, TONNX_OPTIMIZER_COUNT);
    tcase_add_loop_test(tcase, rate_zero_changes_nothing, 0, TONNX_OPTIMIZER_COUNT);
    tcase_add_loop_test(tcase, freeze_and_only, 0, 2);
    tcase_add_loop_test(tcase, what_is_pulled_is_finite, 0, 2);
    tcase_add_loop_test(tcase, batch_norm, 0, 2);
    tcase_add_test(tcase, counts_steps);
    tcase_add_test(tcase, plateau_cuts_after_ten_epochs_and_never_raises);
    tcase_add_test(tcase, schedules);
    tcase_add_loop_test(tcase, threads_agree, 0, 3);
    tcase_add_loop_test(tcase, threads_agree_on_small_batches, 0, 4);
    tcase_add_test(tcase, threads_agree_on_deep_nets);
    tcase_add_test(tcase, steps_behind_products_are_those_at_the_end);
    tcase_add_test(tcase, stops_when_asked);
    tcase_add_test(tcase, diverges);
    tcase_add_test(tcase, a_weight_that_was_never_finite_is_named);
    tcase_add_test(tcase, misfits);
    tcase_add_test(tcase, validation);
    tcase_add_test(tcase, validation_has_the_loss_that_is_trained);
    tcase_add_test(tcase, verifies);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(train_suite());
}
