/* Spellings: whichever way a file writes an activation, a norm or a softmax, it is read as that; near misses are not.
 */
#include <math.h>
#include <stdio.h>

#include "runtime/evaluate.h"
#include "runtime/net_impl.h"
#include "runtime/ops/book_impl.h"
#include "tests/graphs.h"

enum { IN = 5, WIDE = 4, SAMPLES = 7 };

static tonnx_status keep_rows(void *user, const float *values, size_t count, size_t width)
{
    memcpy(user, values, count * width * sizeof *values);
    return TONNX_OK;
}

static void predict(tonnx_model *model, float *out)
{
    tonnx_evaluate_options options = TONNX_EVALUATE_OPTIONS_DEFAULT;
    tonnx_dataset *data = graph_data(SAMPLES, IN, 0, 1);
    options.backend = "reference";
    ck_ok(tonnx_predict(model, data, &options, keep_rows, out));
    tonnx_dataset_free(data);
}

/* "#0.5" is a number: a scalar initializer of that name, added where it is not there yet. "%row" is one per feature. */
static void add_constant(tonnx_model *model, const char *name)
{
    const int64_t dims[1] = { WIDE };
    size_t t = 0;
    if ((*name != '#' && *name != '%') || tonnx__model_find_tensor(model, name) >= 0) return;
    ck_ok(tonnx__model_add_tensor(model, name, TONNX_FLOAT, *name == '%', dims, &t));
    ck_ok(tonnx__tensor_touch(&model->tensors[t]));
    for (size_t i = 0; i < model->tensors[t].count; i++)
        tonnx__tensor_set(&model->tensors[t], i, *name == '#' ? strtod(name + 1, NULL) : 0.2 + 0.3 * (double)i);
}

/* One node: "Mul x #0.5 > y", attributes behind a slash: "ReduceMean x #-1 > y /keepdims=1". */
static void add_spelled_node(tonnx_model *model, char *text)
{
    char op[32], inputs[128] = "", output[32], *word, *rest;
    char *attribute = strchr(text, '/');
    if (attribute) *attribute++ = '\0';
    word = strtok_r(text, " ", &rest);
    snprintf(op, sizeof op, "%s", word);
    while ((word = strtok_r(NULL, " ", &rest)) && strcmp(word, ">") != 0) {
        add_constant(model, word);
        snprintf(inputs + strlen(inputs), sizeof inputs - strlen(inputs), "%s ", word);
    }
    snprintf(output, sizeof output, "%s", strtok_r(NULL, " ", &rest));
    tonnx__node *node = graph_node(model, op, inputs, output);
    for (word = attribute ? strtok_r(attribute, "/ ", &rest) : NULL; word; word = strtok_r(NULL, "/ ", &rest)) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        ck_ok(strchr(value, '.') ? tonnx__node_add_float(node, word, strtof(value, NULL))
                                 : tonnx__node_add_int(node, word, atoi(value)));
    }
}

/* A dense layer h of the input, and the nodes that `text` spells, separated by semicolons. */
static tonnx_model *spell(const char *text)
{
    char copy[1024], *rest;
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 18, IN, WIDE));
    graph_dense(model, "input", *text ? "h" : "output", IN, WIDE);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *node = strtok_r(copy, ";", &rest); node; node = strtok_r(NULL, ";", &rest))
        add_spelled_node(model, node);
    return model;
}

/* h itself, to compute from: the random weights depend on how many came before, not on names. */
static void predict_dense(float *out)
{
    tonnx_model *model = spell("");
    predict(model, out);
    tonnx_model_free(model);
}

static const struct {
    const char *name, *text;
} spellings[] = {
    { "gelu", "Div h #1.41421 > d;Erf d > e;Add e #1 > f;Mul h f > g;Mul g #0.5 > output" },
    { "gelu", "Mul h #0.70710678 > d;Erf d > e;Add #1 e > f;Mul #0.5 f > g;Mul g h > output" },
    { "gelu", "Mul h #0.5 > half;Div h #1.4142 > d;Erf d > e;Add e #1 > f;Mul f half > output" },
    { "gelu", "Div h #1.41421356 > d;Erf d > e;Mul e h > f;Add f h > g;Div g #2 > output" },
    { "gelu_tanh", "Pow h #3 > c;Mul #0.044715 c > k;Add h k > s;Mul #0.7978846 s > t;Tanh t > u;Add #1 u > v;"
                   "Mul #0.5 v > w;Mul h w > output" },
    { "gelu_tanh", "Mul h h > q;Mul q h > c;Mul c #0.044715 > k;Add k h > s;Mul s #0.79788 > t;Tanh t > u;Add u #1 > v;"
                   "Mul h v > w;Mul w #0.5 > output" },
    { "gelu_tanh", "Mul h h > q;Mul q #0.044715 > r;Add r #1 > p;Mul p h > s;Mul s #1.5957691 > t;Sigmoid t > u;"
                   "Mul u h > output" },
    { "silu", "Sigmoid h > s;Mul s h > output" },
    { "silu", "Neg h > n;Exp n > e;Add e #1 > d;Div h d > output" },
    { "swish:1.702", "Mul h #1.702 > k;Sigmoid k > s;Mul h s > output" },
    { "mish", "Softplus h > s;Tanh s > t;Mul t h > output" },
    { "mish", "Exp h > e;Add e #1 > f;Log f > s;Tanh s > t;Mul h t > output" },
    { "relu2", "Relu h > r;Mul r r > output" },
    { "relu2", "Relu h > r;Pow r #2 > output" },
    { "relu", "Max h #0 > output" },
    { "relu", "Max #0 h > output" },
    { "relu", "Greater h #0 > g;Where g h #0 > output" },
    { "relu6", "Max h #0 > m;Min m #6 > output" },
    { "relu6", "Relu h > r;Clip r - #6 > output" },
    { "hard_tanh:-0.5:0.3", "Min h #0.3 > m;Max m #-0.5 > output" },
    { "leaky_relu:0.2", "Mul h #0.2 > k;Max h k > output" },
    { "leaky_relu:0.2", "Relu h > r;Neg h > n;Relu n > q;Mul q #-0.2 > k;Add r k > output" },
    { "leaky_relu:0.3", "GreaterOrEqual h #0 > g;Mul h #0.3 > k;Where g h k > output" },
    { "elu:0.7", "Exp h > e;Sub e #1 > m;Mul m #0.7 > k;Greater h #0 > g;Where g h k > output" },
    { "elu:0.6", "Greater h #0 > g;Not g > n;Cast g > p /to=1;Cast n > q /to=1;Elu h > e;Mul e #0.6 > k;Mul k q > a;"
                 "Mul h p > b;Add a b > output" },
    { "selu",
      "Min h #0 > l;Exp l > e;Sub e #1 > m;Mul m #1.6732632 > k;Max h #0 > r;Add k r > s;Mul s #1.0507010 > output" },
    { "celu:1.3", "Max h #0 > r;Div h #1.3 > d;Exp d > e;Sub e #1 > m;Mul m #1.3 > k;Min k #0 > l;Add r l > output" },
    { "hard_sigmoid:0.1666667", "Add h #3 > a;Clip a #0 #6 > c;Div c #6 > output" },
    { "hard_sigmoid", "Mul h #0.2 > k;Add k #0.5 > a;Max a #0 > m;Min m #1 > output" },
    { "hard_swish", "Add h #3 > a;Clip a #0 #6 > c;Mul h c > m;Div m #6 > output" },
    { "hard_swish", "HardSigmoid h > s /alpha=0.16666667 /beta=0.5;Mul h s > output" },
    { "softplus:2.5", "Mul h #2.5 > k;Softplus k > s;Div s #2.5 > d;Greater k #20 > g;Where g h d > output" },
    { "softplus", "Exp h > e;Add e #1 > f;Log f > output" },
    { "softsign", "Abs h > a;Add a #1 > d;Div h d > output" },
    { "log_sigmoid", "Sigmoid h > s;Log s > output" },
    { "log_sigmoid", "Neg h > n;Softplus n > s;Neg s > output" },
    { "thresholded_relu:0.4", "Greater h #0.4 > g;Cast g > c /to=1;Mul c h > output" },
    { "thresholded_relu:0.4", "LessOrEqual h #0.4 > g;Where g #0 h > output" },
    { "sigmoid", "Neg h > n;Exp n > e;Add e #1 > d;Div #1 d > output" },
    { "tanh", "Mul h #2 > k;Sigmoid k > s;Mul s #2 > d;Sub d #1 > output" },
};

START_TEST(activations)
{
    float dense[SAMPLES * WIDE], out[SAMPLES * WIDE];
    char text[64];
    tonnx_model *model = spell(spellings[_i].text);
    tonnx_net *net = NULL;
    tonnx_activation act;
    double a = 0, b = 0;
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(net->layer_count, 2);
    const tonnx__layer *layer = &net->layers[1];
    tonnx__activation_text((tonnx_activation)layer->act, layer->a, layer->b, text, sizeof text);
    ck_assert_str_eq(text, spellings[_i].name);
    ck_assert(tonnx__activation_parse(spellings[_i].name, &act, &a, &b));
    predict_dense(dense);
    predict(model, out);
    for (size_t i = 0; i < SAMPLES * WIDE; i++)
        ck_near((double)out[i], tonnx__activation_f(act, (double)dense[i], a, b), 1e-6, 1e-6);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* Each form with the kind that it is, and its parameters in the order scale, shift, mean, variance. */
static const struct {
    tonnx__layer_kind kind;
    const char *params[4], *text;
    double epsilon;
} norms[] = {
    { TONNX__LAYER_BATCH_NORM,
      { "%g", "%b", "%m", "%v" },
      "Add %v #0.001 > a;Sqrt a > s;Div #1 s > r;Mul r %g > k;Neg %m > n;Mul n k > p;Add p %b > q;Mul h k > t;"
      "Add t q > output",
      0.001 },
    { TONNX__LAYER_BATCH_NORM,
      { "%g", "%b", "%m", "%v" },
      "Sub h %m > c;Add %v #0.0001 > a;Sqrt a > s;Div c s > d;Mul d %g > k;Add %b k > output",
      0.0001 },
    { TONNX__LAYER_BATCH_NORM, /* without a scale of its own: ones stand for it */
      { "output", "%b", "%m", "%v" },
      "Sub h %m > c;Add %v #0.0001 > a;Sqrt a > s;Div c s > d;Add d %b > output",
      0.0001 },
    { TONNX__LAYER_LAYER_NORM,
      { "%g", "%b", NULL, NULL },
      "ReduceMean h #-1 > m;Sub h m > c;Pow c #2 > p;ReduceMean p #-1 > v;Add v #0.00001 > a;Sqrt a > s;"
      "Div c s > d;Mul d %g > k;Add k %b > output",
      1e-5 },
    { TONNX__LAYER_LAYER_NORM,
      { NULL, NULL, NULL, NULL },
      "ReduceMean h #1 > m;Mul h h > q;ReduceMean q #1 > w;Mul m m > n;Sub w n > v;Add v #0.001 > a;Sqrt a > s;"
      "Sub h m > c;Div c s > output",
      1e-3 },
    { TONNX__LAYER_RMS_NORM,
      { "%g", NULL, NULL, NULL },
      "Pow h #2 > p;ReduceMean p #-1 > v;Add v #0.00001 > a;Sqrt a > s;Reciprocal s > r;Mul h r > d;"
      "Mul d %g > output",
      1e-5 },
    { TONNX__LAYER_LAYER_NORM, /* an epsilon that only a sample of zeros meets */
      { "%g", "%b", NULL, NULL },
      "ReduceMean h #-1 > m;Sub h m > c;Pow c #2 > p;ReduceMean p #-1 > v;Add v #1e-12 > a;Sqrt a > s;"
      "Div c s > d;Mul d %g > k;Add k %b > output",
      1e-12 },
    { TONNX__LAYER_RMS_NORM, /* PyTorch's normalize, times the root of four features */
      { "%g", NULL, NULL, NULL },
      "ReduceL2 h #-1 > n;Max n #1e-12 > s;Div h s > d;Mul d #2 > k;Mul k %g > output",
      0.25e-24 },
    { TONNX__LAYER_RMS_NORM, /* TensorFlow's l2_normalize */
      { "%g", NULL, NULL, NULL },
      "Mul h h > q;ReduceSum q #-1 > p;Max p #1e-12 > s;Sqrt s > n;Div h n > d;Mul d #2 > k;Mul k %g > output",
      0.25e-12 },
    { TONNX__LAYER_RMS_NORM,
      { "%g", NULL, NULL, NULL },
      "Mul h h > q;ReduceMean q #-1 > p;Sqrt p > r;Add r #1e-9 > n;Div h n > d;Mul d %g > output",
      1e-18 },
    { TONNX__LAYER_LAYER_NORM, /* another divisor where there is none: no epsilon */
      { NULL, NULL, NULL, NULL },
      "ReduceMean h #1 > m;Sub h m > c;Mul c c > q;ReduceMean q #1 > v;Sqrt v > s;Equal s #0 > z;Where z #1 s > t;"
      "Div c t > output",
      0 },
    { TONNX__LAYER_BATCH_NORM,
      { "%g", "%b", "%m", "%v" },
      "Sub h %m > c;Add %v #1e-12 > a;Sqrt a > s;Div c s > d;Mul d %g > k;Add %b k > output",
      1e-12 },
    { TONNX__LAYER_SOFTMAX,
      { NULL, NULL, NULL, NULL },
      "ReduceMax h #-1 > m;Sub h m > c;Exp c > e;ReduceSum e #-1 > s;Div e s > output",
      0 },
    { TONNX__LAYER_SOFTMAX, { NULL, NULL, NULL, NULL }, "Exp h > e;ReduceSum e #-1 > s;Div e s > output", 0 },
    { TONNX__LAYER_SOFTMAX,
      { NULL, NULL, NULL, NULL },
      "ReduceMax h #-1 > m;Sub h m > c;Exp c > e;ReduceSum e #-1 > s;Log s > l;Sub c l > output",
      0 },
    { TONNX__LAYER_SOFTMAX, { NULL, NULL, NULL, NULL }, "ReduceLogSumExp h #1 > l;Sub h l > output", 0 },
};

START_TEST(norms_and_softmax)
{
    tonnx_model *model = spell(norms[_i].text);
    tonnx_net *net = NULL;
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(net->layer_count, 2);
    const tonnx__layer *layer = &net->layers[1];
    const int params[4] = { layer->weight, layer->bias, layer->mean, layer->variance };
    ck_assert_int_eq(layer->kind, norms[_i].kind);
    ck_assert_double_eq_tol(layer->epsilon, norms[_i].epsilon, 1e-6 * norms[_i].epsilon + 1e-30);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(params[i] >= 0, norms[_i].params[i] != NULL);
        if (params[i] >= 0) ck_assert_str_eq(net->params[params[i]].name, norms[_i].params[i]);
    }
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* What only decides is cut off; a part of the features is a slice; SwiGLU is a Swish and a product. */
static const struct {
    const char *text;
    size_t layers, features_out;
} heads[] = {
    { "Softmax h > p;ArgMax p > output", 2, WIDE },
    { "Sigmoid h > p;Greater p #0.5 > g;Cast g > output /to=7", 2, WIDE },
    { "Slice h #1 #3 #-1 > output", 2, 2 },
    { "Slice h #-2 #99 #1 > output", 2, 2 },
    { "SwiGLU h h > output /alpha=1.5", 3, WIDE },
    { "Mul h #1 > a;Add a #0 > b;Relu b > output", 2, WIDE },
    { "Neg h > n;Add n #0.3 > a;Relu a > output", 4, WIDE },
    { "Relu h > r;Mul r #0.1 > output", 3, WIDE }, /* it has no bound far out: no hard sigmoid */
    { "Greater h #0.3 > g;Where g h #0 > t;Clip t #0 #3 > c;Neg h > n;Add n #0.3 > a;Relu a > r;Mul r #0.1 > m;"
      "Sub c m > output",
      8, WIDE },
    /* A norm of two features says which is the greater: that the bound is no part of it, only samples below it say. */
    { "Slice h #0 #2 #1 > s;Max s #-1 > b;ReduceMean b #1 > m;Sub b m > c;Mul c c > p;ReduceMean p #1 > v;"
      "Add v #0.001 > a;Sqrt a > d;Div c d > output",
      4, 2 },
};

START_TEST(heads_and_parts)
{
    tonnx_model *model = spell(heads[_i].text);
    tonnx_net *net = NULL;
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(net->layer_count, heads[_i].layers);
    ck_assert_uint_eq(tonnx_net_features_out(net), heads[_i].features_out);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* A bound that only large numbers reach is a layer of its own, before the norm (or softmax) or behind it. */
static const char *const bounded[] = {
    "Mul h h > p;ReduceMean p #1 > v;Add v #0.001 > a;Sqrt a > s;Div h s > d;Min d #1.9 > output",
    "Mul h h > p;ReduceMean p #1 > v;Add v #0.001 > a;Sqrt a > s;Div h s > d;Mul d %g > k;Clip k #-1 #1 > output",
    "Mul h h > p;ReduceMean p #1 > v;Add v #0.001 > a;Sqrt a > s;Div h s > d;Mul d %g > k;Min k #50 > output",
    "Clip h #-40 #40 > b;Mul b b > p;ReduceMean p #1 > v;Add v #0.001 > a;Sqrt a > s;Div b s > d;Mul d %g > output",
    "Sub h %m > c;Add %v #0.0001 > a;Sqrt a > s;Div c s > d;Mul d %g > k;Add %b k > l;Clip l #-9 #9 > output",
    "Clip h #-3 #3 > b;ReduceMax b #-1 > m;Sub b m > c;Exp c > e;ReduceSum e #-1 > s;Div e s > output",
    "ReduceMax h #-1 > m;Sub h m > c;Exp c > e;ReduceSum e #-1 > s;Div e s > p;Min p #0.95 > output",
};

START_TEST(bounds_show)
{
    tonnx_model *model = spell(bounded[_i]);
    tonnx_net *net = NULL;
    size_t bounds = 0;
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(net->layer_count, 3);
    for (size_t l = 0; l < 3; l++) bounds += net->layers[l].act == TONNX_ACT_hard_tanh;
    ck_assert_uint_eq(bounds, 1);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* Half of x is no sigmoid's product with x at a slope of 0. */
START_TEST(half_is_a_scale)
{
    tonnx_model *model = spell("Mul h #0.5 > output");
    tonnx_net *net = NULL;
    ck_ok(tonnx_net_new(&net, model, NULL));
    for (size_t l = 0; l < net->layer_count; l++) ck_assert_int_lt(net->layers[l].act, 0);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* What is like a spelling but is not one: refused by the op that nothing else reads. */
static const char *const misses[] = {
    "Div h #1.5 > d;Erf d > e;Add e #1 > f;Mul h f > g;Mul g #0.5 > output",
    "Div h #1.41421 > d;Erf d > e;Add e #1 > f;Mul h f > g;Mul g #0.6 > output",
    "Pow h #2 > p;ReduceMean p #0 > v;Add v #0.00001 > a;Sqrt a > s;Div h s > output",
    "ReduceMean h #-1 > m /keepdims=0;Sub h m > c;Exp c > output",
    "Abs h > a;Add a #2 > d;Div h d > output",
};

START_TEST(near_misses)
{
    tonnx_model *model = spell(misses[_i]);
    tonnx_net *net = NULL;
    ck_fails(tonnx_net_new(&net, model, NULL), TONNX_BAD_MODEL, "does not read this operator");
    ck_assert_ptr_null(net);
    tonnx_model_free(model);
}
END_TEST

static Suite *spelling_suite(void)
{
    Suite *suite = suite_create("spelling");
    TCase *forms = tcase_create("forms");
    tcase_add_loop_test(forms, activations, 0, sizeof spellings / sizeof *spellings);
    tcase_add_loop_test(forms, norms_and_softmax, 0, sizeof norms / sizeof *norms);
    tcase_add_loop_test(forms, heads_and_parts, 0, sizeof heads / sizeof *heads);
    tcase_add_loop_test(forms, bounds_show, 0, sizeof bounded / sizeof *bounded);
    tcase_add_test(forms, half_is_a_scale);
    tcase_add_loop_test(forms, near_misses, 0, sizeof misses / sizeof *misses);
    suite_add_tcase(suite, forms);
    return suite;
}

int main(void)
{
    return run_suite(spelling_suite());
}
