/* New models: an MLP as PyTorch would export it. */
#include <stdio.h>
#include <string.h>

#include "runtime/options_impl.h"
#include "runtime/init.h"
#include "runtime/mlp_impl.h"
#include "runtime/ops/names_impl.h"

/* Gemm takes any bias shape from opset 7 on, which this file writes; LayerNormalization came with 17. */
enum { OPSET_OLDEST = 7, OPSET_NEWEST = 24, OPSET_LAYER_NORM = 17 };

typedef enum norm_kind { NORM_NONE, NORM_BATCH, NORM_LAYER } norm_kind;
typedef enum head_kind { HEAD_NONE, HEAD_SOFTMAX, HEAD_SIGMOID } head_kind;

/* The options, understood. */
typedef struct plan {
    tonnx_activation act;
    double a, b, dropout;
    norm_kind norm;
    head_kind head;
    bool norm_after;
} plan;

tonnx_status tonnx__chain_node(tonnx__chain *chain, const char *op, const char *name, const char *const *inputs)
{
    const char *all[8] = { chain->value };
    size_t count = 1;
    while (inputs && inputs[count - 1] && count < sizeof all / sizeof *all) {
        all[count] = inputs[count - 1];
        count++;
    }
    const tonnx_status status = tonnx__model_add_node(chain->model, false, op, name, all, count, name, &chain->node);
    if (!status) snprintf(chain->value, sizeof chain->value, "%s", name);
    return status;
}

tonnx_status tonnx__chain_tensor(tonnx__chain *chain, const char *name, size_t rank, const int64_t *dims, double value)
{
    size_t at;
    tonnx_status status = tonnx__model_add_tensor(chain->model, name, TONNX_FLOAT, rank, dims, &at);
    if (status || value == 0.0) return status;
    status = tonnx__tensor_touch(&chain->model->tensors[at]);
    for (size_t i = 0; !status && i < chain->model->tensors[at].count; i++)
        tonnx__tensor_set(&chain->model->tensors[at], i, value);
    return status;
}

tonnx_status tonnx__chain_float(tonnx__chain *chain, const char *name, double value)
{
    return tonnx__node_add_float(&chain->model->nodes[chain->node], name, (float)value);
}

/* y[N,out] = x[N,in] · w[out,in]ᵀ + b[out] */
static tonnx_status add_dense(tonnx__chain *chain, size_t number, size_t in, size_t out)
{
    char name[TONNX__CHAIN_NAME], weight[TONNX__CHAIN_NAME], bias[TONNX__CHAIN_NAME];
    const char *const inputs[] = { weight, bias, NULL };
    const int64_t dims[] = { (int64_t)out, (int64_t)in };
    snprintf(name, sizeof name, "fc%zu", number);
    snprintf(weight, sizeof weight, "fc%zu.weight", number);
    snprintf(bias, sizeof bias, "fc%zu.bias", number);
    tonnx_status status = tonnx__chain_tensor(chain, weight, 2, dims, 0.0);
    if (!status) status = tonnx__chain_tensor(chain, bias, 1, dims, 0.0);
    if (!status) status = tonnx__chain_node(chain, "Gemm", name, inputs);
    return status ? status : tonnx__node_add_int(&chain->model->nodes[chain->node], "transB", 1);
}

/* A norm's vectors as PyTorch names and starts them: NAME.weight 1, NAME.bias 0, NAME.running_mean 0,
 * NAME.running_var 1. */
static tonnx_status add_norm(tonnx__chain *chain, const plan *p, size_t number, size_t features)
{
    static const char *const parts[] = { "weight", "bias", "running_mean", "running_var" };
    static const double starts[] = { 1.0, 0.0, 0.0, 1.0 };
    const bool batch = p->norm == NORM_BATCH;
    const int64_t dims[] = { (int64_t)features };
    char name[TONNX__CHAIN_NAME], texts[4][TONNX__CHAIN_NAME + 16];
    const char *inputs[5] = { NULL };
    tonnx_status status = TONNX_OK;
    if (p->norm == NORM_NONE) return TONNX_OK;
    snprintf(name, sizeof name, "%s%zu", batch ? "bn" : "ln", number);
    for (size_t i = 0; i < (batch ? 4 : 2) && !status; i++) {
        snprintf(texts[i], sizeof texts[i], "%s.%s", name, parts[i]);
        inputs[i] = texts[i];
        status = tonnx__chain_tensor(chain, texts[i], 1, dims, starts[i]);
    }
    if (!status) status = tonnx__chain_node(chain, batch ? "BatchNormalization" : "LayerNormalization", name, inputs);
    if (!status) status = tonnx__chain_float(chain, "epsilon", 1e-5);
    if (!status && batch) status = tonnx__chain_float(chain, "momentum", 0.9);
    return status;
}

/* Dropout: the ratio is an attribute below opset 12, an input from there on. */
static tonnx_status add_dropout(tonnx__chain *chain, const plan *p, size_t number)
{
    char name[TONNX__CHAIN_NAME], ratio[TONNX__CHAIN_NAME];
    const char *const inputs[] = { ratio, NULL };
    if (p->dropout <= 0.0) return TONNX_OK;
    snprintf(name, sizeof name, "drop%zu", number);
    snprintf(ratio, sizeof ratio, "drop%zu/ratio", number);
    if (chain->opset < 12) {
        const tonnx_status status = tonnx__chain_node(chain, "Dropout", name, NULL);
        return status ? status : tonnx__chain_float(chain, "ratio", p->dropout);
    }
    const tonnx_status status = tonnx__chain_tensor(chain, ratio, 0, NULL, p->dropout);
    return status ? status : tonnx__chain_node(chain, "Dropout", name, inputs);
}

static tonnx_status add_hidden(tonnx__chain *chain, const plan *p, size_t number, size_t features)
{
    char name[TONNX__CHAIN_NAME];
    tonnx_status status = TONNX_OK;
    snprintf(name, sizeof name, "act%zu", number);
    if (!p->norm_after) status = add_norm(chain, p, number, features);
    if (!status) status = tonnx__chain_activation(chain, name, p->act, p->a, p->b);
    if (!status && p->norm_after) status = add_norm(chain, p, number, features);
    return status ? status : add_dropout(chain, p, number);
}

static tonnx_status add_head(tonnx__chain *chain, const plan *p)
{
    if (p->head == HEAD_NONE) return TONNX_OK;
    if (p->head == HEAD_SIGMOID) return tonnx__chain_node(chain, "Sigmoid", "sigmoid", NULL);
    const tonnx_status status = tonnx__chain_node(chain, "Softmax", "softmax", NULL);
    return status ? status : tonnx__node_add_int(&chain->model->nodes[chain->node], "axis", 1);
}

/* The last node's value is the graph's output. */
static tonnx_status end_chain(tonnx__chain *chain)
{
    char **name = &chain->model->nodes[chain->node].outputs[0];
    char *output = NULL;
    const tonnx_status status = tonnx__strdup(&output, chain->model->outputs[0].name);
    if (status) return status;
    tonnx__free(*name);
    *name = output;
    return TONNX_OK;
}

static tonnx_status build(tonnx_model *model, const plan *p, const size_t *widths, size_t count, int64_t opset)
{
    tonnx__chain chain = { .model = model, .opset = opset };
    tonnx_status status = TONNX_OK;
    snprintf(chain.value, sizeof chain.value, "%s", model->inputs[0].name);
    for (size_t i = 1; i < count && !status; i++) {
        status = add_dense(&chain, i, widths[i - 1], widths[i]);
        if (!status && i + 1 < count) status = add_hidden(&chain, p, i, widths[i]);
    }
    if (!status) status = add_head(&chain, p);
    return status ? status : end_chain(&chain);
}

static tonnx_status check_widths(const size_t *widths, size_t count)
{
    if (count < 2)
        return tonnx__fail(TONNX_BAD_USAGE, "an MLP needs at least two widths, as in 784-10, not %zu", count);
    for (size_t i = 0; i < count; i++) {
        size_t elements;
        if (!widths[i]) return tonnx__fail(TONNX_BAD_USAGE, "width %zu of the MLP is 0", i + 1);
        if (widths[i] > INT32_MAX || (i && (!tonnx__mul(&elements, widths[i - 1], widths[i]) || elements > INT32_MAX)))
            return tonnx__fail(TONNX_BAD_USAGE, "width %zu of the MLP, %zu, makes a layer too large for an ONNX file",
                               i + 1, widths[i]);
    }
    return TONNX_OK;
}

static bool is(const char *text, const char *name)
{
    return tonnx__same_name(text, strlen(text), name);
}

static tonnx_status read_activation(plan *p, const char *text)
{
    p->act = TONNX_ACT_NONE;
    if (is(text, "none") || tonnx__activation_parse(text, &p->act, &p->a, &p->b)) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_USAGE,
                       "no activation is '%s'; `tonnx ops` lists them, attributes follow as in elu:0.5", text);
}

static tonnx_status read_names(plan *p, const tonnx_mlp_options *options)
{
    const char *head = options->output_activation, *norm = options->norm;
    p->head = is(head, "softmax") ? HEAD_SOFTMAX : is(head, "sigmoid") ? HEAD_SIGMOID : HEAD_NONE;
    p->norm = is(norm, "batch") ? NORM_BATCH : is(norm, "layer") ? NORM_LAYER : NORM_NONE;
    p->norm_after = options->norm_after;
    p->dropout = options->dropout;
    if (p->head == HEAD_NONE && !is(head, "none"))
        return tonnx__fail(TONNX_BAD_USAGE, "an output activation is softmax, sigmoid or none, not '%s'", head);
    if (p->norm == NORM_NONE && !is(norm, "none"))
        return tonnx__fail(TONNX_BAD_USAGE, "a norm is batch, layer or none, not '%s'", norm);
    return read_activation(p, options->activation);
}

static tonnx_status read_plan(plan *p, const tonnx_mlp_options *options)
{
    const tonnx_status status = read_names(p, options);
    if (status) return status;
    if (!(p->dropout >= 0.0 && p->dropout < 1.0))
        return tonnx__fail(TONNX_BAD_USAGE, "dropout %g is not in [0, 1)", p->dropout);
    if (options->opset < OPSET_OLDEST || options->opset > OPSET_NEWEST)
        return tonnx__fail(TONNX_BAD_USAGE, "opset %lld is not one of %d … %d", (long long)options->opset, OPSET_OLDEST,
                           OPSET_NEWEST);
    if (p->norm == NORM_LAYER && options->opset < OPSET_LAYER_NORM)
        return tonnx__fail(TONNX_BAD_USAGE, "layer norm needs opset %d, not %lld; raise --opset", OPSET_LAYER_NORM,
                           (long long)options->opset);
    return TONNX_OK;
}

/* The oldest IR version whose release had that opset, so that old readers still take the file (ONNX's Versioning.md).
 */
static int64_t ir_version(int64_t opset)
{
    return opset <= 18 ? 8 : opset <= 20 ? 9 : opset <= 22 ? 10 : 11;
}

tonnx_status tonnx_model_mlp(tonnx_model **out, const size_t *widths, size_t count, const tonnx_mlp_options *options)
{
    plan p = { 0 };
    tonnx_model *model = NULL;
    tonnx_mlp_options o = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    *out = NULL;
    tonnx_status status = tonnx__options_lay(&o, sizeof o, options, "TONNX_MLP_OPTIONS_DEFAULT");
    init.scheme = o.scheme;
    init.seed = o.seed;
    init.log = o.log;
    if (!status && o.init) status = tonnx__options_lay(&init, sizeof init, o.init, "TONNX_INIT_OPTIONS_DEFAULT");
    if (!status) status = check_widths(widths, count);
    if (!status) status = read_plan(&p, &o);
    if (!status) status = tonnx__model_new(&model, o.opset, widths[0], widths[count - 1]);
    if (status) return status;
    model->ir_version = ir_version(o.opset);
    status = build(model, &p, widths, count, o.opset);
    if (!status) status = tonnx_init(model, &init);
    if (status) tonnx_model_free(model);
    else *out = model;
    return status;
}
