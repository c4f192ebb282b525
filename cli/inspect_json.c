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

static void add_histogram(tonnx_json *object, const tonnx_summary *summary)
{
    if (!summary->count || !isfinite(summary->mean)) {
        tonnx_json_string(object, "histogram", NULL);
        return;
    }
    tonnx_json *histogram = tonnx_json_add_array(object, "histogram");
    for (size_t i = 0; i < TONNX_BINS; i++) tonnx_json_integer(histogram, NULL, (long long)summary->histogram[i]);
}

static void add_count(tonnx_json *object, const char *key, bool known, uint64_t count)
{
    if (known) tonnx_json_integer(object, key, (long long)count);
    else tonnx_json_string(object, key, NULL);
}

/* Minimum and maximum are known of what is not finite too, but say nothing. */
static void add_summary(tonnx_json *object, const tonnx_summary *s)
{
    const bool finite = isfinite(s->mean);
    tonnx_json_rounded(object, "mean", s->mean, JSON_FLOAT);
    tonnx_json_rounded(object, "std", s->std, JSON_FLOAT);
    tonnx_json_rounded(object, "min", finite ? s->min : (double)NAN, JSON_FLOAT);
    tonnx_json_rounded(object, "max", finite ? s->max : (double)NAN, JSON_FLOAT);
    add_histogram(object, s);
    add_count(object, "zeros", s->count > 0, s->zeros);
    tonnx_json_rounded(object, "kurtosis", s->kurtosis, JSON_FLOAT);
}

/* Where a weight's numbers come from; null where that is not known. */
static void add_origin(tonnx_json *object, const tonnx_diagnosis *diagnosis, ptrdiff_t parameter)
{
    static const tonnx_origin none = { .z = NAN, .variance_ratio = NAN };
    const tonnx_origin *origin = parameter < 0 ? &none : &diagnosis->origins[parameter];
    tonnx_json_string(object, "scheme", origin->known ? origin->scheme : NULL);
    tonnx_json_rounded(object, "scheme_z", origin->z, JSON_FLOAT);
    tonnx_json_string(object, "recommended", origin->recommended);
    tonnx_json_rounded(object, "variance_ratio", origin->variance_ratio, JSON_FLOAT);
}

static void add_bias(tonnx_json *object, const inspection *in, const tonnx_layer_info *layer)
{
    if (!layer->bias) {
        tonnx_json_string(object, "bias", NULL);
        return;
    }
    tonnx_json *bias = tonnx_json_add_object(object, "bias");
    tonnx_json_string(bias, "name", layer->bias);
    add_summary(bias, &in->stats->weights[layer->bias_at].values);
    add_origin(bias, in->diagnosis, layer->bias_at);
}

static void add_layer(tonnx_json *array, const inspection *in, const tonnx_layer_info *layer)
{
    static const tonnx_summary none = { .mean = NAN, .std = NAN, .min = NAN, .max = NAN, .kurtosis = NAN };
    const tonnx_weight_stats *weight = layer->weight ? &in->stats->weights[layer->weight_at] : NULL;
    tonnx_json *object = tonnx_json_add_object(array, NULL);
    tonnx_json_string(object, "name", layer->name);
    tonnx_json_string(object, "kind", layer->kind);
    tonnx_json_string(object, "op", layer->op);
    tonnx_json_string(object, "activation", layer->activation);
    tonnx_json_string(object, "weight", layer->weight);
    tonnx_json_integer(object, "fan_in", (long long)layer->fan_in);
    tonnx_json_integer(object, "fan_out", (long long)layer->fan_out);
    tonnx_json_integer(object, "parameters", (long long)layer->parameters);
    add_summary(object, weight ? &weight->values : &none);
    if (weight && !isnan(weight->spectral_norm)) {
        tonnx_json_rounded(object, "spectral_norm", weight->spectral_norm, JSON_FLOAT);
        tonnx_json_rounded(object, "effective_rank", weight->effective_rank, JSON_FLOAT);
    }
    add_origin(object, in->diagnosis, layer->weight ? layer->weight_at : -1);
    add_bias(object, in, layer);
}

static void add_activation(tonnx_json *array, const char *name, const tonnx_layer_stats *layer)
{
    tonnx_json *object = tonnx_json_add_object(array, NULL);
    tonnx_json_string(object, "layer", name);
    tonnx_json_rounded(object, "mean", layer->after.mean, JSON_FLOAT);
    tonnx_json_rounded(object, "std", layer->after.std, JSON_FLOAT);
    tonnx_json_rounded(object, "saturated", layer->saturated, JSON_FLOAT);
    tonnx_json_integer(object, "dead_units", (long long)layer->dead_units);
    add_histogram(object, &layer->after);
    tonnx_json_integer(object, "units", (long long)layer->units);
    tonnx_json_integer(object, "saturated_units", (long long)layer->saturated_units);
    tonnx_json_rounded(object, "min", layer->after.min, JSON_FLOAT);
    tonnx_json_rounded(object, "max", layer->after.max, JSON_FLOAT);
    tonnx_json_rounded(object, "zero",
                       layer->after.count ? (double)layer->after.zeros / (double)layer->after.count : (double)NAN,
                       JSON_FLOAT);
    tonnx_json_rounded(object, "before_mean", layer->before.mean, JSON_FLOAT);
    tonnx_json_rounded(object, "before_std", layer->before.std, JSON_FLOAT);
    tonnx_json_rounded(object, "theory_std", layer->theory_std, JSON_FLOAT);
}

static void add_gradient(tonnx_json *array, const tonnx_net *net, const tonnx_weight_stats *weight)
{
    tonnx_parameter_info info;
    if (!weight->gradient.count) return;
    tonnx_net_parameter(net, weight->parameter, &info);
    tonnx_json *object = tonnx_json_add_object(array, NULL);
    tonnx_json_string(object, "weight", info.name);
    tonnx_json_rounded(object, "rms", weight->gradient.rms, JSON_FLOAT);
    tonnx_json_rounded(object, "update_ratio", weight->update_ratio, JSON_FLOAT);
    tonnx_json_rounded(object, "mean", weight->gradient.mean, JSON_FLOAT);
    tonnx_json_rounded(object, "min", weight->gradient.min, JSON_FLOAT);
    tonnx_json_rounded(object, "max", weight->gradient.max, JSON_FLOAT);
    add_histogram(object, &weight->gradient);
    tonnx_json_rounded(object, "weight_rms", weight->values.rms, JSON_FLOAT);
    tonnx_json_rounded(object, "update_rms", weight->update_rms, JSON_FLOAT);
}

static void add_data(tonnx_json *root, const tonnx_net *net, const tonnx_stats *stats)
{
    if (!stats->samples) {
        tonnx_json_string(root, "data", NULL);
        return;
    }
    tonnx_json *data = tonnx_json_add_object(root, "data");
    tonnx_json_integer(data, "samples", (long long)stats->samples);
    tonnx_json_rounded(data, "loss", stats->loss, JSON_FLOAT);
    tonnx_json_rounded(data, "baseline_loss", stats->baseline_loss, JSON_FLOAT);
    tonnx_json_string(data, "loss_kind",
                      stats->loss_kind == TONNX_LOSS_AUTO ? NULL : tonnx_loss_name(stats->loss_kind));
    tonnx_json_rounded(data, "share_loss", stats->share_loss, JSON_FLOAT);
    tonnx_json_rounded(data, "grad_norm", stats->grad_norm, JSON_FLOAT);
    tonnx_json_rounded(data, "input_mean", stats->input.mean, JSON_FLOAT);
    tonnx_json_rounded(data, "input_std", stats->input.std, JSON_FLOAT);
    tonnx_json *activations = tonnx_json_add_array(data, "activations");
    for (size_t i = 0; i < stats->layer_count; i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(net, stats->layers[i].layer, &layer);
        add_activation(activations, layer.name, &stats->layers[i]);
    }
    tonnx_json *gradients = tonnx_json_add_array(data, "gradients");
    for (size_t p = 0; p < stats->weight_count; p++) add_gradient(gradients, net, &stats->weights[p]);
}

static int print_root(const tonnx_json *root)
{
    char *text = tonnx_json_text(root, true);
    if (!text) return cli_io("out of memory");
    puts(text);
    tonnx_json_text_free(text);
    return 0;
}

static void add_verdict(tonnx_json *array, const tonnx_verdict *verdict)
{
    tonnx_rule_info rule;
    tonnx_rule_describe(verdict->rule, &rule);
    tonnx_json *object = tonnx_json_add_object(array, NULL);
    tonnx_json_string(object, "layer", verdict->layer);
    tonnx_json_string(object, "rule", rule.name);
    tonnx_json_string(object, "severity", tonnx_severity_name(rule.severity));
    tonnx_json_string(object, "message", verdict->message);
    tonnx_json_string(object, "fix", verdict->fix);
    tonnx_json_integer(object, "layers", (long long)verdict->layers);
    tonnx_json_rounded(object, "measured", verdict->measured, JSON_FLOAT);
    tonnx_json_rounded(object, "expected", verdict->expected, JSON_FLOAT);
}

int inspect_json(const inspection *in)
{
    tonnx_json *root = tonnx_json_object();
    tonnx_json_integer(root, "schema", 1);
    add_model(root, in->model, in->net);
    tonnx_json *layers = tonnx_json_add_array(root, "layers");
    for (size_t i = 0; i < in->stats->layer_count; i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(in->net, in->stats->layers[i].layer, &layer);
        add_layer(layers, in, &layer);
    }
    add_data(root, in->net, in->stats);
    tonnx_json *verdicts = tonnx_json_add_array(root, "verdicts");
    for (size_t i = 0; i < in->diagnosis->verdict_count; i++) add_verdict(verdicts, &in->diagnosis->verdicts[i]);
    const int code = print_root(root);
    tonnx_json_free(root);
    return code;
}
