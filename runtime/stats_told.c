/* Layers as people tell them. */
#include <math.h>

#include "runtime/stats_impl.h"

const tonnx_summary tonnx__no_summary = {
    .mean = NAN, .std = NAN, .rms = NAN, .min = NAN, .max = NAN, .kurtosis = NAN
};

static size_t readers(const tonnx_net *net, int value)
{
    size_t count = 0;
    for (size_t l = 0; l < net->layer_count; l++)
        for (size_t i = 0; i < net->layers[l].in_count; i++) count += net->layers[l].in[i].value == value;
    return count;
}

static bool activates(const tonnx__layer *layer)
{
    return layer->kind == TONNX__LAYER_ACTIVATION || layer->kind == TONNX__LAYER_SOFTMAX;
}

/* Whether layer l is told with the dense one before it. */
static bool is_joined(const tonnx_net *net, size_t l)
{
    if (!l || !activates(&net->layers[l]) || net->layers[l].weight >= 0) return false;
    const tonnx__layer *before = &net->layers[l - 1];
    return before->kind == TONNX__LAYER_DENSE && net->layers[l].in[0].value == before->out &&
           readers(net, before->out) == 1 && before->out != net->output;
}

tonnx_status tonnx__net_told(tonnx__told **out, size_t *count, const tonnx_net *net)
{
    int head = -1;
    const int logits = tonnx__net_logits(net, &head);
    *count = 0;
    const tonnx_status status = tonnx__alloc(out, net->layer_count, sizeof **out);
    for (size_t l = 0; l < net->layer_count && !status; l++) {
        const tonnx__layer *layer = &net->layers[l];
        const int in = layer->in[0].value;
        if (layer->part) continue; /* the gate that it belongs to is told */
        tonnx__told told = { l, -1, layer->out, layer->out };
        if (is_joined(net, l)) told.layer = (*out)[--*count].layer;
        if (activates(layer) && in >= 0) told.act = (int)l, told.before = in;
        if ((int)l == head) told.before = told.after = logits;
        (*out)[(*count)++] = told;
    }
    return status;
}

void tonnx__saturation(const tonnx__layer *layer, double *below, double *above)
{
    tonnx_activation_info row;
    *below = -INFINITY;
    *above = INFINITY;
    if (layer->kind != TONNX__LAYER_ACTIVATION) return;
    tonnx_activation_describe((tonnx_activation)layer->act, &row);
    *below = row.saturated_below;
    *above = row.saturated_above;
    if (layer->act != TONNX_ACT_hard_tanh) return;
    const double middle = (layer->a + layer->b) / 2, half = (layer->b - layer->a) / 2;
    *below = middle + half * row.saturated_below;
    *above = middle + half * row.saturated_above;
}

void tonnx__bin_range(double min, double max, float range[2])
{
    const double per_unit = TONNX_BINS / (max - min);
    range[0] = (float)min;
    range[1] = isfinite(per_unit) ? (float)per_unit : 0.0f;
}
