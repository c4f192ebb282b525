/* tonnx inspect: what a model is, layer by layer, and how its weights are distributed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/inspect_json.h"
#include "cli/inspection.h"
#include "cli/print.h"
#include "cli/report/report.h"

typedef struct args {
    opt_common common;
    const char *model, *html;
    bool json, spectral;
    probe_args probe;
    step_args step;
    run_args run;
} args;

static const opt options[] = {
    { "json", 0, OPT_FLAG, offsetof(args, json), NULL, NULL, "one JSON object", NULL, OPT_FREE },
    { "html", 0, OPT_FILE, offsetof(args, html), "FILE", NULL, "a page with pictures of all of it", NULL, OPT_FREE },
    { "spectral", 0, OPT_FLAG, offsetof(args, spectral), NULL, NULL,
      "largest singular value and effective rank of every weight", NULL, OPT_FREE },
    { 0 },
};

static const opt_group groups[] = {
    { "Inspection", options, 0 },
    { "Data", probe_options, offsetof(args, probe) },
    { "How it is read", data_options + 1, offsetof(args, probe.data) },
    { "Gradients", step_options, offsetof(args, step) },
    { "Run", run_options, offsetof(args, run) },
    { 0 },
};
static const opt_operand operands[] = { { "MODEL", offsetof(args, model), false, "the ONNX file" }, { 0 } };
static const char *const examples[] = { "tonnx inspect model.onnx", "tonnx inspect model.onnx --json | jq .layers",
                                        "tonnx inspect model.onnx --data x.npy --target y.npy",
                                        "tonnx inspect model.onnx --data gaussian:1000 --html model.html", NULL };

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

static void print_layers(const tonnx_net *net, const tonnx_stats *stats)
{
    static const char *const head[] = { "layer", "op", "features", "activation", "parameters", "FLOPs", NULL };
    print_table *table = print_table_new("lllrrr");
    double flops = 0;
    print_head_row(table, head);
    for (size_t i = 0; i < stats->layer_count; i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(net, stats->layers[i].layer, &layer);
        flops += inspect_flops(&layer);
        print_layer(table, &layer);
    }
    print_table_end(table, stdout);
    printf("\n%zu -> %zu features, %s parameters, %s FLOPs a sample\n", tonnx_net_features_in(net),
           tonnx_net_features_out(net), print_count(tonnx_net_parameters(net)), print_count((uint64_t)flops));
}

/* The histogram in as many bars as fit a line. */
static const char *bars(const tonnx_summary *summary)
{
    enum { BARS = 16 };
    uint64_t counts[BARS] = { 0 };
    if (print_is_plain() || !summary->count || !isfinite(summary->mean)) return "";
    for (size_t i = 0; i < TONNX_BINS; i++) counts[i * BARS / TONNX_BINS] += summary->histogram[i];
    return print_bars(counts, BARS);
}

static void print_parameter(print_table *table, const tonnx_net *net, const tonnx_weight_stats *weight)
{
    const tonnx_summary *values = &weight->values;
    const bool finite = isfinite(values->mean);
    tonnx_parameter_info info;
    tonnx_net_parameter(net, weight->parameter, &info);
    print_table_cell(table, "%s", info.name);
    print_table_cell(table, "%s", info.role);
    if (info.rows > 1) print_table_cell(table, "%zux%zu", info.rows, info.cols);
    else print_table_cell(table, "%zu", info.cols);
    print_table_cell(table, "%s", print_number(finite ? values->mean : (double)NAN));
    print_table_cell(table, "%s", print_number(finite ? values->std : (double)NAN));
    print_table_cell(table, "%s", print_number(finite ? values->min : (double)NAN));
    print_table_cell(table, "%s", print_number(finite ? values->max : (double)NAN));
    print_table_cell(table, "%s", bars(values));
}

/* Every parameter under the name that --freeze and --only know it by. */
static void print_parameters(const tonnx_net *net, const tonnx_stats *stats)
{
    static const char *const head[] = { "parameter", "is", "shape", "mean", "std", "min", "max", "values", NULL };
    if (!stats->weight_count) return;
    print_table *table = print_table_new("llrrrrrl");
    print_head_row(table, head);
    for (size_t i = 0; i < stats->weight_count; i++) print_parameter(table, net, &stats->weights[i]);
    putchar('\n');
    print_table_end(table, stdout);
}

static int measure(inspection *in, const args *a)
{
    const inspection_args how = { .model = a->model,
                                  .probe = &a->probe,
                                  .step = &a->step,
                                  .run = &a->run,
                                  .spectral = a->spectral,
                                  .histograms = true,
                                  .map_samples = a->html ? REPORT_MAP_SAMPLES : 0,
                                  .log = cli_log(&a->common) };
    return inspection_open(in, &how);
}

static void print_all(const inspection *in, const args *a)
{
    print_head(in->model, strcmp(a->model, "-") != 0 ? a->model : "stdin");
    print_layers(in->net, in->stats);
    print_parameters(in->net, in->stats);
    if (in->diagnosis->verdict_count) putchar('\n');
    inspection_print_verdicts(in);
}

static int show(const inspection *in, const args *a)
{
    const report_inspection found = { .name = strcmp(a->model, "-") != 0 ? a->model : "stdin",
                                      .data = a->probe.data.data,
                                      .model = in->model,
                                      .net = in->net,
                                      .stats = in->stats };
    const int code = a->html ? report_inspect(&found, a->html) : 0;
    if (code) return code;
    if (a->json) return inspect_json(in);
    if (!a->html || strcmp(a->html, "-") != 0) print_all(in, a);
    return 0;
}

static int inspect(void *opaque)
{
    const args *a = opaque;
    const char *const inputs[] = { a->model, a->probe.data.data, a->probe.data.target };
    inspection in = { 0 };
    if (a->json && a->html && !strcmp(a->html, "-"))
        return cli_usage("inspect: --json and --html - both write to stdout");
    int code = a->html ? cli_check_output("--html", a->html, inputs, sizeof inputs / sizeof *inputs) : 0;
    if (!code) code = measure(&in, a);
    if (!code) code = show(&in, a);
    inspection_close(&in);
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
