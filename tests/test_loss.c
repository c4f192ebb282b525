/* Cross-entropy with label smoothing and class weights: a layer's loss and gradients against PyTorch's, on every
 * backend; what training makes of the options; and what is refused. */
#include "runtime/evaluate.h"
#include "runtime/task_impl.h"
#include "runtime/train.h"
#include "tests/golden.h"
#include "tests/graphs.h"

enum { ROWS = 4, CLASSES = 5 };

/* The data of make.py's cross_entropy: classes or shares. */
static tonnx_dataset *golden_data(bool shares)
{
    float x[ROWS * CLASSES], t[ROWS * CLASSES];
    int32_t classes[ROWS];
    tonnx_dataset *data = NULL;
    tonnx_dataset_arrays arrays = { .size = sizeof arrays, .samples = ROWS, .features = CLASSES, .x = x };
    for (int n = 0; n < ROWS; n++) {
        double sum = 0;
        classes[n] = (3 * n + 1) % CLASSES;
        for (int c = 0; c < CLASSES; c++) sum += 1 + n * c % 4;
        for (int c = 0; c < CLASSES; c++) x[n * CLASSES + c] = (float)(3 * sin(1 + 1.7 * n + 0.9 * c));
        for (int c = 0; c < CLASSES; c++) t[n * CLASSES + c] = (float)((1 + n * c % 4) / sum);
    }
    if (shares) arrays.targets = t, arrays.target_width = CLASSES;
    else arrays.classes = classes;
    ck_ok(tonnx_dataset_from_arrays(&data, &arrays));
    return data;
}

/* One layer that passes its input on: W = 1, b = 0. */
static tonnx_model *identity(void)
{
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 17, CLASSES, CLASSES));
    graph_dense(model, "input", "output", CLASSES, CLASSES);
    for (size_t i = 0; i < CLASSES * CLASSES; i++) tonnx__tensor_set(&model->tensors[0], i, i % (CLASSES + 1) == 0);
    for (size_t i = 0; i < CLASSES; i++) tonnx__tensor_set(&model->tensors[1], i, 0);
    return model;
}

/* One step of SGD with a rate of 1: what the tensors lose is the gradient. */
static void step(tonnx_model *model, const tonnx_dataset *data, const char *backend, const golden *row, double *loss)
{
    static const double weights[CLASSES] = { 0.25, 0.75, 1.25, 1.75, 2.25 };
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    tonnx_trainer *trainer = NULL;
    options.optimizer = TONNX_SGD;
    options.loss = TONNX_CROSS_ENTROPY;
    options.rate = 1;
    options.epochs = 1;
    options.batch = ROWS;
    options.backend = backend;
    options.label_smoothing = row->values[0];
    if (strstr(row->name, "weighted")) options.class_weights = weights, options.class_weight_count = CLASSES;
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    ck_ok(tonnx_trainer_run(trainer));
    ck_ok(tonnx_trainer_pull(trainer, model));
    *loss = tonnx_trainer_last_loss(trainer);
    tonnx_trainer_free(trainer);
}

START_TEST(as_pytorch)
{
    const char *const backends[] = { "reference", "cpu" };
    golden *row = golden_open("cross_entropy.csv");
    size_t rows = 0;
    while (golden_next(row)) {
        tonnx_dataset *data = golden_data(strstr(row->name, "shares"));
        tonnx_model *model = identity();
        double w[CLASSES * CLASSES], b[CLASSES], loss;
        step(model, data, backends[_i], row, &loss);
        ck_near(loss, row->values[1], 1e-6, 1e-6);
        ck_ok(tonnx_model_read(model, 0, w));
        ck_ok(tonnx_model_read(model, 1, b));
        for (size_t c = 0; c < CLASSES; c++) ck_near(-b[c], row->values[2 + c], 2e-7, 1e-6);
        for (size_t c = 0; c < CLASSES; c++) ck_near(1 - w[c * (CLASSES + 1)], row->values[7 + c], 3e-7, 1e-6);
        tonnx_model_free(model);
        tonnx_dataset_free(data);
        rows++;
    }
    ck_assert_uint_eq(rows, 16);
    golden_close(row);
}
END_TEST

/* Balanced weights are those that the counts give, whether they come as options or are worked out. */
START_TEST(balanced)
{
    double w[2][7 * 3];
    for (int given = 0; given < 2; given++) {
        tonnx_dataset *data = graph_data(50, 7, 3, 0);
        tonnx_model *model = NULL;
        tonnx_trainer *trainer = NULL;
        tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
        double weights[3] = { 0 };
        for (size_t i = 0; i < data->samples; i++) weights[data->classes[i]]++;
        for (size_t c = 0; c < 3; c++) weights[c] = (double)data->samples / (3 * weights[c]);
        options.balance_classes = !given;
        if (given) options.class_weights = weights, options.class_weight_count = 3;
        ck_ok(tonnx__model_new(&model, 17, 7, 3));
        graph_dense(model, "input", "output", 7, 3);
        ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
        ck_ok(tonnx_trainer_run(trainer));
        ck_ok(tonnx_trainer_pull(trainer, model));
        ck_ok(tonnx_model_read(model, 0, w[given]));
        tonnx_trainer_free(trainer);
        tonnx_model_free(model);
        tonnx_dataset_free(data);
    }
    ck_assert(!memcmp(w[0], w[1], sizeof w[0]));
}
END_TEST

static void refuses(const tonnx_dataset *data, const tonnx_train_options *options, const char *text)
{
    tonnx_model *model = identity();
    tonnx_trainer *trainer = NULL;
    ck_fails(tonnx_trainer_new(&trainer, model, data, options), TONNX_BAD_USAGE, text);
    tonnx_model_free(model);
}

START_TEST(refusals)
{
    const tonnx_train_options good = TONNX_TRAIN_OPTIONS_DEFAULT;
    const double four[] = { 1, 1, 1, 1 }, none[CLASSES] = { 0 }, negative[CLASSES] = { 1, -1, 1, 1, 1 };
    tonnx_dataset *data = golden_data(false), *shares = golden_data(true);
    tonnx_train_options o = good;
    o.label_smoothing = 1.5, refuses(data, &o, "from 0 to 1"), o = good;
    o.label_smoothing = NAN, refuses(data, &o, "from 0 to 1"), o = good;
    o.label_smoothing = 0.1, refuses(shares, &o, "the loss is mse"), o = good;
    o.balance_classes = true, o.loss = TONNX_CROSS_ENTROPY, refuses(shares, &o, "not distributions"), o = good;
    o.class_weights = four, o.class_weight_count = 4, refuses(data, &o, "4 class weights for 5 classes");
    o.class_weights = none, o.class_weight_count = CLASSES, refuses(data, &o, "every class weight is 0");
    o.class_weights = negative, refuses(data, &o, "weight of class 1 is -1");
    o.balance_classes = true, refuses(data, &o, "not both");
    tonnx_dataset_free(data);
    tonnx_dataset_free(shares);
}
END_TEST

static Suite *loss_suite(void)
{
    Suite *suite = suite_create("loss");
    TCase *tcase = tcase_create("cross-entropy");
    tcase_add_loop_test(tcase, as_pytorch, 0, 2);
    tcase_add_test(tcase, balanced);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(loss_suite());
}
