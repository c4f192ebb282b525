/* Initialisation: variances, bounds, what is left alone; and new MLPs, which are read back as what was asked for. */
#include "tests/support.h"

#include <string.h>

#include "format/file.h"
#include "format/onnx.h"
#include "runtime/init.h"
#include "runtime/mem_impl.h"
#include "runtime/net.h"

typedef struct numbers {
    double *values, mean, variance, least, most;
    size_t count;
} numbers;

/* All elements of the initializer of that name, and their moments. */
static numbers take(const tonnx_model *model, const char *name)
{
    numbers n = { .least = INFINITY, .most = -INFINITY };
    tonnx_tensor_info info;
    size_t at;
    ck_ok(tonnx_model_find(model, name, &at));
    tonnx_model_tensor(model, at, &info);
    n.count = info.count;
    n.values = malloc(n.count * sizeof *n.values);
    ck_ok(tonnx_model_read(model, at, n.values));
    for (size_t i = 0; i < n.count; i++) {
        n.mean += n.values[i] / (double)n.count;
        n.variance += n.values[i] * n.values[i] / (double)n.count;
        n.least = fmin(n.least, n.values[i]);
        n.most = fmax(n.most, n.values[i]);
    }
    return n;
}

static tonnx_model *mlp(const char *widths_text, const tonnx_mlp_options *options)
{
    size_t widths[8], count = 0;
    tonnx_model *model = NULL;
    for (const char *at = widths_text; at && count < 8; at = strchr(at, '-'), at = at ? at + 1 : at)
        widths[count++] = strtoul(at, NULL, 10);
    ck_ok(tonnx_model_mlp(&model, widths, count, options));
    return model;
}

/* fan_in 300, fan_out 200; variance relative to what the scheme says, and uniform bounds. */
static void check_scheme(const char *scheme, const char *act, double variance, bool uniform)
{
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    options.scheme = scheme;
    options.activation = act;
    tonnx_model *model = mlp("300-200-10", &options);
    const numbers w = take(model, "fc1.weight");
    const double error = sqrt((uniform ? 0.8 : 2.0) / (double)w.count); /* one standard error, relative */
    ck_near(w.variance, variance, 0, 4 * error);
    ck_near(w.mean, 0, 4 * sqrt(variance / (double)w.count), 0);
    if (uniform) {
        const double bound = sqrt(3 * variance);
        ck_assert(w.most <= bound * (1 + 1e-7) && w.most > 0.999 * bound);
        ck_assert(w.least >= -bound * (1 + 1e-7) && w.least < -0.999 * bound);
    } else ck_assert(w.most > 3.2 * sqrt(variance) && w.least < -3.2 * sqrt(variance));
    free(w.values);
    tonnx_model_free(model);
}

START_TEST(variances)
{
    check_scheme("glorot-uniform", "relu", 1.0 / 250, true);
    check_scheme("xavier-normal", "relu", 1.0 / 250, false);
    check_scheme("he-uniform", "relu", 2.0 / 300, true);
    check_scheme("kaiming_normal", "relu", 2.0 / 300, false);
    check_scheme("he-normal", "leaky_relu:0.5", 2.0 / 300, false);
    check_scheme("lecun-uniform", "relu", 1.0 / 300, true);
    check_scheme("lecun-normal", "relu", 1.0 / 300, false);
    check_scheme("torch-default", "relu", 1.0 / 900, true);
}
END_TEST

START_TEST(auto_follows_the_activation)
{
    static const char *const he[] = { "relu", "elu", "gelu", "silu", "mish", "relu6" };
    static const char *const glorot[] = { "none", "tanh", "sigmoid" };
    for (size_t i = 0; i < sizeof he / sizeof *he; i++) check_scheme("auto", he[i], 2.0 / 300, true);
    for (size_t i = 0; i < sizeof glorot / sizeof *glorot; i++) check_scheme("auto", glorot[i], 1.0 / 250, true);
    check_scheme("auto", "selu", 1.0 / 300, false);
    check_scheme("auto", "leaky_relu:0.5", 2.0 / 1.25 / 300, true);
    check_scheme("auto", "prelu", 2.0 / 1.0625 / 300, true);
}
END_TEST

/* A norm or dropout between a layer and its activation changes nothing of what auto sees; a head counts as none. */
START_TEST(auto_looks_through_norms)
{
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    options.norm = "batch";
    options.dropout = 0.25;
    options.output_activation = "softmax";
    tonnx_model *model = mlp("300-200-100", &options);
    const numbers hidden = take(model, "fc1.weight"), last = take(model, "fc2.weight");
    ck_near(hidden.variance, 2.0 / 300, 0, 0.02);
    ck_near(last.variance, 1.0 / 150, 0, 0.03);
    ck_assert(last.most <= sqrt(3.0 / 150) * (1 + 1e-7));
    free(hidden.values);
    free(last.values);
    tonnx_model_free(model);
}
END_TEST

static void check_constant(const tonnx_model *model, const char *name, double value)
{
    const numbers n = take(model, name);
    ck_assert_msg(n.least == value && n.most == value, "%s: %g … %g", name, n.least, n.most);
    free(n.values);
}

START_TEST(biases)
{
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_model *model = mlp("50-400-3", &options);
    check_constant(model, "fc1.bias", 0);
    init.scheme = "torch-default";
    ck_ok(tonnx_init(model, &init));
    const numbers b = take(model, "fc1.bias");
    ck_near(b.variance, 1.0 / 150, 0, 0.2);
    ck_assert(b.most <= sqrt(1.0 / 50) * (1 + 1e-7) && b.most > 0.95 * sqrt(1.0 / 50));
    free(b.values);
    init.bias = "ones";
    ck_ok(tonnx_init(model, &init));
    check_constant(model, "fc2.bias", 1);
    init.bias = "he-normal";
    ck_fails(tonnx_init(model, &init), TONNX_BAD_USAGE, "he-normal");
    init.bias = NULL;
    init.scheme = "xavier";
    ck_fails(tonnx_init(model, &init), TONNX_BAD_USAGE, "xavier");
    tonnx_model_free(model);
}
END_TEST

static void set_all(tonnx_model *model, const char *name, double value)
{
    size_t at;
    tonnx_tensor_info info;
    ck_ok(tonnx_model_find(model, name, &at));
    tonnx_model_tensor(model, at, &info);
    double *values = malloc(info.count * sizeof *values);
    for (size_t i = 0; i < info.count; i++) values[i] = value;
    ck_ok(tonnx_model_write(model, at, values));
    free(values);
}

START_TEST(norms_and_slopes_start_afresh)
{
    static const char *const names[] = { "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var",
                                         "act1.weight" };
    static const double starts[] = { 1, 0, 0, 1, 0.25 };
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    options.norm = "batch";
    options.activation = "prelu";
    tonnx_model *model = mlp("5-4-3", &options);
    for (size_t i = 0; i < 5; i++) set_all(model, names[i], 7);
    ck_ok(tonnx_init(model, &init));
    for (size_t i = 0; i < 5; i++) check_constant(model, names[i], starts[i]);
    tonnx_model_free(model);
}
END_TEST

START_TEST(globs_choose_layers)
{
    static const char *const second[] = { "fc2*", NULL }, *const none[] = { "fc2*", "conv*", NULL };
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_model *model = mlp("5-4-3", &options);
    set_all(model, "fc1.weight", 7);
    init.scheme = "zeros";
    init.layers = second;
    ck_ok(tonnx_init(model, &init));
    check_constant(model, "fc1.weight", 7);
    check_constant(model, "fc2.weight", 0);
    init.layers = none;
    ck_fails(tonnx_init(model, &init), TONNX_BAD_USAGE, "conv*");
    tonnx_model_free(model);
}
END_TEST

/* The same seed gives the same numbers, another one others, and no two layers share theirs. */
START_TEST(seeds)
{
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    options.scheme = "he-normal";
    tonnx_model *a = mlp("5-4-3", &options), *b = mlp("5-4-3", &options);
    options.seed = 1;
    tonnx_model *c = mlp("5-4-3", &options);
    const numbers x = take(a, "fc1.weight"), y = take(b, "fc1.weight"), z = take(c, "fc1.weight"),
                  v = take(a, "fc2.weight");
    ck_assert(!memcmp(x.values, y.values, x.count * sizeof *x.values));
    for (size_t i = 0; i < x.count; i++) ck_assert(x.values[i] != z.values[i]);
    ck_assert(x.values[0] != v.values[0]);
    free(x.values);
    free(y.values);
    free(z.values);
    free(v.values);
    tonnx_model_free(a);
    tonnx_model_free(b);
    tonnx_model_free(c);
}
END_TEST

/* The model as its file reads: written and read again, so that nothing lives in memory alone. */
static tonnx_model *through_bytes(tonnx_model *model)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    tonnx_model *back = NULL;
    ck_ok(tonnx_onnx_write(model, &bytes, &size));
    ck_ok(tonnx_onnx_read(&back, bytes, size, "mlp", NULL));
    tonnx_model_free(model);
    tonnx_file_free(bytes);
    return back;
}

typedef struct spelling {
    const char *asked;
    int64_t opset;
    const char *read; /* NULL: as asked */
} spelling;

static const spelling spellings[] = {
    { "relu", 7, NULL },
    { "relu", 24, NULL },
    { "leaky_relu:0.2", 17, NULL },
    { "prelu", 17, NULL },
    { "elu:0.8", 17, NULL },
    { "selu", 17, NULL },
    { "celu:0.5", 12, NULL },
    { "gelu", 17, NULL },
    { "gelu", 20, NULL },
    { "gelu_tanh", 20, NULL },
    { "silu", 17, NULL },
    { "silu", 24, "swish" },
    { "swish:1.5", 17, NULL },
    { "swish:1.5", 24, NULL },
    { "mish", 17, NULL },
    { "mish", 18, NULL },
    { "relu2", 17, NULL },
    { "relu6", 10, NULL },
    { "relu6", 11, NULL },
    { "hard_tanh", 10, NULL },
    { "hard_tanh:-0.5:2", 17, NULL },
    { "sigmoid", 17, NULL },
    { "hard_sigmoid", 17, NULL },
    { "hard_sigmoid:0.3:0.4", 17, NULL },
    { "hard_swish", 14, NULL },
    { "tanh", 17, NULL },
    { "softplus", 17, NULL },
    { "softsign", 17, NULL },
    { "log_sigmoid", 7, NULL },
    { "log_sigmoid", 24, NULL },
    { "thresholded_relu:0.5", 17, NULL },
    { "rrelu", 17, NULL },
    { "rrelu:0.1:0.3", 24, NULL },
};

START_TEST(activations_are_read_back)
{
    const spelling *s = &spellings[_i];
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    options.activation = s->asked;
    options.opset = s->opset;
    tonnx_model *model = through_bytes(mlp("5-4-4-3", &options));
    tonnx_net *net = NULL;
    tonnx_layer_info layer;
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(tonnx_net_layer_count(net), 5);
    for (size_t l = 1; l < 5; l += 2) {
        tonnx_net_layer(net, l, &layer);
        ck_assert_str_eq(layer.kind, "activation");
        ck_assert_str_eq(layer.activation, s->read ? s->read : s->asked);
    }
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* To other readers it is a LeakyRelu; without its range it is one to us too. */
START_TEST(rrelu_is_its_mean)
{
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    options.activation = "rrelu:0.1:0.3";
    tonnx_model *model = through_bytes(mlp("5-4-3", &options));
    ck_assert_ptr_nonnull(tonnx_model_metadata(model, "tonnx.rrelu.act1"));
    ck_assert_str_eq(tonnx_model_metadata(model, "tonnx.rrelu.act1"), "0.1:0.3");
    ck_ok(tonnx_model_set_metadata(model, "tonnx.rrelu.act1", "0.1:0.4"));
    tonnx_net *net = NULL;
    tonnx_layer_info layer;
    ck_ok(tonnx_net_new(&net, model, NULL));
    tonnx_net_layer(net, 1, &layer);
    ck_assert_str_eq(layer.activation, "leaky_relu:0.2");
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

START_TEST(layers_of_an_mlp)
{
    static const char *const kinds[] = { "dense", "activation", "layernorm", "dropout", "dense", "activation" };
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    options.norm = "layer";
    options.norm_after = true;
    options.dropout = 0.1;
    options.output_activation = "sigmoid";
    tonnx_model *model = through_bytes(mlp("5-4-3", &options));
    tonnx_net *net = NULL;
    tonnx_layer_info layer;
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(tonnx_net_layer_count(net), 6);
    for (size_t l = 0; l < 6; l++) {
        tonnx_net_layer(net, l, &layer);
        ck_assert_str_eq(layer.kind, kinds[l]);
    }
    ck_assert_uint_eq(tonnx_net_parameters(net), 5 * 4 + 4 + 4 + 4 + 4 * 3 + 3);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* One option wrong at a time. */
static void refuses(tonnx_mlp_options options, const char *text)
{
    static const size_t widths[] = { 4, 3, 2 };
    tonnx_model *model = NULL;
    ck_fails(tonnx_model_mlp(&model, widths, 3, &options), TONNX_BAD_USAGE, text);
    ck_assert_ptr_null(model);
}

START_TEST(wrong_options)
{
    const tonnx_mlp_options good = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_mlp_options o = good;
    refuses((o.activation = "rellu", o), "rellu");
    refuses((o = good, o.activation = "gelu_tanh", o), "opset 20");
    refuses((o = good, o.activation = "rrelu:0.5:0.1", o), "lower number first");
    refuses((o = good, o.activation = "hard_tanh:2:-1", o), "lower number first");
    refuses((o = good, o.activation = "softplus:2", o), "beta");
    refuses((o = good, o.output_activation = "relu", o), "relu");
    refuses((o = good, o.norm = "group", o), "group");
    refuses((o = good, o.norm = "layer", o.opset = 16, o), "opset 17");
    refuses((o = good, o.dropout = 1.0, o), "dropout");
    refuses((o = good, o.dropout = (double)NAN, o), "dropout");
    refuses((o = good, o.opset = 6, o), "opset 6");
    refuses((o = good, o.opset = 1000, o), "opset 1000");
    refuses((o = good, o.scheme = "best", o), "best");
}
END_TEST

START_TEST(wrong_widths)
{
    static const size_t one[] = { 3 }, zero[] = { 3, 0, 2 }, huge[] = { 3, SIZE_MAX }, large[] = { 100000, 100000 };
    const tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    ck_fails(tonnx_model_mlp(&model, one, 1, &options), TONNX_BAD_USAGE, "two widths");
    ck_fails(tonnx_model_mlp(&model, zero, 3, &options), TONNX_BAD_USAGE, "width 2");
    ck_fails(tonnx_model_mlp(&model, huge, 2, &options), TONNX_BAD_USAGE, "too large");
    ck_fails(tonnx_model_mlp(&model, large, 2, &options), TONNX_BAD_USAGE, "too large");
}
END_TEST

/* Whichever allocation fails, the call says so, and nothing leaks (asan watches). */
START_TEST(memory_runs_out)
{
    static const size_t widths[] = { 4, 3, 2 };
    tonnx_mlp_options options = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_status status = TONNX_NO_MEMORY;
    options.activation = "rrelu";
    options.norm = "batch";
    options.dropout = 0.1;
    for (size_t nth = 1; status == TONNX_NO_MEMORY; nth++) {
        tonnx__mem_fault(nth, false);
        status = tonnx_model_mlp(&model, widths, 3, &options);
        ck_assert(!model == !!status);
    }
    tonnx__mem_fault(0, false);
    ck_ok(status);
    tonnx_model_free(model);
}
END_TEST

static void add_mlp_tests(Suite *suite)
{
    TCase *cases = tcase_create("mlp");
    tcase_add_loop_test(cases, activations_are_read_back, 0, sizeof spellings / sizeof *spellings);
    tcase_add_test(cases, rrelu_is_its_mean);
    tcase_add_test(cases, layers_of_an_mlp);
    tcase_add_test(cases, wrong_options);
    tcase_add_test(cases, wrong_widths);
    tcase_add_test(cases, memory_runs_out);
    suite_add_tcase(suite, cases);
}

static Suite *init_suite(void)
{
    Suite *suite = suite_create("init");
    TCase *cases = tcase_create("schemes");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, variances);
    tcase_add_test(cases, auto_follows_the_activation);
    tcase_add_test(cases, auto_looks_through_norms);
    tcase_add_test(cases, biases);
    tcase_add_test(cases, norms_and_slopes_start_afresh);
    tcase_add_test(cases, globs_choose_layers);
    tcase_add_test(cases, seeds);
    suite_add_tcase(suite, cases);
    add_mlp_tests(suite);
    return suite;
}

int main(void)
{
    return run_suite(init_suite());
}
