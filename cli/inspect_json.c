#include "cli/inspect_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "format/json.h"

double inspect_flops(const tonnx_layer_info *layer)
{
    return strcmp(layer->kind, "dense") ? 0.0 : 2.0 * (double)layer->fan_in * (double)layer->fan_out;
}

static void add_value(tonnx_json *array, const tonnx_value_info *value)
{
    tonnx_json *object = tonnx_json_add_object(array, NULL);
    tonnx_json_string(object, "name", value->name);
    tonnx_json_string(object, "dtype", tonnx_dtype_name(value->dtype));
    tonnx_json *shape = value->has_shape ? tonnx_json_add_array(object, "shape") : NULL;
    if (!value->has_shape) tonnx_json_string(object, "shape", NULL);
    for (size_t i = 0; i < value->rank; i++) {
        if (value->dims[i] >= 0) tonnx_json_integer(shape, NULL, value->dims[i]);
        else tonnx_json_string(shape, NULL, *value->dim_params[i] ? value->dim_params[i] : NULL);
    }
}

static void add_model(tonnx_json *root, const tonnx_model *model, const tonnx_net *net)
{
    tonnx_model_info info;
    tonnx_value_info value;
    double flops = 0;
    tonnx_model_describe(model, &info);
    for (size_t i = 0; i < tonnx_net_layer_count(net); i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(net, i, &layer);
        flops += inspect_flops(&layer);
    }
    tonnx_json *object = tonnx_json_add_object(root, "model");
    tonnx_json_integer(object, "ir_version", info.ir_version);
    tonnx_json_integer(object, "opset", info.opset);
    tonnx_json_string(object, "producer", info.producer);
    tonnx_json_integer(object, "parameters", (long long)tonnx_net_parameters(net));
    tonnx_json_integer(object, "flops_per_sample", (long long)flops);
    tonnx_json *inputs = tonnx_json_add_array(object, "inputs");
    for (size_t i = 0; i < info.input_count; i++) {
        tonnx_model_input(model, i, &value);
        add_value(inputs, &value);
    }
    tonnx_json *outputs = tonnx_json_add_array(object, "outputs");
    for (size_t i = 0; i < info.output_count; i++) {
        tonnx_model_output(model, i, &value);
        add_value(outputs, &value);
    }
}

static void add_statistics(tonnx_json *object, const weight_stats *stats)
{
    tonnx_json_rounded(object, "mean", stats->mean, JSON_FLOAT);
    tonnx_json_rounded(object, "std", stats->std, JSON_FLOAT);
    tonnx_json_rounded(object, "min", stats->min, JSON_FLOAT);
    tonnx_json_rounded(object, "max", stats->max, JSON_FLOAT);
    if (isnan(stats->mean)) {
        tonnx_json_string(object, "histogram", NULL);
        tonnx_json_string(object, "zeros", NULL);
        return;
    }
    tonnx_json *histogram = tonnx_json_add_array(object, "histogram");
    for (size_t i = 0; i < WEIGHT_BINS; i++) tonnx_json_integer(histogram, NULL, (long long)stats->histogram[i]);
    tonnx_json_integer(object, "zeros", (long long)stats->zeros);
}

static const weight_stats no_stats = { .mean = NAN, .std = NAN, .min = NAN, .max = NAN };

static void add_bias(tonnx_json *object, const tonnx_net *net, const tonnx_layer_info *layer)
{
    weight_stats stats;
    if (!layer->bias) {
        tonnx_json_string(object, "bias", NULL);
        return;
    }
    weights_measure_parameter(net, (size_t)layer->bias_at, &stats);
    tonnx_json *bias = tonnx_json_add_object(object, "bias");
    tonnx_json_string(bias, "name", layer->bias);
    add_statistics(bias, &stats);
}

/* What the schema names and nothing is known of. */
static void add_nulls(tonnx_json *object, const char *const *keys)
{
    for (; *keys; keys++) tonnx_json_string(object, *keys, NULL);
}

static void add_layer(tonnx_json *array, const tonnx_net *net, const tonnx_layer_info *layer)
{
    weight_stats stats = no_stats;
    if (layer->weight) weights_measure_parameter(net, (size_t)layer->weight_at, &stats);
    tonnx_json *object = tonnx_json_add_object(array, NULL);
    tonnx_json_string(object, "name", layer->name);
    tonnx_json_string(object, "kind", layer->kind);
    tonnx_json_string(object, "op", layer->op);
    tonnx_json_string(object, "activation", layer->activation);
    tonnx_json_string(object, "weight", layer->weight);
    tonnx_json_integer(object, "fan_in", (long long)layer->fan_in);
    tonnx_json_integer(object, "fan_out", (long long)layer->fan_out);
    tonnx_json_integer(object, "parameters", (long long)layer->parameters);
    add_statistics(object, &stats);
    add_nulls(object, (const char *const[]){ "scheme", "scheme_z", "recommended", "variance_ratio", NULL });
    add_bias(object, net, layer);
}

static int print_root(const tonnx_json *root)
{
    char *text = tonnx_json_text(root, true);
    if (!text) return cli_io("out of memory");
    puts(text);
    tonnx_json_text_free(text);
    return 0;
}

int inspect_json(const tonnx_model *model, const tonnx_net *net)
{
    tonnx_json *root = tonnx_json_object();
    tonnx_json_integer(root, "schema", 1);
    add_model(root, model, net);
    tonnx_json *layers = tonnx_json_add_array(root, "layers");
    for (size_t i = 0; i < tonnx_net_layer_count(net); i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(net, i, &layer);
        if (!inspect_is_merged(net, i)) add_layer(layers, net, &layer);
    }
    tonnx_json_string(root, "data", NULL);
    tonnx_json_add_array(root, "verdicts");
    const int code = print_root(root);
    tonnx_json_free(root);
    return code;
}
