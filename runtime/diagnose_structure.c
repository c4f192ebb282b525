/* Rules about how a net is built: depth, SELU's conditions, batch norm. */
#include <math.h>
#include <string.h>

#include "runtime/diagnose_impl.h"
#include "runtime/mem_impl.h"
#include "runtime/ops/book_impl.h"

/* Flat on both sides. */
static bool saturates(const tonnx__layer *layer)
{
    double below, above;
    tonnx__saturation(layer, &below, &above);
    return isfinite(below) && isfinite(above);
}

bool tonnx__judge_deep_without_norm(const tonnx__case *c, tonnx__finding *f)
{
    char act[64] = "";
    size_t deep = 0;
    f->cure = TONNX__CURE_BATCH;
    f->expected = TONNX__SIGNAL_LEFT;
    for (size_t d = 0; d < c->dense_count; d++) {
        const tonnx__layer *layer = c->dense[d].act < 0 ? NULL : &c->net->layers[c->dense[d].act];
        if (c->dense[d].head || !layer || !saturates(layer)) continue;
        tonnx__activation_text((tonnx_activation)layer->act, layer->a, layer->b, act, sizeof act);
        deep++;
    }
    f->measured = tonnx__case_holds(c);
    if (!c->fresh || deep < 2 || deep < c->hidden || f->measured >= f->expected) return false;
    tonnx__finding_say(f, "%zu layers of %s in a row leave %.1e of a signal, whatever the initialisation", deep, act,
                       f->measured);
    return true;
}

bool tonnx__judge_selu_input(const tonnx__case *c, tonnx__finding *f)
{
    const tonnx_summary *input = &c->stats->input;
    double mean = input->mean, std = input->std;
    const int first = tonnx__case_first(c);
    for (size_t i = 0; i < c->told_count; i++) /* scaling nodes may stand before the first layer */
        if (c->told[i].after == first) mean = c->stats->layers[i].after.mean, std = c->stats->layers[i].after.std;
    const double made = c->dense_count ? tonnx__case_layer(c, 0)->before.std : (double)NAN;
    if (!tonnx__case_uses(c, TONNX_ACT_selu) || (fabs(mean) <= 0.25 && std >= 0.6 && std <= 1.6)) return false;
    if (made >= 0.6 && made <= 1.6) return false; /* its weights make up for it, as lsuv's do */
    f->cure = c->stats->loss_kind == TONNX_LOSS_AUTO ? TONNX__CURE_LSUV : TONNX__CURE_SCALE;
    f->measured = std;
    f->expected = 1;
    tonnx__finding_say(f, "the input has mean %.3g and deviation %.3g: SELU wants it standardised, 0 and 1", mean, std);
    return true;
}

/* Says of a net of SELUs what it should not have. */
static bool selu_has(const tonnx__case *c, tonnx__finding *f, bool what, const char *message)
{
    f->cure = TONNX__CURE_PLAIN;
    if (!what || !tonnx__case_uses(c, TONNX_ACT_selu)) return false;
    tonnx__finding_say(f, "%s", message);
    return true;
}

bool tonnx__judge_selu_sequential(const tonnx__case *c, tonnx__finding *f)
{
    return selu_has(c, f, !c->chain, "the net branches: SELUs keep mean 0 and deviation 1 in a plain chain only");
}

bool tonnx__judge_selu_dropout(const tonnx__case *c, tonnx__finding *f)
{
    return selu_has(c, f, c->dropout, "plain dropout moves the mean and deviation that SELUs keep");
}

bool tonnx__judge_selu_norm(const tonnx__case *c, tonnx__finding *f)
{
    return selu_has(c, f, c->norms, "a norm among SELUs, which normalise by themselves");
}

/* What a batch norm believes against what it gets, over its units. */
typedef struct drift {
    double shift;  /* of the mean, in the data's deviations, root mean square */
    double spread; /* ratio of the variances, at least 1, root mean square in the logarithm */
    bool fresh;    /* it has never run */
} drift;

static drift drift_of(const double *mean, const double *variance, const tonnx__columns *data, size_t units)
{
    drift out = { 0, 0, true };
    double count = 0;
    for (size_t u = 0; u < units; u++) {
        out.fresh = out.fresh && mean[u] == 0 && variance[u] == 1;
        if (!(data->std[u] > 0) || !(variance[u] > 0)) continue;
        const double shift = (mean[u] - data->mean[u]) / data->std[u];
        const double spread = log(variance[u] / (data->std[u] * data->std[u]));
        out.shift += shift * shift;
        out.spread += spread * spread;
        count++;
    }
    out.shift = count > 0 ? sqrt(out.shift / count) : 0;
    out.spread = count > 0 ? exp(sqrt(out.spread / count)) : 1;
    return out;
}

static bool drifts(const tonnx__case *c, const tonnx__layer *layer, drift *out)
{
    const tonnx__columns data = tonnx__case_columns(c, layer->in[0].value);
    const tonnx__param *mean = &c->net->params[layer->mean], *variance = &c->net->params[layer->variance];
    const size_t units = c->net->values[layer->out].features;
    double *values = NULL;
    *out = (drift){ 0, 1, true };
    if (!data.mean || c->stats->samples < TONNX__ENOUGH_SAMPLES || mean->cols != units || variance->cols != units)
        return false;
    if (tonnx__alloc(&values, 2 * units, sizeof *values)) return false;
    tonnx__param_pull(mean, c->net->model, values);
    tonnx__param_pull(variance, c->net->model, values + units);
    *out = drift_of(values, values + units, &data, units);
    tonnx__free(values);
    return !out->fresh;
}

bool tonnx__judge_running_statistics(const tonnx__case *c, tonnx__finding *f)
{
    const double shift = c->fresh ? 2 : 0.5, spread = c->fresh ? 100 : 3; /* training will see to what is fresh */
    double worst = 1;
    f->cure = TONNX__CURE_RUNNING;
    for (size_t l = 0; l < c->net->layer_count && !c->stats->batch_statistics && !c->learnt; l++) {
        const tonnx__layer *layer = &c->net->layers[l];
        drift found;
        if (layer->kind != TONNX__LAYER_BATCH_NORM || !drifts(c, layer, &found)) continue;
        const double badness = fmax(found.shift / shift, found.spread / spread);
        f->momentum = fmax(f->momentum, layer->momentum);
        if (badness <= worst) continue;
        worst = badness;
        f->layer = layer->name;
        f->measured = found.shift > shift ? found.shift : found.spread;
        f->expected = found.shift > shift ? shift : spread;
        tonnx__finding_say(f, "running means are %.2g deviations from the data's, variances differ by a factor of %.2g",
                           found.shift, found.spread);
    }
    return worst > 1;
}
