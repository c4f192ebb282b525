/* tonnx train: a model and data become a better model. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/checkpoint_args.h"
#include "cli/commands.h"
#include "cli/data_args.h"
#include "cli/print.h"
#include "cli/profile.h"
#include "cli/report/report.h"
#include "cli/train_args.h"
#include "cli/train_log.h"
#include "format/file.h"
#include "format/onnx.h"
#include "runtime/net.h"

typedef struct args {
    opt_common common;
    const char *model, *out, *log, *html;
    uint64_t log_every, stats_every, verify;
    bool dry_run, profile, watch, dynamic_batch;
    data_args data;
    val_args val;
    checkpoint_args checkpoint;
    train_args train;
} args;

static const opt file_options[] = {
    { "out", 'o', OPT_FILE, offsetof(args, out), "OUT", NULL, "the trained model", NULL, OPT_EXPECTED },
    { "dynamic-batch", 0, OPT_FLAG, offsetof(args, dynamic_batch), NULL, NULL,
      "declare OUT for any batch where MODEL has a fixed one; refused where a node holds it", NULL, OPT_FREE },
    { "log", 0, OPT_FILE, offsetof(args, log), "FILE", NULL, "the story of the run, a JSON object a line", NULL,
      OPT_FREE },
    { "log-every", 0, OPT_COUNT, offsetof(args, log_every), "N", "0", "a line for every Nth step too; 0: none", NULL,
      OPT_FREE },
    { "stats-every", 0, OPT_COUNT, offsetof(args, stats_every), "N", "0",
      "and one for every Nth step's statistics: weights, gradients, updates, activations; 0: none", NULL, OPT_FREE },
    { "watch", 0, OPT_FLAG, offsetof(args, watch), NULL, NULL, "a table of the layers as they learn", NULL, OPT_FREE },
    { "html", 0, OPT_FILE, offsetof(args, html), "FILE", NULL, "a page: the run's curves, update:weight and more over time", NULL, OPT_FREE },
    { "dry-run", 0, OPT_FLAG, offsetof(args, dry_run), NULL, NULL, "build everything, run no step, write nothing", NULL,
      OPT_FREE },
    { "profile", 0, OPT_FLAG, offsetof(args, profile), NULL, NULL, "say where a step's time went, by instruction", NULL,
      OPT_FREE },
    { "verify", 0, OPT_POSITIVE, offsetof(args, verify), "N", NULL,
      "do every Nth step on the reference backend too, and say how far the two were apart", NULL, OPT_FREE },
    { 0 },
};

static const opt_group groups[] = {
    { "Files", file_options, 0 },
    { "Data", data_options, offsetof(args, data) },
    { "Validation", val_options, offsetof(args, val) },
    { "Run", train_run_options, offsetof(args, train) },
    { "Batches", train_batch_options, offsetof(args, train) },
    { "Stop and go on", checkpoint_options, offsetof(args, checkpoint) },
    { "Loss and optimizer", train_optimizer_options, offsetof(args, train) },
    { "Learning rate", train_rate_options, offsetof(args, train) },
    { "Net", train_net_options, offsetof(args, train) },
    { 0 },
};

static const opt_operand operands[] = {
    { "MODEL", offsetof(args, model), false, "the ONNX file; it is never written to" }, { 0 }
};

static const char *const examples[] = {
    "tonnx train mlp.onnx --data x.npy --target y.npy -o trained.onnx",
    "tonnx train mlp.onnx --data iris.csv --target species --scale standard --val-split 0.2 -o iris.onnx",
    "tonnx train mlp.onnx --data train-images.gz --target train-labels.gz --optimizer sgd --lr 0.1 --epochs 5 -o "
    "out.onnx",
    NULL,
};

/* What a run holds while it lasts. */
typedef struct run {
    const args *args;
    tonnx_model *model;
    data_sets sets;
    tonnx_train_options options;
    checkpoints checkpoints;
    tonnx_trainer *trainer;
    train_log log;
    double *class_weights;
} run;

static tonnx_trainer *volatile running; /* what the handler stops */
static volatile sig_atomic_t signalled;

/* The first signal asks, the second does not. */
static void on_signal(int number)
{
    if (signalled) _exit(EXIT_SIGNALLED + number);
    signalled = number;
    if (running) tonnx_trainer_stop(running);
}

static void catch_signals(tonnx_trainer *trainer)
{
    const struct sigaction action = { .sa_handler = on_signal };
    running = trainer;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int check_html(const args *a, const char *const *read, size_t count)
{
    const char *const written[] = { a->out, a->log, a->checkpoint.file };
    const int code = cli_check_output("--html", a->html, read, count);
    return code ? code : cli_check_alias("--html", a->html, written, sizeof written / sizeof *written);
}

/* Nothing that is read may be written to: neither the model nor any data, under whatever name. */
static int check_outputs(run *r)
{
    const args *a = r->args;
    const char *const read[] = { a->model,   a->data.data,      a->data.target,
                                 a->val.val, a->val.val_target, a->checkpoint.resume };
    const size_t count = sizeof read / sizeof *read;
    if (!a->out && !a->dry_run) return cli_usage("train: -o OUT is missing (or --dry-run, which writes nothing)");
    if (a->log && a->out && (!strcmp(a->log, a->out) || tonnx_file_same(a->log, a->out)))
        return cli_usage("train: --log and -o are the same file");
    if (a->log && a->checkpoint.file &&
        (!strcmp(a->log, a->checkpoint.file) || tonnx_file_same(a->log, a->checkpoint.file)))
        return cli_usage("train: --log and --checkpoint are the same file");
    int code = a->out ? cli_check_output("-o", a->out, read, count) : 0;
    if (!code && a->log) code = cli_check_alias("--log", a->log, read, count);
    if (!code && a->html) code = check_html(a, read, count);
    /* the checkpoint that is resumed from, the last of them, may be the one that is written */
    return code ? code : checkpoints_open(&r->checkpoints, &a->checkpoint, a->out, read, count - 1);
}

static int make_options(run *r)
{
    const args *a = r->args;
    tonnx_train_options *options = &r->options;
    *options = (tonnx_train_options)TONNX_TRAIN_OPTIONS_DEFAULT;
    int code = train_args_apply(&a->train, options);
    if (!code) code = train_args_weigh(&a->train, options, &r->class_weights);
    if (!code) code = checkpoints_apply(&r->checkpoints, &a->checkpoint, options);
    options->input = a->data.input;
    options->output = a->data.output_name;
    options->log = cli_log(&a->common);
    options->log_grad_norm = a->log && a->log_every;
    options->profile = a->profile;
    options->dynamic_batch = a->dynamic_batch;
    options->verify = a->verify;
    options->event = train_log_event;
    options->event_user = &r->log;
    return code;
}

/* Batches of an epoch, as nearly as the table's pace has to know it. */
static uint64_t epoch_length(const train_args *train, size_t samples)
{
    return train->steps_per_epoch ? train->steps_per_epoch : (samples - 1) / train->batch + 1;
}

/* Batches of a run, likewise. */
static uint64_t run_length(const train_args *train, size_t samples)
{
    const uint64_t steps = train->epochs * epoch_length(train, samples);
    return train->steps && train->steps < steps ? train->steps : steps;
}

static int want_stats(run *r, size_t samples)
{
    const args *a = r->args;
    if (a->stats_every && !a->log && !a->watch && !a->html)
        return cli_usage("train: --stats-every says nothing without --log, --watch or --html");
    r->options.stats_every = a->stats_every;
    r->log.stats = a->stats_every > 0;
    if (r->log.report && !a->stats_every)
        r->options.stats_every = report_run_stats_interval(run_length(&a->train, samples));
    if (!a->watch || a->common.quiet) return 0;
    r->log.watch = train_watch_new();
    if (!a->stats_every) r->options.stats_every = train_watch_interval(epoch_length(&a->train, samples));
    return 0;
}

/* Enough steps to draw curves with, and all that the log wants. */
static void hear_for_report(run *r, size_t samples)
{
    r->log.report = report_run_new();
    r->options.log_every = report_run_interval(run_length(&r->args->train, samples), r->options.log_every);
}

/* What is written beside -o, which looks for itself. */
static int check_sources(const run *r)
{
    int code = cli_check_source("--log", r->args->log, r->model);
    if (!code) code = cli_check_source("--html", r->args->html, r->model);
    if (!code) code = cli_check_source("--checkpoint", r->checkpoints.file, r->model);
    return code ? code : cli_check_source("-o", r->checkpoints.fallback, r->model);
}

static int prepare(run *r)
{
    const args *a = r->args;
    const tonnx_log log = cli_log(&a->common);
    tonnx_dataset_info info;
    int code = check_outputs(r);
    if (!code) code = make_options(r);
    if (!code) code = cli_load(&r->model, a->model, &log);
    if (!code) code = check_sources(r);
    if (!code && a->out) code = cli_status(tonnx_onnx_check_path(r->model, a->out));
    if (!code) code = data_load_training(&r->sets, &a->data, &a->val, a->train.loss, a->train.seed, r->model, &log);
    if (code) return code;
    r->options.validation = r->sets.val;
    r->log = (train_log){ .model = a->model,
                          .optimizer = a->train.optimizer,
                          .loss = a->train.loss,
                          .seed = a->train.seed,
                          .batch = a->train.batch,
                          .log_every = a->log ? a->log_every : 0,
                          .quiet = a->common.quiet };
    tonnx_dataset_describe(r->sets.data, &info);
    r->options.log_every = train_log_step_interval(&r->log, info.samples);
    if (a->html && !a->dry_run) hear_for_report(r, info.samples);
    code = want_stats(r, info.samples);
    if (!code && a->log && !a->dry_run) code = train_log_open(&r->log, a->log, a->checkpoint.resume != NULL);
    if (!code) code = cli_status(tonnx_trainer_new(&r->trainer, r->model, r->sets.data, &r->options));
    if (!code) r->log.loss = tonnx_loss_name(tonnx_trainer_loss(r->trainer));
    return code;
}

/* One line: what is about to be trained, on what, and how. */
static const char *summary_of(const run *r, char *text, size_t size)
{
    const args *a = r->args;
    tonnx_dataset_info data, val = { 0 };
    tonnx_optimizer_info optimizer;
    char validation[48] = "";
    tonnx_dataset_describe(r->sets.data, &data);
    if (r->sets.val) tonnx_dataset_describe(r->sets.val, &val);
    if (r->sets.val) snprintf(validation, sizeof validation, ", %s for validation", print_count(val.samples));
    tonnx_optimizer_describe(r->options.optimizer, &optimizer);
    snprintf(text, size, "%s: %s samples of %zu features%s; %s, %s, lr %g, batch %s", a->model,
             print_count(data.samples), data.features, validation, tonnx_loss_name(tonnx_trainer_loss(r->trainer)),
             optimizer.name, r->options.rate == r->options.rate ? r->options.rate : optimizer.rate,
             print_count(a->train.batch));
    return text;
}

enum { SUMMARY = 1024 };

static void summarise(const run *r, FILE *out)
{
    char text[SUMMARY];
    fprintf(out, "%s\n", summary_of(r, text, sizeof text));
}

static int tell(const run *r)
{
    char text[SUMMARY];
    return r->log.report ? report_train(r->log.report, r->args->model, summary_of(r, text, sizeof text), r->args->html)
                         : 0;
}

static int dry_run(const run *r)
{
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_net *net = NULL;
    options.input = r->options.input;
    options.output = r->options.output;
    options.keep_ties = r->options.keep_ties;
    options.untie = r->options.untie;
    summarise(r, stdout);
    const int code = cli_status(tonnx_net_new(&net, r->model, &options));
    if (!code)
        printf("%zu layers, %s parameters; nothing was run or written\n", tonnx_net_layer_count(net),
               print_count(tonnx_net_parameters(net)));
    tonnx_net_free(net);
    return code;
}

static int save(run *r)
{
    const args *a = r->args;
    const tonnx_log log = cli_log(&a->common);
    int code = cli_status(tonnx_trainer_pull(r->trainer, r->model));
    if (!code) code = data_remember(&r->sets, &a->data, r->model);
    if (!code) code = cli_save(r->model, a->out, &log);
    if (!code && !a->common.quiet && strcmp(a->out, "-") != 0)
        fprintf(stderr, "wrote %s; see what changed: tonnx diff %s %s\n", a->out, a->model, a->out);
    return code;
}

/* Where results go: stdout, unless that is taken by another. */
static FILE *results_of(const args *a)
{
    const bool taken = !strcmp(a->out, "-") || (a->log && !strcmp(a->log, "-"));
    return taken ? stderr : stdout;
}

static int show_verification(const run *r)
{
    FILE *out = results_of(r->args);
    tonnx_verification v;
    const int code = cli_status(tonnx_trainer_verification(r->trainer, &v));
    if (code) return code;
    fprintf(out, "verified: %s step%s on the reference backend too", print_count(v.steps), v.steps == 1 ? "" : "s");
    if (v.steps) fprintf(out, "; largest relative deviation: loss %.2g", v.loss);
    if (v.loss_step) fprintf(out, " (step %llu)", (unsigned long long)v.loss_step);
    if (v.steps) fprintf(out, ", weights %.2g", v.weights);
    if (v.tensor) fprintf(out, " (%s, step %llu)", v.tensor, (unsigned long long)v.weights_step);
    fputc('\n', out);
    return 0;
}

static int work(run *r)
{
    if (!r->args->common.quiet) summarise(r, stderr);
    catch_signals(r->trainer);
    const double begin = profile_clock();
    const tonnx_status status = tonnx_trainer_run(r->trainer);
    const double seconds = profile_clock() - begin;
    print_live_clear();
    const int untold = tell(r); /* a run that went wrong has a story too */
    if (status == TONNX_INTERRUPTED && signalled) {
        const int code = checkpoints_interrupted(&r->checkpoints, r->trainer, r->args->common.quiet);
        return code ? code : EXIT_SIGNALLED + (int)signalled;
    }
    int code = cli_status(status);
    if (!code && r->args->profile) code = profile_print(r->trainer, seconds, results_of(r->args));
    if (!code && r->args->verify) code = show_verification(r);
    checkpoints_failed(&r->checkpoints, status);
    if (!code) code = save(r);
    return code ? code : untold;
}

static int train(void *opaque)
{
    run r = { .args = opaque };
    int code = prepare(&r);
    if (!code) code = r.args->dry_run ? dry_run(&r) : work(&r);
    code = train_log_close(&r.log, code);
    running = NULL;
    tonnx_trainer_free(r.trainer);
    checkpoints_free(&r.checkpoints);
    report_run_free(r.log.report);
    train_watch_free(r.log.watch);
    free(r.class_weights);
    data_free(&r.sets);
    tonnx_model_free(r.model);
    return code;
}

const command cmd_train = {
    "train",
    "trains or fine-tunes a model: only its weights change",
    "Hyper-parameters mean what PyTorch's of the same name mean. Divergence (a loss that is not finite) exits with 6 "
    "and an interrupt with 130 or 143; both write no model. An interrupt writes a checkpoint: the same command with "
    "--resume comes to the bits that it would have come to without the break.",
    examples,
    operands,
    groups,
    sizeof(args),
    train,
};
