/* The trainer's options: defaults filled in, checked, and as text for a checkpoint to compare. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/options_impl.h"
#include "runtime/text_impl.h"
#include "runtime/train_impl.h"

static double default_to(double given, double otherwise)
{
    return isnan(given) ? otherwise : given;
}

void tonnx__options_fill(tonnx_train_options *o, tonnx__goal *goal)
{
    tonnx_optimizer_info row;
    tonnx_optimizer_describe(o->optimizer, &row);
    o->rate = default_to(o->rate, row.rate);
    o->momentum = default_to(o->momentum, row.momentum);
    o->beta1 = default_to(o->beta1, row.beta1);
    o->beta2 = default_to(o->beta2, row.beta2);
    o->rho = default_to(o->rho, row.rho);
    o->eps = default_to(o->eps, row.eps);
    o->weight_decay = default_to(o->weight_decay, row.decay);
    const bool has_momentum = !isnan(row.momentum);
    goal->optimizer = o->optimizer;
    goal->moments = row.moments - (has_momentum && o->momentum == 0);
    goal->h[TONNX__H_BETA1] = default_to(has_momentum ? o->momentum : o->beta1, 0);
    goal->h[TONNX__H_BETA2] = default_to(isnan(row.rho) ? o->beta2 : o->rho, 0);
    goal->h[TONNX__H_EPS] = default_to(o->eps, 0);
    goal->h[TONNX__H_DECAY] = o->weight_decay;
    goal->h[TONNX__H_NESTEROV] = o->nesterov;
}

void tonnx__options_warn(const tonnx_train_options *o)
{
    tonnx_optimizer_info row;
    tonnx_optimizer_describe(o->optimizer, &row);
    const struct {
        const char *name;
        double given, has;
    } numbers[] = { { "momentum", o->momentum, row.momentum },
                    { "beta1", o->beta1, row.beta1 },
                    { "beta2", o->beta2, row.beta2 },
                    { "rho", o->rho, row.rho },
                    { "eps", o->eps, row.eps } };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!isnan(numbers[i].given) && numbers[i].given != 0 && isnan(numbers[i].has))
            tonnx__say(&o->log, TONNX_LOG_WARNING, "%s %g is left unused: %s has no %s", numbers[i].name, numbers[i].given, row.name,
                       numbers[i].name);
}

/* One number of the optimizer: NaN (its default) or within [low, high), as PyTorch's constructors demand. */
typedef struct range {
    const char *name;
    double value, low, high;
} range;

static tonnx_status check_ranges(const tonnx_train_options *o)
{
    const range ranges[] = { { "learning rate", o->rate, 0, INFINITY },       { "momentum", o->momentum, 0, INFINITY },
                             { "beta1", o->beta1, 0, 1 },                     { "beta2", o->beta2, 0, 1 },
                             { "eps", o->eps, 0, INFINITY },                  { "rho", o->rho, 0, INFINITY },
                             { "weight decay", o->weight_decay, 0, INFINITY } };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const range *r = &ranges[i];
        if (isnan(r->value) || (r->value >= r->low && r->value < r->high)) continue;
        return tonnx__fail(TONNX_BAD_USAGE, "%s %g: give a number from %g up to, not including, %g", r->name, r->value, r->low,
                           r->high);
    }
    if (!(o->clip_norm >= 0 && o->clip_value >= 0))
        return tonnx__fail(TONNX_BAD_USAGE, "clipping limits %g and %g: give numbers above 0, or 0 for none", o->clip_norm,
                           o->clip_value);
    return TONNX_OK;
}

/* Numbers of enums, which C does not check. */
static tonnx_status check_choices(const tonnx_train_options *o)
{
    if ((unsigned)o->optimizer >= TONNX_OPTIMIZER_COUNT)
        return tonnx__fail(TONNX_BAD_USAGE, "optimizer %d: there are %d", (int)o->optimizer, TONNX_OPTIMIZER_COUNT);
    if ((unsigned)o->schedule >= TONNX_SCHEDULE_COUNT)
        return tonnx__fail(TONNX_BAD_USAGE, "schedule %d: there are %d", (int)o->schedule, TONNX_SCHEDULE_COUNT);
    if (o->precision != TONNX_FP32 && o->precision != TONNX_BF16)
        return tonnx__fail(TONNX_BAD_USAGE, "precision %d: there are fp32 and bf16", (int)o->precision);
    if (o->loss < TONNX_LOSS_AUTO || o->loss >= TONNX_LOSS_COUNT)
        return tonnx__fail(TONNX_BAD_USAGE, "loss %d: there are %d", (int)o->loss, TONNX_LOSS_COUNT);
    return TONNX_OK;
}

static tonnx_status check(const tonnx_train_options *o)
{
    const tonnx_status status = check_choices(o);
    if (status) return status;
    if (!o->batch) return tonnx__fail(TONNX_BAD_USAGE, "a batch of 0 samples: give 1 or more");
    if (!o->epochs && !o->steps) return tonnx__fail(TONNX_BAD_USAGE, "0 epochs and 0 steps: there is nothing to do");
    if (o->nesterov && !(o->optimizer == TONNX_SGD && o->momentum > 0))
        return tonnx__fail(TONNX_BAD_USAGE, "nesterov needs sgd with a momentum above 0");
    return check_ranges(o);
}

tonnx_status tonnx__options_copy(tonnx_train_options *to, const tonnx_train_options *from)
{
    const tonnx_train_options defaults = TONNX_TRAIN_OPTIONS_DEFAULT;
    *to = defaults;
    const tonnx_status status = tonnx__options_lay(to, sizeof *to, from, "TONNX_TRAIN_OPTIONS_DEFAULT");
    return status ? status : check(to);
}

/* The shortest of 15 and 17 digits that reads back as the same number. */
static void put_number(tonnx__text *t, const char *name, double value)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.15g", value);
    if (strtod(digits, NULL) != value) snprintf(digits, sizeof digits, "%.17g", value);
    tonnx__text_put(t, "%s %s\n", name, digits);
}

static void put_whole(tonnx__text *t, const char *name, uint64_t value)
{
    tonnx__text_put(t, "%s %llu\n", name, (unsigned long long)value);
}

static void put_flag(tonnx__text *t, const char *name, bool value)
{
    tonnx__text_put(t, "%s %s\n", name, value ? "yes" : "no");
}

/* Names hold no line ends that could pass for another option's line: those become blanks. */
static void put_names(tonnx__text *t, const char *name, const char *const *names)
{
    tonnx__text_put(t, "%s", name);
    for (; names && *names; names++) {
        const size_t from = t->length;
        tonnx__text_put(t, " %s", *names);
        for (size_t i = from; !t->status && i < t->length; i++)
            if (t->at[i] == '\n') t->at[i] = ' ';
    }
    tonnx__text_put(t, "\n");
}

static void put_loss(tonnx__text *t, const tonnx_trainer *trainer)
{
    const size_t count = trainer->class_weights ? trainer->net->values[trainer->goal.loss_value].features : 0;
    tonnx__text_put(t, "loss %s\n", tonnx_loss_name(trainer->goal.loss));
    put_number(t, "huber-delta", trainer->options.huber_delta);
    put_number(t, "label-smoothing", trainer->options.label_smoothing);
    tonnx__text_put(t, "class-weights");
    for (size_t c = 0; c < count; c++) tonnx__text_put(t, " %.17g", trainer->class_weights[c]);
    tonnx__text_put(t, "\n");
}

static void put_optimizer(tonnx__text *t, const tonnx_train_options *o)
{
    tonnx_optimizer_info row;
    tonnx_optimizer_describe(o->optimizer, &row);
    tonnx__text_put(t, "optimizer %s\n", row.name);
    put_number(t, "lr", o->rate);
    put_number(t, "momentum", o->momentum);
    put_flag(t, "nesterov", o->nesterov);
    put_number(t, "beta1", o->beta1);
    put_number(t, "beta2", o->beta2);
    put_number(t, "eps", o->eps);
    put_number(t, "rho", o->rho);
    put_number(t, "weight-decay", o->weight_decay);
    tonnx__text_put(t, "schedule %s\n", tonnx_schedule_name(o->schedule));
    put_whole(t, "step-size", o->schedule_options.step_size);
    put_number(t, "gamma", o->schedule_options.gamma);
    put_number(t, "min-lr", o->schedule_options.min_rate);
    put_whole(t, "warmup", o->warmup);
    put_number(t, "clip-norm", o->clip_norm);
    put_number(t, "clip-value", o->clip_value);
}

static void put_run(tonnx__text *t, const tonnx_train_options *o)
{
    put_whole(t, "batch", o->batch);
    put_whole(t, "steps-per-epoch", o->steps_per_epoch);
    put_flag(t, "drop-last", o->drop_last);
    put_flag(t, "no-shuffle", !o->shuffle);
    put_whole(t, "seed", o->seed);
    put_whole(t, "patience", o->patience);
    put_flag(t, "best", o->best);
    if (o->precision) tonnx__text_put(t, "precision bf16\n"); /* what is older than the choice says nothing */
}

static void put_net(tonnx__text *t, const tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    const char *const input[] = { o->input, NULL }, *const output[] = { o->output, NULL };
    put_names(t, "freeze", o->freeze);
    put_names(t, "only", o->only);
    put_flag(t, "freeze-bn", o->freeze_bn);
    tonnx__text_put(t, "bn %s\n", trainer->goal.unbiased ? "unbiased" : "biased");
    put_number(t, "bn-momentum", o->bn_momentum);
    put_flag(t, "dropout", o->dropout);
    put_flag(t, "keep-ties", o->keep_ties);
    put_flag(t, "untie", o->untie);
    put_flag(t, "add-bias", o->add_bias);
    if (o->dynamic_batch) put_flag(t, "dynamic-batch", true); /* what is older than the option says nothing */
    put_names(t, "input", input);
    put_names(t, "output", output);
}

tonnx_status tonnx__options_text(char **out, const tonnx_trainer *trainer)
{
    tonnx__text t = { 0 };
    put_loss(&t, trainer);
    put_optimizer(&t, &trainer->options);
    put_run(&t, &trainer->options);
    put_net(&t, trainer);
    if (t.status) tonnx__free(t.at);
    *out = t.status ? NULL : t.at;
    return t.status;
}
