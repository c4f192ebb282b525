#include "cli/train_args.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run_args.h"

static const char *optimizer_at(size_t i)
{
    tonnx_optimizer_info info;
    if (i >= TONNX_OPTIMIZER_COUNT) return NULL;
    tonnx_optimizer_describe((tonnx_optimizer)i, &info);
    return info.name;
}

static const char *schedule_at(size_t i)
{
    return i < TONNX_SCHEDULE_COUNT ? tonnx_schedule_name((tonnx_schedule)i) : NULL;
}

static const char *bn_at(size_t i)
{
    static const char *const words[] = { "auto", "biased", "unbiased" }; /* in the order of tonnx_bn_variance */
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *on_off_at(size_t i)
{
    return i == 0 ? "on" : i == 1 ? "off" : NULL;
}

static const char *precision_at(size_t i)
{
    static const char *const words[] = { "fp32", "bf16" }; /* in the order of tonnx_precision */
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

const opt_words optimizer_words = { optimizer_at, NULL };
static const opt_words schedule_words = { schedule_at, NULL },
                       bn_words = { bn_at, NULL }, on_off_words = { on_off_at, NULL },
                       precision_words = { precision_at, NULL };

#define AT(field) offsetof(train_args, field)
const opt train_run_options[] = {
    { "epochs", 0, OPT_POSITIVE, AT(epochs), "N", "10", "passes over the data", NULL, OPT_FREE },
    { "steps", 0, OPT_POSITIVE, AT(steps), "N", NULL, "steps in all; whichever of the two ends first", NULL, OPT_FREE },
    { "steps-per-epoch", 0, OPT_POSITIVE, AT(steps_per_epoch), "N", NULL,
      "end an epoch after N batches; the next one goes on with the data", NULL, OPT_FREE },
    { "patience", 0, OPT_POSITIVE, AT(patience), "N", NULL,
      "stop, with the best weights, after N epochs without a lower loss", NULL, OPT_FREE },
    { "best", 0, OPT_FLAG, AT(best), NULL, NULL, "write the weights of the epoch with the lowest validation loss", NULL,
      OPT_FREE },
    { 0 },
};

const opt train_batch_options[] = {
    { "batch", 0, OPT_POSITIVE, AT(batch), "N", "32", "samples a step", NULL, OPT_FREE },
    { "drop-last", 0, OPT_FLAG, AT(drop_last), NULL, NULL, "leave out an epoch's smaller last batch", NULL, OPT_FREE },
    { "no-shuffle", 0, OPT_FLAG, AT(no_shuffle), NULL, NULL, "batches follow the file's order", NULL, OPT_FREE },
    { "seed", 0, OPT_COUNT, AT(seed), "N", "0", "of the shuffle, the split and dropout", NULL, OPT_FREE },
    { "backend", 0, OPT_WORD, AT(backend), "NAME", "auto", "what computes", &backend_words, OPT_FREE },
    { "threads", 0, OPT_COUNT, AT(threads), "N", "0", "CPU threads; 0: as many cores as pay; the result is the same", NULL,
      OPT_FREE },
    { "precision", 0, OPT_WORD, AT(precision), "NAME", "fp32",
      "what matrix products are made of; bf16 is fast, on CPUs that have it", &precision_words, OPT_FREE },
    { 0 },
};

const opt train_optimizer_options[] = {
    { "loss", 0, OPT_WORD, AT(loss), "NAME", "auto", "loss", &loss_words, OPT_FREE },
    { "huber-delta", 0, OPT_REAL, AT(huber_delta), "D", "1", "where huber turns from square to line", NULL, OPT_FREE },
    { "label-smoothing", 0, OPT_REAL, AT(label_smoothing), "E", "0",
      "cross-entropy: that share of a label goes to all classes alike", NULL, OPT_FREE },
    { "class-weights", 0, OPT_TEXT, AT(class_weights), "balanced|W,W,...", NULL,
      "cross-entropy: what each class counts (balanced: all the same in sum); validation stays plain", NULL, OPT_FREE },
    { "optimizer", 0, OPT_WORD, AT(optimizer), "NAME", "adam", "optimizer; defaults are PyTorch's", &optimizer_words,
      OPT_FREE },
    { "momentum", 0, OPT_REAL, AT(momentum), "M", NULL, "sgd, rmsprop [0]", NULL, OPT_FREE },
    { "nesterov", 0, OPT_FLAG, AT(nesterov), NULL, NULL, "Nesterov's momentum, for sgd", NULL, OPT_FREE },
    { "beta1", 0, OPT_REAL, AT(beta1), "B", NULL, "adam and its kin, lion [the optimizer's]", NULL, OPT_FREE },
    { "beta2", 0, OPT_REAL, AT(beta2), "B", NULL, "adam and its kin, lion [the optimizer's]", NULL, OPT_FREE },
    { "eps", 0, OPT_REAL, AT(eps), "E", NULL, "added to the denominator [the optimizer's]", NULL, OPT_FREE },
    { "rho", 0, OPT_REAL, AT(rho), "R", NULL, "rmsprop's decay [0.99]", NULL, OPT_FREE },
    { "weight-decay", 0, OPT_REAL, AT(weight_decay), "D", NULL, "on every trained tensor [the optimizer's]", NULL,
      OPT_FREE },
    { "clip-norm", 0, OPT_REAL, AT(clip_norm), "N", NULL, "shrink gradients to this norm, all tensors together", NULL,
      OPT_FREE },
    { "clip-value", 0, OPT_REAL, AT(clip_value), "V", NULL, "clamp each gradient to -V..V", NULL, OPT_FREE },
    { 0 },
};

const opt train_rate_options[] = {
    { "lr", 0, OPT_REAL, AT(lr), "RATE", NULL, "learning rate [the optimizer's]", NULL, OPT_FREE },
    { "schedule", 0, OPT_WORD, AT(schedule), "NAME", "constant", "how the rate changes", &schedule_words, OPT_FREE },
    { "step-size", 0, OPT_POSITIVE, AT(step_size), "STEPS", "30", "step schedule: steps between cuts", NULL, OPT_FREE },
    { "gamma", 0, OPT_REAL, AT(gamma), "G", "0.1", "factor of the step and exponential schedules, and of plateau after 10 epochs without a lower loss", NULL, OPT_FREE },
    { "min-lr", 0, OPT_REAL, AT(min_lr), "RATE", "0", "where linear and cosine end, and below which plateau does not go", NULL, OPT_FREE },
    { "warmup", 0, OPT_COUNT, AT(warmup), "STEPS", "0", "the rate rises over so many steps", NULL, OPT_FREE },
    { 0 },
};

const opt train_net_options[] = {
    { "freeze", 0, OPT_LIST, AT(freeze), "GLOB", NULL, "initializers to leave alone", NULL, OPT_FREE },
    { "only", 0, OPT_LIST, AT(only), "GLOB", NULL, "initializers to train, and no others", NULL, OPT_FREE },
    { "freeze-bn", 0, OPT_FLAG, AT(freeze_bn), NULL, NULL, "batch norm normalises with its running statistics", NULL,
      OPT_FREE },
    { "bn", 0, OPT_WORD, AT(bn), "HOW", "auto", "variance that goes into the running one", &bn_words, OPT_FREE },
    { "bn-momentum", 0, OPT_REAL, AT(bn_momentum), "M", NULL,
      "weight of the old running value, where the file has none [0.9]", NULL, OPT_FREE },
    { "dropout", 0, OPT_WORD, AT(dropout), "WHETHER", "on", "dropout layers", &on_off_words, OPT_FREE },
    { "keep-ties", 0, OPT_FLAG, AT(keep_ties), NULL, NULL, "every shared initializer stays shared", NULL, OPT_FREE },
    { "untie", 0, OPT_FLAG, AT(untie), NULL, NULL, "no shared initializer stays shared", NULL, OPT_FREE },
    { "add-bias", 0, OPT_FLAG, AT(add_bias), NULL, NULL, "a bias of zeros for dense layers that have none", NULL,
      OPT_FREE },
    { 0 },
};

static double or_none(double value)
{
    return value == value ? value : 0.0; /* not given: 0, which is none */
}

static void apply_optimizer(const train_args *args, tonnx_train_options *out)
{
    out->loss = loss_of(args->loss);
    out->huber_delta = args->huber_delta;
    out->label_smoothing = args->label_smoothing;
    tonnx_optimizer_named(args->optimizer, &out->optimizer);
    out->momentum = args->momentum;
    out->nesterov = args->nesterov;
    out->beta1 = args->beta1;
    out->beta2 = args->beta2;
    out->eps = args->eps;
    out->rho = args->rho;
    out->weight_decay = args->weight_decay;
    out->clip_norm = or_none(args->clip_norm);
    out->clip_value = or_none(args->clip_value);
}

static void apply_rate(const train_args *args, tonnx_train_options *out)
{
    out->rate = args->lr;
    tonnx_schedule_named(args->schedule, &out->schedule);
    out->schedule_options = (tonnx_schedule_options){ args->step_size, args->gamma, args->min_lr };
    out->warmup = args->warmup;
}

static void apply_net(const train_args *args, tonnx_train_options *out)
{
    out->freeze = args->freeze;
    out->only = args->only;
    out->freeze_bn = args->freeze_bn;
    for (size_t i = 0; bn_at(i); i++)
        if (!strcmp(bn_at(i), args->bn)) out->bn = (tonnx_bn_variance)i;
    out->bn_momentum = args->bn_momentum;
    out->dropout = !strcmp(args->dropout, "on");
    out->keep_ties = args->keep_ties;
    out->untie = args->untie;
    out->add_bias = args->add_bias;
}

int train_args_apply(const train_args *args, tonnx_train_options *out)
{
    if (args->keep_ties && args->untie) return cli_usage("--keep-ties and --untie exclude each other");
    if (args->epochs) { /* its tables may not be the command's */
        out->epochs = args->epochs;
        out->steps = args->steps;
        out->steps_per_epoch = args->steps_per_epoch;
        out->patience = args->patience;
        out->best = args->best;
    }
    if (args->schedule) apply_rate(args, out);
    out->batch = (size_t)args->batch;
    out->drop_last = args->drop_last;
    out->shuffle = !args->no_shuffle;
    out->seed = args->seed;
    out->backend = args->backend;
    out->precision = args->precision && !strcmp(args->precision, "bf16") ? TONNX_BF16 : TONNX_FP32;
    out->threads = args->threads > INT_MAX ? INT_MAX : (int)args->threads;
    apply_optimizer(args, out);
    apply_net(args, out);
    return 0;
}

static int bad_weights(const char *text)
{
    return cli_usage("--class-weights %s: give 'balanced' or a number from 0 per class, with commas between", text);
}

int train_args_weigh(const train_args *args, tonnx_train_options *out, double **held)
{
    const char *text = args->class_weights;
    char *end = NULL;
    size_t room = 1, count = 0;
    *held = NULL;
    if (!text) return 0;
    out->balance_classes = !strcmp(text, "balanced");
    if (out->balance_classes) return 0;
    for (const char *c = text; *c; c++) room += *c == ',';
    *held = cli_alloc(room, sizeof **held);
    for (const char *at = text;; at = end + 1) {
        (*held)[count++] = strtod(at, &end);
        if (end == at || (*end && *end != ',')) return bad_weights(text);
        if (!*end) break;
    }
    out->class_weights = *held;
    out->class_weight_count = count;
    return 0;
}
