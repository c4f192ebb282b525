/* Statistics while a run goes on: what tonnx_stats_measure says of the net after a step, and how far the step went. */
#include <math.h>

#include "runtime/stats_impl.h"
#include "runtime/train_impl.h"

bool tonnx__train_stats_due(const tonnx_trainer *trainer, uint64_t step)
{
    const tonnx_train_options *o = &trainer->options;
    return o->stats_every && o->event && step % o->stats_every == 0;
}

/* Enough samples to tell a dead unit from a quiet one, in whole batches: batch norm meets no batch of another size. */
static size_t sample_count(const tonnx_trainer *trainer)
{
    enum { ENOUGH = 256 };
    const size_t batch = trainer->goal.rows, samples = trainer->data->samples;
    const size_t count = samples < ENOUGH ? samples : ENOUGH;
    return count > batch ? count - count % batch : batch;
}

tonnx_status tonnx__train_stats_begin(tonnx_trainer *trainer)
{
    tonnx_status status = TONNX_OK;
    if (!trainer->sample) status = tonnx__dataset_sample(&trainer->sample, trainer->data, sample_count(trainer));
    return status ? status : tonnx__state_read(trainer->state, &trainer->before, 1u << TONNX__ARENA_PARAM);
}

/* What the step did, in place of what the optimizer's first step would do. */
static void put_updates(const tonnx_trainer *trainer, const tonnx__image *after, tonnx_stats *stats)
{
    for (size_t p = 0; p < stats->weight_count; p++) {
        tonnx_weight_stats *weight = &stats->weights[p];
        const tonnx__param *param = &trainer->net->params[p];
        const size_t count = param->rows * param->cols, from = trainer->state->layout.places[p].offset;
        double square = 0;
        weight->update_rms = weight->update_ratio = NAN;
        if (!trainer->trained[p]) continue;
        for (size_t i = from; i < from + count; i++) {
            const double moved = tonnx__image_at(after, TONNX__ARENA_PARAM, i) -
                                 tonnx__image_at(&trainer->before, TONNX__ARENA_PARAM, i);
            square += moved * moved;
        }
        weight->update_rms = sqrt(square / (double)count);
        weight->update_ratio = weight->values.rms > 0 ? weight->update_rms / weight->values.rms : NAN;
    }
}

static tonnx_status measure(tonnx_trainer *trainer, tonnx_stats **stats)
{
    const tonnx_train_options *t = &trainer->options;
    tonnx_stats_options o = TONNX_STATS_OPTIONS_DEFAULT;
    o.histograms = false;
    o.batch = trainer->goal.rows;
    o.loss = trainer->goal.loss;
    o.huber_delta = t->huber_delta;
    o.batch_statistics = !t->freeze_bn;
    o.log = t->log;
    const tonnx_status status = tonnx__state_pull(trainer->state, !t->freeze_bn);
    return status ? status : tonnx__stats_on(stats, trainer->net, trainer->backend, trainer->sample, &o);
}

tonnx_status tonnx__train_stats_tell(tonnx_trainer *trainer)
{
    tonnx_event event = tonnx__event_of(trainer, TONNX_EVENT_STATS);
    tonnx__image after = { 0 };
    tonnx_stats *stats = NULL;
    tonnx_status status = tonnx__state_read(trainer->state, &after, 1u << TONNX__ARENA_PARAM);
    if (!status) status = measure(trainer, &stats);
    if (!status) {
        put_updates(trainer, &after, stats);
        event.epoch = trainer->at.epoch + 1;
        event.stats = stats;
        event.net = trainer->net;
        tonnx__emit(trainer, &event);
    }
    tonnx_stats_free(stats);
    tonnx__image_clear(&after);
    return status;
}
