/* Layers on data: what a survey found of their values, told layer by layer. */
#include <math.h>
#include <string.h>

#include "runtime/stats_impl.h"

tonnx_status tonnx__stats_tell(tonnx_stats *stats, const tonnx_net *net)
{
    tonnx__told *told = NULL;
    tonnx_status status = tonnx__net_told(&told, &stats->layer_count, net);
    if (!status) status = tonnx__alloc(&stats->layers, stats->layer_count, sizeof *stats->layers);
    for (size_t i = 0; i < stats->layer_count && !status; i++)
        stats->layers[i] = (tonnx_layer_stats){ .layer = told[i].layer,
                                                .units = net->values[told[i].after].features,
                                                .before = tonnx__no_summary,
                                                .after = tonnx__no_summary,
                                                .saturated = NAN,
                                                .theory_std = NAN };
    if (status) stats->layer_count = 0;
    tonnx__free(told);
    return status;
}

void tonnx__stats_layers_clear(tonnx_stats *stats)
{
    for (size_t i = 0; i < stats->layer_count; i++) {
        tonnx__free((double *)stats->layers[i].unit_mean); /* the four arrays are one */
        tonnx__free((unsigned char *)stats->layers[i].map);
    }
    tonnx__free((double *)stats->input_unit_mean);
    tonnx__free((double *)stats->input_unit_std);
    tonnx__free(stats->layers);
    stats->layers = NULL;
    stats->layer_count = 0;
}

static void summarise(tonnx_summary *out, const tonnx__survey *survey, int value)
{
    const tonnx__moments all = tonnx__survey_value(survey, value);
    tonnx__moments_summary(&all, out);
    if (isfinite(all.mean)) memcpy(out->histogram, survey->bins[value], sizeof out->histogram);
}

static bool is_dead(const tonnx__moments *unit)
{
    return unit->count > 0 && (unit->zeros == unit->count || unit->below == unit->count || unit->above == unit->count);
}

/* Unit by unit; the arrays lie in one piece. */
static tonnx_status tell_units(tonnx_layer_stats *layer, const tonnx__moments *units)
{
    double *room = NULL;
    size_t size = 0;
    if (!tonnx__mul(&size, layer->units, 4)) size = SIZE_MAX;
    const tonnx_status status = tonnx__alloc(&room, size, sizeof *room);
    if (status) return status;
    tonnx__free((double *)layer->unit_mean);
    double *const columns[4] = { room, room + layer->units, room + 2 * layer->units, room + 3 * layer->units };
    double saturated = 0, count = 0;
    layer->dead_units = layer->saturated_units = 0;
    for (size_t u = 0; u < layer->units; u++) {
        const tonnx__moments *unit = &units[u];
        columns[0][u] = unit->mean;
        columns[1][u] = sqrt(unit->m2 / unit->count);
        columns[2][u] = (unit->below + unit->above) / unit->count;
        columns[3][u] = unit->zeros / unit->count;
        saturated += unit->below + unit->above;
        count += unit->count;
        layer->dead_units += is_dead(unit);
        layer->saturated_units += unit->count > 0 && unit->below + unit->above == unit->count;
    }
    layer->unit_mean = columns[0];
    layer->unit_std = columns[1];
    layer->unit_saturated = columns[2];
    layer->unit_zero = columns[3];
    layer->saturated = saturated / count;
    return TONNX_OK;
}

/* Var y = alpha²·fan_in·E[w²]·E[x²] + beta²·Var b for weights that know nothing of x: what initialisation builds on. */
static double theory(const tonnx_stats *stats, const tonnx__survey *survey, const tonnx__layer *layer)
{
    if (layer->kind != TONNX__LAYER_DENSE || layer->in[0].value < 0) return NAN;
    const tonnx__moments x = tonnx__survey_value(survey, layer->in[0].value);
    const double fan_in = (double)survey->state->net->values[layer->in[0].value].features;
    const double w = stats->weights[layer->weight].values.rms, square = x.mean * x.mean + x.m2 / x.count;
    const double b = layer->bias >= 0 ? layer->beta * stats->weights[layer->bias].values.std : 0;
    return sqrt(layer->alpha * layer->alpha * fan_in * w * w * square + b * b);
}

/* What a map is made with: which layers want which value. */
typedef struct mapping {
    tonnx_stats *stats;
    const tonnx__told *told;
    const tonnx_net *net;
    size_t rows;
} mapping;

static tonnx_unit_state state_of(float y, double below, double above, bool activates)
{
    if ((double)y < below) return TONNX_UNIT_LOW;
    if ((double)y > above) return TONNX_UNIT_HIGH;
    return activates && y == 0.0f ? TONNX_UNIT_ZERO : TONNX_UNIT_ACTIVE;
}

static tonnx_status map_layer(const mapping *m, size_t i, tonnx__exec *exec, int buffer)
{
    tonnx_layer_stats *layer = &m->stats->layers[i];
    const size_t count = m->rows * layer->units;
    double below = -INFINITY, above = INFINITY;
    unsigned char *map = NULL;
    float *values = NULL;
    const bool activates = m->told[i].act >= 0 && m->told[i].before != m->told[i].after;
    if (activates) tonnx__saturation(&m->net->layers[m->told[i].act], &below, &above);
    tonnx_status status = tonnx__alloc(&map, count, 1);
    if (!status) status = tonnx__alloc(&values, count, sizeof *values);
    if (!status) status = tonnx__exec_read(exec, buffer, values, TONNX__F32);
    for (size_t k = 0; k < count && !status; k++) map[k] = (unsigned char)state_of(values[k], below, above, activates);
    tonnx__free(values);
    tonnx__free((unsigned char *)layer->map);
    layer->map = map;
    layer->map_samples = m->rows;
    return status;
}

static tonnx_status map_value(void *user, int value, tonnx__exec *exec, int buffer)
{
    const mapping *m = user;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < m->stats->layer_count && !status; i++)
        if (m->told[i].after == value) status = map_layer(m, i, exec, buffer);
    return status;
}

/* The features as the model gets them. */
static tonnx_status tell_input(tonnx_stats *stats, const tonnx__survey *survey)
{
    const tonnx_net *net = survey->state->net;
    const size_t features = net->values[net->input].features;
    double *mean = NULL, *std = NULL;
    summarise(&stats->input, survey, net->input);
    tonnx_status status = tonnx__alloc(&mean, features, sizeof *mean);
    stats->input_unit_mean = mean;
    if (!status) status = tonnx__alloc(&std, features, sizeof *std);
    stats->input_unit_std = std;
    stats->input_mean_max = stats->input_std_max = 0;
    for (size_t u = 0; u < features && !status; u++) {
        const tonnx__moments *unit = &survey->units[net->input][u];
        mean[u] = unit->mean;
        std[u] = sqrt(unit->m2 / unit->count);
        stats->input_mean_max = fmax(stats->input_mean_max, fabs(mean[u]));
        stats->input_std_max = fmax(stats->input_std_max, std[u]);
    }
    return status;
}

tonnx_status tonnx__stats_layers(tonnx_stats *stats, tonnx__survey *survey, size_t map_samples)
{
    const tonnx_net *net = survey->state->net;
    const size_t rows = map_samples < survey->data->samples ? map_samples : survey->data->samples;
    tonnx__told *told = NULL;
    size_t count = 0;
    tonnx_status status = tonnx__net_told(&told, &count, net);
    stats->samples = survey->data->samples;
    if (!status) status = tell_input(stats, survey);
    for (size_t i = 0; i < count && !status; i++) {
        tonnx_layer_stats *layer = &stats->layers[i];
        summarise(&layer->before, survey, told[i].before);
        summarise(&layer->after, survey, told[i].after);
        layer->theory_std = theory(stats, survey, &net->layers[told[i].layer]);
        status = tell_units(layer, survey->units[told[i].after]);
    }
    mapping m = { stats, told, net, rows };
    if (!status && rows) status = tonnx__survey_rows(survey, rows, map_value, &m);
    tonnx__free(told);
    return status;
}
