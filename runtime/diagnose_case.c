/* The case: a net and its statistics as the rules of the diagnosis see them. */
#include <math.h>

#include "runtime/diagnose_impl.h"
#include "runtime/init_impl.h"
#include "runtime/mem_impl.h"
#include "runtime/ops/book_impl.h"

/* For every value, whether a dense layer is still to come. */
static tonnx_status find_heads(tonnx__case *c)
{
    bool *before = NULL;
    const tonnx_status status = tonnx__alloc(&before, c->net->value_count, sizeof *before);
    for (size_t l = c->net->layer_count; l-- > 0 && !status;) {
        const tonnx__layer *layer = &c->net->layers[l];
        const bool leads = layer->kind == TONNX__LAYER_DENSE || before[layer->out];
        for (size_t i = 0; i < layer->in_count; i++)
            if (layer->in[i].value >= 0 && leads) before[layer->in[i].value] = true;
    }
    for (size_t d = 0; d < c->dense_count && !status; d++)
        c->dense[d].head = !before[c->net->layers[c->dense[d].layer].out];
    tonnx__free(before);
    return status;
}

/* The scheme that suits what follows, and the variance that it gives. */
static void recommend(const tonnx_net *net, tonnx__dense *dense)
{
    const tonnx__layer *after = dense->act < 0 ? NULL : &net->layers[dense->act];
    const tonnx_activation act = after ? (tonnx_activation)after->act : TONNX_ACT_NONE;
    const double in = dense->fan_in, out = dense->fan_out;
    const double gain = after ? tonnx__activation_gain(act, after->a, after->b) : 1;
    dense->recommended = tonnx__activation_scheme(act);
    if (dense->recommended == TONNX_INIT_he_uniform) dense->recommended_variance = gain * gain / in;
    else if (dense->recommended == TONNX_INIT_lecun_normal) dense->recommended_variance = 1 / in;
    else dense->recommended_variance = 2 / (in + out);
}

static tonnx_status find_dense(tonnx__case *c)
{
    int *after = NULL;
    tonnx_status status = tonnx__activations_after(&after, c->net);
    if (!status) status = tonnx__alloc(&c->dense, c->net->layer_count, sizeof *c->dense);
    for (size_t i = 0; i < c->told_count && !status; i++) {
        const tonnx__layer *layer = &c->net->layers[c->told[i].layer];
        if (layer->kind != TONNX__LAYER_DENSE) continue;
        tonnx__dense *dense = &c->dense[c->dense_count++];
        dense->layer = c->told[i].layer;
        dense->told = i;
        dense->act = after[layer->out];
        const tonnx__param *weight = &c->net->params[layer->weight];
        dense->fan_in = (double)(layer->transposed ? weight->rows : weight->cols);
        dense->fan_out = (double)(layer->transposed ? weight->cols : weight->rows);
        recommend(c->net, dense);
    }
    tonnx__free(after);
    return status ? status : find_heads(c);
}

static bool is_norm(tonnx__layer_kind kind)
{
    return kind == TONNX__LAYER_BATCH_NORM || kind == TONNX__LAYER_LAYER_NORM || kind == TONNX__LAYER_RMS_NORM;
}

static bool is_branch(const tonnx__layer *layer)
{
    if (layer->kind == TONNX__LAYER_BINARY) return layer->in[0].value >= 0 && layer->in[1].value >= 0;
    return layer->kind == TONNX__LAYER_CONCAT || layer->kind == TONNX__LAYER_SLICE;
}

static void look_around(tonnx__case *c)
{
    c->fresh = c->dense_count > 0;
    c->chain = c->finite = true;
    for (size_t d = 0; d < c->dense_count; d++) {
        c->fresh = c->fresh && c->dense[d].fresh;
        c->hidden += !c->dense[d].head;
    }
    for (size_t l = 0; l < c->net->layer_count; l++) {
        const tonnx__layer *layer = &c->net->layers[l];
        c->norms = c->norms || is_norm(layer->kind);
        c->dropout = c->dropout || layer->kind == TONNX__LAYER_DROPOUT;
        c->chain = c->chain && !is_branch(layer);
    }
    for (size_t p = 0; p < c->stats->weight_count; p++) {
        const tonnx_weight_stats *weight = &c->stats->weights[p];
        c->finite = c->finite && !weight->not_finite && (!weight->gradient.count || isfinite(weight->gradient.rms));
    }
    for (size_t i = 0; i < c->stats->layer_count && c->stats->samples; i++)
        c->finite = c->finite && isfinite(c->stats->layers[i].after.mean) && isfinite(c->stats->layers[i].before.mean);
    if (c->stats->loss_kind != TONNX_LOSS_AUTO) c->finite = c->finite && isfinite(c->stats->loss);
    c->learnt = c->stats->loss < 0.75 * c->stats->share_loss; /* no where either is unknown */
    c->speaks = c->stats->samples && c->finite && (c->fresh || !c->options->made_up);
}

tonnx_status tonnx__case_new(tonnx__case *out, const tonnx_net *net, const tonnx_stats *stats,
                             const tonnx_diagnose_options *options)
{
    *out = (tonnx__case){ .net = net, .stats = stats, .options = options };
    tonnx_status status = tonnx__net_told(&out->told, &out->told_count, net);
    if (!status) status = find_dense(out);
    if (!status) status = tonnx__case_recognise(out);
    if (status) tonnx__case_clear(out);
    else look_around(out);
    return status;
}

void tonnx__case_clear(tonnx__case *c)
{
    tonnx__free(c->told);
    tonnx__free(c->dense);
    *c = (tonnx__case){ 0 };
}

const tonnx_layer_stats *tonnx__case_layer(const tonnx__case *c, size_t dense)
{
    return &c->stats->layers[c->dense[dense].told];
}

double tonnx__case_signal(const tonnx_layer_stats *layer)
{
    double square = 0;
    for (size_t u = 0; layer->unit_std && u < layer->units; u++) square += layer->unit_std[u] * layer->unit_std[u];
    return sqrt(square / (double)layer->units);
}

int tonnx__case_first(const tonnx__case *c)
{
    return c->dense_count ? c->net->layers[c->dense[0].layer].in[0].value : c->net->input;
}

tonnx__columns tonnx__case_columns(const tonnx__case *c, int value)
{
    if (value == c->net->input) return (tonnx__columns){ c->stats->input_unit_mean, c->stats->input_unit_std };
    for (size_t i = 0; i < c->told_count; i++)
        if (c->told[i].after == value)
            return (tonnx__columns){ c->stats->layers[i].unit_mean, c->stats->layers[i].unit_std };
    return (tonnx__columns){ 0 };
}

bool tonnx__case_uses(const tonnx__case *c, tonnx_activation act)
{
    for (size_t l = 0; l < c->net->layer_count; l++)
        if (c->net->layers[l].kind == TONNX__LAYER_ACTIVATION && c->net->layers[l].act == (int)act) return true;
    return false;
}

size_t tonnx__case_dense_of(const tonnx__case *c, size_t told)
{
    for (size_t d = c->dense_count; d-- > 0;)
        if (c->dense[d].told <= told) return d;
    return c->dense_count;
}
