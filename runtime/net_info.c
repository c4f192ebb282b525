/* The net as users see it: a table of layers. */
#include <stdio.h>
#include <string.h>

#include "runtime/net_impl.h"
#include "runtime/ops/book_impl.h"

size_t tonnx_net_layer_count(const tonnx_net *net)
{
    return net->layer_count;
}

size_t tonnx_net_features_in(const tonnx_net *net)
{
    return net->values[net->input].features;
}

size_t tonnx_net_features_out(const tonnx_net *net)
{
    return net->values[net->output].features;
}

static size_t param_size(const tonnx_net *net, int param)
{
    return param >= 0 && net->params[param].trained ? net->params[param].rows * net->params[param].cols : 0;
}

size_t tonnx_net_parameters(const tonnx_net *net)
{
    size_t count = 0;
    for (size_t p = 0; p < net->param_count; p++) count += param_size(net, (int)p);
    return count;
}

static const tonnx__param *find_param(const tonnx_net *net, const char *name)
{
    for (size_t p = 0; p < net->param_count; p++)
        if (!strcmp(net->params[p].name, name)) return &net->params[p];
    return NULL;
}

size_t tonnx_net_parameter_count(const tonnx_net *net, const char *name)
{
    const tonnx__param *param = find_param(net, name);
    return param ? param->rows * param->cols : 0;
}

tonnx_status tonnx_net_read(const tonnx_net *net, const char *name, double *out)
{
    const tonnx__param *param = find_param(net, name);
    if (!param) return tonnx__fail(TONNX_BAD_MODEL, "%s: no parameter is named '%s'", net->model->path, name);
    tonnx__param_pull(param, net->model, out);
    return TONNX_OK;
}

static const char *param_name(const tonnx_net *net, int param)
{
    return param >= 0 ? net->params[param].name : NULL;
}

/* The layer that reads a value, where exactly one does. */
static const tonnx__layer *only_reader(const tonnx_net *net, int value)
{
    const tonnx__layer *reader = NULL;
    for (size_t l = 0; l < net->layer_count; l++)
        for (size_t i = 0; i < net->layers[l].in_count; i++)
            if (net->layers[l].in[i].value == value) {
                if (reader) return NULL;
                reader = &net->layers[l];
            }
    return reader;
}

static void activation_text(const tonnx__layer *layer, char *text, size_t size)
{
    if (layer && layer->kind == TONNX__LAYER_ACTIVATION)
        tonnx__activation_text((tonnx_activation)layer->act, layer->a, layer->b, text, size);
    else if (layer && layer->kind == TONNX__LAYER_SOFTMAX)
        snprintf(text, size, "%s", layer->log ? "log-softmax" : "softmax");
    else snprintf(text, size, "none");
}

/* Forward work per sample: a multiply and an add per weight, about one operation per element elsewhere. */
static double layer_flops(const tonnx_net *net, const tonnx__layer *layer)
{
    const double features = (double)net->values[layer->out].features;
    if (layer->kind != TONNX__LAYER_DENSE) return features;
    const tonnx__param *weight = &net->params[layer->weight];
    return 2.0 * (double)weight->rows * (double)weight->cols + (layer->bias >= 0 ? features : 0);
}

/* What a person would say a layer is: binary ones are known by what they do. */
static const char *kind_name(const tonnx__layer *layer)
{
    static const char *const binary[] = {
        [TONNX__ADD] = "add", [TONNX__SUB] = "sub", [TONNX__MUL] = "mul", [TONNX__DIV] = "div"
    };
    if (layer->kind != TONNX__LAYER_BINARY) return tonnx__layer_kind_name(layer->kind);
    return layer->in[0].param >= 0 || layer->in[1].param >= 0 ? "affine" : binary[layer->binary];
}

void tonnx_net_layer(const tonnx_net *net, size_t i, tonnx_layer_info *out)
{
    const tonnx__layer *layer = &net->layers[i];
    const bool dense = layer->kind == TONNX__LAYER_DENSE;
    const int from = layer->in[0].value >= 0 ? layer->in[0].value : layer->in[layer->in_count - 1].value;
    *out = (tonnx_layer_info){ .name = layer->name,
                               .kind = kind_name(layer),
                               .op = layer->op,
                               .weight = param_name(net, layer->weight),
                               .bias = param_name(net, layer->bias),
                               .fan_in = net->values[from].features,
                               .fan_out = net->values[layer->out].features,
                               .flops = layer_flops(net, layer) };
    activation_text(dense ? only_reader(net, layer->out) : layer, out->activation, sizeof out->activation);
    out->parameters = param_size(net, layer->weight) + param_size(net, layer->bias);
    for (size_t k = 0; k < layer->in_count; k++) out->parameters += param_size(net, layer->in[k].param);
}
