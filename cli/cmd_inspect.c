/* tonnx inspect: what a model is, layer by layer, and how its weights are distributed. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/inspect_json.h"
#include "cli/inspect_tables.h"
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
    printf("%-8s", what);
    print_clean(value->name, SIZE_MAX);
    printf("  %s [", tonnx_dtype_name(value->dtype));
    for (size_t i = 0; i < value->rank; i++) {
        if (value->dims[i] >= 0) printf("%s%lld", i ? ", " : "", (long long)value->dims[i]);
        else printf("%s", i ? ", " : ""), print_clean(*value->dim_params[i] ? value->dim_params[i] : "?", SIZE_MAX);
    }
    puts(value->has_shape ? "]" : "no shape]");
}

static void print_head(const tonnx_model *model, const char *path)
{
    tonnx_model_info info;
    tonnx_value_info value;
    tonnx_model_describe(model, &info);
    printf("%s: ONNX opset %lld, IR %lld", path, (long long)info.opset, (long long)info.ir_version);
    if (*info.producer) {
        fputs(", from ", stdout);
        print_clean(info.producer, SIZE_MAX);
        putchar(' ');
        print_clean(info.producer_version, SIZE_MAX);
    }
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
    inspect_tables(in);
    if (in->diagnosis->verdict_count) putchar('\n');
    inspection_print_verdicts(in);
}

static int show(const inspection *in, const args *a)
{
    const report_inspection found = { .name = strcmp(a->model, "-") != 0 ? a->model : "stdin",
                                      .data = a->probe.data.data,
                                      .model = in->model,
                                      .net = in->net,
                                      .stats = in->stats,
                                      .diagnosis = in->diagnosis };
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
    if (!code) code = cli_check_source("--html", a->html, in.model);
    if (!code) code = show(&in, a);
    inspection_close(&in);
    return code;
}

const command cmd_inspect = {
    "inspect",
    "what a model is: layers, parameters, FLOPs, and how its weights are distributed",
    "FLOPs are those of the matrix products in one sample's forward pass, 2 x in x out. Parameters stand "
    "under the names that train's --freeze and --only take, in the shape that the net computes with; histograms "
    "run from min to max. A weight is drawn by the scheme that makes such numbers likeliest; z is its variance's distance "
    "from the scheme's, in standard errors of a sample of that size. The variance ratio is to the scheme that suits the "
    "activation that follows.",
    examples,
    operands,
    groups,
    sizeof(args),
    inspect,
};
