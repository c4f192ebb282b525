#include "cli/inspect_tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/inspect_json.h"
#include "cli/print.h"

static print_table *begin(const char *align, const char *const *head)
{
    print_table *table = print_table_new(align);
    for (; *head; head++) print_table_cell(table, "%s", *head);
    return table;
}

static void put_number(print_table *table, double number)
{
    if (isfinite(number)) print_table_cell(table, "%.3g", number);
    else print_table_cell(table, "-");
}

/* The histogram in as many bars as leave room for the rest of a line. */
static void put_bars(print_table *table, const tonnx_summary *summary)
{
    enum { BARS = 12 };
    uint64_t counts[BARS] = { 0 };
    const bool drawn = !print_is_plain() && summary->count && isfinite(summary->mean);
    for (size_t i = 0; i < TONNX_BINS; i++) counts[i * BARS / TONNX_BINS] += summary->histogram[i];
    print_table_cell(table, "%s", drawn ? print_bars(counts, BARS) : "");
}

/* What is spelled out in many nodes may have a long list of them: a terminal shows where it begins. */
static void put_op(print_table *table, const char *op)
{
    enum { LONGEST = 24 };
    const bool cut = print_is_live(stdout) && strlen(op) > LONGEST;
    print_table_cell(table, "%.*s%s", cut ? LONGEST - 2 : (int)strlen(op), op, cut ? ".." : "");
}

static void put_layer(print_table *table, const tonnx_layer_info *layer)
{
    print_table_cell(table, "%s", layer->name);
    put_op(table, layer->op);
    print_table_cell(table, "%zu -> %zu", layer->fan_in, layer->fan_out);
    print_table_cell(table, "%s", strcmp(layer->activation, "none") != 0 ? layer->activation : "");
    print_table_cell(table, "%s", print_count(layer->parameters));
    print_table_cell(table, "%s", inspect_flops(layer) > 0 ? print_count((uint64_t)inspect_flops(layer)) : "");
}

static void print_layers(const tonnx_net *net, const tonnx_stats *stats)
{
    static const char *const head[] = { "layer", "op", "features", "activation", "parameters", "FLOPs", NULL };
    print_table *table = begin("lllrrr", head);
    double flops = 0;
    for (size_t i = 0; i < stats->layer_count; i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(net, stats->layers[i].layer, &layer);
        flops += inspect_flops(&layer);
        put_layer(table, &layer);
    }
    print_table_end(table, stdout);
    printf("\n%zu -> %zu features, %s parameters, %s FLOPs a sample\n", tonnx_net_features_in(net),
           tonnx_net_features_out(net), print_count(tonnx_net_parameters(net)), print_count((uint64_t)flops));
}

static void put_parameter(print_table *table, const tonnx_net *net, const tonnx_weight_stats *weight)
{
    const tonnx_summary *values = &weight->values;
    const bool finite = isfinite(values->mean);
    tonnx_parameter_info info;
    tonnx_net_parameter(net, weight->parameter, &info);
    print_table_cell(table, "%s", info.name);
    print_table_cell(table, "%s", info.role);
    if (info.rows > 1) print_table_cell(table, "%zux%zu", info.rows, info.cols);
    else print_table_cell(table, "%zu", info.cols);
    put_number(table, values->mean);
    put_number(table, values->std);
    put_number(table, finite ? values->min : (double)NAN);
    put_number(table, finite ? values->max : (double)NAN);
    put_bars(table, values);
}

/* Every parameter under the name that --freeze and --only know it by. */
static void print_parameters(const tonnx_net *net, const tonnx_stats *stats)
{
    static const char *const head[] = { "parameter", "is", "shape", "mean", "std", "min", "max", "values", NULL };
    if (!stats->weight_count) return;
    print_table *table = begin("llrrrrrl", head);
    for (size_t i = 0; i < stats->weight_count; i++) put_parameter(table, net, &stats->weights[i]);
    putchar('\n');
    print_table_end(table, stdout);
}

/* Which initialisation draws such weights, and how their variance compares with the one that suits what follows. */
static void print_origins(const inspection *in)
{
    static const char *const head[] = { "weight", "drawn by", "z", "suits", "variance ratio", NULL };
    print_table *table = begin("llrlr", head);
    for (size_t i = 0; i < in->stats->weight_count; i++) {
        const tonnx_origin *origin = &in->diagnosis->origins[i];
        tonnx_parameter_info info;
        if (!origin->known || !origin->recommended) continue;
        tonnx_net_parameter(in->net, i, &info);
        print_table_cell(table, "%s", info.name);
        print_table_cell(table, "%s", origin->trained ? "none: trained" : origin->scheme);
        if (isfinite(origin->z)) print_table_cell(table, "%.2f", origin->z);
        else print_table_cell(table, "-");
        print_table_cell(table, "%s", origin->recommended);
        put_number(table, origin->variance_ratio);
    }
    putchar('\n');
    print_table_end(table, stdout);
}

static void print_signal(const inspection *in)
{
    static const char *const head[] = { "signal", "std before", "expected", "mean", "std",
                                        "satur.", "dead",       "values",   NULL };
    print_table *table = begin("lrrrrrrl", head);
    for (size_t i = 0; i < in->stats->layer_count; i++) {
        const tonnx_layer_stats *layer = &in->stats->layers[i];
        tonnx_layer_info info;
        tonnx_net_layer(in->net, layer->layer, &info);
        print_table_cell(table, "%s", info.name);
        put_number(table, layer->before.std);
        put_number(table, layer->theory_std);
        put_number(table, layer->after.mean);
        put_number(table, layer->after.std);
        print_table_cell(table, "%.3g%%", 100 * layer->saturated);
        print_table_cell(table, "%zu/%zu", layer->dead_units, layer->units);
        put_bars(table, &layer->after);
    }
    printf("\n%s samples, input mean %.3g, std %.3g\n", print_count(in->stats->samples), in->stats->input.mean,
           in->stats->input.std);
    print_table_end(table, stdout);
}

static void print_gradients(const inspection *in)
{
    static const char *const head[] = { "gradient of", "rms", "weight's", "update:weight", "values", NULL };
    print_table *table = begin("lrrrl", head);
    for (size_t p = 0; p < in->stats->weight_count; p++) {
        const tonnx_weight_stats *weight = &in->stats->weights[p];
        tonnx_parameter_info info;
        if (!weight->gradient.count) continue;
        tonnx_net_parameter(in->net, weight->parameter, &info);
        print_table_cell(table, "%s", info.name);
        put_number(table, weight->gradient.rms);
        put_number(table, weight->values.rms);
        put_number(table, weight->update_ratio);
        put_bars(table, &weight->gradient);
    }
    printf("\nloss %.4g (%s); an answer that knows nothing: %.4g\n", in->stats->loss,
           tonnx_loss_name(in->stats->loss_kind), in->stats->baseline_loss);
    print_table_end(table, stdout);
}

static bool any_origin(const inspection *in)
{
    for (size_t i = 0; i < in->stats->weight_count; i++)
        if (in->diagnosis->origins[i].recommended) return true;
    return false;
}

void inspect_tables(const inspection *in)
{
    print_layers(in->net, in->stats);
    print_parameters(in->net, in->stats);
    if (any_origin(in)) print_origins(in);
    if (in->stats->samples) print_signal(in);
    if (in->stats->samples && in->stats->loss_kind != TONNX_LOSS_AUTO) print_gradients(in);
}
