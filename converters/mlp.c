/* A new MLP around weights from elsewhere: the usual one of these widths, its initializers replaced by them. */
#include <stdio.h>
#include <string.h>

#include "converters/infer_impl.h"
#include "runtime/init.h"
#include "runtime/log_impl.h"

enum { OPTIONAL_BIAS = 11 }; /* the opset from which Gemm's third input is optional */

/* A copy of `from` in the place of the initializer that input `input` of `node` reads, under its own name. */
static tonnx_status put_tensor(tonnx_model *model, tonnx__node *node, size_t input, const tonnx__tensor *from)
{
    const ptrdiff_t at = tonnx__model_find_tensor(model, node->inputs[input]);
    tonnx__tensor copy = { 0 };
    char *name = NULL;
    tonnx_status status = tonnx__tensor_make(&copy, from->name, from->dtype, from->rank, from->dims);
    if (!status) status = tonnx__strdup(&name, from->name);
    if (status) {
        tonnx__tensor_clear(&copy);
        return status;
    }
    if (copy.count) memcpy(copy.owned, from->bytes, copy.count * tonnx_dtype_size(copy.dtype));
    tonnx__tensor_clear(&model->tensors[at]);
    model->tensors[at] = copy;
    tonnx__free(node->inputs[input]);
    node->inputs[input] = name;
    return TONNX_OK;
}

/* A layer without bias; where an opset needs one, its zeros stay. */
static void drop_bias(tonnx_model *model, tonnx__node *node)
{
    if (tonnx__model_opset(model) < OPTIONAL_BIAS) return;
    model->tensors[tonnx__model_find_tensor(model, node->inputs[2])].removed = true;
    tonnx__free(node->inputs[2]);
    node->input_count = 2;
}

static tonnx_status put_layer(tonnx_model *model, tonnx__node *node, const tonnx__dense *layer, bool in_first)
{
    tonnx_status status = put_tensor(model, node, 1, layer->weight);
    for (size_t i = 0; i < node->attribute_count; i++)
        if (!strcmp(node->attributes[i].name, "transB")) node->attributes[i].i = !in_first;
    if (!status && layer->bias) return put_tensor(model, node, 2, layer->bias);
    if (!status) drop_bias(model, node);
    return status;
}

/* The graph takes and gives what the weights are; an activation that is spelled with float32 constants does not. */
static tonnx_status set_type(tonnx_model *model, tonnx_dtype dtype, const char *path)
{
    model->inputs[0].dtype = model->outputs[0].dtype = dtype;
    for (size_t i = 0; i < model->tensor_count; i++)
        if (!model->tensors[i].removed && model->tensors[i].dtype != dtype)
            return tonnx__fail(TONNX_BAD_MODEL, "%s: weights of %s, but the activation has constants of %s ('%s')",
                               path, tonnx_dtype_name(dtype), tonnx_dtype_name(model->tensors[i].dtype),
                               model->tensors[i].name);
    return TONNX_OK;
}

static tonnx_status fill(tonnx_model *model, const tonnx__layers *layers, const char *path)
{
    tonnx_status status = TONNX_OK;
    size_t k = 0;
    for (size_t i = 0; !status && i < model->node_count; i++)
        if (!strcmp(model->nodes[i].op_type, "Gemm"))
            status = put_layer(model, &model->nodes[i], &layers->dense[k++], layers->in_first);
    return status ? status : set_type(model, layers->dense[0].weight->dtype, path);
}

static tonnx_status make(tonnx_model **out, const tonnx__layers *layers, const tonnx_weights_options *options)
{
    tonnx_mlp_options mlp = TONNX_MLP_OPTIONS_DEFAULT;
    size_t *widths = NULL;
    tonnx_status status = tonnx__alloc(&widths, layers->count + 1, sizeof *widths);
    for (size_t i = 0; !status && i < layers->count; i++) {
        const int64_t *dims = layers->dense[i].weight->dims;
        widths[i] = (size_t)dims[layers->in_first ? 0 : 1];
        widths[i + 1] = (size_t)dims[layers->in_first ? 1 : 0];
    }
    mlp.activation = options->activation;
    mlp.output_activation = options->output_activation;
    mlp.opset = options->opset;
    mlp.scheme = "zeros";
    if (!status) status = tonnx_model_mlp(out, widths, layers->count + 1, &mlp);
    tonnx__free(widths);
    return status;
}

/* "w.npz: inferred 2 dense layers, weights [out, in], float32: fc1.weight [128, 784] + fc1.bias, relu, fc2.weight
 * [10, 128], no bias, softmax" */
static void say(const tonnx__layers *layers, const char *path, const tonnx_weights_options *options)
{
    char line[700], shape[TONNX__SHAPE_TEXT];
    const bool ends_plain = !strcmp(options->output_activation, "none");
    size_t at = 0;
    for (size_t i = 0; i < layers->count && at + 300 < sizeof line; i++) {
        const tonnx__dense *layer = &layers->dense[i];
        at += (size_t)snprintf(line + at, sizeof line - at, "%s%s%s%.50s %.40s%s%.50s", i ? ", " : "",
                               i ? options->activation : "", i ? ", " : "", layer->weight->name,
                               tonnx__shape_text(layer->weight, shape), layer->bias ? " + " : ", no bias",
                               layer->bias ? layer->bias->name : "");
        if (i + 1 < layers->count && at + 300 >= sizeof line) snprintf(line + at, sizeof line - at, ", …");
    }
    tonnx__say(&options->log, TONNX_LOG_INFO, "%s: inferred %zu dense layer%s, weights [%s], %s: %s%s%s", path,
               layers->count, layers->count == 1 ? "" : "s", layers->in_first ? "in, out" : "out, in",
               tonnx_dtype_name(layers->dense[0].weight->dtype), line, ends_plain ? "" : ", ",
               ends_plain ? "" : options->output_activation);
}

tonnx_status tonnx_weights_model(tonnx_model **out, const char *path, const tonnx_weights_options *given)
{
    const tonnx_weights_options options = tonnx__weights_options(given);
    tonnx__layers layers = { 0 };
    tonnx__tensor *tensors = NULL;
    tonnx_model *model = NULL;
    size_t count = 0;
    *out = NULL;
    tonnx_status status = tonnx__weights_read(&tensors, &count, path);
    if (!status) status = tonnx__infer_layers(&layers, tensors, count, path);
    if (!status) status = make(&model, &layers, &options);
    if (!status) status = fill(model, &layers, path);
    if (!status) say(&layers, path, &options);
    if (status) tonnx_model_free(model);
    else *out = model;
    tonnx__layers_clear(&layers);
    tonnx__tensors_free(tensors, count);
    return status;
}
