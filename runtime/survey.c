/* A survey: sweeps over a data set that measure every value of the net. */
#include <math.h>
#include <string.h>

#include "runtime/stats_impl.h"

static void pass_clear(struct tonnx__pass *pass)
{
    for (int i = 0; i < 2; i++) {
        tonnx__exec_free(pass->execs[i]);
        tonnx__program_free(pass->programs[i]);
        tonnx__free(pass->probes[i]);
    }
    *pass = (struct tonnx__pass){ 0 };
}

/* Thresholds of the values that activations make. */
static void set_thresholds(const tonnx_net *net, tonnx__probe *probes)
{
    for (size_t v = 0; v < net->value_count; v++) probes[v] = (tonnx__probe){ -INFINITY, INFINITY, -1, -1 };
    for (size_t l = 0; l < net->layer_count; l++) {
        tonnx__probe *probe = &probes[net->layers[l].out];
        tonnx__saturation(&net->layers[l], &probe->below, &probe->above);
    }
}

static tonnx_status compile(tonnx__survey *survey, struct tonnx__pass *pass, int which, size_t rows,
                            tonnx__probing probing)
{
    const tonnx_net *net = survey->state->net;
    tonnx__goal goal = survey->goal;
    if (!rows) return TONNX_OK;
    tonnx_status status = tonnx__alloc(&pass->probes[which], net->value_count, sizeof **pass->probes);
    if (status) return status;
    set_thresholds(net, pass->probes[which]);
    goal.rows = rows;
    goal.probing = probing;
    goal.probes = pass->probes[which];
    if (probing != TONNX__PROBE_MOMENTS) goal.loss_value = -1;
    status = tonnx__lower(&pass->programs[which], net, &survey->state->layout, &goal);
    return status ? status : tonnx__exec_new(&pass->execs[which], survey->state->device, pass->programs[which]);
}

static tonnx_status pass_make(tonnx__survey *survey, struct tonnx__pass *pass, tonnx__probing probing)
{
    tonnx_status status = compile(survey, pass, 0, survey->batch, probing);
    return status ? status : compile(survey, pass, 1, survey->data->samples % survey->batch, probing);
}

/* Calls `take` after every batch. */
static tonnx_status sweep(tonnx__survey *survey, struct tonnx__pass *pass,
                          tonnx_status (*take)(tonnx__survey *survey, struct tonnx__pass *pass, int which))
{
    tonnx__feed feed;
    tonnx_status status = TONNX_OK;
    tonnx__dataset_feed(survey->data, &feed);
    for (size_t first = 0; first < feed.samples && !status;) {
        const int which = feed.samples - first < survey->batch;
        const tonnx__record record = { .first = first, .rows = pass->programs[which]->rows };
        status = tonnx__exec_run(pass->execs[which], &feed, NULL, &record, 1);
        if (!status) status = take(survey, pass, which);
        first += record.rows;
    }
    return status;
}

static tonnx_status take_moments(tonnx__survey *survey, struct tonnx__pass *pass, int which)
{
    const tonnx_net *net = survey->state->net;
    double results[TONNX__RESULTS];
    const size_t rows = pass->programs[which]->rows;
    tonnx_status status = TONNX_OK;
    for (size_t v = 0; v < net->value_count && !status; v++) {
        const int buffer = pass->probes[which][v].result;
        if (buffer < 0) continue;
        status = tonnx__exec_read(pass->execs[which], buffer, survey->room, TONNX__F32);
        for (size_t u = 0; u < net->values[v].features && !status; u++) {
            tonnx__moments unit;
            tonnx__moments_of(&unit, survey->room, net->values[v].features, u, rows);
            tonnx__moments_merge(&survey->units[v][u], &unit);
        }
    }
    if (!status) status = tonnx__exec_results(pass->execs[which], 1, results);
    if (!status) survey->loss += results[TONNX__RESULT_LOSS] * (double)rows;
    return status;
}

static tonnx_status take_bins(tonnx__survey *survey, struct tonnx__pass *pass, int which)
{
    const tonnx_net *net = survey->state->net;
    tonnx_status status = TONNX_OK;
    for (size_t v = 0; v < net->value_count && !status; v++) {
        const int buffer = pass->probes[which][v].result;
        if (buffer < 0) continue;
        const size_t count = tonnx__buffer_count(&pass->programs[which]->buffers[buffer]);
        status = tonnx__exec_read(pass->execs[which], buffer, survey->room, TONNX__F32);
        for (size_t i = 0; i < count && !status; i++) survey->bins[v][i % TONNX_BINS] += (uint64_t)survey->room[i];
    }
    return status;
}

/* The largest of what is read back. */
static size_t room_of(const tonnx__survey *survey)
{
    size_t most = 1;
    for (size_t v = 0; v < survey->state->net->value_count; v++) {
        const size_t features = survey->state->net->values[v].features;
        const size_t bins = (survey->batch * features / (1 << 16) + 2) * TONNX_BINS;
        if (features * TONNX__MOMENTS_ROWS > most) most = features * TONNX__MOMENTS_ROWS;
        if (bins > most) most = bins;
    }
    return most;
}

static tonnx_status make(tonnx__survey *survey)
{
    const tonnx_net *net = survey->state->net;
    tonnx_status status = pass_make(survey, &survey->pass, TONNX__PROBE_MOMENTS);
    if (!status) status = tonnx__alloc(&survey->room, room_of(survey), sizeof *survey->room);
    if (!status) status = tonnx__alloc(&survey->bins, net->value_count, sizeof *survey->bins);
    if (!status) status = tonnx__alloc(&survey->units, net->value_count, sizeof *survey->units);
    for (size_t v = 0; v < net->value_count && !status; v++)
        if (survey->pass.probes[0][v].result >= 0)
            status = tonnx__alloc(&survey->units[v], net->values[v].features, sizeof **survey->units);
    return status;
}

tonnx_status tonnx__survey_new(tonnx__survey **out, tonnx__state *state, const tonnx_dataset *data,
                               const tonnx__goal *goal, size_t batch)
{
    tonnx__survey *survey = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&survey, 1, sizeof *survey);
    if (status) return status;
    survey->state = state;
    survey->data = data;
    survey->goal = *goal;
    survey->batch = batch < data->samples ? batch : data->samples;
    status = make(survey);
    if (status) tonnx__survey_free(survey);
    else *out = survey;
    return status;
}

void tonnx__survey_free(tonnx__survey *survey)
{
    if (!survey) return;
    pass_clear(&survey->pass);
    for (size_t v = 0; survey->units && v < survey->state->net->value_count; v++) tonnx__free(survey->units[v]);
    tonnx__free(survey->units);
    tonnx__free(survey->bins);
    tonnx__free(survey->room);
    tonnx__free(survey);
}

tonnx_status tonnx__survey_run(tonnx__survey *survey)
{
    const tonnx_net *net = survey->state->net;
    survey->loss = 0;
    for (size_t v = 0; v < net->value_count; v++)
        if (survey->units[v]) memset(survey->units[v], 0, net->values[v].features * sizeof **survey->units);
    const tonnx_status status = sweep(survey, &survey->pass, take_moments);
    survey->loss = survey->goal.loss_value < 0 ? (double)NAN : survey->loss / (double)survey->data->samples;
    return status;
}

/* A value that is not finite somewhere has no bins. */
static tonnx_status write_ranges(tonnx__survey *survey, struct tonnx__pass *pass, int which)
{
    tonnx_status status = TONNX_OK;
    for (size_t v = 0; v < survey->state->net->value_count && pass->probes[which] && !status; v++) {
        const tonnx__moments all = tonnx__survey_value(survey, (int)v);
        float range[2];
        tonnx__bin_range(all.min, all.max, range);
        if (pass->probes[which][v].range >= 0)
            status = tonnx__exec_write(pass->execs[which], pass->probes[which][v].range, range, TONNX__F32);
    }
    return status;
}

tonnx_status tonnx__survey_bins(tonnx__survey *survey)
{
    struct tonnx__pass pass = { 0 };
    tonnx_status status = pass_make(survey, &pass, TONNX__PROBE_HISTOGRAMS);
    for (int which = 0; which < 2 && !status; which++) status = write_ranges(survey, &pass, which);
    memset(survey->bins, 0, survey->state->net->value_count * sizeof *survey->bins);
    if (!status) status = sweep(survey, &pass, take_bins);
    pass_clear(&pass);
    return status;
}

tonnx_status tonnx__survey_rows(tonnx__survey *survey, size_t rows,
                                tonnx_status (*take)(void *user, int value, tonnx__exec *exec, int buffer), void *user)
{
    struct tonnx__pass pass = { 0 };
    const tonnx__record record = { .rows = rows };
    tonnx__feed feed;
    tonnx__dataset_feed(survey->data, &feed);
    tonnx_status status = compile(survey, &pass, 0, rows, TONNX__PROBE_VALUES);
    if (!status) status = tonnx__exec_run(pass.execs[0], &feed, NULL, &record, 1);
    for (size_t v = 0; v < survey->state->net->value_count && !status; v++)
        if (pass.probes[0][v].result >= 0) status = take(user, (int)v, pass.execs[0], pass.probes[0][v].result);
    pass_clear(&pass);
    return status;
}

tonnx__moments tonnx__survey_value(const tonnx__survey *survey, int value)
{
    tonnx__moments all = { 0 };
    for (size_t u = 0; survey->units[value] && u < survey->state->net->values[value].features; u++)
        tonnx__moments_merge(&all, &survey->units[value][u]);
    return all;
}
