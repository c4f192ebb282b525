/* Scheme recognition: what was drawn is named again, from a few figures of it. */
#include "tests/support.h"

#include <string.h>

#include "format/onnx.h"
#include "runtime/dataset.h"
#include "runtime/diagnose_scheme_impl.h"
#include "runtime/init.h"
#include "runtime/net.h"
#include "runtime/recipe_impl.h"
#include "runtime/rng_impl.h"

/* w[rows,cols] */
typedef struct matrix {
    double *values;
    size_t rows, cols;
} matrix;

static double at(const void *user, size_t row, size_t col)
{
    const matrix *m = user;
    return m->values[row * m->cols + col];
}

static tonnx__scheme_facts measure(const double *values, size_t count, size_t fan_in, size_t fan_out)
{
    tonnx__scheme_facts f = {
        .count = count, .fan_in = fan_in, .fan_out = fan_out, .least = INFINITY, .most = -INFINITY
    };
    double fourth = 0;
    for (size_t i = 0; i < count; i++) {
        f.mean += values[i] / (double)count;
        f.least = fmin(f.least, values[i]);
        f.most = fmax(f.most, values[i]);
        f.zeros += values[i] == 0.0;
    }
    for (size_t i = 0; i < count; i++) {
        const double square = (values[i] - f.mean) * (values[i] - f.mean);
        f.variance += square / (double)count;
        fourth += square * square / (double)count;
    }
    f.kurtosis = fourth / (f.variance * f.variance);
    return f;
}

static matrix draw(const char *scheme, size_t in, size_t out, uint64_t seed)
{
    const size_t widths[] = { in, out };
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_dataset *data = NULL;
    size_t where;
    matrix m = { malloc(in * out * sizeof(double)), out, in };
    init.scheme = scheme;
    init.seed = seed;
    init.threads = 1;
    if (!strcmp(scheme, "lsuv")) ck_ok(tonnx_dataset_gaussian(&data, 128, in, 1, seed));
    init.data = data;
    options.init = &init;
    ck_ok(tonnx_model_mlp(&model, widths, 2, &options));
    ck_ok(tonnx_model_find(model, "fc1.weight", &where));
    ck_ok(tonnx_model_read(model, where, m.values));
    tonnx_model_free(model);
    tonnx_dataset_free(data);
    return m;
}

static tonnx__scheme_match recognise(const matrix *m)
{
    tonnx__scheme_match match;
    tonnx__scheme_facts facts = measure(m->values, m->rows * m->cols, m->cols, m->rows);
    tonnx__scheme_look(&facts, at, m);
    tonnx__scheme_closest(&facts, &match);
    return match;
}

static const char *const schemes[] = {
    "glorot-uniform",
    "glorot-normal",
    "he-uniform",
    "he-normal",
    "lecun-uniform",
    "lecun-normal",
    "torch-default",
    "keras-default",
    "orthogonal",
    "identity",
    "zeros",
    "ones",
    "constant:0.1",
    "normal:0.02",
    "normal:1",
    "uniform:0.05",
    "truncated-normal:0.02",
    "variance-scaling:2:fan-avg:uniform",
    "variance-scaling:1:fan-out:normal",
    "lsuv",
};
enum { SCHEMES = sizeof schemes / sizeof *schemes, LAYERS = 500 };

/* A name for the same numbers: equal; or of a distribution and variance that a sample as large cannot tell from the
 * true one's, as he-normal's 2/100 from variance-scaling:1's 1/52. */
static bool same_numbers(const char *scheme, const matrix *m, const tonnx__scheme_match *match)
{
    tonnx__recipe recipe;
    const double n = (double)(m->rows * m->cols);
    const bool uniform = match->distribution == TONNX__DISTRIBUTION_uniform;
    ck_ok(tonnx__recipe_parse(&recipe, scheme));
    const double std = tonnx__recipe_std(&recipe, (double)m->cols, (double)m->rows),
                 ratio = match->variance / (std * std);
    if (match->trained || uniform != (recipe.distribution == TONNX__DISTRIBUTION_uniform)) return false;
    return fabs(ratio - 1.0) < (uniform ? 10.0 / n : 2.0 * sqrt(2.0 / n));
}

START_TEST(fresh_layers)
{
    int named = 0, same = 0;
    for (uint64_t i = 0; i < LAYERS; i++) {
        const char *scheme = schemes[i % SCHEMES];
        const double weights = 32.0 * pow(100000.0 / 32.0, tonnx__rng_uniform(1, 0, i));
        const size_t in = (size_t)fmax(2.0, sqrt(weights) * pow(4.0, 2.0 * tonnx__rng_uniform(1, 1, i) - 1.0));
        const size_t out = (size_t)fmax(2.0, ceil(weights / (double)in));
        matrix m = draw(scheme, in, out, i);
        const tonnx__scheme_match match = recognise(&m);
        const bool equal = !strcmp(match.name, strcmp(scheme, "keras-default") ? scheme : "glorot-uniform");
        named += equal;
        same += equal || same_numbers(scheme, &m, &match);
        free(m.values);
    }
    printf("%d of %d fresh layers named as drawn, %d as what a sample of that size can tell\n", named, LAYERS, same);
    ck_assert_int_ge(named, LAYERS * 95 / 100);
}
END_TEST

/* What frameworks initialised, as they exported it: every weight, every bias. */
static const struct {
    const char *file, *weights, *biases;
    double gain; /* of the activation; 0: left unknown */
} models[] = {
    { "exports/mnist-784-128-10-ts17", "torch-default", "torch-default", 0 },
    { "stats/relu-default-5", "torch-default", "torch-default", 0 },
    { "stats/fashion-tanh-all-normal", "normal:1", "normal:1", 0 },
    { "stats/selu-lecun-12", "lecun-normal", "zeros", 0.75 },
    { "exports/kjax-fresh-zero-bias", "glorot-uniform", "zeros", 0 },
    { "exports/ktf-fresh-zero-bias", "glorot-uniform", "zeros", 0 },
    { "exports/ktorch-fresh-zero-bias", "glorot-uniform", "zeros", 0 },
};

/* The facts of every weight and bias of a model; parameters stand in the order weight, bias, weight, … */
static size_t facts_of(const tonnx_net *net, double gain, tonnx__scheme_facts *facts, const char **names)
{
    size_t count = 0, in = 0, out = 0;
    for (size_t i = 0; i < tonnx_net_parameter_count(net); i++) {
        tonnx_parameter_info info;
        tonnx_net_parameter(net, i, &info);
        const bool weight = !strcmp(info.role, "weight");
        if (!weight && strcmp(info.role, "bias") != 0) continue;
        if (weight) in = info.cols, out = info.rows;
        matrix m = { malloc(info.rows * info.cols * sizeof(double)), info.rows, info.cols };
        tonnx_net_read(net, i, m.values);
        facts[count] = measure(m.values, m.rows * m.cols, in, out);
        facts[count].bias = !weight;
        facts[count].gain = gain;
        tonnx__scheme_look(&facts[count], at, &m);
        names[count++] = info.name;
        free(m.values);
    }
    return count;
}

START_TEST(frameworks_own)
{
    char path[256];
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    tonnx__scheme_facts facts[64];
    tonnx__scheme_match matches[64];
    const char *names[64];
    snprintf(path, sizeof path, TONNX_TEST_DATA "/%s/model.onnx", models[_i].file);
    ck_ok(tonnx_onnx_load(&model, path, NULL));
    ck_ok(tonnx_net_new(&net, model, NULL));
    const size_t count = facts_of(net, models[_i].gain, facts, names);
    tonnx__schemes_closest(facts, count, matches);
    for (size_t i = 0; i < count; i++) {
        const char *want = facts[i].bias ? models[_i].biases : models[_i].weights;
        ck_assert_msg(!strcmp(matches[i].name, want), "%s: %s is %s, z %.2f", models[_i].file, names[i],
                      matches[i].name, matches[i].z);
        ck_assert(isnan(matches[i].z) || fabs(matches[i].z) < 4.0);
    }
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* PyTorch's calls, and what their numbers are called here. */
static const struct {
    const char *what, *name;
} calls[] = {
    { "xavier-uniform", "glorot-uniform" },
    { "xavier-normal", "glorot-normal" },
    { "kaiming-normal", "he-normal" },
    { "kaiming-normal-fan-out", "variance-scaling:2:fan-out:normal" },
    { "normal", "normal:1" },
    { "uniform", "uniform:0.1" },
    { "trunc-normal", "normal:0.02" },
    { "orthogonal", "orthogonal" },
    { "lecun-normal", "lecun-normal" },
    { "xavier-uniform-tanh-gain", "glorot-uniform" },
};

/* Numbers per line of torch.txt. */
static size_t numbers_of(const char *what, size_t rows, size_t cols)
{
    if (!strcmp(what, "linear-default") || !strcmp(what, "kaiming-uniform-after-linear")) return rows * cols + rows;
    if (!strcmp(what, "sequential-default")) return 8 * 16 + 8 + 4 * 8 + 4;
    if (!strcmp(what, "raw-draws-in-sequence")) return 20 + 15 + 16 + 40;
    return !strcmp(what, "odd-normals-then-uniform") ? 3 + 4 + 5 : rows * cols;
}

static void check_torch(const char *what, const matrix *m, size_t *checked)
{
    const tonnx__scheme_match match = recognise(m);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].what, what) != 0) continue;
        const bool coincide =
            !strcmp(what, "kaiming-normal-fan-out") && m->rows == 2 * m->cols; /* 2/fan_out = 1/fan_in */
        const char *want = coincide ? "lecun-normal" : calls[i].name;
        ck_assert_msg(!strcmp(match.name, want), "%s [%zu,%zu] is %s, z %.2f", what, m->rows, m->cols, match.name,
                      match.z);
        if (!strcmp(what, "xavier-uniform-tanh-gain")) ck_near(match.gain, 5.0 / 3.0, 0, 1e-9);
        ++*checked;
    }
}

/* Tensors of fewer than 32 numbers say too little. */
START_TEST(torch_calls)
{
    FILE *list = fopen(TONNX_TEST_DATA "/init/torch.txt", "r"),
         *numbers = fopen(TONNX_TEST_DATA "/init/torch.f32", "rb");
    char line[256], what[40];
    unsigned seed;
    matrix m;
    size_t checked = 0;
    ck_assert(list && numbers);
    while (fgets(line, sizeof line, list)) {
        if (sscanf(line, "%u %39s %zu %zu", &seed, what, &m.rows, &m.cols) != 4) continue;
        const size_t count = numbers_of(what, m.rows, m.cols);
        m.values = malloc(count * sizeof *m.values);
        for (size_t i = 0; i < count; i++) {
            float value;
            ck_assert_uint_eq(fread(&value, sizeof value, 1, numbers), 1);
            m.values[i] = (double)value;
        }
        if (count >= 32) check_torch(what, &m, &checked);
        free(m.values);
    }
    ck_assert_uint_ge(checked, 46);
    fclose(list);
    fclose(numbers);
}
END_TEST

/* Fresh numbers with training's on top: wider than the bound, neither flat nor a bell, or no longer around zero. */
START_TEST(trained_layers)
{
    static const double noises[] = { 0.3, 0.0, 1.0 }, shifts[] = { 0.0, 0.02, 0.0 };
    for (size_t k = 0; k < 3; k++) {
        matrix m = draw("torch-default", 64, 64, 3);
        for (size_t i = 0; i < 64 * 64; i++) {
            const double normal = tonnx__rng_normal(1, k, i);
            m.values[i] += noises[k] * 0.07 * normal * (k == 2 ? fabs(normal) : 1.0) + shifts[k];
        }
        const tonnx__scheme_match match = recognise(&m);
        ck_assert_msg(match.trained && !strcmp(match.name, "trained"), "case %zu: %s", k, match.name);
        free(m.values);
    }
}
END_TEST

static Suite *diagnose_scheme_suite(void)
{
    Suite *suite = suite_create("diagnose_scheme");
    TCase *cases = tcase_create("schemes");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, fresh_layers);
    tcase_add_loop_test(cases, frameworks_own, 0, sizeof models / sizeof *models);
    tcase_add_test(cases, torch_calls);
    tcase_add_test(cases, trained_layers);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    return run_suite(diagnose_scheme_suite());
}
