/* Folding: weights behind nodes that move or scale them are trained where they stand; shapes are known but for the
 * batch; what is computed from constants is a constant; nothing grows beyond reason. */
#include <math.h>

#include "runtime/evaluate.h"
#include "runtime/net_impl.h"
#include "tests/graphs.h"

enum { IN = 6, OUT = 4 };

/* An initializer of 64-bit integers; rank 0 where count is 0. */
static void ints(tonnx_model *model, const char *name, size_t count, const int64_t *values)
{
    const int64_t dims[1] = { (int64_t)count };
    size_t t = 0;
    ck_ok(tonnx__model_add_tensor(model, name, TONNX_INT64, count ? 1 : 0, dims, &t));
    ck_ok(tonnx__tensor_touch(&model->tensors[t]));
    for (size_t i = 0; i < model->tensors[t].count; i++) tonnx__tensor_set(&model->tensors[t], i, (double)values[i]);
}

static void integer(tonnx_model *model, const char *name, int64_t value)
{
    ints(model, name, 0, &value);
}

/* A vector of one integer. */
static void one(tonnx_model *model, const char *name, int64_t value)
{
    ints(model, name, 1, &value);
}

static void scalar(tonnx_model *model, const char *name, double value)
{
    size_t t = 0;
    ck_ok(tonnx__model_add_tensor(model, name, TONNX_FLOAT, 0, NULL, &t));
    ck_ok(tonnx__tensor_touch(&model->tensors[t]));
    tonnx__tensor_set(&model->tensors[t], 0, value);
}

/* The net's parameter of that name; NULL where it has none. */
static const tonnx__param *param(const tonnx_net *net, const char *name)
{
    for (size_t p = 0; p < net->param_count; p++)
        if (!strcmp(net->params[p].name, name)) return &net->params[p];
    return NULL;
}

static double element(tonnx_model *model, const char *name, size_t i)
{
    const ptrdiff_t t = tonnx__model_find_tensor(model, name);
    ck_assert_int_ge(t, 0);
    return tonnx__tensor_get(&model->tensors[t], i);
}

/* [N, 2, 3] as a view of the input through x.view(x.size(0), −1): Shape Gather Unsqueeze Concat Reshape. */
START_TEST(the_batch_is_a_symbol)
{
    static const int64_t folded[3] = { 0, 2, 3 };
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    ints(model, "three", 3, folded);
    integer(model, "zero", 0);
    one(model, "first", 0);
    one(model, "rest", -1);
    graph_node(model, "Reshape", "input three", "cube");
    graph_node(model, "Shape", "cube", "shape");
    graph_node(model, "Gather", "shape zero", "rows");
    graph_node(model, "Unsqueeze", "rows first", "rows1");
    ck_ok(tonnx__node_add_int(graph_node(model, "Concat", "rows1 rest", "target"), "axis", 0));
    graph_node(model, "Reshape", "cube target", "flat");
    graph_dense(model, "flat", "output", IN, OUT);
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(net->layer_count, 1);
    ck_assert_uint_eq(tonnx_net_features_in(net), IN);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* 2·N rows are no batch: [2N, 3] is refused, not guessed. */
START_TEST(a_batch_that_changes_is_refused)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    one(model, "first", 0);
    one(model, "two", 2);
    one(model, "rest", -1);
    graph_node(model, "Shape", "input", "shape");
    graph_node(model, "Gather", "shape first", "rows");
    graph_node(model, "Mul", "rows two", "twice");
    ck_ok(tonnx__node_add_int(graph_node(model, "Concat", "twice rest", "target"), "axis", 0));
    graph_node(model, "Reshape", "input target", "half");
    graph_dense(model, "half", "output", IN, OUT);
    ck_assert_int_eq(tonnx_net_new(&net, model, NULL), TONNX_BAD_MODEL);
    ck_assert_ptr_nonnull(strstr(tonnx_last_message(), "Reshape"));
    tonnx_model_free(model);
}
END_TEST

/* Arithmetic that ends at a plain number again: 2N·3 / (2N)… stays linear, N·N does not. */
START_TEST(shape_arithmetic_is_linear)
{
    for (int square = 0; square < 2; square++) {
        tonnx_model *model = NULL;
        tonnx_net *net = NULL;
        ck_ok(tonnx__model_new(&model, 17, IN, OUT));
        one(model, "first", 0);
        one(model, "second", 1);
        one(model, "one", 1);
        one(model, "two", 2);
        graph_node(model, "Shape", "input", "shape");
        graph_node(model, "Gather", "shape first", "rows");
        graph_node(model, "Gather", "shape second", "width");
        graph_node(model, "Mul", square ? "rows rows" : "rows two", "product");
        graph_node(model, "Div", "product two", "again"); /* N */
        graph_node(model, "Add", "width one", "wider");   /* 7 */
        graph_node(model, "Div", "wider two", "half");    /* 3 */
        graph_node(model, "Mul", "half two", "even");     /* 6 */
        ck_ok(tonnx__node_add_int(graph_node(model, "Concat", "again even", "target"), "axis", 0));
        graph_node(model, "Reshape", "input target", "same");
        graph_dense(model, "same", "output", IN, OUT);
        ck_assert_int_eq(tonnx_net_new(&net, model, NULL), square ? TONNX_BAD_MODEL : TONNX_OK);
        tonnx_net_free(net);
        tonnx_model_free(model);
    }
}
END_TEST

/* W = (−½·Sᵀ)[1:5] for a stored S [6, 7]: a chain of views, so that S trains and elements outside the slice stay. */
START_TEST(views_carry_values_both_ways)
{
    static const int64_t starts[1] = { 1 }, ends[1] = { 5 }, axes[1] = { 0 };
    double values[OUT * IN];
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    graph_tensor(model, "s", IN, 7, -1, 1);
    scalar(model, "half", 0.5);
    ints(model, "starts", 1, starts);
    ints(model, "ends", 1, ends);
    ints(model, "axes", 1, axes);
    graph_node(model, "Transpose", "s", "st");
    graph_node(model, "Neg", "st", "negative");
    graph_node(model, "Mul", "half negative", "scaled");
    graph_node(model, "Slice", "scaled starts ends axes", "w");
    ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", "input w", "output"), "transB", 1));
    ck_ok(tonnx_net_new(&net, model, NULL));
    const tonnx__param *w = param(net, "s");
    ck_assert_ptr_nonnull(w);
    ck_assert(w->trained);
    tonnx__param_pull(w, model, values);
    for (size_t r = 0; r < OUT; r++)
        for (size_t c = 0; c < IN; c++)
            ck_assert_double_eq(values[r * IN + c], -0.5 * element(model, "s", c * 7 + r + 1));
    const double corner = element(model, "s", 0);
    values[0] = 0.75;
    ck_ok(tonnx__param_push(w, model, values));
    ck_assert_double_eq(element(model, "s", 1), -1.5);
    ck_assert_double_eq(element(model, "s", 0), corner);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

static void count_lines(void *user, tonnx_log_level level, const char *line)
{
    (void)level;
    *(int *)user += strstr(line, "is not trained") != NULL;
}

/* A bias that is the difference of two initializers is no tensor of the file: computed, said, not trained. */
START_TEST(computed_constants_are_not_trained)
{
    int said = 0;
    double values[OUT];
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    options.log = (tonnx_log){ count_lines, &said };
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    graph_tensor(model, "w", OUT, IN, -1, 1);
    graph_tensor(model, "a", 0, OUT, 1, 2);
    graph_tensor(model, "b", 0, OUT, 1, 2);
    graph_node(model, "Sqrt", "b", "root");
    graph_node(model, "Sub", "a root", "c");
    ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", "input w c", "output"), "transB", 1));
    ck_ok(tonnx_net_new(&net, model, &options));
    const tonnx__param *c = param(net, "c");
    ck_assert_ptr_nonnull(c);
    ck_assert(!c->trained);
    ck_assert_int_eq(said, 1);
    tonnx__param_pull(c, model, values);
    for (size_t i = 0; i < OUT; i++) {
        const float root = (float)sqrt(element(model, "b", i));
        ck_assert_double_eq(values[i], (double)(float)(element(model, "a", i) - (double)root));
    }
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

/* Joined to itself again and again, a constant doubles: some hundred bytes of a file ask for gigabytes. */
START_TEST(constants_do_not_explode)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    char inputs[32], name[16] = "b";
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    graph_tensor(model, "w", OUT, IN, -1, 1);
    graph_tensor(model, "b", 0, OUT, 1, 2);
    for (int i = 0; i < 40; i++) {
        snprintf(inputs, sizeof inputs, "%.12s %.12s", name, name);
        snprintf(name, sizeof name, "b%d", i);
        ck_ok(tonnx__node_add_int(graph_node(model, "Concat", inputs, name), "axis", 0));
    }
    snprintf(inputs, sizeof inputs, "input w %.12s", name);
    ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", inputs, "output"), "transB", 1));
    ck_assert_int_eq(tonnx_net_new(&net, model, NULL), TONNX_BAD_MODEL);
    ck_assert_ptr_nonnull(strstr(tonnx_last_message(), "Concat"));
    tonnx_model_free(model);
}
END_TEST

/* An output [N] in place of [N, 1]. */
START_TEST(axes_of_one_come_and_go)
{
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    ck_ok(tonnx__model_new(&model, 17, IN, 1));
    one(model, "last", -1);
    graph_dense(model, "input", "h", IN, 1);
    graph_node(model, "Squeeze", "h last", "s");
    graph_node(model, "Unsqueeze", "s last", "u");
    graph_node(model, "Relu", "u", "r");
    graph_node(model, "Squeeze", "r last", "output");
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(net->layer_count, 2);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fold");
    TCase *tests = tcase_create("fold");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, the_batch_is_a_symbol);
    tcase_add_test(tests, a_batch_that_changes_is_refused);
    tcase_add_test(tests, shape_arithmetic_is_linear);
    tcase_add_test(tests, views_carry_values_both_ways);
    tcase_add_test(tests, computed_constants_are_not_trained);
    tcase_add_test(tests, constants_do_not_explode);
    tcase_add_test(tests, axes_of_one_come_and_go);
    return run_suite(suite);
}
