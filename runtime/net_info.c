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

size_t tonnx_net_parameter_count(const tonnx_net *net)
{
    return net->param_count;
}

void tonnx_net_parameter(const tonnx_net *net, size_t i, tonnx_parameter_info *out)
{
    static const char *const roles[] = {
        [TONNX__ROLE_WEIGHT] = "weight", [TONNX__ROLE_BIAS] = "bias",         [TONNX__ROLE_SCALE] = "scale",
        [TONNX__ROLE_SHIFT] = "shift",   [TONNX__ROLE_MEAN] = "mean",         [TONNX__ROLE_VARIANCE] = "variance",
        [TONNX__ROLE_SLOPE] = "slope",   [TONNX__ROLE_CONSTANT] = "constant",
    };
    const tonnx__param *param = &net->params[i];
    *out = (tonnx_parameter_info){ param->name, roles[param->role], param->rows, param->cols, param->trained };
}

void tonnx_net_read(const tonnx_net *net, size_t i, double *out)
{
    tonnx__param_pull(&net->params[i], net->model, out);
}

static size_t common_beginning(const char *a, const char *b)
{
    size_t length = 0;
    while (a[length] && a[length] == b[length]) length++;
    return length;
}

/* The names that begin most like `glob` does, into `text`. */
static void list_candidates(const tonnx_net *net, const char *glob, char *text, size_t size)
{
    enum { MOST = 4 };
    size_t best = 0, found = 0, used = 0;
    for (size_t p = 0; p < net->param_count; p++) {
        const size_t common = net->params[p].trained ? common_beginning(glob, net->params[p].name) : 0;
        if (common > best) best = common;
    }
    for (size_t p = 0; p < net->param_count && used < size; p++) {
        if (!net->params[p].trained || common_beginning(glob, net->params[p].name) < best || found++ > MOST) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%.80s", found == 1 ? "" : ", ",
                                 found > MOST ? "…" : net->params[p].name);
    }
}

tonnx_status tonnx__fail_no_parameter(const tonnx_net *net, const char *option, const char *glob)
{
    char names[512] = "none";
    list_candidates(net, glob, names, sizeof names);
    return tonnx__fail(TONNX_BAD_USAGE,
                       "%s '%s' matches no trained tensor of %s, which has %s; `tonnx inspect` lists them", option,
                       glob, net->model->path, names);
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

/* What a person would say a layer is: binary ones are known by what they do, or by the gate that they end. */
static const char *kind_name(const tonnx__layer *layer)
{
    static const char *const binary[] = {
        [TONNX__ADD] = "add", [TONNX__SUB] = "sub", [TONNX__MUL] = "mul", [TONNX__DIV] = "div"
    };
    if (layer->kind != TONNX__LAYER_BINARY) return tonnx__layer_kind_name(layer->kind);
    if (layer->gate) return layer->gate;
    return layer->in[0].param >= 0 || layer->in[1].param >= 0 ? "affine" : binary[layer->binary];
}

void tonnx_net_layer(const tonnx_net *net, size_t i, tonnx_layer_info *out)
{
    const tonnx__layer *layer = &net->layers[i];
    const bool dense = layer->kind == TONNX__LAYER_DENSE;
    const int read = layer->in[0].value >= 0 ? layer->in[0].value : layer->in[layer->in_count - 1].value;
    const int from = layer->gated >= 0 ? layer->gated : read;
    *out = (tonnx_layer_info){ .name = layer->name,
                               .kind = kind_name(layer),
                               .op = layer->op,
                               .weight = param_name(net, layer->weight),
                               .bias = param_name(net, layer->bias),
                               .weight_at = layer->weight,
                               .bias_at = layer->bias,
                               .fan_in = net->values[from].features,
                               .fan_out = net->values[layer->out].features,
                               .part = layer->part,
                               .flops = layer_flops(net, layer) };
    if (layer->gate) snprintf(out->activation, sizeof out->activation, "%s", layer->gate);
    else activation_text(dense ? only_reader(net, layer->out) : layer, out->activation, sizeof out->activation);
    out->parameters = param_size(net, layer->weight) + param_size(net, layer->bias);
    for (size_t k = 0; k < layer->in_count; k++) out->parameters += param_size(net, layer->in[k].param);
}
