/* Model-local functions: a call means its body; what calls itself is refused; un-sharing reaches the call. */
#include "runtime/dataset.h"
#include "runtime/net_impl.h"
#include "tests/graphs.h"

enum { WIDE = 4 };

static char *copy(const char *text)
{
    char *out = NULL;
    ck_ok(tonnx__strdup(&out, text));
    return out;
}

static char **copies(const char *const *texts, size_t count)
{
    char **out = NULL;
    ck_ok(tonnx__alloc(&out, count, sizeof *out));
    for (size_t i = 0; i < count; i++) out[i] = copy(texts[i]);
    return out;
}

/* test.Layer(x, w, b) → y: y = op(x, w, b), one node. */
static void add_function(tonnx_model *model, const char *op, const char *domain)
{
    static const char *const inputs[] = { "x", "w", "b" }, *const outputs[] = { "y" };
    tonnx__function *f = NULL;
    ck_ok(tonnx__alloc(&f, 1, sizeof *f));
    *f = (tonnx__function){ .name = copy("Layer"), .domain = copy("test"), .overload = copy("") };
    f->inputs = copies(inputs, 3), f->input_count = 3;
    f->outputs = copies(outputs, 1), f->output_count = 1;
    ck_ok(tonnx__alloc(&f->nodes, 1, sizeof *f->nodes));
    f->nodes[0] = (tonnx__node){ .name = copy(""), .op_type = copy(op), .domain = copy(domain) };
    f->nodes[0].inputs = copies(inputs, 3), f->nodes[0].input_count = 3;
    f->nodes[0].outputs = copies(outputs, 1), f->nodes[0].output_count = 1;
    f->node_count = 1;
    model->functions = f;
    model->function_count = 1;
}

static void call(tonnx_model *model, const char *inputs, const char *output)
{
    tonnx__node *node = graph_node(model, "Layer", inputs, output);
    tonnx__free(node->domain);
    node->domain = copy("test");
}

/* Two layers, both calls, that share a bias of equal numbers. */
static tonnx_model *two_calls(const char *op, const char *domain)
{
    const int64_t dims[1] = { WIDE };
    size_t bias = 0;
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 17, WIDE, WIDE));
    add_function(model, op, domain);
    graph_tensor(model, "w1", WIDE, WIDE, -1, 1);
    graph_tensor(model, "w2", WIDE, WIDE, -1, 1);
    ck_ok(tonnx__model_add_tensor(model, "b", TONNX_FLOAT, 1, dims, &bias));
    call(model, "input w1 b", "h");
    call(model, "h w2 b", "output");
    return model;
}

START_TEST(a_call_means_its_body)
{
    tonnx_model *model = two_calls("Gemm", "");
    tonnx_net *net = NULL;
    ck_ok(tonnx_net_new(&net, model, NULL));
    ck_assert_uint_eq(net->layer_count, 2);
    ck_assert_str_eq(net->params[net->layers[0].weight].name, "w1");
    ck_assert_str_eq(net->params[net->layers[1].weight].name, "w2");
    ck_assert_uint_eq(model->node_count, 2); /* the file's own nodes stay what they are */
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

START_TEST(unshared_at_the_call)
{
    tonnx_model *model = two_calls("Gemm", "");
    tonnx_net *net = NULL;
    ck_ok(tonnx_net_new(&net, model, NULL));
    const tonnx__param *first = &net->params[net->layers[0].bias], *second = &net->params[net->layers[1].bias];
    ck_assert_ptr_ne(first, second);
    ck_assert(first->merged != second->merged);
    const tonnx__param *fresh = first->merged ? first : second;
    ck_assert_int_eq(fresh->merged_node, first->merged ? 0 : 1);
    ck_assert_int_eq(fresh->merged_input, 2);
    tonnx_net_free(net);
    tonnx_model_free(model);
}
END_TEST

START_TEST(recursion_is_refused)
{
    tonnx_model *model = two_calls("Layer", "test");
    tonnx_net *net = NULL;
    ck_fails(tonnx_net_new(&net, model, NULL), TONNX_BAD_MODEL, "without an end");
    ck_assert_ptr_null(net);
    tonnx_model_free(model);
}
END_TEST

static Suite *function_suite(void)
{
    Suite *suite = suite_create("function");
    TCase *tcase = tcase_create("inline");
    tcase_add_test(tcase, a_call_means_its_body);
    tcase_add_test(tcase, unshared_at_the_call);
    tcase_add_test(tcase, recursion_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(function_suite());
}
