/* Whole nets: the gradient that a program leaves in its arena against central differences of its own loss, in double on
 * the reference backend, for every layer, activation, norm, operator and loss, on shapes that include 1 and primes; and
 * the CPU's losses and gradients against the reference's. */
#include "runtime/dataset_impl.h"
#include "runtime/state_impl.h"
#include "runtime/task_impl.h"
#include "tests/graphs.h"

enum { ROWS = 13, IN = 7, HIDDEN = 11, OUT = 5 };

/* A net on a backend with the program of a training step, whose rate is 0 unless a test says else. Adam's gradients may
 * vanish into the update, SGD's are kept. */
typedef struct bed {
    bool adam, vanish;
    tonnx_net *net;
    tonnx__backend *backend;
    tonnx__state *state;
    tonnx__program *program;
    tonnx__exec *exec;
    tonnx__feed feed;
    bool *trained;
} bed;

static void bed_make(bed *b, tonnx_model *model, const tonnx_dataset *data, tonnx_loss loss, bool freeze_bn, const char *backend)
{
    const tonnx__backend_options options = { backend, 2, { NULL, NULL }, TONNX_FP32 };
    tonnx__goal goal = { .rows = data->samples, .train = true, .freeze_bn = freeze_bn, .dropout = true, .optimizer = TONNX_SGD,
                         .want_grad_norm = !b->vanish, .seed = 3 };
    if (b->adam) goal.optimizer = TONNX_ADAM, goal.moments = 2, memcpy(goal.h, (double[6]){ 0.9, 0.99, 1e-8, 0.1 }, sizeof goal.h);
    ck_ok(tonnx_net_new(&b->net, model, NULL));
    ck_ok(tonnx__backend_open(&b->backend, &options));
    ck_ok(tonnx__alloc(&b->trained, b->net->param_count, sizeof *b->trained));
    for (size_t p = 0; p < b->net->param_count; p++) b->trained[p] = b->net->params[p].trained;
    for (size_t l = 0; l < b->net->layer_count && freeze_bn; l++)
        if (b->net->layers[l].kind == TONNX__LAYER_BATCH_NORM)
            b->trained[b->net->layers[l].weight] = b->trained[b->net->layers[l].bias] = false;
    ck_ok(tonnx__state_new(&b->state, b->net, b->backend, b->trained, goal.moments));
    ck_ok(tonnx__task_fit(&goal, b->net, data, loss, 0.3));
    ck_ok(tonnx__lower(&b->program, b->net, &b->state->layout, &goal));
    ck_ok(tonnx__exec_new(&b->exec, b->state->device, b->program));
    tonnx__dataset_feed(data, &b->feed);
}

static void bed_clear(bed *b)
{
    tonnx__exec_free(b->exec);
    tonnx__program_free(b->program);
    tonnx__state_free(b->state);
    tonnx__backend_close(b->backend);
    tonnx_net_free(b->net);
    tonnx__free(b->trained);
}

static double bed_loss(bed *b)
{
    const tonnx__record record = { .rows = b->feed.samples };
    double results[TONNX__RESULTS];
    ck_ok(tonnx__exec_run(b->exec, &b->feed, NULL, &record, 1));
    ck_ok(tonnx__exec_results(b->exec, 1, results));
    return results[TONNX__RESULT_LOSS];
}

static double *bed_gradient(bed *b, size_t *count)
{
    double *g = NULL;
    *count = b->state->layout.sizes[TONNX__ARENA_GRAD];
    ck_ok(tonnx__alloc(&g, *count, sizeof *g));
    ck_ok(tonnx__device_state_read(b->state->device, TONNX__ARENA_GRAD, 0, *count, g, TONNX__F64));
    return g;
}

/* The loss with element i of the parameter arena moved by `by`. */
static double loss_moved(bed *b, size_t i, double by)
{
    double was = 0, moved = 0;
    ck_ok(tonnx__device_state_read(b->state->device, TONNX__ARENA_PARAM, i, 1, &was, TONNX__F64));
    moved = was + by;
    ck_ok(tonnx__device_state_write(b->state->device, TONNX__ARENA_PARAM, i, 1, &moved, TONNX__F64));
    const double loss = bed_loss(b);
    ck_ok(tonnx__device_state_write(b->state->device, TONNX__ARENA_PARAM, i, 1, &was, TONNX__F64));
    return loss;
}

/* Central differences; a kink within h of a point (ReLU and kin) shows as two one-sided slopes that differ: skipped, and
 * rare. At least nine in ten elements must have been compared. */
static void check_differences(bed *b, const char *what)
{
    const double h = 1e-5;
    size_t count = 0, kinks = 0, moving = 0;
    const double here = bed_loss(b);
    double *g = bed_gradient(b, &count);
    ck_assert_msg(isfinite(here), "%s: loss %g", what, here);
    for (size_t i = 0; i < count; i++) {
        const double up = loss_moved(b, i, h), down = loss_moved(b, i, -h);
        const double slope = (up - down) / (2 * h), bend = fabs((up - here) - (here - down)) / h;
        if (bend > 1e-3) {
            kinks++;
            continue;
        }
        moving += g[i] != 0;
        ck_assert_msg(fabs(slope - g[i]) <= 1e-7 + 1e-5 * fabs(slope), "%s: element %zu: gradient %.12g, difference %.12g", what,
                      i, g[i], slope);
    }
    ck_assert_msg(kinks * 10 <= count, "%s: %zu kinks of %zu", what, kinks, count);
    ck_assert_msg(moving * 4 >= count / 16, "%s: only %zu of %zu gradients move", what, moving, count);
    tonnx__free(g);
}

/* The CPU's float step against the reference's double one. */
static void check_cpu(bed *reference, bed *cpu, const char *what)
{
    size_t count = 0;
    const double a = bed_loss(reference), b = bed_loss(cpu);
    double *ga = bed_gradient(reference, &count), *gb = bed_gradient(cpu, &count), difference = 0, norm = 0;
    for (size_t i = 0; i < count; i++) difference += (ga[i] - gb[i]) * (ga[i] - gb[i]), norm += ga[i] * ga[i];
    ck_assert_msg(fabs(a - b) <= 2e-6 * fmax(1, fabs(a)), "%s: loss %.9g on the reference, %.9g on the CPU", what, a, b);
    ck_assert_msg(difference <= 1e-10 * norm, "%s: gradient differs by %.3g of its norm", what, sqrt(difference / norm));
    tonnx__free(ga);
    tonnx__free(gb);
}

/* Three steps of Adam, into *out: parameters and moments. */
static void walk(bed *b, tonnx__image *out)
{
    tonnx__record records[3];
    for (size_t t = 0; t < 3; t++) records[t] = (tonnx__record){ .rate = 0.01, .c = { 1.5, 1.25 }, .rows = b->feed.samples, .step = t };
    ck_ok(tonnx__exec_run(b->exec, &b->feed, NULL, records, 3));
    ck_ok(tonnx__state_read(b->state, out, TONNX__ALL_ARENAS));
}

/* A gradient that nobody reads but the update may go without changing a bit. */
static void check_vanishing(tonnx_model *model, const tonnx_dataset *data, tonnx_loss loss, bool freeze_bn, const char *what)
{
    bed kept = { .adam = true }, gone = { .adam = true, .vanish = true };
    tonnx__image a = { 0 }, b = { 0 };
    bed_make(&kept, model, data, loss, freeze_bn, "reference");
    bed_make(&gone, model, data, loss, freeze_bn, "reference");
    walk(&kept, &a);
    walk(&gone, &b);
    for (int i = 0; i < TONNX__STATE_ARENAS; i++)
        ck_assert_msg(!a.counts[i] || !memcmp(a.values[i], b.values[i], a.counts[i] * tonnx__numbers_size(a.numbers[i])), "%s: %s differs", what,
                      tonnx__arena_name(i));
    tonnx__image_clear(&a);
    tonnx__image_clear(&b);
    bed_clear(&kept);
    bed_clear(&gone);
}

static void check_model(tonnx_model *model, const tonnx_dataset *data, tonnx_loss loss, bool freeze_bn, const char *what)
{
    bed reference = { 0 }, cpu = { 0 };
    bed_make(&reference, model, data, loss, freeze_bn, "reference");
    check_differences(&reference, what);
    bed_make(&cpu, model, data, loss, freeze_bn, "cpu");
    check_cpu(&reference, &cpu, what);
    check_vanishing(model, data, loss, freeze_bn, what);
    bed_clear(&reference);
    bed_clear(&cpu);
}

/* in → dense → `op` → dense → out, where `add` makes "y" of "h". */
static void check_between(void (*add)(tonnx_model *model, int which), int which, size_t rows, const char *what)
{
    tonnx_model *model = NULL;
    tonnx_dataset *data = graph_data(rows, IN, OUT, 0);
    ck_ok(tonnx__model_new(&model, 24, IN, OUT));
    graph_dense(model, "input", "h", IN, HIDDEN);
    add(model, which);
    graph_dense(model, "y", "output", HIDDEN, OUT);
    check_model(model, data, TONNX_CROSS_ENTROPY, which < 0, what);
    tonnx_model_free(model);
    tonnx_dataset_free(data);
}

/* Every row of the book that ONNX has an op for; others by their spelling. */
static void add_activation(tonnx_model *model, int act)
{
    tonnx_activation_info row;
    tonnx_activation_describe((tonnx_activation)act, &row);
    const bool has_op = *row.onnx_op && act != TONNX_ACT_prelu;
    if (act == TONNX_ACT_prelu) {
        graph_tensor(model, "slope", 0, HIDDEN, 0.1, 0.4);
        graph_node(model, "PRelu", "h slope", "y");
    } else if (act == TONNX_ACT_swish || act == TONNX_ACT_silu) {
        graph_node(model, "Sigmoid", "h", "s");
        graph_node(model, "Mul", "s h", "y");
    } else if (act == TONNX_ACT_rrelu) {
        ck_ok(tonnx__node_add_float(graph_node(model, "LeakyRelu", "h", "y"), "alpha", 0.2f));
        ck_ok(tonnx_model_set_metadata(model, "tonnx.rrelu.y", "0.1:0.3"));
    } else if (act == TONNX_ACT_relu2) {
        graph_node(model, "Relu", "h", "s");
        graph_node(model, "Mul", "s s", "y");
    } else if (act == TONNX_ACT_hard_tanh || act == TONNX_ACT_relu6) {
        graph_tensor(model, "low", 0, 1, act == TONNX_ACT_relu6 ? 0 : -0.7, act == TONNX_ACT_relu6 ? 0 : -0.7);
        graph_tensor(model, "high", 0, 1, act == TONNX_ACT_relu6 ? 6 : 0.9, act == TONNX_ACT_relu6 ? 6 : 0.9);
        graph_node(model, "Clip", "h low high", "y");
    } else if (has_op) {
        tonnx__node *node = graph_node(model, row.onnx_op, "h", "y");
        if (*row.a_name) ck_ok(tonnx__node_add_float(node, row.a_name, (float)(row.a_default * 0.9)));
    } else {
        graph_node(model, "Identity", "h", "y");
    }
}

START_TEST(activations)
{
    tonnx_activation_info row;
    tonnx_activation_describe((tonnx_activation)_i, &row);
    check_between(add_activation, _i, _i % 2 ? ROWS : 1, row.name);
}
END_TEST

static void add_batch_norm(tonnx_model *model, int which)
{
    (void)which;
    graph_tensor(model, "scale", 0, HIDDEN, 0.5, 1.5);
    graph_tensor(model, "shift", 0, HIDDEN, -0.5, 0.5);
    graph_tensor(model, "mean", 0, HIDDEN, -0.5, 0.5);
    graph_tensor(model, "var", 0, HIDDEN, 0.5, 1.5);
    graph_node(model, "BatchNormalization", "h scale shift mean var", "y");
}

static void add_layer_norm(tonnx_model *model, int which)
{
    (void)which;
    graph_tensor(model, "scale", 0, HIDDEN, 0.5, 1.5);
    graph_tensor(model, "shift", 0, HIDDEN, -0.5, 0.5);
    graph_node(model, "LayerNormalization", "h scale shift", "y");
}

static void add_rms_norm(tonnx_model *model, int which)
{
    (void)which;
    graph_tensor(model, "scale", 0, HIDDEN, 0.5, 1.5);
    graph_node(model, "RMSNormalization", "h scale", "y");
}

static void add_dropout(tonnx_model *model, int which)
{
    (void)which;
    graph_tensor(model, "ratio", 0, 1, 0.3, 0.3);
    graph_node(model, "Dropout", "h ratio", "y");
}

/* h op k(h), k a second dense layer: both operands carry a gradient, and h is read three times. */
static void add_binary(tonnx_model *model, int which)
{
    static const char *const ops[] = { "Add", "Sub", "Mul", "Div" };
    graph_dense(model, "h", "k", HIDDEN, HIDDEN);
    graph_node(model, "Sigmoid", "k", "s");
    graph_node(model, ops[which], "h s", "y");
}

/* A row operand, on either side, and a scalar one. */
static void add_affine(tonnx_model *model, int which)
{
    static const char *const ops[] = { "Add", "Sub", "Mul", "Div" };
    graph_tensor(model, "row", 0, HIDDEN, 0.5, 1.5);
    graph_tensor(model, "one", 0, 1, 0.7, 0.7);
    graph_node(model, "Tanh", "h", "t");
    graph_node(model, ops[which % 4], which < 4 ? "t row" : "row t", "u");
    graph_node(model, ops[which % 4], which < 4 ? "u one" : "one u", "y");
}

static void add_concat(tonnx_model *model, int which)
{
    (void)which;
    graph_dense(model, "h", "p", HIDDEN, 4);
    graph_dense(model, "h", "q", HIDDEN, HIDDEN - 4);
    graph_node(model, "Concat", "p q", "y");
    ck_ok(tonnx__node_add_int(&model->nodes[model->node_count - 1], "axis", 1));
}

static void add_softmax(tonnx_model *model, int which)
{
    graph_node(model, which ? "LogSoftmax" : "Softmax", "h", "y");
}

static void add_scalar_prelu(tonnx_model *model, int which)
{
    (void)which;
    graph_tensor(model, "slope", 0, 1, 0.2, 0.2);
    graph_node(model, "PRelu", "h slope", "y");
}

/* The same layer twice: one parameter, two gradients that add. */
static void add_tie(tonnx_model *model, int which)
{
    (void)which;
    graph_dense(model, "h", "k", HIDDEN, HIDDEN);
    graph_node(model, "Tanh", "k", "t");
    ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", "t k.weight k.bias", "y"), "transB", 1));
}

/* An autoencoder's tie: W [4, HIDDEN] one way, Wᵀ back; from the same initializer, or behind a Transpose. */
static void add_transposed_tie(tonnx_model *model, int which)
{
    graph_tensor(model, "w", 4, HIDDEN, -0.8, 0.8);
    ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", "h w", "k"), "transB", 1));
    graph_node(model, "Tanh", "k", "t");
    if (which) graph_node(model, "Transpose", "w", "wt");
    tonnx__node *back = graph_node(model, "Gemm", which ? "t wt" : "t w", "y");
    if (which) ck_ok(tonnx__node_add_int(back, "transB", 1));
    ck_ok(tonnx__node_add_float(back, "alpha", 0.7f));
}

/* alpha, beta, and a bias of one number. */
static void add_gemm_forms(tonnx_model *model, int which)
{
    (void)which;
    graph_tensor(model, "w", HIDDEN, HIDDEN, -0.5, 0.5);
    graph_tensor(model, "c", 0, 1, 0.2, 0.2);
    tonnx__node *node = graph_node(model, "Gemm", "h w c", "y");
    ck_ok(tonnx__node_add_float(node, "alpha", 0.5f));
    ck_ok(tonnx__node_add_float(node, "beta", 1.5f));
}

START_TEST(layers)
{
    for (size_t rows = 2; rows <= ROWS; rows += ROWS - 2) {
        check_between(add_batch_norm, 0, rows == 2 ? 3 : rows, "batch norm");
        check_between(add_batch_norm, -1, rows, "batch norm, frozen");
        check_between(add_layer_norm, 0, rows, "layer norm");
        check_between(add_rms_norm, 0, rows, "RMS norm");
        check_between(add_dropout, 0, rows, "dropout");
        check_between(add_concat, 0, rows, "concat");
        check_between(add_softmax, 0, rows, "softmax");
        check_between(add_softmax, 1, rows, "log-softmax");
        check_between(add_scalar_prelu, 0, rows, "prelu of one slope");
        check_between(add_tie, 0, rows, "tied layers");
        check_between(add_transposed_tie, 0, rows, "a weight and its transpose");
        check_between(add_transposed_tie, 1, rows, "a weight and its transpose behind a node");
        check_between(add_gemm_forms, 0, rows, "gemm with alpha, beta and a scalar bias");
    }
}
END_TEST

START_TEST(operators)
{
    for (int op = 0; op < 4; op++) check_between(add_binary, op, ROWS, "binary of two values");
    for (int op = 0; op < 8; op++) check_between(add_affine, op, ROWS, "binary with a parameter");
}
END_TEST

START_TEST(losses)
{
    const bool by_class = _i == TONNX_CROSS_ENTROPY || _i == TONNX_NLL;
    tonnx_model *model = NULL;
    tonnx_dataset *data = graph_data(ROWS, IN, by_class ? OUT : 0, by_class ? 0 : OUT);
    ck_ok(tonnx__model_new(&model, 17, IN, OUT));
    graph_dense(model, "input", "h", IN, HIDDEN);
    graph_node(model, "Tanh", "h", "y");
    graph_dense(model, "y", _i == TONNX_NLL ? "z" : "output", HIDDEN, OUT);
    if (_i == TONNX_NLL) graph_node(model, "LogSoftmax", "z", "output");
    check_model(model, data, (tonnx_loss)_i, false, tonnx_loss_name((tonnx_loss)_i));
    tonnx_model_free(model);
    tonnx_dataset_free(data);
}
END_TEST

static Suite *gradient_suite(void)
{
    Suite *suite = suite_create("gradient");
    TCase *tcase = tcase_create("nets");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, activations, 0, TONNX_ACT_COUNT);
    tcase_add_test(tcase, layers);
    tcase_add_test(tcase, operators);
    tcase_add_loop_test(tcase, losses, 0, TONNX_LOSS_COUNT);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(gradient_suite());
}
