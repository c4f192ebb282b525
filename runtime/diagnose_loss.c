/* Rules about where a training starts: its input, its loss, its rate. */
#include <math.h>
#include <stdlib.h>

#include "runtime/diagnose_impl.h"
#include "runtime/mem_impl.h"
#include "runtime/ops/book_impl.h"

bool tonnx__judge_input_not_scaled(const tonnx__case *c, tonnx__finding *f)
{
    const int first = tonnx__case_first(c);
    if (!c->dense_count || first < 0 || !c->dense[0].fresh) return false;
    const tonnx__columns x = tonnx__case_columns(c, first);
    double mean = 0, std = 0;
    for (size_t u = 0; x.mean && u < c->net->values[first].features; u++) {
        mean = fmax(mean, fabs(x.mean[u]));
        std = fmax(std, x.std[u]);
    }
    const double made = tonnx__case_layer(c, 0)->before.std;
    f->measured = fmax(mean, std);
    f->expected = 10;
    if (!(f->measured > f->expected) || !(made > 3)) return false;
    f->cure = c->stats->loss_kind == TONNX_LOSS_AUTO ? TONNX__CURE_LSUV : TONNX__CURE_SCALE;
    tonnx__finding_say(f,
                       "features reach a mean of %.3g and a deviation of %.3g, and the first layer makes sums of "
                       "deviation %.3g of them",
                       mean, std, made);
    return true;
}

/* The last dense layer that is a head; dense_count where there is none. */
static size_t head_of(const tonnx__case *c)
{
    for (size_t d = c->dense_count; d-- > 0;)
        if (c->dense[d].head) return d;
    return c->dense_count;
}

static bool is_classifier(const tonnx__case *c)
{
    const tonnx_loss loss = c->stats->loss_kind;
    int head = -1;
    tonnx__net_logits(c->net, &head);
    if (loss == TONNX_LOSS_AUTO) return head >= 0;
    return loss == TONNX_CROSS_ENTROPY || loss == TONNX_NLL || loss == TONNX_BCE;
}

/* What brings logits down: their cause, where there is one further up; else a small last layer. */
static tonnx__cure cure_of_logits(const tonnx__case *c)
{
    if (c->unscaled) return tonnx__cure_of_signal(c);
    return c->mismatched ? TONNX__CURE_ALL : TONNX__CURE_SMALL;
}

bool tonnx__judge_logits_too_large(const tonnx__case *c, tonnx__finding *f)
{
    const size_t head = head_of(c);
    f->expected = 3;
    const bool told = c->stats->loss_kind != TONNX_LOSS_AUTO; /* large logits that are right are what was learnt */
    const bool wrong = told ? c->stats->loss > 0.9 * c->stats->share_loss : c->fresh;
    if (head == c->dense_count || !c->dense[head].fresh || !is_classifier(c) || !wrong) return false;
    f->measured = tonnx__case_layer(c, head)->after.std;
    f->cure = cure_of_logits(c);
    if (!(f->measured > f->expected)) return false;
    tonnx__finding_mark(f, head, 0);
    tonnx__finding_say(f, "the logits have a deviation of %.3g before any training: it is sure of what it cannot know",
                       f->measured);
    return true;
}

bool tonnx__judge_initial_loss(const tonnx__case *c, tonnx__finding *f)
{
    const tonnx_stats *stats = c->stats;
    const size_t head = head_of(c);
    if (head == c->dense_count || !(stats->baseline_loss > 1e-12)) return false;
    const double ratio = stats->loss / stats->baseline_loss;
    const bool fresh = c->dense[head].fresh;
    f->measured = stats->loss;
    f->expected = stats->baseline_loss * (is_classifier(c) ? 2 : 10);
    f->cure = fresh ? cure_of_logits(c) : TONNX__CURE_TRAIN;
    if (!(f->measured > f->expected)) return false;
    tonnx__finding_say(f, "the %sloss is %.4g, %.3g times the %.4g of an answer that knows nothing",
                       fresh ? "initial " : "", stats->loss, ratio, stats->baseline_loss);
    return true;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Update over weight of the dense layer in the middle; NaN where none is known. */
static double median_ratio(const tonnx__case *c)
{
    double *ratios = NULL, median = NAN;
    size_t count = 0;
    if (tonnx__alloc(&ratios, c->dense_count, sizeof *ratios)) return NAN;
    for (size_t d = 0; d < c->dense_count; d++) {
        const double ratio = c->stats->weights[c->net->layers[c->dense[d].layer].weight].update_ratio;
        if (isfinite(ratio)) ratios[count++] = ratio;
    }
    qsort(ratios, count, sizeof *ratios, ascending);
    if (count) median = ratios[count / 2];
    tonnx__free(ratios);
    return median;
}

/* The first step of an adaptive optimizer is as large as its rate, whatever the gradient: its ratio is larger in
 * health. */
static double healthy_ratio(tonnx_optimizer optimizer)
{
    return optimizer == TONNX_SGD ? 1e-3 : 1e-2;
}

/* One digit of the rate that would have given a healthy ratio. */
static double better_rate(const tonnx_stats *stats, double ratio)
{
    const double rate = stats->rate * healthy_ratio(stats->optimizer) / ratio;
    const double unit = pow(10, floor(log10(rate)));
    return unit * round(rate / unit);
}

static bool rate_is(const tonnx__case *c, tonnx__finding *f, bool high)
{
    f->measured = median_ratio(c);
    f->expected = !high ? 1e-6 : c->stats->optimizer == TONNX_SGD ? 0.3 : 1;
    f->cure = TONNX__CURE_RATE;
    if (!(f->measured > 0)) return false;
    if (high ? f->measured <= f->expected : f->measured >= f->expected) return false;
    f->rate = better_rate(c->stats, f->measured);
    tonnx__finding_say(f, "a step of rate %g changes the weights by %.2g of their size (1e-3 is healthy): too %s",
                       c->stats->rate, f->measured, high ? "much" : "little");
    return true;
}

bool tonnx__judge_learning_rate_high(const tonnx__case *c, tonnx__finding *f)
{
    return rate_is(c, f, true);
}

bool tonnx__judge_learning_rate_low(const tonnx__case *c, tonnx__finding *f)
{
    return c->stats->loss > c->stats->share_loss / 2 && rate_is(c, f, false);
}
