#include "runtime/stats.h"

#include <math.h>

#include "runtime/options_impl.h"
#include "runtime/stats_impl.h"
#include "runtime/task_impl.h"
#include "runtime/train_impl.h"

/* What a measurement on data holds while it lasts. */
typedef struct measuring {
    tonnx_net *net;
    const tonnx_dataset *data;
    tonnx_stats_options *options;
    tonnx__backend *backend;
    tonnx__state *state;
    tonnx__survey *survey;
    tonnx__goal goal;
    bool *trained;
    double rate;
} measuring;

static tonnx_status take_options(tonnx_stats_options *to, const tonnx_stats_options *from)
{
    const tonnx_stats_options defaults = TONNX_STATS_OPTIONS_DEFAULT;
    *to = defaults;
    const tonnx_status status = tonnx__options_lay(to, sizeof *to, from, "TONNX_STATS_OPTIONS_DEFAULT");
    if (status) return status;
    if ((unsigned)to->optimizer >= TONNX_OPTIMIZER_COUNT)
        return tonnx__fail(TONNX_BAD_USAGE, "optimizer %d: there are %d", (int)to->optimizer, TONNX_OPTIMIZER_COUNT);
    return to->batch ? TONNX_OK : tonnx__fail(TONNX_BAD_USAGE, "a batch of 0 samples: give 1 or more");
}

/* The optimizer's numbers, its defaults filled in as the trainer does. */
static void fill_optimizer(measuring *m)
{
    tonnx_train_options train = TONNX_TRAIN_OPTIONS_DEFAULT;
    const tonnx_stats_options *o = m->options;
    train.optimizer = o->optimizer;
    train.rate = o->rate;
    train.momentum = o->momentum;
    train.beta1 = o->beta1;
    train.beta2 = o->beta2;
    train.eps = o->eps;
    train.rho = o->rho;
    train.weight_decay = o->weight_decay;
    train.nesterov = o->nesterov;
    tonnx__options_fill(&train, &m->goal);
    m->rate = train.rate;
}

/* Whether there are batch norms, and none has ever run. */
static bool norms_are_fresh(const tonnx_net *net, const tonnx_stats *stats)
{
    size_t norms = 0;
    for (size_t l = 0; l < net->layer_count; l++) {
        const tonnx__layer *layer = &net->layers[l];
        if (layer->kind != TONNX__LAYER_BATCH_NORM) continue;
        const tonnx_summary *mean = &stats->weights[layer->mean].values,
                            *variance = &stats->weights[layer->variance].values;
        if (mean->zeros != mean->count || variance->min != 1 || variance->max != 1) return false;
        norms++;
    }
    return norms > 0;
}

static tonnx_status fit(measuring *m, tonnx_stats *stats)
{
    tonnx_stats_options *o = m->options;
    if (o->fresh_batch_statistics) o->batch_statistics = o->batch_statistics || norms_are_fresh(m->net, stats);
    m->goal = (tonnx__goal){ .loss_value = -1, .freeze_bn = !o->batch_statistics, .collect = m->data->samples };
    m->goal.train = o->batch_statistics;
    tonnx_status status = tonnx__task_fit_features(m->net, m->data);
    if (status || m->data->target_kind == TONNX_TARGET_NONE) return status;
    status = tonnx__task_fit(&m->goal, m->net, m->data, o->loss, o->huber_delta);
    fill_optimizer(m);
    stats->optimizer = o->optimizer;
    stats->rate = m->rate;
    m->goal.train = o->batch_statistics || !o->no_gradients;
    return status ? status : tonnx__stats_baseline(stats, m->net, m->data, &m->goal);
}

static tonnx_status prepare(measuring *m)
{
    const bool gradients = m->goal.train && m->goal.loss_value >= 0;
    tonnx_status status = tonnx__alloc(&m->trained, m->net->param_count, sizeof *m->trained);
    for (size_t p = 0; p < m->net->param_count && !status; p++) m->trained[p] = gradients && m->net->params[p].trained;
    if (!status) status = tonnx__state_new(&m->state, m->net, m->backend, m->trained, gradients ? 1 : 0);
    return status ? status : tonnx__survey_new(&m->survey, m->state, m->data, &m->goal, m->options->batch);
}

static tonnx_status measure_data(measuring *m, tonnx_stats *stats)
{
    const tonnx_stats_options *o = m->options;
    tonnx_status status = fit(m, stats);
    stats->batch_statistics = o->batch_statistics;
    if (!status) status = prepare(m);
    if (!status) status = tonnx__survey_run(m->survey);
    if (!status) stats->loss = m->survey->loss;
    if (!status && m->goal.train && m->goal.loss_value >= 0 && !o->no_gradients)
        status = tonnx__stats_gradients(stats, m->state, &m->goal, m->rate, o->histograms);
    if (!status && o->histograms) status = tonnx__survey_bins(m->survey);
    return status ? status : tonnx__stats_layers(stats, m->survey, o->map_samples);
}

static void measuring_clear(measuring *m)
{
    tonnx__survey_free(m->survey);
    tonnx__state_free(m->state);
    tonnx__free(m->trained);
}

tonnx_status tonnx__stats_on(tonnx_stats **out, tonnx_net *net, tonnx__backend *backend, const tonnx_dataset *data,
                             tonnx_stats_options *o)
{
    tonnx_stats *stats = NULL;
    measuring m = { .net = net, .data = data, .options = o, .backend = backend };
    *out = NULL;
    tonnx_status status = tonnx__alloc(&stats, 1, sizeof *stats);
    if (status) return status;
    *stats = (tonnx_stats){ .input = tonnx__no_summary,
                            .input_mean_max = NAN,
                            .input_std_max = NAN,
                            .loss_kind = TONNX_LOSS_AUTO,
                            .loss = NAN,
                            .baseline_loss = NAN,
                            .share_loss = NAN,
                            .target_mean = NAN,
                            .optimizer = o->optimizer,
                            .rate = NAN,
                            .grad_norm = NAN };
    status = tonnx__stats_tell(stats, net);
    if (!status) status = tonnx__stats_values(stats, net, backend, o->histograms);
    if (!status && o->spectral) status = tonnx__stats_spectra(stats, net);
    if (!status && data) status = measure_data(&m, stats);
    measuring_clear(&m);
    if (status) tonnx_stats_free(stats);
    else *out = stats;
    return status;
}

tonnx_status tonnx_stats_measure(tonnx_stats **out, tonnx_net *net, const tonnx_dataset *data,
                                 const tonnx_stats_options *options)
{
    tonnx_stats_options o;
    tonnx__backend *backend = NULL;
    *out = NULL;
    tonnx_status status = take_options(&o, options);
    if (status) return status;
    const tonnx__backend_options wanted = { o.backend, o.threads, o.log, TONNX_FP32 };
    status = tonnx__backend_open(&backend, &wanted);
    if (!status) status = tonnx__stats_on(out, net, backend, data, &o);
    tonnx__backend_close(backend);
    return status;
}

void tonnx_stats_free(tonnx_stats *stats)
{
    if (!stats) return;
    tonnx__stats_layers_clear(stats);
    tonnx__free(stats->weights);
    tonnx__free(stats);
}
