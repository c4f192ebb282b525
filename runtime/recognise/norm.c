/* Normalisation that stands as one op: BatchNormalization, LayerNormalization, RMSNormalization; and Dropout. */
#include <math.h>
#include <string.h>

#include "runtime/fold_impl.h"
#include "runtime/recognise/expression_impl.h"
#include "runtime/ties_impl.h"

/* torch.export calls what it computed itself val_0, val_1, …; a parameter keeps its name in the module. */
static bool is_numbered_by_torch(const tonnx__builder *builder, const tonnx__fact *fact)
{
    const char *producer = builder->model->producer;
    return producer && !strcmp(producer, "pytorch") && !strncmp(fact->name, "val_", 4);
}

/* PyTorch's exporters write a norm without scale and shift with ones and zeros of their own: TorchScript as Constant
 * nodes beside a file's initializers, torch.export as an initializer that it numbers. In a file without initializers,
 * Constant nodes are how parameters are written. */
static bool stands_for_none(const tonnx__builder *builder, const tonnx__fact *fact, tonnx__role role)
{
    const double none = role == TONNX__ROLE_SCALE ? 1 : 0;
    if (role != TONNX__ROLE_SCALE && role != TONNX__ROLE_SHIFT) return false;
    if (fact->tensor >= 0 ? !is_numbered_by_torch(builder, fact) : !builder->model->tensor_count) return false;
    for (size_t i = 0; i < tonnx__fact_count(fact); i++)
        if (tonnx__fact_get(builder, fact, i) != none) return false;
    return true;
}

static tonnx_status norm_param(tonnx__builder *builder, int *out, tonnx__role role, const tonnx__node *node,
                               size_t input, size_t features)
{
    const tonnx__fact *found = tonnx__constant_input(builder, node, input);
    if (!found)
        return tonnx__node_fail(
            builder, node, "'%s' is no constant; tonnx trains a norm whose operands are initializers: export it so",
            tonnx__node_input(node, input));
    tonnx__fact fact = *found;
    if (tonnx__fact_count(&fact) != features || !tonnx__fact_reshape(&fact, 1, &features))
        return tonnx__node_fail(builder, node,
                                "'%s' has %zu elements, the data %zu features; mend the file: they must be equal",
                                fact.name, tonnx__fact_count(&fact), features);
    if (stands_for_none(builder, &fact, role)) role = TONNX__ROLE_CONSTANT;
    return tonnx__param_vector(builder, out, role, &fact, node, input);
}

/* torch.export writes equal tensors once, under the name that the module has first. The ones and zeros of a fresh norm without
 * scale and shift so become its running statistics', where those of its scale and shift would have kept their own names. When they
 * were trained, tonnx has parted them: running_var, running_var_2. */
static void leave_untrained(const tonnx__builder *builder, int param, int statistic, const char *name)
{
    tonnx__param *p = &builder->net->params[param];
    const char *found = strstr(p->name, name), *rest = found ? found + strlen(name) : "";
    const bool shared = found && !*rest && tonnx__same_tensor(p, &builder->net->params[statistic]);
    const bool parted = *rest == '_' && rest[1] && rest[1 + strspn(rest + 1, "0123456789")] == '\0';
    if (shared || parted) p->trained = false;
}

/* ONNX BatchNormalization 1…15: scale, B, mean, var; momentum weighs the old running value, 0.9 where absent. */
static tonnx_status recognise_batch_norm(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                         bool *known)
{
    static const tonnx__role roles[4] = { TONNX__ROLE_SCALE, TONNX__ROLE_SHIFT, TONNX__ROLE_MEAN,
                                          TONNX__ROLE_VARIANCE };
    const size_t features = builder->net->values[x->value].features;
    const tonnx__operand in = { x->value, -1 };
    const double otherwise = isnan(builder->net->bn_momentum) ? 0.9 : builder->net->bn_momentum;
    int params[4] = { -1, -1, -1, -1 };
    tonnx__layer *layer = NULL;
    tonnx_status status = TONNX_OK;
    if (x->rank != 2 || x->transposed) return TONNX_OK;
    for (size_t i = 0; i < 4 && !status; i++) status = norm_param(builder, &params[i], roles[i], node, i + 1, features);
    if (!status) status = tonnx__layer_add(builder, &layer, TONNX__LAYER_BATCH_NORM, node, &in, 1, features, NULL);
    if (status) return status;
    leave_untrained(builder, params[0], params[3], "running_var");
    leave_untrained(builder, params[1], params[2], "running_mean");
    layer->weight = params[0];
    layer->bias = params[1];
    layer->mean = params[2];
    layer->variance = params[3];
    layer->epsilon = tonnx__node_float(node, "epsilon", 1e-5f);
    layer->momentum = tonnx__node_float(node, "momentum", otherwise);
    *known = true;
    return TONNX_OK;
}

double tonnx__producer_momentum(const tonnx__builder *builder, const tonnx__node *node)
{
    static const char *const like_keras[] = { "keras", "jax", "tf2onnx", "tensorflow" };
    const char *producer = builder->model->producer ? builder->model->producer : "";
    double momentum = builder->net->bn_momentum;
    if (isnan(momentum)) {
        momentum = 0.9;
        for (size_t i = 0; i < sizeof like_keras / sizeof *like_keras; i++)
            if (strstr(producer, like_keras[i])) momentum = 0.99;
        tonnx__say(&builder->net->log, TONNX_LOG_INFO,
                   "batch norm '%s' has no momentum in the file: %g, its framework's default (--bn-momentum says else)",
                   *node->name ? node->name : node->outputs[0], momentum);
    }
    return momentum;
}

/* True where the axes from `axis` on hold all features: those between it and the batch have one element. */
static bool from_axis_on(const tonnx__fact *x, int64_t axis)
{
    size_t first = 0;
    if (x->transposed || !tonnx__axis(axis, x->rank, &first) || !first) return false;
    for (size_t i = 1; i < first; i++)
        if (x->dims[i] != 1) return false;
    return true;
}

/* LayerNormalization 17 and RMSNormalization 23, from an axis on: over the features where that is all but the batch. Of
 * the outputs only the first is read. */
static tonnx_status recognise_row_norm(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                       bool *known)
{
    const bool rms = !strcmp(node->op_type, "RMSNormalization");
    const size_t features = builder->net->values[x->value].features;
    const tonnx__operand in = { x->value, -1 };
    const tonnx__fact like = *x;
    int scale = -1, shift = -1;
    tonnx__layer *layer = NULL;
    if (!from_axis_on(x, tonnx__node_int(node, "axis", -1))) return TONNX_OK;
    tonnx_status status = norm_param(builder, &scale, TONNX__ROLE_SCALE, node, 1, features);
    if (!status && !rms && *tonnx__node_input(node, 2))
        status = norm_param(builder, &shift, TONNX__ROLE_SHIFT, node, 2, features);
    if (!status)
        status = tonnx__layer_add(builder, &layer, rms ? TONNX__LAYER_RMS_NORM : TONNX__LAYER_LAYER_NORM, node, &in, 1,
                                  features, &like);
    if (status) return status;
    layer->weight = scale;
    layer->bias = shift;
    layer->epsilon = tonnx__node_float(node, "epsilon", 1e-5f);
    *known = true;
    return TONNX_OK;
}

/* Dropout: the ratio is an attribute below opset 12 and input 1 from there on, ½ where absent. What the file says of
 * training mode does not matter: it drops where we train, and never where we predict. */
static tonnx_status recognise_dropout(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                      bool *known)
{
    const tonnx__operand in = { x->value, -1 };
    double ratio = tonnx__node_float(node, "ratio", 0.5);
    tonnx__layer *layer = NULL;
    if (*tonnx__node_input(node, 1) && !tonnx__fact_scalar(builder, tonnx__constant_input(builder, node, 1), &ratio))
        return tonnx__node_fail(builder, node, "ratio '%s' is no constant number; export it as an initializer",
                                tonnx__node_input(node, 1));
    if (!(ratio >= 0 && ratio < 1))
        return tonnx__node_fail(builder, node, "ratio %g is not in [0, 1); mend the file", ratio);
    const tonnx_status status = tonnx__layer_add(builder, &layer, TONNX__LAYER_DROPOUT, node, &in, 1,
                                                 builder->net->values[x->value].features, x);
    if (!status) layer->a = ratio;
    *known = !status;
    return status;
}

tonnx_status tonnx__recognise_norm(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    if (!x) return TONNX_OK;
    if (!strcmp(node->op_type, "BatchNormalization")) return recognise_batch_norm(builder, node, x, known);
    if (!strcmp(node->op_type, "LayerNormalization")) return recognise_row_norm(builder, node, x, known);
    if (!strcmp(node->op_type, "RMSNormalization")) return recognise_row_norm(builder, node, x, known);
    if (!strcmp(node->op_type, "Dropout")) return recognise_dropout(builder, node, x, known);
    return TONNX_OK;
}
