/* Writing activations: the op of the book's row where the opset has it, else the nodes that spell it, as exporters do.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/mlp_impl.h"

/* NAME/part: the name of a spelling's inner node or constant. */
static const char *part_name(char *text, const char *name, const char *part)
{
    snprintf(text, TONNX__CHAIN_NAME, "%.40s/%.20s", name, part);
    return text;
}

/* A node with one more input, a number; the number is an initializer beside it. */
static tonnx_status with_number(tonnx__chain *chain, const char *op, const char *name, double number)
{
    char constant[TONNX__CHAIN_NAME];
    const char *const inputs[] = { part_name(constant, name, "value"), NULL };
    const tonnx_status status = tonnx__chain_tensor(chain, constant, 0, NULL, number);
    return status ? status : tonnx__chain_node(chain, op, name, inputs);
}

/* y = f(x) ∘ x, with x the value that the spelling began from. */
static tonnx_status times(tonnx__chain *chain, const char *name, const char *x)
{
    const char *const inputs[] = { x, NULL };
    return tonnx__chain_node(chain, "Mul", name, inputs);
}

/* x·σ(a·x) */
static tonnx_status spell_swish(tonnx__chain *chain, const char *name, double a)
{
    char x[TONNX__CHAIN_NAME], text[TONNX__CHAIN_NAME];
    tonnx_status status = TONNX_OK;
    snprintf(x, sizeof x, "%s", chain->value);
    if (a != 1.0) status = with_number(chain, "Mul", part_name(text, name, "scale"), a);
    if (!status) status = tonnx__chain_node(chain, "Sigmoid", part_name(text, name, "sigmoid"), NULL);
    return status ? status : times(chain, name, x);
}

/* x·tanh(softplus(x)) */
static tonnx_status spell_mish(tonnx__chain *chain, const char *name)
{
    char x[TONNX__CHAIN_NAME], text[TONNX__CHAIN_NAME];
    snprintf(x, sizeof x, "%s", chain->value);
    tonnx_status status = tonnx__chain_node(chain, "Softplus", part_name(text, name, "softplus"), NULL);
    if (!status) status = tonnx__chain_node(chain, "Tanh", part_name(text, name, "tanh"), NULL);
    return status ? status : times(chain, name, x);
}

/* (x·(1 + erf(x/√2)))·½ */
static tonnx_status spell_gelu(tonnx__chain *chain, const char *name)
{
    char x[TONNX__CHAIN_NAME], text[TONNX__CHAIN_NAME];
    snprintf(x, sizeof x, "%s", chain->value);
    tonnx_status status = with_number(chain, "Div", part_name(text, name, "div"), 1.4142135623730951);
    if (!status) status = tonnx__chain_node(chain, "Erf", part_name(text, name, "erf"), NULL);
    if (!status) status = with_number(chain, "Add", part_name(text, name, "add"), 1.0);
    if (!status) status = times(chain, part_name(text, name, "mul"), x);
    return status ? status : with_number(chain, "Mul", name, 0.5);
}

/* relu(x)² */
static tonnx_status spell_relu2(tonnx__chain *chain, const char *name)
{
    char text[TONNX__CHAIN_NAME];
    const tonnx_status status = tonnx__chain_node(chain, "Relu", part_name(text, name, "relu"), NULL);
    return status ? status : times(chain, name, text);
}

/* −softplus(−x), which is log σ(x) and does not overflow */
static tonnx_status spell_log_sigmoid(tonnx__chain *chain, const char *name)
{
    char text[TONNX__CHAIN_NAME];
    tonnx_status status = tonnx__chain_node(chain, "Neg", part_name(text, name, "neg"), NULL);
    if (!status) status = tonnx__chain_node(chain, "Softplus", part_name(text, name, "softplus"), NULL);
    return status ? status : tonnx__chain_node(chain, "Neg", name, NULL);
}

/* Clip: bounds are attributes below opset 11, inputs from there on. */
static tonnx_status write_clip(tonnx__chain *chain, const char *name, double low, double high)
{
    char min[TONNX__CHAIN_NAME], max[TONNX__CHAIN_NAME];
    const char *const inputs[] = { part_name(min, name, "min"), part_name(max, name, "max"), NULL };
    tonnx_status status = TONNX_OK;
    if (chain->opset < 11) {
        status = tonnx__chain_node(chain, "Clip", name, NULL);
        if (!status) status = tonnx__chain_float(chain, "min", low);
        return status ? status : tonnx__chain_float(chain, "max", high);
    }
    status = tonnx__chain_tensor(chain, min, 0, NULL, low);
    if (!status) status = tonnx__chain_tensor(chain, max, 0, NULL, high);
    return status ? status : tonnx__chain_node(chain, "Clip", name, inputs);
}

/* PRelu with one trained slope, NAME.weight[1]. */
static tonnx_status write_prelu(tonnx__chain *chain, const char *name, double slope)
{
    static const int64_t one[] = { 1 };
    char weight[TONNX__CHAIN_NAME];
    const char *const inputs[] = { weight, NULL };
    snprintf(weight, sizeof weight, "%.40s.weight", name);
    const tonnx_status status = tonnx__chain_tensor(chain, weight, 1, one, slope);
    return status ? status : tonnx__chain_node(chain, "PRelu", name, inputs);
}

/* RReLU has no op: what evaluation means is a LeakyRelu of the mean slope; the range stands in the metadata. */
static tonnx_status write_rrelu(tonnx__chain *chain, const char *name, double low, double high)
{
    char key[TONNX__CHAIN_NAME + 16], range[64];
    snprintf(key, sizeof key, "tonnx.rrelu.%s", name);
    snprintf(range, sizeof range, "%.9g:%.9g", low, high);
    tonnx_status status = tonnx__chain_node(chain, "LeakyRelu", name, NULL);
    if (!status) status = tonnx__chain_float(chain, "alpha", (low + high) / 2);
    return status ? status : tonnx_model_set_metadata(chain->model, key, range);
}

/* One node of the row's own op, with its attributes. */
static tonnx_status write_op(tonnx__chain *chain, const char *name, tonnx_activation act, double a, double b)
{
    tonnx_activation_info row;
    tonnx_activation_describe(act, &row);
    tonnx_status status = tonnx__chain_node(chain, row.onnx_op, name, NULL);
    if (!status && *row.a_name) status = tonnx__chain_float(chain, row.a_name, a);
    if (!status && *row.b_name) status = tonnx__chain_float(chain, row.b_name, b);
    if (!status && act == TONNX_ACT_gelu_tanh)
        status = tonnx__node_add_string(&chain->model->nodes[chain->node], "approximate", "tanh");
    return status;
}

enum { OPSET_ERF = 9 };

/* A row without an op in this opset: spelled out, where there is a spelling that is read back as the same row. */
static tonnx_status spell(tonnx__chain *chain, const char *name, tonnx_activation act, double a)
{
    tonnx_activation_info row;
    tonnx_activation_describe(act, &row);
    if (act == TONNX_ACT_silu || act == TONNX_ACT_swish) return spell_swish(chain, name, a);
    if (act == TONNX_ACT_mish) return spell_mish(chain, name);
    if (act == TONNX_ACT_gelu && chain->opset >= OPSET_ERF) return spell_gelu(chain, name);
    if (act == TONNX_ACT_gelu)
        return tonnx__fail(TONNX_BAD_USAGE, "activation gelu needs opset %d (Erf), not %lld; raise --opset", OPSET_ERF,
                           (long long)chain->opset);
    if (act == TONNX_ACT_relu2) return spell_relu2(chain, name);
    if (act == TONNX_ACT_log_sigmoid) return spell_log_sigmoid(chain, name);
    if (!row.since) return tonnx__fail(TONNX_BAD_USAGE, "activation %s has no ONNX op; choose another", row.name);
    return tonnx__fail(TONNX_BAD_USAGE, "activation %s needs opset %d (%s), not %lld; raise --opset", row.name,
                       row.since, row.onnx_op, (long long)chain->opset);
}

tonnx_status tonnx__chain_activation(tonnx__chain *chain, const char *name, tonnx_activation act, double a, double b)
{
    tonnx_activation_info row;
    tonnx_activation_describe(act, &row);
    if (act == TONNX_ACT_NONE) return TONNX_OK;
    if ((act == TONNX_ACT_hard_tanh || act == TONNX_ACT_rrelu) && a > b)
        return tonnx__fail(TONNX_BAD_USAGE, "activation %s goes from %g to %g; name the lower number first", row.name, a, b);
    if (act == TONNX_ACT_relu6) return write_clip(chain, name, 0.0, 6.0);
    if (act == TONNX_ACT_hard_tanh) return write_clip(chain, name, a, b);
    if (act == TONNX_ACT_prelu) return write_prelu(chain, name, a);
    if (act == TONNX_ACT_rrelu) return write_rrelu(chain, name, a, b);
    if (act == TONNX_ACT_softplus) {
        if (a == 1.0) return tonnx__chain_node(chain, "Softplus", name, NULL);
        return tonnx__fail(TONNX_BAD_USAGE, "ONNX's Softplus has no beta; use softplus without one");
    }
    if (act == TONNX_ACT_silu) a = 1.0;
    return row.since && chain->opset >= row.since ? write_op(chain, name, act, a, b) : spell(chain, name, act, a);
}
