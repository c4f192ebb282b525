/* tonnx lr-find: which learning rate? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/data_args.h"
#include "cli/print.h"
#include "cli/print_chart.h"
#include "cli/report/report.h"
#include "cli/train_args.h"
#include "format/json.h"
#include "runtime/lr_find.h"

typedef struct args {
    opt_common common;
    const char *model, *html;
    double first, last, smoothing, stop;
    uint64_t steps;
    bool json;
    data_args data;
    train_args train;
} args;

static const opt test_options[] = {
    { "first", 0, OPT_REAL, offsetof(args, first), "RATE", "1e-7", "rate of the first batch", NULL, OPT_FREE },
    { "last", 0, OPT_REAL, offsetof(args, last), "RATE", "10",
      "rate of the last one; each is a factor above the one before", NULL, OPT_FREE },
    { "steps", 0, OPT_POSITIVE, offsetof(args, steps), "N", "100", "batches", NULL, OPT_FREE },
    { "smoothing", 0, OPT_SHARE, offsetof(args, smoothing), "SHARE", "0.7", "weight of the old average loss", NULL,
      OPT_FREE },
    { "stop", 0, OPT_REAL, offsetof(args, stop), "FACTOR", "4",
      "end at so many times the lowest average loss; 0: never", NULL, OPT_FREE },
    { "json", 0, OPT_FLAG, offsetof(args, json), NULL, NULL, "one JSON object", NULL, OPT_FREE },
    { "html", 0, OPT_FILE, offsetof(args, html), "FILE", NULL, "a page with the curve", NULL, OPT_FREE },
    { 0 },
};

static const opt_group groups[] = {
    { "Range test", test_options, 0 },
    { "Data", data_options, offsetof(args, data) },
    { "Batches", train_batch_options, offsetof(args, train) },
    { "Loss and optimizer", train_optimizer_options, offsetof(args, train) },
    { "Net", train_net_options, offsetof(args, train) },
    { 0 },
};

static const opt_operand operands[] = { { "MODEL", offsetof(args, model), false, "the ONNX file; it is left alone" },
                                        { 0 } };

static const char *const examples[] = {
    "tonnx lr-find mlp.onnx --data x.npy --target y.npy",
    "tonnx lr-find mlp.onnx --data train-images.gz --target train-labels.gz --optimizer sgd --html rates.html",
    NULL,
};

static void show(void *user, const tonnx_lr_point *point)
{
    const args *a = user;
    if (!a->common.quiet && point->step % 5 == 0)
        print_live_line("batch %s/%s  lr %.3g  loss %.4f", print_count(point->step), print_count(a->steps), point->rate,
                        point->average);
}

static int find(tonnx_lr_curve **curve, tonnx_model *model, const tonnx_dataset *data, const args *a)
{
    tonnx_train_options train = TONNX_TRAIN_OPTIONS_DEFAULT;
    tonnx_lr_options options = TONNX_LR_OPTIONS_DEFAULT;
    double *class_weights = NULL;
    int code = train_args_apply(&a->train, &train);
    if (!code) code = train_args_weigh(&a->train, &train, &class_weights);
    train.input = a->data.input;
    train.output = a->data.output_name;
    train.log = cli_log(&a->common);
    options.first = a->first;
    options.last = a->last;
    options.steps = a->steps;
    options.smoothing = a->smoothing;
    options.stop = a->stop;
    options.point = show;
    options.user = (void *)a;
    if (!code) code = cli_status(tonnx_lr_find(curve, model, data, &train, &options));
    print_live_clear();
    free(class_weights);
    return code;
}

static int print_json(const tonnx_lr_curve *curve)
{
    tonnx_json *root = tonnx_json_object();
    tonnx_json_integer(root, "schema", 1);
    tonnx_json_rounded(root, "suggestion", curve->valley, JSON_TIME);
    tonnx_json_string(root, "method", "valley");
    tonnx_json_rounded(root, "steepest", curve->steepest, JSON_TIME);
    tonnx_json_rounded(root, "lowest", curve->lowest, JSON_TIME);
    tonnx_json_bool(root, "stopped", curve->stopped);
    tonnx_json *points = tonnx_json_add_array(root, "points");
    for (size_t i = 0; i < curve->count; i++) {
        tonnx_json *point = tonnx_json_add_object(points, NULL);
        tonnx_json_rounded(point, "lr", curve->rate[i], JSON_FLOAT);
        tonnx_json_rounded(point, "loss", curve->loss[i], JSON_FLOAT);
        tonnx_json_rounded(point, "smooth", curve->smooth[i], JSON_FLOAT);
    }
    char *text = tonnx_json_text(root, true);
    if (text) puts(text);
    tonnx_json_text_free(text);
    tonnx_json_free(root);
    return text ? 0 : cli_io("out of memory");
}

static void print_curve(const tonnx_lr_curve *curve)
{
    char label[64];
    snprintf(label, sizeof label, "valley %.2g", curve->valley);
    const print_chart chart = { .x = curve->rate,
                                .y = curve->smooth,
                                .count = curve->count,
                                .high = curve->count ? 1.5 * curve->smooth[0] : 0,
                                .mark = curve->valley,
                                .mark_label = label,
                                .x_label = "learning rate" };
    print_chart_draw(&chart, stdout);
    putchar('\n');
}

/* Nothing fell, or the very first loss was not finite. */
static void print_nothing(const tonnx_lr_curve *curve)
{
    if (!curve->count) puts("no suggestion: the first loss is not finite; tonnx check says more");
    else puts("no suggestion: the loss falls at no rate; tonnx check may know why");
}

static void print_findings(const tonnx_lr_curve *curve, const args *a)
{
    print_curve(curve);
    if (isnan(curve->valley)) {
        print_nothing(curve);
        return;
    }
    printf("suggestion  --lr %.2g   (valley: halfway down the fall of the smoothed %s loss)\n", curve->valley,
           tonnx_loss_name(curve->loss_kind));
    printf("steepest         %.2g   where it falls most per decade\n", curve->steepest);
    printf("lowest           %.2g   the brink: too large to train with\n", curve->lowest);
    if (curve->stopped) printf("stopped at       %.2g   the loss is torn apart there\n", curve->rate[curve->count - 1]);
    else printf("%s batches, up to %.2g\n", print_count(curve->count), a->last);
}

static int report(const tonnx_lr_curve *curve, const args *a)
{
    if (a->html) {
        const int code = report_lr(curve, a->model, a->html);
        if (code) return code;
    }
    if (a->json) return print_json(curve);
    if (!a->html || strcmp(a->html, "-") != 0) print_findings(curve, a);
    return 0;
}

static int lr_find(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    const char *const inputs[] = { a->model, a->data.data, a->data.target };
    const val_args no_validation = { 0 };
    tonnx_model *model = NULL;
    tonnx_lr_curve *curve = NULL;
    data_sets sets = { 0 };
    if (a->json && a->html && !strcmp(a->html, "-"))
        return cli_usage("lr-find: --json and --html - both write to stdout");
    int code = a->html ? cli_check_output("--html", a->html, inputs, sizeof inputs / sizeof *inputs) : 0;
    if (!code) code = cli_load(&model, a->model, &log);
    if (!code) code = cli_check_source("--html", a->html, model);
    if (!code) code = data_load_training(&sets, &a->data, &no_validation, a->train.loss, a->train.seed, model, &log);
    if (!code) code = find(&curve, model, sets.data, a);
    if (!code) code = report(curve, a);
    tonnx_lr_curve_free(curve);
    data_free(&sets);
    tonnx_model_free(model);
    return code;
}

const command cmd_lr_find = {
    "lr-find",
    "a learning-rate range test: which --lr to train with",
    "Trains on batch after batch while the rate grows from --first to --last, and ends where the loss is torn apart. A "
    "good "
    "rate stands well before that, where the loss is falling. The model is left alone.",
    examples,
    operands,
    groups,
    sizeof(args),
    lr_find,
};
