/* Activations: ops that stand in the op book, and the spellings of those that ONNX had no op for yet. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/fold_impl.h"
#include "runtime/recognise/expression_impl.h"
#include "runtime/recognise/step_impl.h"

tonnx_status tonnx__activation_add(tonnx__builder *builder, tonnx__layer **out, const tonnx__node *node,
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
    tonnx_activation act;
    tonnx__layer *layer = NULL;
    double a, b;
    if (!tonnx__node_activation(node, &act, &a, &b)) return TONNX_OK;
    const tonnx_status status = tonnx__activation_add(builder, &layer, node, x, act, NULL);
    if (status) return status;
    layer->a = a;
    layer->b = b;
    if (act == TONNX_ACT_leaky_relu) {
        double low, high;
        if (is_rrelu(builder, node, layer->a, &low, &high))
            layer->act = TONNX_ACT_rrelu, layer->a = low, layer->b = high;
    }
    *known = true;
    return TONNX_OK;
}

/* PRelu whose slope is drawn anew for each element: RReLU, as TorchScript writes it in training mode. */
static tonnx_status recognise_random_slope(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                           const tonnx__node *slope, bool *known)
{
    tonnx__layer *layer = NULL;
    if (!tonnx__same_source(builder, tonnx__node_input(slope, 0), tonnx__node_input(node, 0))) return TONNX_OK;
    const tonnx_status status =
        tonnx__activation_add(builder, &layer, node, x, TONNX_ACT_rrelu, "RandomUniformLike+PRelu");
    if (status) return status;
    layer->a = tonnx__node_float(slope, "low", 0);
    layer->b = tonnx__node_float(slope, "high", 1);
    *known = true;
    return TONNX_OK;
}

/* PRelu: the slope is trained, one number or one per feature. */
static tonnx_status recognise_prelu(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x, bool *known)
{
    const tonnx__fact *slope = tonnx__constant_input(builder, node, 1);
    const tonnx__node *drawn = tonnx__maker_of(builder, tonnx__node_input(node, 1), "RandomUniformLike");
    const size_t features = builder->net->values[x->value].features;
    tonnx__layer *layer = NULL;
    int weight = -1;
    if (drawn) return recognise_random_slope(builder, node, x, drawn, known);
    if (!slope || x->rank != 2) return TONNX_OK;
    if (!tonnx__fact_is_row(slope, features))
        return tonnx__node_fail(builder, node,
                                "slope '%s' has %zu elements, the data %zu features; mend the file: 1 or %zu fit",
                                slope->name, tonnx__fact_count(slope), features, features);
    tonnx_status status = tonnx__param_vector(builder, &weight, TONNX__ROLE_SLOPE, slope, node, 1);
    if (!status) status = tonnx__activation_add(builder, &layer, node, x, TONNX_ACT_prelu, NULL); /* moves the facts */
    if (!status) layer->weight = weight;
    *known = !status;
    return status;
}

/* Whatever is spelled out: the longest stretch of nodes behind this one that, as an expression in one value, computes
 * something that has a name. */
static tonnx_status recognise_spelling(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    tonnx__expression *e = NULL;
    tonnx_status status = tonnx__alloc(&e, 1, sizeof *e);
    if (status) return status;
    const bool readable = tonnx__expression_read(e, builder, node);
    for (int x = 0; readable && x < e->count && !*known && !status; x++) {
        if (tonnx__fact_of(builder, e->steps[x].name)->kind != TONNX__FACT_VALUE || !tonnx__expression_close(e, x))
            continue;
        status = tonnx__match_activation(builder, e, node, known);
        if (!status && !*known) status = tonnx__match_norm(builder, e, node, known);
    }
    tonnx__free(e);
    return status;
}

/* True where a softmax is over all features: of [N, F], of [N, 1, F] and the like; below opset 13 of all axes from
 * `axis` on. */
static bool along_features(const tonnx__builder *builder, const tonnx__fact *x, int64_t axis)
{
    size_t at = 0;
    if (x->transposed || !tonnx__axis(axis, x->rank, &at) || !at) return false;
    return (builder->opset < 13 && at == 1) || x->dims[at] == builder->net->values[x->value].features;
}

/* Softmax and LogSoftmax over the features. Below opset 13 the axis says where a flattening to 2-D cuts, default 1. */
static tonnx_status recognise_softmax(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                      bool *known)
{
    char shape[128];
    const bool log_softmax = !strcmp(node->op_type, "LogSoftmax");
    const int64_t axis = tonnx__node_int(node, "axis", builder->opset < 13 ? 1 : -1);
    const tonnx__operand in = { x->value, -1 };
    tonnx__layer *layer = NULL;
    if (!log_softmax && strcmp(node->op_type, "Softmax") != 0) return TONNX_OK;
    if (!along_features(builder, x, axis))
        return tonnx__node_fail(builder, node,
                                "softmax along axis %lld of %s; tonnx reads it along the features of [N, F]: flatten "
                                "first, or choose an output before it (--output)",
                                (long long)axis, tonnx__fact_shape(x, shape, sizeof shape));
    const tonnx__fact like = *x;
    const tonnx_status status = tonnx__layer_add(builder, &layer, TONNX__LAYER_SOFTMAX, node, &in, 1,
                                                 builder->net->values[x->value].features, &like);
    if (!status) layer->log = log_softmax;
    *known = !status;
    return status;
}

tonnx_status tonnx__recognise_activation(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    static const char *const ends[] = {
        "Mul", "Div", "Add", "Sub", "Neg", "Pow", "Where", "Max", "Min", "Clip", "Log"
    };
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && !*known && !status; i++)
        if (!strcmp(node->op_type, ends[i])) status = recognise_spelling(builder, node, known);
    if (status || *known || !x) return status;
    if (!strcmp(node->op_type, "PRelu")) return recognise_prelu(builder, node, x, known);
    status = recognise_softmax(builder, node, x, known);
    return status || *known ? status : recognise_op(builder, node, x, known);
}
