/* Rules about the signal on its way forward, and the gradient on its way back. */
#include <math.h>

#include "runtime/diagnose_impl.h"

/* The first hidden layer's signal: what the others are compared with. */
static double first_signal(const tonnx__case *c)
{
    for (size_t d = 0; d < c->dense_count; d++)
        if (!c->dense[d].head) return tonnx__case_signal(tonnx__case_layer(c, d));
    return NAN;
}

/* Marks the hidden layers whose signal over the first one's is below `least`, or above `most`. */
static bool mark_signals(const tonnx__case *c, tonnx__finding *f, double least, double most)
{
    const double first = first_signal(c);
    double worst = 1;
    for (size_t d = 0; d < c->dense_count; d++) {
        const double ratio = tonnx__case_signal(tonnx__case_layer(c, d)) / first;
        if (c->dense[d].head || !(ratio < least || ratio > most)) continue;
        tonnx__finding_mark(f, d, fabs(log(ratio)));
        if (f->worst == d) worst = ratio;
    }
    f->measured = worst;
    f->cure = tonnx__cure_of_signal(c);
    return worst < least || worst > most;
}

bool tonnx__judge_signal_vanishes(const tonnx__case *c, tonnx__finding *f)
{
    f->expected = TONNX__SIGNAL_LEFT;
    if (!(first_signal(c) > 0) || !mark_signals(c, f, f->expected, INFINITY)) return false;
    tonnx__finding_say(f,
                       "its units vary %.2g times as much from sample to sample as the first layer's: the signal fades",
                       f->measured);
    return true;
}

bool tonnx__judge_signal_explodes(const tonnx__case *c, tonnx__finding *f)
{
    f->expected = 1000;
    if (!(first_signal(c) > 0) || !mark_signals(c, f, 0, f->expected)) return false;
    tonnx__finding_say(
        f, "its units vary %.2g times as much from sample to sample as the first layer's: the signal explodes",
        f->measured);
    return true;
}

/* Frobenius norm of a dense weight's gradient; NaN where it has none. */
static double gradient_of(const tonnx__case *c, size_t d)
{
    const tonnx_summary *gradient = &c->stats->weights[c->net->layers[c->dense[d].layer].weight].gradient;
    return gradient->count ? gradient->rms * sqrt((double)gradient->count) : (double)NAN;
}

bool tonnx__judge_gradient_vanishes(const tonnx__case *c, tonnx__finding *f)
{
    const double least = 1.0 / 2000;
    double most = 0, worst = 1;
    for (size_t d = 0; d < c->dense_count; d++) most = fmax(most, gradient_of(c, d));
    for (size_t d = 0; d < c->dense_count; d++) {
        const double ratio = gradient_of(c, d) / most;
        if (c->dense[d].head || !(ratio < least)) continue;
        tonnx__finding_mark(f, d, -ratio);
        worst = fmin(worst, ratio);
    }
    if (!(worst < least)) return false;
    f->measured = worst;
    f->expected = least;
    f->cure = tonnx__cure_of_signal(c);
    tonnx__finding_say(f, "the gradient of its weight is %.2g of the largest one: it hardly learns", worst);
    return true;
}

/* What a loss's gradient is measured in. */
static double unit_of(const tonnx_stats *stats)
{
    return stats->loss_kind == TONNX_MSE ? fmax(1e-12, sqrt(stats->share_loss)) : 1;
}

bool tonnx__judge_gradient_explodes(const tonnx__case *c, tonnx__finding *f)
{
    const double norm = c->stats->grad_norm / unit_of(c->stats);
    double ratio = 0;
    f->expected = 1000;
    f->cure = tonnx__cure_of_signal(c);
    for (size_t d = 1; d < c->dense_count; d++)
        if (c->dense[d].head && gradient_of(c, d) > 0) ratio = gradient_of(c, 0) / gradient_of(c, d);
    f->measured = fmax(norm, ratio);
    if (!(f->measured > f->expected)) return false;
    if (norm > ratio) tonnx__finding_say(f, "the gradients together have a norm of %.3g", c->stats->grad_norm);
    else tonnx__finding_say(f, "the first layer's gradient is %.3g times the last one's", ratio);
    return true;
}

/* An activation that is hidden: not the head, nor what the model ends with. */
static bool is_hidden(const tonnx__case *c, size_t told)
{
    const tonnx__told *t = &c->told[told];
    return t->act >= 0 && t->before != t->after && t->after != c->net->output &&
           tonnx__case_dense_of(c, told) < c->dense_count;
}

/* A trained net keeps what its other layers have learnt. */
static tonnx__cure cure_of_layers(const tonnx__case *c)
{
    const tonnx__cure cure = tonnx__cure_of_signal(c);
    return cure == TONNX__CURE_ALL && !c->fresh ? TONNX__CURE_LAYERS : cure;
}

bool tonnx__judge_saturation(const tonnx__case *c, tonnx__finding *f)
{
    double worst = 0;
    f->expected = c->learnt ? 0.8 : 0.5;
    f->cure = cure_of_layers(c);
    for (size_t i = 0; i < c->told_count && c->stats->samples >= TONNX__ENOUGH_SAMPLES; i++) {
        const double share = c->stats->layers[i].saturated;
        if (!is_hidden(c, i) || !(share > f->expected)) continue;
        tonnx__finding_mark(f, tonnx__case_dense_of(c, i), share);
        worst = fmax(worst, share);
    }
    f->measured = worst;
    if (!(worst > f->expected)) return false;
    tonnx__finding_say(f, "%.0f %% of its outputs are saturated, where the derivative is next to 0", 100 * worst);
    return true;
}

bool tonnx__judge_dead_units(const tonnx__case *c, tonnx__finding *f)
{
    enum { SOME = 5 }; /* of a narrow layer, chance alone kills one or two */
    size_t dead = 0, units = 0;
    f->expected = c->learnt ? 0.5 : 0.2;
    f->measured = 0;
    f->cure = cure_of_layers(c);
    for (size_t i = 0; i < c->told_count && c->stats->samples >= TONNX__ENOUGH_SAMPLES; i++) {
        const tonnx_layer_stats *layer = &c->stats->layers[i];
        const double share = (double)layer->dead_units / (double)layer->units;
        if (!is_hidden(c, i) || !(share > f->expected) || (share < 0.25 && layer->dead_units < SOME)) continue;
        tonnx__finding_mark(f, tonnx__case_dense_of(c, i), share);
        if (share <= f->measured) continue;
        f->measured = share;
        dead = layer->dead_units;
        units = layer->units;
    }
    if (!dead) return false;
    tonnx__finding_say(f, "%zu of its %zu units are dead: the same flat value for every sample, and no gradient", dead,
                       units);
    return true;
}

bool tonnx__judge_constant_output(const tonnx__case *c, tonnx__finding *f)
{
    f->expected = 1e-5;
    f->cure = tonnx__cure_of_signal(c);
    for (size_t d = 0; d < c->dense_count; d++) {
        const tonnx_layer_stats *layer = tonnx__case_layer(c, d);
        const double signal = tonnx__case_signal(layer);
        if (!c->dense[d].head || !(c->stats->input.std > 0) || signal > f->expected * layer->after.rms) continue;
        tonnx__finding_mark(f, d, 0);
        f->measured = layer->after.rms > 0 ? signal / layer->after.rms : 0;
        tonnx__finding_say(f, "it gives every sample the same answer (deviation %.2g)", signal);
        return c->stats->samples > 1;
    }
    return false;
}
