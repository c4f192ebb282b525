/* Activations: ops that stand in the op book, and the spellings of those that ONNX had no op for yet. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

static tonnx_status add_activation(tonnx__builder *builder, tonnx__layer **out, const tonnx__node *node,
                                   const tonnx__fact *x, tonnx_activation act, const char *op)
{
    const tonnx__operand in = { x->value, -1 };
    const size_t features = builder->net->values[x->value].features;
    tonnx_activation_info row;
    tonnx_activation_describe(act, &row);
    tonnx_status status = tonnx__layer_add(builder, out, TONNX__LAYER_ACTIVATION, node, &in, 1, features, x);
    if (status) return status;
    (*out)->act = act;
    (*out)->a = row.a_default;
    (*out)->b = row.b_default;
    if (!op) return TONNX_OK;
    tonnx__free((*out)->op);
    return tonnx__strdup(&(*out)->op, op);
}

/* RReLU has no op: it is written as a LeakyRelu of the mean slope, its range under tonnx.rrelu.NODE in the metadata. A
 * slope that is no longer the mean of that range was changed by others: then it is a plain LeakyRelu. */
static bool is_rrelu(const tonnx__builder *builder, const tonnx__node *node, double slope, double *low, double *high)
{
    char key[256], text[96];
    tonnx_activation act;
    snprintf(key, sizeof key, "tonnx.rrelu.%s", node->name);
    const char *range = tonnx_model_metadata(builder->net->model, key);
    if (!range) return false;
    snprintf(text, sizeof text, "rrelu:%s", range);
    return tonnx__activation_parse(text, &act, low, high) && fabs((*low + *high) / 2 - slope) <= 1e-6;
}

/* An op of the book: its row names the attributes. */
static tonnx_status recognise_op(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x, bool *known)
{
    tonnx_activation act = tonnx__activation_by_op(node->op_type);
    const tonnx__attribute *approximate = tonnx__node_attribute(node, "approximate");
    tonnx_activation_info row;
    tonnx__layer *layer = NULL;
    if (act == TONNX_ACT_NONE) return TONNX_OK;
    if (act == TONNX_ACT_gelu && approximate && approximate->s && !strcmp(approximate->s, "tanh"))
        act = TONNX_ACT_gelu_tanh;
    const tonnx_status status = add_activation(builder, &layer, node, x, act, NULL);
    if (status) return status;
    tonnx_activation_describe(act, &row);
    if (*row.a_name) layer->a = tonnx__node_float(node, row.a_name, row.a_default);
    if (*row.b_name) layer->b = tonnx__node_float(node, row.b_name, row.b_default);
    if (act == TONNX_ACT_leaky_relu) {
        double low, high;
        if (is_rrelu(builder, node, layer->a, &low, &high))
            layer->act = TONNX_ACT_rrelu, layer->a = low, layer->b = high;
    }
    *known = true;
    return TONNX_OK;
}

/* Clip: bounds are attributes below opset 11, inputs from there on; an absent one does not bound. */
static tonnx_status recognise_clip(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x, bool *known)
{
    const double largest = 3.40282346638528859812e+38; /* FLT_MAX, ONNX's default */
    double bounds[2] = { tonnx__node_float(node, "min", -largest), tonnx__node_float(node, "max", largest) };
    tonnx__layer *layer = NULL;
    for (size_t i = 0; i < 2; i++)
        if (*tonnx__node_input(node, i + 1) &&
            !tonnx__fact_scalar(builder, tonnx__constant_input(builder, node, i + 1), &bounds[i]))
            return tonnx__node_fail(builder, node, "bound '%s' is no constant number", tonnx__node_input(node, i + 1));
    const bool relu6 = bounds[0] == 0 && bounds[1] == 6;
    const tonnx_status status =
        add_activation(builder, &layer, node, x, relu6 ? TONNX_ACT_relu6 : TONNX_ACT_hard_tanh, NULL);
    if (status) return status;
    if (!relu6) layer->a = bounds[0], layer->b = bounds[1];
    *known = true;
    return TONNX_OK;
}

/* PRelu: the slope is trained, one number or one per feature. */
static tonnx_status recognise_prelu(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x, bool *known)
{
    const tonnx__fact *slope = tonnx__constant_input(builder, node, 1);
    const size_t features = builder->net->values[x->value].features;
    tonnx__layer *layer = NULL;
    int weight = -1;
    if (!slope || x->rank != 2) return TONNX_OK;
    if (!tonnx__fact_is_row(slope, features))
        return tonnx__node_fail(builder, node, "slope '%s' has %zu elements, the data %zu features", slope->name,
                                tonnx__fact_count(slope), features);
    tonnx_status status = tonnx__param_vector(builder, &weight, TONNX__ROLE_SLOPE, slope, node, 1);
    if (!status) status = add_activation(builder, &layer, node, x, TONNX_ACT_prelu, NULL); /* moves the facts */
    if (!status) layer->weight = weight;
    *known = !status;
    return status;
}

/* The operand that is not made by `inner`, where `inner` makes one of a commutative node's two operands. */
static const tonnx__node *operand_made_by(const tonnx__builder *builder, const tonnx__node *node, const char *op_type,
                                          const char **other)
{
    for (size_t side = 0; side < 2; side++) {
        const tonnx__node *inner = tonnx__maker_of(builder, tonnx__node_input(node, side), op_type);
        *other = tonnx__node_input(node, 1 - side);
        if (inner) return inner;
    }
    return NULL;
}

/* A commutative node's operand that is the given constant (rtol 1e-3: exporters round); *other is the other operand. */
static bool operand_is(const tonnx__builder *builder, const tonnx__node *node, double wanted, const char **other)
{
    for (size_t side = 0; side < 2; side++) {
        double c = 0;
        *other = tonnx__node_input(node, 1 - side);
        if (tonnx__fact_scalar(builder, tonnx__constant_input(builder, node, side), &c) &&
            fabs(c - wanted) <= 1e-3 * fabs(wanted))
            return true;
    }
    return false;
}

/* x·σ(x), x·σ(βx). */
static const char *match_silu(const tonnx__builder *builder, const tonnx__node *mul, double *beta)
{
    const char *x = NULL, *scaled = NULL;
    const tonnx__node *sigmoid = operand_made_by(builder, mul, "Sigmoid", &x);
    if (!sigmoid) return NULL;
    *beta = 1;
    if (tonnx__same_source(builder, tonnx__node_input(sigmoid, 0), x)) return x;
    const tonnx__node *scale = tonnx__maker_of(builder, tonnx__node_input(sigmoid, 0), "Mul");
    for (size_t side = 0; scale && side < 2; side++) {
        scaled = tonnx__node_input(scale, side);
        if (tonnx__same_source(builder, scaled, x) &&
            tonnx__fact_scalar(builder, tonnx__constant_input(builder, scale, 1 - side), beta))
            return x;
    }
    return NULL;
}

/* x·tanh(softplus(x)). */
static const char *match_mish(const tonnx__builder *builder, const tonnx__node *mul)
{
    const char *x = NULL;
    const tonnx__node *tanh_node = operand_made_by(builder, mul, "Tanh", &x);
    const tonnx__node *softplus =
        tanh_node ? tonnx__maker_of(builder, tonnx__node_input(tanh_node, 0), "Softplus") : NULL;
    return softplus && tonnx__same_source(builder, tonnx__node_input(softplus, 0), x) ? x : NULL;
}

/* 1 + erf(x/√2): the factor that both spellings of GELU share. *x is what it is of. */
static bool is_gelu_factor(const tonnx__builder *builder, const char *name, const char **x)
{
    const char *inner = NULL;
    double divisor = 0;
    const tonnx__node *add = tonnx__maker_of(builder, name, "Add");
    if (!add || !operand_is(builder, add, 1, &inner)) return false;
    const tonnx__node *erf_node = tonnx__maker_of(builder, inner, "Erf");
    const tonnx__node *div = erf_node ? tonnx__maker_of(builder, tonnx__node_input(erf_node, 0), "Div") : NULL;
    const tonnx__node *mul = erf_node ? tonnx__maker_of(builder, tonnx__node_input(erf_node, 0), "Mul") : NULL;
    if (mul && operand_is(builder, mul, 1 / sqrt(2), x)) return true;
    *x = div ? tonnx__node_input(div, 0) : NULL;
    return div && tonnx__fact_scalar(builder, tonnx__constant_input(builder, div, 1), &divisor) &&
           fabs(divisor - sqrt(2)) <= 1e-3;
}

/* (x·(1 + erf(x/√2)))·½, or (½·x)·(1 + erf(x/√2)). */
static const char *match_gelu(const tonnx__builder *builder, const tonnx__node *mul)
{
    const char *rest = NULL, *x = NULL, *whole = NULL;
    if (operand_is(builder, mul, 0.5, &rest)) {
        const tonnx__node *inner = tonnx__maker_of(builder, rest, "Mul");
        for (size_t side = 0; inner && side < 2; side++)
            if (is_gelu_factor(builder, tonnx__node_input(inner, side), &x) &&
                tonnx__same_source(builder, x, tonnx__node_input(inner, 1 - side)))
                return x;
        return NULL;
    }
    for (size_t side = 0; side < 2; side++) {
        const tonnx__node *half = tonnx__maker_of(builder, tonnx__node_input(mul, 1 - side), "Mul");
        if (half && is_gelu_factor(builder, tonnx__node_input(mul, side), &x) &&
            operand_is(builder, half, 0.5, &whole) && tonnx__same_source(builder, x, whole))
            return x;
    }
    return NULL;
}

/* relu(x)², as Mul(y, y) or Pow(y, 2). */
static const char *match_relu2(const tonnx__builder *builder, const tonnx__node *node)
{
    double power = 2;
    const bool squares = !strcmp(node->op_type, "Mul")
                             ? tonnx__same_source(builder, tonnx__node_input(node, 0), tonnx__node_input(node, 1))
                             : tonnx__fact_scalar(builder, tonnx__constant_input(builder, node, 1), &power);
    const tonnx__node *relu = tonnx__maker_of(builder, tonnx__node_input(node, 0), "Relu");
    return squares && power == 2 && relu ? tonnx__node_input(relu, 0) : NULL;
}

/* The spellings, tried on every Mul and Pow. */
static tonnx_status recognise_spelling(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const bool mul = !strcmp(node->op_type, "Mul");
    double beta = 1;
    const char *x = NULL, *op = NULL;
    tonnx_activation act = TONNX_ACT_NONE;
    tonnx__layer *layer = NULL;
    if (mul && (x = match_silu(builder, node, &beta)))
        act = beta == 1 ? TONNX_ACT_silu : TONNX_ACT_swish, op = "Sigmoid+Mul";
    else if (mul && (x = match_mish(builder, node))) act = TONNX_ACT_mish, op = "Softplus+Tanh+Mul";
    else if (mul && (x = match_gelu(builder, node))) act = TONNX_ACT_gelu, op = "Div+Erf+Add+Mul+Mul";
    else if ((x = match_relu2(builder, node))) act = TONNX_ACT_relu2, op = mul ? "Relu+Mul" : "Relu+Pow";
    const tonnx__fact *fact = x ? tonnx__fact_of(builder, x) : NULL;
    if (!fact || fact->kind != TONNX__FACT_VALUE) return TONNX_OK;
    const tonnx_status status = add_activation(builder, &layer, node, fact, act, op);
    if (status) return status;
    if (act == TONNX_ACT_swish) layer->a = beta;
    *known = true;
    return TONNX_OK;
}

/* Softmax and LogSoftmax over the features. Below opset 13 the axis says where a flattening to 2-D cuts, default 1. */
static tonnx_status recognise_softmax(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                      bool *known)
{
    const bool log_softmax = !strcmp(node->op_type, "LogSoftmax");
    const int64_t axis = tonnx__node_int(node, "axis", builder->opset < 13 ? 1 : -1);
    const tonnx__operand in = { x->value, -1 };
    tonnx__layer *layer = NULL;
    if (!log_softmax && strcmp(node->op_type, "Softmax") != 0) return TONNX_OK;
    if (x->rank != 2 || x->transposed || (axis != 1 && axis != -1))
        return tonnx__node_fail(builder, node,
                                "softmax along axis %lld of rank %zu; tonnx reads it along the features of [N, F]",
                                (long long)axis, x->rank);
    const tonnx_status status = tonnx__layer_add(builder, &layer, TONNX__LAYER_SOFTMAX, node, &in, 1,
                                                 builder->net->values[x->value].features, NULL);
    if (!status) layer->log = log_softmax;
    *known = !status;
    return status;
}

tonnx_status tonnx__recognise_activation(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    tonnx_status status = TONNX_OK;
    if (!strcmp(node->op_type, "Mul") || !strcmp(node->op_type, "Pow")) return recognise_spelling(builder, node, known);
    if (!x) return TONNX_OK;
    if (!strcmp(node->op_type, "Clip")) return recognise_clip(builder, node, x, known);
    if (!strcmp(node->op_type, "PRelu")) return recognise_prelu(builder, node, x, known);
    status = recognise_softmax(builder, node, x, known);
    return status || *known ? status : recognise_op(builder, node, x, known);
}
