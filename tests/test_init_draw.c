/* How numbers are drawn: every random scheme against sampling theory, for three shapes and three seeds; orthogonal
 * matrices; layers however a file stores them. */
#include "tests/support.h"

#include <string.h>

#include "format/onnx.h"
#include "runtime/dataset.h"
#include "runtime/init.h"
#include "runtime/net.h"
#include "runtime/rng_impl.h"

/* A scheme, what --mode and --distribution add, and the theory: the variance is scale/fan. */
static const struct {
    const char *scheme, *mode, *distribution;
    double scale;
    char fan;  /* in, out, avg, or none: the variance itself */
    char form; /* uniform, normal, truncated */
} schemes[] = {
    { "glorot-uniform", NULL, NULL, 1, 'a', 'u' },
    { "glorot-normal", NULL, NULL, 1, 'a', 'n' },
    { "xavier-normal", NULL, "truncated", 1, 'a', 't' },
    { "he-uniform", NULL, NULL, 2, 'i', 'u' },
    { "he-normal", NULL, NULL, 2, 'i', 'n' },
    { "kaiming-normal", "fan-out", NULL, 2, 'o', 'n' },
    { "he-normal", NULL, "truncated", 2, 'i', 't' },
    { "lecun-uniform", NULL, NULL, 1, 'i', 'u' },
    { "lecun-normal", NULL, NULL, 1, 'i', 'n' },
    { "lecun-uniform", "fan-avg", "normal", 1, 'a', 'n' },
    { "torch-default", NULL, NULL, 1.0 / 3, 'i', 'u' },
    { "keras-default", NULL, NULL, 1, 'a', 'u' },
    { "normal:0.02", NULL, NULL, 0.0004, '1', 'n' },
    { "uniform:0.3", NULL, NULL, 0.03, '1', 'u' },
    { "truncated-normal:0.5", NULL, NULL, 0.25, '1', 't' },
    { "variance-scaling:2:fan-avg:uniform", NULL, NULL, 2, 'a', 'u' },
    { "variance-scaling:1.5:fan-in:untruncated_normal", NULL, NULL, 1.5, 'i', 'n' },
    { "variance-scaling:3:fan-out:truncated_normal", NULL, NULL, 3, 'o', 't' },
};
enum { SCHEMES = sizeof schemes / sizeof *schemes, SHAPES = 3, SEEDS = 3 };

static const size_t shapes[SHAPES][2] = { { 784, 128 }, { 64, 64 }, { 30, 500 } };

/* w[out,in] of a fresh layer; the caller frees it. */
static double *draw(const size_t *widths, const tonnx_init_options *init)
{
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    double *values = malloc(widths[0] * widths[1] * sizeof *values);
    size_t at;
    options.init = init;
    ck_ok(tonnx_model_mlp(&model, widths, 2, &options));
    ck_ok(tonnx_model_find(model, "fc1.weight", &at));
    ck_ok(tonnx_model_read(model, at, values));
    tonnx_model_free(model);
    return values;
}

/* Mean, variance, kurtosis and bounds lie within four standard errors. Kurtosis, n times the variance of a sample's
 * kurtosis, of its relative variance, and the largest element: uniform, normal, normal cut at two deviations. */
static void check_sample(const double *w, size_t count, double variance, char form)
{
    const double n = (double)count, kurtosis = form == 'u' ? 1.8 : form == 'n' ? 3.0 : 2.3655;
    const double kurtosis_spread = form == 'u' ? 1.317 : form == 'n' ? 24.0 : 3.848;
    const double variance_spread = form == 'u' ? 0.8 : form == 'n' ? 2.0 : 1.3655;
    const double bound = sqrt(variance) * (form == 'u' ? sqrt(3.0) : form == 'n' ? 6.0 : 2.0 / 0.8796256610342398);
    double mean = 0, square = 0, fourth = 0, most = 0;
    for (size_t i = 0; i < count; i++) mean += w[i] / n;
    for (size_t i = 0; i < count; i++) {
        const double off = (w[i] - mean) * (w[i] - mean);
        square += off / n;
        fourth += off * off / n;
        most = fmax(most, fabs(w[i]));
    }
    ck_near(mean, 0, 4 * sqrt(variance / n), 0);
    ck_near(square, variance, 0, 4 * sqrt(variance_spread / n));
    ck_near(fourth / (square * square), kurtosis, 4 * sqrt(kurtosis_spread / n), 0);
    ck_assert_msg(most <= bound * (1 + 1e-6), "%g is beyond %g", most, bound);
    if (form == 'u') ck_assert(most > bound * (1 - 20 / n));
    if (form == 't') ck_assert(most > 0.97 * bound);
}

START_TEST(every_scheme)
{
    const double scale = schemes[_i].scale;
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            const double in = (double)shapes[shape][0], out = (double)shapes[shape][1];
            const char fan = schemes[_i].fan;
            tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
            init.scheme = schemes[_i].scheme;
            init.mode = schemes[_i].mode;
            init.distribution = schemes[_i].distribution;
            init.seed = seed;
            double *w = draw(shapes[shape], &init);
            const double size = fan == 'i' ? in : fan == 'o' ? out : fan == 'a' ? (in + out) / 2 : 1;
            check_sample(w, shapes[shape][0] * shapes[shape][1], scale / size, schemes[_i].form);
            free(w);
        }
}
END_TEST

/* The shorter side's vectors have the gain as their length and stand upright on each other. */
START_TEST(orthogonal)
{
    static const size_t sizes[][2] = { { 20, 30 }, { 30, 20 }, { 16, 16 }, { 1, 5 }, { 5, 1 } };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t in = sizes[s][0], out = sizes[s][1], vectors = in < out ? in : out, length = in < out ? out : in;
        tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
        init.scheme = "orthogonal";
        init.nonlinearity = "tanh";
        double *w = draw(sizes[s], &init);
        for (size_t a = 0; a < vectors; a++)
            for (size_t b = 0; b <= a; b++) {
                double sum = 0;
                for (size_t i = 0; i < length; i++)
                    sum += in < out ? w[i * in + a] * w[i * in + b] : w[a * in + i] * w[b * in + i];
                ck_near(sum, a == b ? 25.0 / 9.0 : 0.0, 2e-6, 0);
            }
        free(w);
    }
}
END_TEST

/* Gemm transB 0 and 1, alpha and beta, MatMul: a layer's own w[out,in] is drawn, so its numbers are the same however
 * the file stores them, and bounds follow the layer's fans. */
static const char *const stored[] = { "hand-gemm-transb0", "hand-gemm-transb1", "hand-matmul-add",
                                      "matmul-add-ts17",   "kjax-relu-softmax", "hand-weight-via-transpose" };

START_TEST(every_storage)
{
    char path[256];
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    size_t weights = 0;
    snprintf(path, sizeof path, TONNX_TEST_DATA "/exports/%s/model.onnx", stored[_i]);
    init.scheme = "lecun-uniform";
    ck_ok(tonnx_onnx_load(&model, path, NULL));
    ck_ok(tonnx_init(model, &init));
    ck_ok(tonnx_net_new(&net, model, NULL));
    for (size_t i = 0; i < tonnx_net_parameter_count(net); i++) {
        tonnx_parameter_info info;
        tonnx_net_parameter(net, i, &info);
        if (strcmp(info.role, "weight") != 0) continue;
        const size_t count = info.rows * info.cols;
        double *w = malloc(count * sizeof *w), most = 0;
        tonnx_net_read(net, i, w);
        for (size_t k = 0; k < count; k++) most = fmax(most, fabs(w[k]));
        ck_assert(most <= sqrt(3.0 / (double)info.cols) * (1 + 1e-6));
        ck_assert(most >= sqrt(3.0 / (double)info.cols) * (1 - 12.0 / (double)count));
        weights++;
        free(w);
    }
    ck_assert_uint_ge(weights, 1);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* Samples of 20 features, seven times too wide and off centre. */
enum { SAMPLES = 300, FEATURES = 20, UNITS = 30 };

static void fill_samples(float *x)
{
    for (size_t i = 0; i < SAMPLES * FEATURES; i++) x[i] = (float)(7.0 * tonnx__rng_normal(1, 0, i) + 1.0);
}

static double *draw_lsuv(const float *x, int threads)
{
    const tonnx_dataset_arrays arrays = { .size = sizeof arrays, .samples = SAMPLES, .features = FEATURES, .x = x };
    const size_t widths[] = { FEATURES, UNITS };
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_dataset *data = NULL;
    ck_ok(tonnx_dataset_from_arrays(&data, &arrays));
    init.scheme = "lsuv";
    init.data = data;
    init.threads = threads;
    init.batch = 64;
    double *w = draw(widths, &init);
    tonnx_dataset_free(data);
    return w;
}

/* y[300,30] = x[300,20] · wᵀ has unit variance, and the weights do not know how many threads measured. */
START_TEST(lsuv)
{
    static float x[SAMPLES * FEATURES];
    const double n = SAMPLES * UNITS;
    double sum = 0, squares = 0;
    fill_samples(x);
    double *w = draw_lsuv(x, 1), *again = draw_lsuv(x, 3);
    ck_assert(!memcmp(w, again, UNITS * FEATURES * sizeof *w));
    for (size_t i = 0; i < SAMPLES * UNITS; i++) {
        double y = 0;
        for (size_t k = 0; k < FEATURES; k++) y += (double)x[i / UNITS * FEATURES + k] * w[i % UNITS * FEATURES + k];
        sum += y;
        squares += y * y;
    }
    ck_near(squares / n - sum / n * (sum / n), 1.0, 0.01, 0);
    free(w);
    free(again);
}
END_TEST

static Suite *init_draw_suite(void)
{
    Suite *suite = suite_create("init_draw");
    TCase *cases = tcase_create("draw");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, every_scheme, 0, SCHEMES);
    tcase_add_test(cases, orthogonal);
    tcase_add_test(cases, lsuv);
    tcase_add_loop_test(cases, every_storage, 0, sizeof stored / sizeof *stored);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    return run_suite(init_draw_suite());
}
