/* tonnx inspect --html: a model, its signal and its gradients on one page. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/inspect_json.h"
#include "cli/print.h"
#include "cli/report/inspect_parts.h"

static void add_facts(report_page *page, const report_inspection *found)
{
    const tonnx_stats *stats = found->stats;
    double flops = 0;
    for (size_t i = 0; i < tonnx_net_layer_count(found->net); i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(found->net, i, &layer);
        flops += inspect_flops(&layer);
    }
    page_facts(page);
    page_fact(page, "features", "%zu → %zu", tonnx_net_features_in(found->net), tonnx_net_features_out(found->net));
    page_fact(page, "layers", "%zu", stats->layer_count);
    page_fact(page, "parameters", "%s", print_count(tonnx_net_parameters(found->net)));
    page_fact(page, "FLOPs a sample", "%s", print_count((uint64_t)flops));
    if (stats->samples) page_fact(page, "samples", "%s", print_count(stats->samples));
    if (stats->loss_kind != TONNX_LOSS_AUTO) {
        page_fact(page, tonnx_loss_name(stats->loss_kind), "%s", print_number(stats->loss));
        page_fact(page, "baseline loss", "%s", print_number(stats->baseline_loss));
        page_fact(page, "gradient norm", "%s", print_number(stats->grad_norm));
    }
    page_facts_end(page);
}

static void add_layer(report_page *page, const tonnx_layer_info *layer)
{
    const double flops = inspect_flops(layer);
    page_cell(page, "%s", layer->name);
    page_cell(page, "%s", layer->op);
    page_cell(page, "%zu → %zu", layer->fan_in, layer->fan_out);
    page_cell(page, "%s", strcmp(layer->activation, "none") != 0 ? layer->activation : "");
    page_cell(page, "%s", print_count(layer->parameters));
    page_cell(page, "%s", flops > 0 ? print_count((uint64_t)flops) : "");
}

static void add_layers(report_page *page, const report_inspection *found)
{
    static const char *const head[] = { "layer", "op", "features", "activation", "parameters", "FLOPs" };
    page_section(page, "Layers", NULL);
    page_table(page, "llrlrr");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) page_cell(page, "%s", head[i]);
    for (size_t i = 0; i < found->stats->layer_count; i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(found->net, found->stats->layers[i].layer, &layer);
        add_layer(page, &layer);
    }
    page_table_end(page);
}

int report_inspect(const report_inspection *found, const char *path)
{
    tonnx_model_info info;
    const char *slash = strrchr(found->name, '/');
    char subtitle[1024];
    tonnx_model_describe(found->model, &info);
    snprintf(subtitle, sizeof subtitle, "%s: ONNX opset %lld, IR %lld%s%s%s%s, %s bytes%s%s", found->name,
             (long long)info.opset, (long long)info.ir_version, *info.producer ? ", from " : "", info.producer,
             *info.producer ? " " : "", info.producer_version, print_count(info.bytes), found->data ? "; on " : "",
             found->data ? found->data : "");
    report_page *page = page_new(slash ? slash + 1 : found->name, subtitle);
    add_facts(page, found);
    inspect_part_verdicts(page, found);
    add_layers(page, found);
    inspect_part_weights(page, found);
    if (found->stats->samples) {
        inspect_part_signal(page, found);
        inspect_part_maps(page, found);
        inspect_part_gradients(page, found);
    }
    return page_end(page, path);
}
