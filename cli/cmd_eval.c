/* tonnx eval: loss and metrics. */
#include <math.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/data_args.h"
#include "cli/print.h"
#include "cli/run_args.h"
#include "format/json.h"

typedef struct args {
    opt_common common;
    const char *model, *loss;
    double huber_delta;
    bool json;
    data_args data;
    run_args run;
} args;

static const opt options[] = {
    { "json", 0, OPT_FLAG, offsetof(args, json), NULL, NULL, "one JSON object", NULL, OPT_FREE },
    { "loss", 0, OPT_WORD, offsetof(args, loss), "NAME", "auto", "loss", &loss_words, OPT_FREE },
    { "huber-delta", 0, OPT_REAL, offsetof(args, huber_delta), "D", "1", "where huber turns from square to line", NULL,
      OPT_FREE },
    { 0 },
};

static const opt_group groups[] = {
    { "Evaluation", options, 0 },
    { "Data", data_options, offsetof(args, data) },
    { "Run", run_options, offsetof(args, run) },
    { 0 },
};

static const opt_operand operands[] = { { "MODEL", offsetof(args, model), false, "the ONNX file" }, { 0 } };

static const char *const examples[] = {
    "tonnx eval trained.onnx --data x_test.npy --target y_test.npy",
    "tonnx eval trained.onnx --data test.csv --target label --json",
    NULL,
};

static int print_json(const tonnx_metrics *metrics)
{
    tonnx_json *root = tonnx_json_object();
    tonnx_json_rounded(root, "loss", metrics->loss, JSON_FLOAT);
    tonnx_json_string(root, "loss_kind", tonnx_loss_name(metrics->loss_kind));
    if (!isnan(metrics->accuracy)) tonnx_json_rounded(root, "accuracy", metrics->accuracy, JSON_FLOAT);
    if (!isnan(metrics->mse)) {
        tonnx_json_rounded(root, "mse", metrics->mse, JSON_FLOAT);
        tonnx_json_rounded(root, "mae", metrics->mae, JSON_FLOAT);
        tonnx_json_rounded(root, "r2", metrics->r2, JSON_FLOAT);
    }
    tonnx_json_integer(root, "samples", (long long)metrics->samples);
    char *text = tonnx_json_text(root, false);
    if (text) puts(text);
    const int code = text ? 0 : cli_io("out of memory");
    tonnx_json_text_free(text);
    tonnx_json_free(root);
    return code;
}

static void print_metric(const char *name, double value)
{
    if (!isnan(value)) printf("%-10s%.6g\n", name, value);
}

static int print_text(const tonnx_metrics *metrics)
{
    printf("%-10s%s\n", "samples", print_count(metrics->samples));
    printf("%-10s%.6g (%s)\n", "loss", metrics->loss, tonnx_loss_name(metrics->loss_kind));
    print_metric("accuracy", metrics->accuracy);
    print_metric("mse", metrics->mse);
    print_metric("mae", metrics->mae);
    print_metric("r2", metrics->r2);
    return 0;
}

static int eval(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    tonnx_evaluate_options evaluate = TONNX_EVALUATE_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    data_sets sets = { 0 };
    tonnx_metrics metrics;
    run_args_apply(&a->run, &evaluate);
    evaluate.loss = loss_of(a->loss);
    evaluate.huber_delta = a->huber_delta;
    evaluate.input = a->data.input;
    evaluate.output = a->data.output_name;
    evaluate.log = log;
    int code = cli_load(&model, a->model, &log);
    if (!code) code = data_load(&sets, &a->data, a->loss, model, &log);
    if (!code) code = cli_status(tonnx_evaluate(&metrics, model, sets.data, &evaluate));
    if (!code) code = a->json ? print_json(&metrics) : print_text(&metrics);
    if (!code && !isfinite(metrics.loss)) /* what was counted is printed all the same */
        code = cli_diverged("%s: the loss is not finite: some weights are not, or outputs overflow; see `tonnx inspect %s`",
                            a->model, a->model);
    data_free(&sets);
    tonnx_model_free(model);
    return code;
}

const command cmd_eval = {
    "eval", "loss and metrics of a model on data", NULL, examples, operands, groups, sizeof(args), eval,
};
