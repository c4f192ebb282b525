/* Where the dense layers' weights and biases come from: which initialisation draws such numbers. */
#include <math.h>
#include <stdio.h>

#include "runtime/diagnose_impl.h"
#include "runtime/mem_impl.h"
#include "runtime/ops/book_impl.h"

/* A weight as its layer computes with it. */
typedef struct reading {
    const tonnx__param *param;
    const tonnx__tensor *tensor;
    double factor;
    bool transposed;
} reading;

static double element(const void *user, size_t row, size_t col)
{
    const reading *r = user;
    const tonnx__view *view = &r->param->view;
    const size_t at = r->transposed ? col * view->row_stride + row * view->col_stride
                                    : row * view->row_stride + col * view->col_stride;
    return r->factor * view->factor * tonnx__tensor_get(r->tensor, view->offset + at);
}

static double rounding_of(tonnx_dtype dtype)
{
    if (dtype == TONNX_FLOAT16) return 0x1p-11;
    return dtype == TONNX_BFLOAT16 ? 0x1p-8 : 0x1p-24;
}

static double gain_after(const tonnx__case *c, const tonnx__dense *dense)
{
    const tonnx__layer *after = dense->act < 0 ? NULL : &c->net->layers[dense->act];
    return after ? tonnx__activation_gain((tonnx_activation)after->act, after->a, after->b) : 1;
}

/* The parameter that question i is about: even ones ask for a dense layer's weight, odd ones for its bias; -1: none, or
 * nothing can be told of it. */
static int asked(const tonnx__case *c, size_t i)
{
    const tonnx__layer *layer = &c->net->layers[c->dense[i / 2].layer];
    const int param = i % 2 ? layer->bias : layer->weight;
    if (param < 0 || c->stats->weights[param].not_finite || !c->stats->weights[param].values.count) return -1;
    return param;
}

static tonnx__scheme_facts facts_of(const tonnx__case *c, size_t i)
{
    const tonnx__dense *dense = &c->dense[i / 2];
    const tonnx__layer *layer = &c->net->layers[dense->layer];
    const int param = asked(c, i);
    const bool bias = i % 2;
    const double factor = bias ? layer->beta : layer->alpha;
    const tonnx_summary *values = &c->stats->weights[param].values;
    const reading user = { &c->net->params[param], tonnx__param_tensor(&c->net->params[param], c->net->model), factor,
                           layer->transposed };
    tonnx__scheme_facts facts = { .bias = bias,
                                  .count = (size_t)values->count,
                                  .fan_in = (size_t)dense->fan_in,
                                  .fan_out = (size_t)dense->fan_out,
                                  .mean = factor * values->mean,
                                  .variance = factor * factor * values->std * values->std,
                                  .kurtosis = values->kurtosis,
                                  .least = fmin(factor * values->min, factor * values->max),
                                  .most = fmax(factor * values->min, factor * values->max),
                                  .zeros = (size_t)values->zeros,
                                  .gain = gain_after(c, dense),
                                  .rounding = rounding_of(user.tensor->dtype) };
    if (!bias) tonnx__scheme_look(&facts, element, &user);
    return facts;
}

static void note(tonnx__case *c, size_t i, const tonnx__scheme_facts *facts, const tonnx__scheme_match *match)
{
    tonnx__dense *dense = &c->dense[i / 2];
    if (i % 2) {
        dense->bias_from = *match;
        dense->bias_known = facts->count > 1 || facts->most == 0.0; /* one number may come from anywhere */
        return;
    }
    dense->weight_from = *match;
    dense->known = true;
    dense->variance = facts->variance;
    dense->fresh = !match->trained;
}

tonnx_status tonnx__case_recognise(tonnx__case *c)
{
    tonnx__scheme_facts *facts = NULL;
    tonnx__scheme_match *matches = NULL;
    size_t known = 0, next = 0;
    const size_t questions = 2 * c->dense_count;
    tonnx_status status = tonnx__alloc(&facts, questions, sizeof *facts);
    if (!status) status = tonnx__alloc(&matches, questions, sizeof *matches);
    for (size_t i = 0; i < questions && !status; i++)
        if (asked(c, i) >= 0) facts[known++] = facts_of(c, i);
    if (!status) tonnx__schemes_closest(facts, known, matches);
    for (size_t i = 0; i < questions && !status; i++) {
        if (asked(c, i) < 0) continue;
        note(c, i, &facts[next], &matches[next]);
        next++;
    }
    tonnx__free(facts);
    tonnx__free(matches);
    return status;
}

static void tell(tonnx_origin *out, const tonnx__scheme_match *match)
{
    out->known = true;
    out->trained = match->trained;
    out->z = match->trained ? (double)NAN : match->z;
    snprintf(out->scheme, sizeof out->scheme, "%s", match->name);
}

/* A shared parameter is told by the first layer that reads it. */
void tonnx__case_tell_origins(const tonnx__case *c, tonnx_origin *origins)
{
    for (size_t p = 0; p < c->stats->weight_count; p++)
        origins[p] = (tonnx_origin){ .z = (double)NAN, .variance_ratio = (double)NAN };
    for (size_t d = c->dense_count; d-- > 0;) {
        const tonnx__dense *dense = &c->dense[d];
        const tonnx__layer *layer = &c->net->layers[dense->layer];
        tonnx_origin *weight = &origins[layer->weight];
        if (dense->bias_known) tell(&origins[layer->bias], &dense->bias_from);
        if (!dense->known) continue;
        tell(weight, &dense->weight_from);
        weight->recommended = tonnx_scheme_name(dense->recommended);
        weight->variance_ratio = dense->variance / dense->recommended_variance;
    }
}
