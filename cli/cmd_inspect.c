/* tonnx inspect: what a model is, layer by layer, and how its weights are distributed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/inspect_json.h"
#include "cli/print.h"

typedef struct args {
    opt_common common;
    const char *model, *input, *output;
    bool json;
} args;

static const opt options[] = {
    { "json", 0, OPT_FLAG, offsetof(args, json), NULL, NULL, "one JSON object", NULL, OPT_FREE },
    { "input", 0, OPT_TEXT, offsetof(args, input), "NAME", NULL, "the model's input, where it has several", NULL,
      OPT_FREE },
    { "output", 0, OPT_TEXT, offsetof(args, output), "NAME", NULL, "the model's output, where it has several", NULL,
      OPT_FREE },
    { 0 },
};

static const opt_group groups[] = { { "Inspection", options, 0 }, { 0 } };
static const opt_operand operands[] = { { "MODEL", offsetof(args, model), false, "the ONNX file" }, { 0 } };
static const char *const examples[] = { "tonnx inspect model.onnx", "tonnx inspect model.onnx --json | jq .layers",
                                        NULL };

bool inspect_is_merged(const tonnx_net *net, size_t i)
{
    tonnx_layer_info layer, before;
    if (!i) return false;
    tonnx_net_layer(net, i, &layer);
    tonnx_net_layer(net, i - 1, &before);
    const bool activates = !strcmp(layer.kind, "activation") || !strcmp(layer.kind, "softmax");
    return activates && !layer.weight && !strcmp(before.kind, "dense") && !strcmp(before.activation, layer.activation);
}

static void print_value(const char *what, const tonnx_value_info *value)
{
    printf("%-8s%s  %s [", what, value->name, tonnx_dtype_name(value->dtype));
    for (size_t i = 0; i < value->rank; i++) {
        if (value->dims[i] >= 0) printf("%s%lld", i ? ", " : "", (long long)value->dims[i]);
        else printf("%s%s", i ? ", " : "", *value->dim_params[i] ? value->dim_params[i] : "?");
    }
    puts(value->has_shape ? "]" : "no shape]");
}

static void print_head(const tonnx_model *model, const char *path)
{
    tonnx_model_info info;
    tonnx_value_info value;
    tonnx_model_describe(model, &info);
    printf("%s: ONNX opset %lld, IR %lld", path, (long long)info.opset, (long long)info.ir_version);
    if (*info.producer) printf(", from %s %s", info.producer, info.producer_version);
    printf(", %s bytes\n", print_count(info.bytes));
    for (size_t i = 0; i < info.input_count; i++) {
        tonnx_model_input(model, i, &value);
        print_value("input", &value);
    }
    for (size_t i = 0; i < info.output_count; i++) {
        tonnx_model_output(model, i, &value);
        print_value("output", &value);
    }
    putchar('\n');
}

static void print_layer(print_table *table, const tonnx_layer_info *layer)
{
    print_table_cell(table, "%s", layer->name);
    print_table_cell(table, "%s", layer->op);
    print_table_cell(table, "%zu -> %zu", layer->fan_in, layer->fan_out);
    print_table_cell(table, "%s", strcmp(layer->activation, "none") != 0 ? layer->activation : "");
    print_table_cell(table, "%s", print_count(layer->parameters));
    print_table_cell(table, "%s", inspect_flops(layer) > 0 ? print_count((uint64_t)inspect_flops(layer)) : "");
}

static void print_head_row(print_table *table, const char *const *head)
{
    for (; *head; head++) print_table_cell(table, "%s", *head);
}

static void print_layers(const tonnx_net *net)
{
    static const char *const head[] = { "layer", "op", "features", "activation", "parameters", "FLOPs", NULL };
    print_table *table = print_table_new("lllrrr");
    double flops = 0;
    print_head_row(table, head);
    for (size_t i = 0; i < tonnx_net_layer_count(net); i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(net, i, &layer);
        flops += inspect_flops(&layer);
        if (!inspect_is_merged(net, i)) print_layer(table, &layer);
    }
    print_table_end(table, stdout);
    printf("\n%zu -> %zu features, %s parameters, %s FLOPs a sample\n", tonnx_net_features_in(net),
           tonnx_net_features_out(net), print_count(tonnx_net_parameters(net)), print_count((uint64_t)flops));
}

static void print_parameter(print_table *table, const tonnx_net *net, size_t i)
{
    weight_stats stats;
    tonnx_parameter_info info;
    tonnx_net_parameter(net, i, &info);
    weights_measure_parameter(net, i, &stats);
    print_table_cell(table, "%s", info.name);
    print_table_cell(table, "%s", info.role);
    if (info.rows > 1) print_table_cell(table, "%zux%zu", info.rows, info.cols);
    else print_table_cell(table, "%zu", info.cols);
    print_table_cell(table, "%s", print_number(stats.mean));
    print_table_cell(table, "%s", print_number(stats.std));
    print_table_cell(table, "%s", print_number(stats.min));
    print_table_cell(table, "%s", print_number(stats.max));
    const bool drawn = !print_is_plain() && !isnan(stats.mean);
    print_table_cell(table, "%s", drawn ? print_bars(stats.histogram, WEIGHT_BINS) : "");
}

/* Every parameter under the name that --freeze and --only know it by. */
static void print_parameters(const tonnx_net *net)
{
    static const char *const head[] = { "parameter", "is", "shape", "mean", "std", "min", "max", "values", NULL };
    if (!tonnx_net_parameter_count(net)) return;
    print_table *table = print_table_new("llrrrrrl");
    print_head_row(table, head);
    for (size_t i = 0; i < tonnx_net_parameter_count(net); i++) print_parameter(table, net, i);
    putchar('\n');
    print_table_end(table, stdout);
}

static int inspect(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    tonnx_net_options net_options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    net_options.input = a->input;
    net_options.output = a->output;
    net_options.log = log;
    int code = cli_load(&model, a->model, &log);
    if (!code) code = cli_status(tonnx_net_new(&net, model, &net_options));
    if (!code && a->json) code = inspect_json(model, net);
    else if (!code) {
        print_head(model, strcmp(a->model, "-") != 0 ? a->model : "stdin");
        print_layers(net);
        print_parameters(net);
    }
    tonnx_net_free(net);
    tonnx_model_free(model);
    return code;
}

const command cmd_inspect = {
    "inspect",
    "what a model is: layers, parameters, FLOPs, and how its weights are distributed",
    "FLOPs are those of the matrix products in one sample's forward pass, 2 x in x out. Parameters stand "
    "under the names that train's --freeze and --only take, in the shape that the net computes with; the histogram "
    "runs from min to max.",
    examples,
    operands,
    groups,
    sizeof(args),
    inspect,
};
