/* Recognising: every form of a layer means the same net; what cannot be read is refused by node, op and dimensions. */
#include <math.h>

#include "runtime/evaluate.h"
#include "runtime/net_impl.h"
#include "runtime/ties_impl.h"
#include "tests/graphs.h"

enum { IN = 6, OUT = 4 };

static tonnx_status keep_rows(void *user, const float *values, size_t count, size_t width)
{
    memcpy(user, values, count * width * sizeof *values);
    return TONNX_OK;
}

/* What the model predicts for 3 random samples on the reference backend. */
static void predict(tonnx_model *model, float *out)
{
    tonnx_evaluate_options options = TONNX_EVALUATE_OPTIONS_DEFAULT;
    tonnx_dataset *data = graph_data(3, IN, 0, 1);
    options.backend = "reference";
    ck_ok(tonnx_predict(model, data, &options, keep_rows, out));
    tonnx_dataset_free(data);
}

/* W[r][c] and b[r] of the layer that all forms spell, as doubles. */
static double weight(size_t r, size_t c)
{
    return (double)(float)(0.1 * (double)r - 0.07 * (double)c + 0.05);
}

static double bias(size_t r)
{
    return (double)(float)(0.3 - 0.2 * (double)r);
}

static void fill(tonnx_model *model, const char *name, size_t rank, const int64_t *dims, bool transposed)
{
    size_t t = 0;
    ck_ok(tonnx__model_add_tensor(model, name, TONNX_FLOAT, rank, dims, &t));
    ck_ok(tonnx__tensor_touch(&model->tensors[t]));
    for (size_t i = 0; i < model->tensors[t].count; i++) {
        const size_t cols = rank == 2 ? (size_t)dims[1] : 1, r = i / cols, c = i % cols;
        const double v = strcmp(name, "w") != 0 ? bias(i) : transposed ? weight(c, r) : weight(r, c);
        tonnx__tensor_set(&model->tensors[t], i, v);
    }
}

/* One spelling of y = x·Wᵀ + b. */
static void spell(tonnx_model *model, int form)
{
    static const int64_t out_in[2] = { OUT, IN }, in_out[2] = { IN, OUT }, row[2] = { 1, OUT }, vector[1] = { OUT };
    const bool transposed = form == 1 || form == 3 || form == 4 || form == 5;
    fill(model, "w", 2, transposed ? in_out : out_in, transposed);
    fill(model, "b", form == 2 ? 2 : 1, form == 2 ? row : vector, false);
    switch (form) {
    case 0: ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", "input w b", "output"), "transB", 1)); break;
    case 1: graph_node(model, "Gemm", "input w b", "output"); break;
    case 2: ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", "input w b", "output"), "transB", 1)); break;
    case 3: graph_node(model, "MatMul", "input w", "m"), graph_node(model, "Add", "m b", "output"); break;
    case 4: graph_node(model, "MatMul", "input w", "m"), graph_node(model, "Add", "b m", "output"); break;
    case 5: /* beta 0 with a dummy C, then Add (jax2onnx) */
        ck_ok(tonnx__node_add_float(graph_node(model, "Gemm", "input w b", "m"), "beta", 0));
        graph_node(model, "Add", "m b", "output");
        break;
    case 6: /* a weight behind Identity and Transpose */
        graph_node(model, "Identity", "w", "same");
        graph_node(model, "Transpose", "same", "turned");
        graph_node(model, "MatMul", "input turned", "m"), graph_node(model, "Add", "m b", "output");
        break;
    default: /* the data transposed, and back by transA */
        graph_node(model, "Transpose", "input", "t");
        ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", "t w b", "output"), "transB", 1));
        ck_ok(tonnx__node_add_int(&model->nodes[model->node_count - 1], "transA", 1));
    }
}

START_TEST(dense_forms)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    tonnx_layer_info layer;
    float got[3 * OUT];
    tonnx_dataset *data = graph_data(3, IN, 0, 1);
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    spell(model, _i);
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(tonnx_net_layer_count(net), 1);
    tonnx_net_layer(net, 0, &layer);
    ck_assert_str_eq(layer.kind, "dense");
    ck_assert_str_eq(layer.bias, "b");
    ck_assert_uint_eq(layer.parameters, OUT * IN + OUT);
    ck_assert_uint_eq(layer.fan_in, IN);
    predict(model, got);
    for (size_t n = 0; n < 3; n++)
        for (size_t r = 0; r < OUT; r++) {
            double y = bias(r);
            for (size_t c = 0; c < IN; c++) y += weight(r, c) * (3 * tonnx__rng_uniform(1, 1, n * IN + c) - 1.5);
            ck_near(got[n * OUT + r], y, 1e-6, 1e-6);
        }
    tonnx_net_free(net);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *op, *inputs, *message;
    } cases[] = {
        { "Gemm", "input short", "takes 3 features, the data has 6" },
        { "Conv", "input short", "Conv node" },
        { "Softmax", "input", "" },
        { "Gemm", "input w long", "has 7 elements, the layer 4 features" },
        { "PRelu", "input long", "slope 'long' has 7 elements" },
        { "Relu", "nowhere", "Relu node" },
    };
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    graph_tensor(model, "short", 3, OUT, 0, 1);
    graph_tensor(model, "w", IN, OUT, 0, 1);
    graph_tensor(model, "long", 0, 7, 0, 1);
    graph_node(model, cases[_i].op, cases[_i].inputs, "output");
    if (!strcmp(cases[_i].op, "Softmax")) ck_ok(tonnx_net_new(&net, model, NULL));
    else ck_fails(tonnx_net_new(&net, model, NULL), TONNX_BAD_MODEL, cases[_i].message);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

START_TEST(cycle)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    graph_node(model, "Add", "input loop", "a");
    graph_node(model, "Relu", "a", "loop");
    graph_node(model, "Relu", "loop", "output");
    ck_fails(tonnx_net_new(&net, model, NULL), TONNX_BAD_MODEL, "cycle");
    tonnx_model_free(model);
}
END_TEST

/* The parameter called `name`; NULL where there is none. */
static tonnx__param *param_named(tonnx_net *net, const char *name)
{
    for (size_t p = 0; p < net->param_count; p++)
        if (!strcmp(net->params[p].name, name)) return &net->params[p];
    return NULL;
}

/* BatchNorm1d(affine=False) as torch.export writes a fresh one: the ones and zeros for scale and shift are its statistics. */
static tonnx_model *plain_norm(void)
{
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    graph_tensor(model, "0.weight", IN, IN, -1, 1);
    graph_tensor(model, "1.running_mean", 0, IN, 0, 0);
    graph_tensor(model, "1.running_var", 0, IN, 1, 1);
    graph_node(model, "Gemm", "input 0.weight", "h");
    graph_node(model, "BatchNormalization", "h 1.running_var 1.running_mean 1.running_mean 1.running_var", "output");
    return model;
}

START_TEST(a_norm_without_scale_and_shift_gets_none)
{
    tonnx_model *model = plain_norm();
    const double moved[IN] = { 2, 2, 2, 2, 2, 2 };
    for (int round = 0; round < 2; round++) { /* as exported, and once its statistics have moved */
        tonnx_net *net = NULL;
        const double *values[8] = { NULL };
        ck_ok(tonnx_net_new(&net, model, NULL));
        ck_assert_uint_eq(tonnx_net_parameters(net), IN * IN);
        tonnx__param *variance = param_named(net, "1.running_var"), *scale = param_named(net, "1.running_var_2");
        ck_assert_int_eq(variance->role, TONNX__ROLE_VARIANCE);
        ck_assert(!scale->trained);
        values[variance - net->params] = moved;
        ck_ok(tonnx__net_push(net, values));
        ck_assert(tonnx__tensor_get(tonnx__param_tensor(variance, model), 0) == 2);
        ck_assert(tonnx__tensor_get(tonnx__param_tensor(scale, model), 0) == 1);
        tonnx_net_free(net);
    }
    tonnx_model_free(model);
}
END_TEST

/* Two layers whose equal zero biases an exporter merged: one behind an Identity, or both reading one initializer. */
static tonnx_model *merged(bool identity)
{
    static const int64_t dims[1] = { IN };
    tonnx_model *model = NULL;
    size_t t = 0;
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    ck_ok(tonnx__model_add_tensor(model, "b1", TONNX_FLOAT, 1, dims, &t));
    graph_tensor(model, "w1", IN, IN, -1, 1);
    graph_tensor(model, "w2", IN, IN, -1, 1);
    if (identity) graph_node(model, "Identity", "b1", "b2");
    graph_node(model, "Gemm", "input w1 b1", "h");
    graph_node(model, "Gemm", identity ? "h w2 b2" : "h w2 b1", "output");
    return model;
}

/* Each bias trains alone; nothing is touched while they agree, and only what must be once they differ. */
START_TEST(unshared)
{
    tonnx_model *model = merged(_i != 0);
    const size_t tensors = model->tensor_count;
    tonnx_net *net = NULL;
    const double *values[8] = { NULL };
    const double zeros[IN] = { 0 }, ones[IN] = { 1, 1, 1, 1, 1, 1 };
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(tonnx_net_parameters(net), 2 * IN * IN + 2 * IN);
    const char *second = _i ? "b2" : "b1_2";
    tonnx__param *a = param_named(net, "b1"), *b = param_named(net, second);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    values[a - net->params] = zeros;
    values[b - net->params] = zeros;
    ck_ok(tonnx__net_push(net, values));
    ck_assert_uint_eq(model->tensor_count, tensors);
    values[b - net->params] = ones;
    ck_ok(tonnx__net_push(net, values));
    ck_assert_uint_eq(model->tensor_count, tensors + 1);
    ck_assert_str_eq(model->tensors[tensors].name, second);
    ck_assert(tonnx__tensor_get(&model->tensors[tensors], 0) == 1);
    ck_assert(tonnx__tensor_get(&model->tensors[0], 0) == 0);
    if (_i) ck_assert(model->nodes[0].removed);
    else ck_assert_str_eq(model->nodes[1].inputs[2], second);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

START_TEST(tied)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    graph_tensor(model, "w", IN, IN, -1, 1);
    graph_node(model, "MatMul", "input w", "h");
    graph_node(model, "MatMul", "h w", "output");
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(tonnx_net_parameters(net), IN * IN);
    tonnx_net_free(net);
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    options.untie = true;
    ck_ok(tonnx_net_new(&net, model, &options));
    ck_assert_uint_eq(tonnx_net_parameters(net), 2 * IN * IN);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* W [3, IN] there and Wᵀ back is one parameter; so are W and an initializer that holds Wᵀ, which follows it. */
START_TEST(tied_transposed)
{
    const double *values[8] = { NULL };
    double fresh[3 * IN];
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    graph_tensor(model, "w", 3, IN, -1, 1);
    graph_tensor(model, "t", IN, 3, 0, 0);
    for (size_t i = 0; i < 3 * IN; i++)
        tonnx__tensor_set(&model->tensors[1], i % IN * 3 + i / IN, tonnx__tensor_get(&model->tensors[0], i));
    ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", "input w", "h"), "transB", 1));
    ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", _i ? "h t" : "h w", "output"), "transB", _i));
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(tonnx_net_parameters(net), 3 * IN);
    ck_assert_uint_eq(net->param_count, 1);
    ck_assert(!net->layers[0].transposed && net->layers[1].transposed);
    for (size_t i = 0; i < 3 * IN; i++) fresh[i] = (double)i;
    values[0] = fresh;
    ck_ok(tonnx__net_push(net, values));
    for (size_t i = 0; i < 3 * IN; i++) {
        ck_assert(tonnx__tensor_get(&model->tensors[0], i) == (double)i);
        if (_i) ck_assert(tonnx__tensor_get(&model->tensors[1], i % IN * 3 + i / IN) == (double)i);
    }
    tonnx_net_free(net);
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    options.untie = true;
    ck_ok(tonnx_net_new(&net, model, &options));
    ck_assert_uint_eq(tonnx_net_parameters(net), 6 * IN);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* Two slices of one packed weight are no tie: each trains its own part of the tensor. */
START_TEST(side_by_side)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 9, IN, IN));
    graph_tensor(model, "w", IN, 2 * IN, -1, 1);
    for (int half = 0; half < 2; half++) {
        tonnx__node *slice = graph_node(model, "Slice", "w", half ? "right" : "left");
        const int64_t bounds[3] = { half * IN, half ? INT64_MAX : IN, 1 };
        static const char *const names[3] = { "starts", "ends", "axes" };
        for (size_t k = 0; k < 3; k++) {
            ck_ok(tonnx__node_add_int(slice, names[k], 0));
            tonnx__attribute *attribute = &slice->attributes[k];
            attribute->type = TONNX__ATTRIBUTE_INTS;
            attribute->count = 1;
            ck_ok(tonnx__alloc(&attribute->ints, 1, sizeof *attribute->ints));
            attribute->ints[0] = bounds[k];
        }
    }
    graph_node(model, "MatMul", "input left", "h");
    graph_node(model, "MatMul", "h right", "output");
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(net->param_count, 2);
    ck_assert_uint_eq(tonnx_net_parameters(net), 2 * IN * IN);
    ck_assert(net->params[0].trained && net->params[1].trained);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* --add-bias: input C of a Gemm, an Add behind a MatMul and behind a Gemm whose beta is 0; the net computes the same. */
START_TEST(added_bias)
{
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    float before[3 * IN], after[3 * IN];
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    graph_tensor(model, "fc1.weight", IN, IN, -1, 1);
    graph_tensor(model, "v", IN, IN, -1, 1);
    graph_tensor(model, "dummy", 0, 1, 5, 5);
    graph_node(model, "Gemm", "input fc1.weight", "a");
    graph_node(model, "MatMul", "a v", "b");
    ck_ok(tonnx__node_add_float(graph_node(model, "Gemm", "b v dummy", "output"), "beta", 0));
    predict(model, before);
    options.add_bias = true;
    ck_ok(tonnx_net_new(&net, model, &options));
    ck_assert_ptr_nonnull(param_named(net, "fc1.bias"));
    ck_assert_ptr_nonnull(param_named(net, "b.bias"));
    ck_assert_ptr_nonnull(param_named(net, "output.bias"));
    ck_assert_uint_eq(tonnx_net_parameters(net), 2 * IN * IN + 3 * IN);
    static const char *const ops[] = { "Gemm", "MatMul", "Add", "Gemm", "Add" };
    ck_assert_uint_eq(model->node_count, 5);
    for (size_t n = 0; n < 5; n++) ck_assert_str_eq(model->nodes[n].op_type, ops[n]);
    ck_assert_str_eq(model->nodes[0].inputs[2], "fc1.bias");
    ck_assert_str_eq(model->nodes[4].outputs[0], "output");
    predict(model, after);
    ck_assert_int_eq(memcmp(before, after, sizeof before), 0);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* Spelled activations become one layer each; what they were made of is gone. */
START_TEST(spellings)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    tonnx_layer_info layer;
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    graph_tensor(model, "half", 0, 1, 0.5, 0.5);
    graph_tensor(model, "one", 0, 1, 1, 1);
    graph_tensor(model, "root", 0, 1, sqrt(2), sqrt(2));
    graph_node(model, "Sigmoid", "input", "s"), graph_node(model, "Mul", "s input", "silu");
    graph_node(model, "Softplus", "silu", "p"), graph_node(model, "Tanh", "p", "t"), graph_node(model, "Mul", "silu t", "mish");
    graph_node(model, "Div", "mish root", "d"), graph_node(model, "Erf", "d", "e"), graph_node(model, "Add", "e one", "f");
    graph_node(model, "Mul", "mish f", "g"), graph_node(model, "Mul", "g half", "output");
    ck_ok(tonnx_net_new(&net, model, NULL));
    static const char *const wanted[] = { "silu", "mish", "gelu" };
    ck_assert_uint_eq(tonnx_net_layer_count(net), 3);
    for (size_t l = 0; l < 3; l++) {
        tonnx_net_layer(net, l, &layer);
        ck_assert_str_eq(layer.activation, wanted[l]);
    }
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* Standardisation in front is part of the model, is applied, and is not trained. */
START_TEST(scaling)
{
    static const double mean[IN] = { 1, 2, 3, 4, 5, 6 }, deviation[IN] = { 1, 2, 1, 2, 1, 2 };
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    float got[3 * IN];
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    graph_node(model, "Identity", "input", "output");
    ck_ok(tonnx_model_prepend_scaling(model, NULL, mean, deviation, IN));
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(tonnx_net_parameters(net), 0);
    predict(model, got);
    for (size_t i = 0; i < 3 * IN; i++)
        ck_near(got[i], ((3 * tonnx__rng_uniform(1, 1, i) - 1.5) - mean[i % IN]) / deviation[i % IN], 1e-6, 1e-6);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* The constant t (rows 0: a vector) between two layers is trained or not: what an op does to all units alike, or takes
 * away, is no parameter. */
static const struct constant_case {
    const char *op, *inputs;
    size_t count;
    bool trained;
} constant_cases[] = {
    { "Gemm", "h w2 t", IN, true }, { "Gemm", "h w2 t", 1, false },  { "Mul", "h t", IN, true },
    { "Mul", "h t", 1, false },     { "Add", "t h", IN, true },      { "Sub", "h t", IN, false },
    { "Sub", "t h", IN, true },     { "PRelu", "h t", 1, true },     { "PRelu", "h t", IN, true },
};

START_TEST(constants)
{
    const struct constant_case *c = &constant_cases[_i];
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    graph_tensor(model, "w1", IN, IN, -1, 1);
    graph_tensor(model, "w2", IN, IN, -1, 1);
    graph_tensor(model, "t", 0, c->count, 0.5, 1);
    graph_node(model, "MatMul", "input w1", "h");
    graph_node(model, c->op, c->inputs, "output");
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_msg(param_named(net, "t")->trained == c->trained, "%s(%s), %zu elements", c->op, c->inputs, c->count);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* A chain long enough that what is known of the graph moves in memory at a PRelu, whose slope is read all the same. */
START_TEST(prelu_chain)
{
    enum { LENGTH = 70 };
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    char from[32] = "input", to[32], slope[32], inputs[80];
    ck_ok(tonnx__model_new(&model, 17, IN, IN));
    for (int i = 0; i < LENGTH; i++) {
        snprintf(slope, sizeof slope, "slope%d", i);
        graph_tensor(model, slope, 0, i % 2 ? IN : 1, 0, 1);
    }
    for (int i = 0; i < LENGTH; i++) {
        if (i + 1 < LENGTH) snprintf(to, sizeof to, "h%d", i);
        else snprintf(to, sizeof to, "output");
        snprintf(inputs, sizeof inputs, "%s slope%d", from, i);
        graph_node(model, "PRelu", inputs, to);
        snprintf(from, sizeof from, "%s", to);
    }
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(tonnx_net_parameters(net), LENGTH / 2 * (IN + 1));
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

static Suite *net_suite(void)
{
    Suite *suite = suite_create("net");
    TCase *tcase = tcase_create("recognise");
    tcase_add_loop_test(tcase, dense_forms, 0, 8);
    tcase_add_loop_test(tcase, refused, 0, 6);
    tcase_add_test(tcase, cycle);
    tcase_add_loop_test(tcase, unshared, 0, 2);
    tcase_add_test(tcase, a_norm_without_scale_and_shift_gets_none);
    tcase_add_test(tcase, tied);
    tcase_add_loop_test(tcase, tied_transposed, 0, 2);
    tcase_add_test(tcase, side_by_side);
    tcase_add_test(tcase, added_bias);
    tcase_add_test(tcase, spellings);
    tcase_add_test(tcase, scaling);
    tcase_add_test(tcase, prelu_chain);
    tcase_add_loop_test(tcase, constants, 0, sizeof constant_cases / sizeof *constant_cases);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(net_suite());
}
