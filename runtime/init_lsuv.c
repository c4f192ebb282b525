/* LSUV: layer-sequential unit variance. Mishkin and Matas, "All you need is a good init", ICLR 2016. */
#include <math.h>

#include "runtime/init_impl.h"
#include "runtime/sweep_impl.h"
#include "runtime/task_impl.h"
#include "runtime/ties_impl.h"

enum { MOST_ROUNDS = 10 };
#define TOLERANCE 0.01

/* A model on a backend, whose weights are scaled one after another. */
typedef struct lsuv {
    tonnx_net *net;
    const tonnx_init_options *options;
    tonnx__backend *backend;
    tonnx__state *state;
    double **values; /* per parameter: the scaled numbers; NULL where it is not scaled */
} lsuv;

/* Sums over a layer's outputs, all samples and features; the first one is taken off, so that a large mean costs no digits. */
typedef struct tally {
    double shift, sum, squares, count;
} tally;

static tonnx_status tally_rows(void *user, const float *values, size_t count, size_t width)
{
    tally *t = user;
    if (t->count == 0.0) t->shift = (double)values[0];
    for (size_t i = 0; i < count * width; i++) {
        const double off = (double)values[i] - t->shift;
        t->sum += off;
        t->squares += off * off;
    }
    t->count += (double)(count * width);
    return TONNX_OK;
}

/* The variance of what dense layer l puts out on the data: a sweep over the net's beginning, which ends with that layer. */
static tonnx_status measure(lsuv *s, size_t l, double *variance)
{
    const tonnx__goal goal = { .keep_output = true, .loss_value = -1 };
    const size_t layer_count = s->net->layer_count;
    const int output = s->net->output;
    tonnx__sweep *sweep = NULL;
    tally t = { 0 };
    s->net->layer_count = l + 1;
    s->net->output = s->net->layers[l].out;
    tonnx_status status = tonnx__sweep_new(&sweep, s->state, s->options->data, &goal, s->options->batch);
    if (!status) status = tonnx__sweep_run(sweep, tally_rows, &t, NULL);
    tonnx__sweep_free(sweep);
    s->net->layer_count = layer_count;
    s->net->output = output;
    *variance = t.squares / t.count - t.sum / t.count * (t.sum / t.count);
    return status;
}

/* w ← w/√variance, here and on the backend. */
static tonnx_status scale(lsuv *s, int param, double variance)
{
    const tonnx__param *p = &s->net->params[param];
    const struct tonnx__place *at = &s->state->layout.places[param];
    for (size_t i = 0; i < p->rows * p->cols; i++) s->values[param][i] /= sqrt(variance);
    return tonnx__device_state_write(s->state->device, at->arena, at->offset, p->rows * p->cols, s->values[param],
                                     TONNX__F64);
}

static void say_layer(const lsuv *s, size_t l, double first, double last, int rounds)
{
    const char *name = s->net->layers[l].name;
    if (!(last > 0.0 && isfinite(last)))
        tonnx__say(&s->options->log, TONNX_LOG_WARNING,
                   "lsuv: layer '%s' puts out variance %g on this data: it cannot be scaled, and stays", name, last);
    else if (fabs(last - 1.0) > TOLERANCE)
        tonnx__say(&s->options->log, TONNX_LOG_WARNING, "lsuv: layer '%s': variance %.4g -> %.4g after %d rounds", name,
                   first, last, rounds);
    else
        tonnx__say(&s->options->log, TONNX_LOG_INFO, "lsuv: layer '%s': variance %.4g -> %.4g in %d round%s", name,
                   first, last, rounds, rounds == 1 ? "" : "s");
}

static tonnx_status scale_layer(lsuv *s, size_t l)
{
    const int param = s->net->layers[l].weight;
    const tonnx__param *p = &s->net->params[param];
    double first = 1.0, variance = 1.0;
    int rounds = 0;
    tonnx_status status = tonnx__alloc(&s->values[param], p->rows * p->cols, sizeof **s->values);
    if (status) return status;
    tonnx__param_pull(p, s->net->model, s->values[param]);
    status = measure(s, l, &variance);
    first = variance;
    while (!status && fabs(variance - 1.0) > TOLERANCE && variance > 0.0 && isfinite(variance) && rounds < MOST_ROUNDS) {
        status = scale(s, param, variance);
        if (!status) status = measure(s, l, &variance);
        rounds++;
    }
    if (!status) say_layer(s, l, first, variance, rounds);
    return status;
}

static tonnx_status open(lsuv *s)
{
    const tonnx__backend_options options = { s->options->backend, s->options->threads, s->options->log, TONNX_FP32 };
    bool *trained = NULL;
    if (!s->options->batch) return tonnx__fail(TONNX_BAD_USAGE, "a batch of 0 samples: give 1 or more");
    tonnx_status status = tonnx__task_fit_features(s->net, s->options->data);
    if (!status) status = tonnx__backend_open(&s->backend, &options);
    if (!status) status = tonnx__alloc(&trained, s->net->param_count, sizeof *trained);
    if (!status) status = tonnx__alloc(&s->values, s->net->param_count, sizeof *s->values);
    if (!status) status = tonnx__state_new(&s->state, s->net, s->backend, trained, 0);
    tonnx__free(trained);
    return status;
}

tonnx_status tonnx__init_lsuv(tonnx_net *net, const bool *chosen, const tonnx_init_options *options)
{
    lsuv s = { .net = net, .options = options };
    tonnx_status status = open(&s);
    for (size_t l = 0; l < net->layer_count && !status; l++) {
        const tonnx__layer *layer = &net->layers[l];
        if (!chosen[l] || layer->kind != TONNX__LAYER_DENSE || net->params[layer->weight].derived) continue;
        if (!s.values[layer->weight]) status = scale_layer(&s, l);
    }
    if (!status) status = tonnx__net_push(net, (const double *const *)s.values);
    for (size_t p = 0; s.values && p < net->param_count; p++) tonnx__free(s.values[p]);
    tonnx__free(s.values);
    tonnx__state_free(s.state);
    tonnx__backend_close(s.backend);
    return status;
}
