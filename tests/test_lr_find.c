/* The range test: rates grow as asked, it stops where the loss is torn apart, it suggests what a known curve says, and
 * leaves the model alone. */
#include "runtime/lr_find.h"
#include "tests/graphs.h"

enum { SAMPLES = 96, FEATURES = 5 };

/* y = one linear layer of x: least squares, whose gradient descent diverges from a known rate on. */
static tonnx_dataset *line_data(void)
{
    float x[SAMPLES * FEATURES], y[SAMPLES];
    tonnx_dataset *data = NULL;
    for (size_t i = 0; i < SAMPLES; i++) {
        y[i] = 0.5f;
        for (size_t k = 0; k < FEATURES; k++) {
            x[i * FEATURES + k] = (float)sin((double)(i * FEATURES + k) * 1.7 + 0.3 * (double)(i * k));
            y[i] += x[i * FEATURES + k] * (float)(2 - (double)k);
        }
    }
    const tonnx_dataset_arrays arrays = {
        .size = sizeof arrays, .samples = SAMPLES, .features = FEATURES, .x = x, .targets = y, .target_width = 1
    };
    ck_ok(tonnx_dataset_from_arrays(&data, &arrays));
    return data;
}

static tonnx_model *line_model(void)
{
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 17, FEATURES, 1));
    graph_dense(model, "input", "output", FEATURES, 1);
    return model;
}

typedef struct heard {
    uint64_t points;
    double rate;
} heard;

static void hear(void *user, const tonnx_lr_point *point)
{
    heard *h = user;
    ck_assert_uint_eq(point->step, ++h->points);
    ck_assert(point->rate > h->rate && isfinite(point->loss) && isfinite(point->average));
    h->rate = point->rate;
}

START_TEST(rates_grow_and_the_model_stays)
{
    tonnx_model *model = line_model(), *same = line_model();
    tonnx_dataset *data = line_data();
    tonnx_train_options train = TONNX_TRAIN_OPTIONS_DEFAULT;
    tonnx_lr_options options = TONNX_LR_OPTIONS_DEFAULT;
    tonnx_lr_curve *curve = NULL;
    heard h = { 0 };
    train.optimizer = TONNX_SGD;
    options.point = hear;
    options.user = &h;
    ck_ok(tonnx_lr_find(&curve, model, data, &train, &options));
    ck_assert_uint_eq(curve->count, h.points);
    ck_assert_int_eq(curve->loss_kind, TONNX_MSE);
    for (size_t i = 0; i < curve->count; i++) ck_near(curve->rate[i], 1e-7 * pow(1e8, (double)i / 99), 0, 1e-9);
    /* the mean square's Hessian is 2·E[x xᵀ]; x has a variance near ½ in each direction: beyond rates of a few, it
     * bursts */
    ck_assert(curve->stopped);
    ck_assert(curve->valley > 1e-3 && curve->valley < 1);
    ck_assert(curve->steepest > 1e-3 && curve->steepest < curve->lowest + 1e-12);
    ck_assert(curve->lowest < 5);
    double now[FEATURES], before[FEATURES];
    ck_ok(tonnx_model_read(model, 0, now));
    ck_ok(tonnx_model_read(same, 0, before));
    ck_assert_mem_eq(now, before, sizeof now);
    tonnx_lr_curve_free(curve);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
    tonnx_model_free(same);
}
END_TEST

/* Rates too small to matter: nothing is suggested. */
START_TEST(nothing_falls)
{
    tonnx_model *model = line_model();
    tonnx_dataset *data = line_data();
    tonnx_lr_options options = TONNX_LR_OPTIONS_DEFAULT;
    tonnx_lr_curve *curve = NULL;
    options.first = 1e-12;
    options.last = 1e-11;
    options.steps = 12;
    ck_ok(tonnx_lr_find(&curve, model, data, NULL, &options));
    ck_assert_uint_eq(curve->count, 12);
    ck_assert(!curve->stopped && isnan(curve->valley) && isnan(curve->steepest) && isnan(curve->lowest));
    for (size_t i = 0; i < 12; i++) ck_assert(isfinite(curve->smooth[i]) && curve->smooth[i] > 0);
    tonnx_lr_curve_free(curve);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

static void refuse(const tonnx_lr_options *options, const char *text)
{
    tonnx_model *model = line_model();
    tonnx_dataset *data = line_data();
    tonnx_lr_curve *curve = (void *)1;
    ck_fails(TONNX_BAD_USAGE, tonnx_lr_find(&curve, model, data, NULL, options), text);
    ck_assert_ptr_null(curve);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}

START_TEST(wrong_options)
{
    tonnx_lr_options o = TONNX_LR_OPTIONS_DEFAULT;
    refuse((o.first = 0, &o), "0 to 10");
    refuse((o.first = 20, &o), "20 to 10");
    o = (tonnx_lr_options)TONNX_LR_OPTIONS_DEFAULT;
    refuse((o.steps = 9, &o), "9 batches");
    o = (tonnx_lr_options)TONNX_LR_OPTIONS_DEFAULT;
    refuse((o.smoothing = 1, &o), "smoothing 1");
    o = (tonnx_lr_options)TONNX_LR_OPTIONS_DEFAULT;
    refuse((o.stop = 0.5, &o), "stop at 0.5");
    o = (tonnx_lr_options)TONNX_LR_OPTIONS_DEFAULT;
    refuse((o.size = 0, &o), "TONNX_LR_OPTIONS_DEFAULT");
}
END_TEST

static Suite *lr_find_suite(void)
{
    Suite *suite = suite_create("lr_find");
    TCase *tcase = tcase_create("range test");
    tcase_add_test(tcase, rates_grow_and_the_model_stays);
    tcase_add_test(tcase, nothing_falls);
    tcase_add_test(tcase, wrong_options);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(lr_find_suite());
}
