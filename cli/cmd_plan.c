/* tonnx plan: the program of a training step, instruction by instruction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/print.h"
#include "cli/train_args.h"
#include "runtime/net.h"

typedef struct args {
    opt_common common;
    const char *model, *input, *output;
    train_args train;
} args;

#define AT(field) offsetof(args, field)
static const opt options[] = {
    { "input", 0, OPT_TEXT, AT(input), "NAME", NULL, "the model's input, where it has several", NULL, OPT_FREE },
    { "output", 0, OPT_TEXT, AT(output), "NAME", NULL, "the model's output, where it has several", NULL, OPT_FREE },
    { 0 },
};
static const opt_group groups[] = {
    { "Model", options, 0 },
    { "Run", train_run_options, offsetof(args, train) },
    { "Batches", train_batch_options, offsetof(args, train) },
    { "Loss and optimizer", train_optimizer_options, offsetof(args, train) },
    { "Learning rate", train_rate_options, offsetof(args, train) },
    { "Net", train_net_options, offsetof(args, train) },
    { 0 },
};
static const opt_operand operands[] = { { "MODEL", AT(model), false, "the ONNX file" }, { 0 } };
static const char *const examples[] = {
    "tonnx plan model.onnx",
    "tonnx plan model.onnx --batch 256 --loss mse --optimizer sgd --momentum 0.9",
    NULL,
};

static bool takes_classes(tonnx_loss loss, size_t width)
{
    return loss == TONNX_LOSS_AUTO ? width > 1 : loss == TONNX_CROSS_ENTROPY || loss == TONNX_NLL;
}

/* A batch of zeros with targets of the kind that the loss takes: a program depends on shapes alone. */
static int make_batch(tonnx_dataset **out, size_t samples, size_t features, size_t width, tonnx_loss loss)
{
    float *x = cli_alloc(samples, features * sizeof *x), *targets = cli_alloc(samples, width * sizeof *targets);
    int32_t *classes = cli_alloc(samples, sizeof *classes);
    const bool by_class = takes_classes(loss, width);
    for (size_t i = 0; i < samples * width; i++) targets[i] = 0.5f; /* neither 0 nor 1: `auto` then means mse */
    const tonnx_dataset_arrays arrays = { .size = sizeof arrays,
                                          .samples = samples,
                                          .features = features,
                                          .x = x,
                                          .classes = by_class ? classes : NULL,
                                          .targets = by_class ? NULL : targets,
                                          .target_width = by_class ? 1 : width };
    const int code = cli_status(tonnx_dataset_from_arrays(out, &arrays));
    free(x);
    free(targets);
    free(classes);
    return code;
}

static int measure_net(tonnx_model *model, const tonnx_train_options *train, size_t *features, size_t *width)
{
    tonnx_net_options net_options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_net *net = NULL;
    net_options.input = train->input;
    net_options.output = train->output;
    net_options.keep_ties = train->keep_ties;
    net_options.untie = train->untie;
    const int code = cli_status(tonnx_net_new(&net, model, &net_options));
    *features = net ? tonnx_net_features_in(net) : 0;
    *width = net ? tonnx_net_features_out(net) : 0;
    tonnx_net_free(net);
    return code;
}

static void print_line(void *user, const char *text)
{
    (void)user;
    print_clean(text, SIZE_MAX);
    putchar('\n');
}

static int plan(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    tonnx_train_options train = TONNX_TRAIN_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_dataset *batch = NULL;
    tonnx_trainer *trainer = NULL;
    double *class_weights = NULL;
    size_t features, width;
    int code = train_args_apply(&a->train, &train);
    if (!code) code = train_args_weigh(&a->train, &train, &class_weights);
    train.input = a->input;
    train.output = a->output;
    train.log = log;
    if (!code) code = cli_load(&model, a->model, &log);
    if (!code) code = measure_net(model, &train, &features, &width);
    if (!code) code = make_batch(&batch, train.batch, features, width, train.loss);
    if (!code) code = cli_status(tonnx_trainer_new(&trainer, model, batch, &train));
    if (!code) code = cli_status(tonnx_trainer_plan(trainer, print_line, NULL));
    tonnx_trainer_free(trainer);
    free(class_weights);
    tonnx_dataset_free(batch);
    tonnx_model_free(model);
    return code;
}

const command cmd_plan = {
    "plan",
    "prints the program of a training step: instructions over buffers",
    "Without --loss, several outputs are taken as classes (cross-entropy).",
    examples,
    operands,
    groups,
    sizeof(args),
    plan,
};
