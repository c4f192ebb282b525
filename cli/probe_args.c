#include "cli/probe_args.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"
#include "cli/train_args.h"
#include "runtime/net.h"

#define AT(field) offsetof(probe_args, field)
const opt probe_options[] = {
    { "data", 0, OPT_FILE, AT(data.data), "FILE|gaussian:N", NULL,
      "samples, told by content: .npy, .npz, safetensors, IDX or IDX.gz, libsvm, CSV or TSV; gaussian:1000 makes 1000 "
      "unit-normal ones, with random targets",
      NULL, OPT_FREE },
    { "seed", 0, OPT_COUNT, AT(seed), "N", "0", "of gaussian:N", NULL, OPT_FREE },
    { 0 },
};
#undef AT

#define AT(field) offsetof(step_args, field)
const opt step_options[] = {
    { "loss", 0, OPT_WORD, AT(loss), "NAME", "auto", "loss", &loss_words, OPT_FREE },
    { "optimizer", 0, OPT_WORD, AT(optimizer), "NAME", "adam", "whose first step is measured", &optimizer_words,
      OPT_FREE },
    { "lr", 0, OPT_REAL, AT(rate), "RATE", NULL, "its learning rate [PyTorch's default for it]", NULL, OPT_FREE },
    { "momentum", 0, OPT_REAL, AT(momentum), "M", NULL, "of sgd and rmsprop [0]", NULL, OPT_FREE },
    { "weight-decay", 0, OPT_REAL, AT(weight_decay), "D", NULL, "of every trained tensor [0; adamw 0.01]", NULL,
      OPT_FREE },
    { 0 },
};
#undef AT

void probe_apply(const step_args *step, const run_args *run, const tonnx_log *log, tonnx_stats_options *options)
{
    options->backend = run->backend;
    options->threads = run->threads > INT_MAX ? INT_MAX : (int)run->threads;
    options->batch = (size_t)run->batch;
    options->loss = loss_of(step->loss);
    tonnx_optimizer_named(step->optimizer, &options->optimizer);
    options->rate = step->rate;
    options->momentum = step->momentum;
    options->weight_decay = step->weight_decay;
    options->log = *log;
}

/* "gaussian:1000" → 1000; 0 where it is something else. */
static uint64_t gaussian_count(const char *text)
{
    static const char name[] = "gaussian:";
    char *end = NULL;
    if (strncmp(text, name, sizeof name - 1) != 0) return 0;
    text += sizeof name - 1;
    const unsigned long long count = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    return end && !*end ? count : 0;
}

bool probe_is_made_up(const probe_args *args)
{
    return args->data.data && gaussian_count(args->data.data) > 0;
}

static int make_gaussian(data_sets *out, const probe_args *args, uint64_t count, const tonnx_model *model,
                         const tonnx_log *log)
{
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_net *net = NULL;
    char line[160];
    if (args->data.target) return cli_usage("--data gaussian:N makes its own targets: leave --target out");
    if (args->data.limit && args->data.limit < count) count = args->data.limit;
    options.input = args->data.input;
    options.output = args->data.output_name;
    tonnx_status status = tonnx_net_new(&net, (tonnx_model *)model, &options);
    if (status) return cli_status(status);
    const size_t in = tonnx_net_features_in(net), outputs = tonnx_net_features_out(net);
    tonnx_net_free(net);
    snprintf(line, sizeof line, "gaussian: %s unit-normal samples of %zu features (seed %llu), %s at random",
             print_count(count), in, (unsigned long long)args->seed, outputs > 1 ? "classes" : "numbers");
    status = tonnx_dataset_gaussian(&out->data, (size_t)count, in, outputs, args->seed);
    if (!status && log->say) log->say(log->user, TONNX_LOG_INFO, line);
    return cli_status(status);
}

int probe_load(data_sets *out, const probe_args *args, const char *loss, const tonnx_model *model, const tonnx_log *log)
{
    *out = (data_sets){ 0 };
    if (!args->data.data) return 0;
    const uint64_t count = gaussian_count(args->data.data);
    if (count) return make_gaussian(out, args, count, model, log);
    if (!strncmp(args->data.data, "gaussian", 8) && strchr(":", args->data.data[8]))
        return cli_usage("--data %s: write gaussian:N with a number of samples, as gaussian:1000", args->data.data);
    return data_load(out, &args->data, loss, model, log);
}
