/* Rules that look at weights alone. */
#include <math.h>
#include <stdio.h>

#include "runtime/diagnose_impl.h"
#include "runtime/ops/book_impl.h"

/* "fc1.weight[1, 3] is nan", "[3]" of a vector. */
static void say_number(tonnx__finding *f, const tonnx__case *c, size_t p)
{
    const tonnx__param *param = &c->net->params[p];
    const tonnx_weight_stats *weight = &c->stats->weights[p];
    const size_t row = weight->first_not_finite / param->cols, col = weight->first_not_finite % param->cols;
    const double value =
        tonnx__tensor_get(tonnx__param_tensor(param, c->net->model),
                          param->view.offset + row * param->view.row_stride + col * param->view.col_stride);
    char at[64], more[64] = "";
    if (param->rows > 1) snprintf(at, sizeof at, "%zu, %zu", row, col);
    else snprintf(at, sizeof at, "%zu", col);
    if (weight->not_finite > 1) snprintf(more, sizeof more, ", and %zu more are not finite", weight->not_finite - 1);
    tonnx__finding_say(f, "%.120s[%s] is %g%s", param->name, at, value, more);
}

static bool reads(const tonnx__layer *layer, int param)
{
    bool found = layer->weight == param || layer->bias == param || layer->mean == param || layer->variance == param;
    for (size_t i = 0; i < layer->in_count; i++) found = found || layer->in[i].param == param;
    return found;
}

/* Marks what reads a parameter: dense layers, or names one that is none. */
static void mark_readers(tonnx__finding *f, const tonnx__case *c, int param)
{
    for (size_t d = 0; d < c->dense_count; d++)
        if (reads(&c->net->layers[c->dense[d].layer], param)) tonnx__finding_mark(f, d, 0);
    for (size_t l = 0; l < c->net->layer_count; l++) {
        if (c->net->layers[l].kind == TONNX__LAYER_DENSE || !reads(&c->net->layers[l], param)) continue;
        f->cure = f->layer ? TONNX__CURE_ALL : f->cure;
        f->layer = c->net->layers[l].name;
    }
}

bool tonnx__judge_not_finite(const tonnx__case *c, tonnx__finding *f)
{
    double count = 0;
    f->cure = TONNX__CURE_LAYERS;
    for (size_t p = 0; p < c->stats->weight_count; p++) {
        const tonnx_weight_stats *weight = &c->stats->weights[p];
        if (!weight->not_finite) continue;
        if (!count) say_number(f, c, p);
        count += (double)weight->not_finite;
        mark_readers(f, c, (int)p);
    }
    f->measured = count;
    f->expected = 0;
    if (count || c->finite) return count > 0;
    f->cure = TONNX__CURE_ALL;
    f->measured = NAN;
    tonnx__finding_say(f, "the weights are finite, but what they make of the data is not: it overflows");
    return true;
}

/* Every unit of w[out,in] has the same weights; one unit alone is no copy of another. */
static bool rows_equal(const tonnx__case *c, const tonnx__dense *dense)
{
    const tonnx__layer *layer = &c->net->layers[dense->layer];
    const tonnx__param *param = &c->net->params[layer->weight];
    const tonnx__tensor *tensor = tonnx__param_tensor(param, c->net->model);
    const size_t unit = layer->transposed ? param->view.col_stride : param->view.row_stride;
    const size_t step = layer->transposed ? param->view.row_stride : param->view.col_stride;
    if (dense->fan_out < 2) return false;
    for (size_t u = 1; u < (size_t)dense->fan_out; u++)
        for (size_t i = 0; i < (size_t)dense->fan_in; i++)
            if (tonnx__tensor_get(tensor, param->view.offset + u * unit + i * step) !=
                tonnx__tensor_get(tensor, param->view.offset + i * step))
                return false;
    return true;
}

/* A branch that starts as zero is how some residual nets begin: the sum carries the signal. */
static bool is_added(const tonnx__case *c, const tonnx__dense *dense)
{
    const int value = c->net->layers[dense->layer].out;
    for (size_t l = 0; l < c->net->layer_count; l++) {
        const tonnx__layer *layer = &c->net->layers[l];
        if (layer->kind != TONNX__LAYER_BINARY || layer->binary != TONNX__ADD) continue;
        if (layer->in[0].value >= 0 && layer->in[1].value >= 0 &&
            (layer->in[0].value == value || layer->in[1].value == value))
            return true;
    }
    return false;
}

bool tonnx__judge_zero_weights(const tonnx__case *c, tonnx__finding *f)
{
    size_t count = 0;
    f->cure = TONNX__CURE_LAYERS;
    for (size_t d = 0; d < c->dense_count; d++) {
        const tonnx__dense *dense = &c->dense[d];
        if (dense->head || !dense->known || is_added(c, dense) || !rows_equal(c, dense)) continue;
        tonnx__finding_mark(f, d, 0);
        count++;
    }
    if (!count) return false;
    const tonnx__dense *worst = &c->dense[f->worst];
    tonnx__finding_say(f, "all %.0f units have the same weights%s, so they stay copies of one another", worst->fan_out,
                       worst->variance == 0 ? ", all one number" : "");
    return true;
}

/* Variance over that of the scheme's family, by the fan that speaks for it best. */
static double mismatch(const tonnx__dense *dense)
{
    const double in = dense->fan_in, out = dense->fan_out, most = fmax(in, out), least = fmin(in, out);
    const double fan = dense->recommended == TONNX_INIT_glorot_uniform ? (in + out) / 2 : in;
    const double per_gain = dense->variance / (dense->recommended_variance * fan);
    if (per_gain * most < 1) return per_gain * most;
    return per_gain * least > 1 ? per_gain * least : 1;
}

static const char *activation_of(const tonnx__case *c, const tonnx__dense *dense, char *text, size_t size)
{
    const tonnx__layer *act = dense->act < 0 ? NULL : &c->net->layers[dense->act];
    if (!act) snprintf(text, size, "an output");
    else tonnx__activation_text((tonnx_activation)act->act, act->a, act->b, text, size);
    return text;
}

bool tonnx__judge_init_activation_mismatch(const tonnx__case *c, tonnx__finding *f)
{
    const double least = 1.0 / 8, most = 4;
    char act[64];
    size_t count = 0;
    f->cure = TONNX__CURE_LAYERS;
    for (size_t d = 0; d < c->dense_count; d++) {
        const tonnx__dense *dense = &c->dense[d];
        const double ratio = mismatch(dense);
        const bool small = ratio < least && !dense->head;
        if (!dense->fresh || !(dense->variance > 0) || !(small || ratio > most)) continue;
        tonnx__finding_mark(f, d, fabs(log(ratio)));
        count++;
    }
    if (!count) return false;
    const tonnx__dense *worst = &c->dense[f->worst];
    f->measured = worst->variance / worst->recommended_variance;
    f->expected = mismatch(worst) < 1 ? least : most;
    tonnx__finding_say(f, "its variance of %.3g is %.3g times what %s gives before %s", worst->variance,
                       f->measured, tonnx_scheme_name(worst->recommended),
                       activation_of(c, worst, act, sizeof act));
    return true;
}

bool tonnx__judge_selu_init(const tonnx__case *c, tonnx__finding *f)
{
    const double width = 1.25;
    size_t count = 0;
    f->cure = TONNX__CURE_LAYERS;
    for (size_t d = 0; d < c->dense_count; d++) {
        const tonnx__dense *dense = &c->dense[d];
        const double off = fabs(log(dense->variance * dense->fan_in));
        const double chance = 4 * sqrt(2 / (dense->fan_in * dense->fan_out)); /* four standard errors */
        if (!dense->fresh || dense->recommended != TONNX_INIT_lecun_normal || off < fmax(log(width), chance)) continue;
        tonnx__finding_mark(f, d, off);
        count++;
    }
    if (!count) return false;
    const tonnx__dense *worst = &c->dense[f->worst];
    f->measured = worst->variance * worst->fan_in;
    f->expected = 1;
    tonnx__finding_say(f, "variance times fan_in is %.3g, and SELU keeps its signal at 1 (lecun-normal)", f->measured);
    return true;
}

/* Whether batch norm, and nothing else, reads what a dense layer makes. */
static bool is_normed(const tonnx__case *c, const tonnx__dense *dense)
{
    const int value = c->net->layers[dense->layer].out;
    size_t norms = 0, others = 0;
    for (size_t l = 0; l < c->net->layer_count; l++)
        for (size_t i = 0; i < c->net->layers[l].in_count; i++) {
            if (c->net->layers[l].in[i].value != value) continue;
            if (c->net->layers[l].kind == TONNX__LAYER_BATCH_NORM) norms++;
            else others++;
        }
    return norms && !others;
}

bool tonnx__judge_bias_before_norm(const tonnx__case *c, tonnx__finding *f)
{
    size_t count = 0;
    f->cure = TONNX__CURE_LAYERS;
    for (size_t d = 0; d < c->dense_count && c->fresh; d++) {
        const int bias = c->net->layers[c->dense[d].layer].bias;
        if (bias < 0 || !(c->stats->weights[bias].values.rms > 0) || !is_normed(c, &c->dense[d])) continue;
        tonnx__finding_mark(f, d, c->stats->weights[bias].values.rms);
        count++;
    }
    if (!count) return false;
    f->measured = c->stats->weights[c->net->layers[c->dense[f->worst].layer].bias].values.rms;
    f->expected = 0;
    tonnx__finding_say(f, "its bias is taken away again by the batch norm after it: a parameter without effect");
    return true;
}
