/* The range test is a training run with an exponential schedule that rises, and a look at the losses on the way. */
#include "runtime/lr_find.h"

#include <math.h>

#include "runtime/mem_impl.h"
#include "runtime/options_impl.h"

/* What the trainer's events fill. */
typedef struct test {
    tonnx_lr_options options;
    tonnx_lr_curve *curve;
    double weighted, weight; /* the running average is their quotient */
    double lowest;           /* of the running average */
} test;

static tonnx_status check(const tonnx_lr_options *o)
{
    if (!(o->first > 0 && o->first < o->last && isfinite(o->last)))
        return tonnx__fail(TONNX_BAD_USAGE, "rates from %g to %g: give two numbers above 0, the smaller one first",
                           o->first, o->last);
    if (o->steps < 10 || o->steps > 1000000)
        return tonnx__fail(TONNX_BAD_USAGE, "a range test of %llu batches: give 10 to 1,000,000",
                           (unsigned long long)o->steps);
    if (!(o->smoothing >= 0 && o->smoothing < 1))
        return tonnx__fail(TONNX_BAD_USAGE, "smoothing %g: give a number from 0 up to, not including, 1", o->smoothing);
    if (!(o->stop == 0 || o->stop > 1))
        return tonnx__fail(TONNX_BAD_USAGE, "stop at %g times the lowest loss: give a number above 1, or 0 for never",
                           o->stop);
    return TONNX_OK;
}

static void hear(void *user, const tonnx_event *event)
{
    test *t = user;
    tonnx_lr_curve *curve = t->curve;
    if (event->kind != TONNX_EVENT_STEP || curve->stopped) return;
    if (!isfinite(event->loss)) {
        curve->stopped = true;
        return;
    }
    t->weighted = t->options.smoothing * t->weighted + (1 - t->options.smoothing) * event->loss;
    t->weight = t->options.smoothing * t->weight + (1 - t->options.smoothing);
    const tonnx_lr_point point = { event->step, event->rate, event->loss, t->weighted / t->weight };
    curve->rate[curve->count] = point.rate;
    curve->loss[curve->count++] = point.loss;
    t->lowest = fmin(t->lowest, point.average);
    curve->stopped = t->options.stop > 0 && point.average > t->options.stop * t->lowest;
    if (t->options.point) t->options.point(t->options.user, &point);
}

/* y[i] = the average of x, weighted by smoothing^|i − j|: a running average with no lag. `smooth` starts as x's forward
 * sums; `weight` the same of ones. */
static tonnx_status smooth_both_ways(tonnx_lr_curve *curve, double smoothing)
{
    double *weight = NULL, sum = 0, ones = 0;
    tonnx_status status = tonnx__alloc(&weight, curve->count, sizeof *weight);
    if (status) return status;
    for (size_t i = 0; i < curve->count; i++) {
        curve->smooth[i] = sum = smoothing * sum + curve->loss[i];
        weight[i] = ones = smoothing * ones + 1;
    }
    sum = ones = 0;
    for (size_t i = curve->count; i-- > 0;) {
        curve->smooth[i] = (curve->smooth[i] + sum) / (weight[i] + ones);
        sum = smoothing * (sum + curve->loss[i]);
        ones = smoothing * (ones + 1);
    }
    tonnx__free(weight);
    return TONNX_OK;
}

static size_t lowest_of(const tonnx_lr_curve *curve)
{
    size_t lowest = 0;
    for (size_t i = 1; i < curve->count; i++)
        if (curve->smooth[i] < curve->smooth[lowest]) lowest = i;
    return lowest;
}

/* Between the last point that is within a tenth of the fall's height from its top, and the first that is within a tenth
 * from its foot. */
static double middle_of_fall(const tonnx_lr_curve *curve, size_t lowest, double top)
{
    const double foot = curve->smooth[lowest], tenth = (top - foot) / 10;
    size_t from = 0, to = lowest;
    for (size_t i = 0; i < lowest; i++)
        if (curve->smooth[i] > top - tenth) from = i;
    for (size_t i = lowest; i > from; i--)
        if (curve->smooth[i] < foot + tenth) to = i;
    return sqrt(curve->rate[from] * curve->rate[to]);
}

static double steepest_of(const tonnx_lr_curve *curve, size_t lowest)
{
    double most = 0, rate = NAN;
    for (size_t i = 1; i + 1 <= lowest; i++) {
        const double fall = curve->smooth[i - 1] - curve->smooth[i + 1];
        if (fall > most) rate = curve->rate[i];
        most = fmax(most, fall);
    }
    return rate;
}

/* How far one batch's loss is from the next one's where the rate does not matter yet: half the variance of a difference
 * is the variance of either. */
static double noise_of(const tonnx_lr_curve *curve, size_t lowest)
{
    double squares = 0;
    for (size_t i = 1; i <= lowest; i++) squares += pow(curve->loss[i] - curve->loss[i - 1], 2);
    return lowest ? sqrt(squares / (double)lowest / 2) : 0;
}

/* Nothing is suggested where the loss never falls by a fiftieth of what it begins with, or by no more than its noise. */
static tonnx_status judge(tonnx_lr_curve *curve, double smoothing)
{
    curve->valley = curve->steepest = curve->lowest = NAN;
    if (!curve->count) return TONNX_OK;
    const tonnx_status status = smooth_both_ways(curve, smoothing);
    if (status) return status;
    const size_t lowest = lowest_of(curve);
    const double top = curve->smooth[0];
    if (!(top - curve->smooth[lowest] > fmax(0.02 * fabs(top), noise_of(curve, lowest)))) return TONNX_OK;
    curve->lowest = curve->rate[lowest];
    curve->valley = middle_of_fall(curve, lowest, top);
    curve->steepest = steepest_of(curve, lowest);
    return TONNX_OK;
}

static tonnx_train_options run_of(const tonnx_train_options *train, test *t)
{
    const tonnx_lr_options *o = &t->options;
    tonnx_train_options run = *train;
    run.rate = o->first;
    run.schedule = TONNX_SCHEDULE_exponential;
    run.schedule_options.gamma = pow(o->last / o->first, 1.0 / (double)(o->steps - 1));
    run.warmup = 0;
    run.epochs = run.steps = o->steps; /* a pass over the data is a batch or more */
    run.steps_per_epoch = run.patience = run.checkpoint_steps = run.checkpoint_epochs = 0;
    run.best = run.log_grad_norm = false;
    run.validation = NULL;
    run.resume = NULL;
    run.checkpoint = NULL;
    run.log_every = 1;
    run.event = hear;
    run.event_user = t;
    return run;
}

static tonnx_status run_test(test *t, tonnx_model *model, const tonnx_dataset *data, const tonnx_train_options *train)
{
    const tonnx_train_options run = run_of(train, t);
    tonnx_trainer *trainer = NULL;
    tonnx_status status = tonnx_trainer_new(&trainer, model, data, &run);
    if (!status) t->curve->loss_kind = tonnx_trainer_loss(trainer);
    while (!status && !t->curve->stopped && !tonnx_trainer_done(trainer)) status = tonnx_trainer_step(trainer);
    if (status == TONNX_DIVERGED) {
        t->curve->stopped = true;
        status = TONNX_OK;
    }
    tonnx_trainer_free(trainer);
    return status;
}

static tonnx_status curve_new(tonnx_lr_curve **out, size_t room)
{
    tonnx_status status = tonnx__alloc(out, 1, sizeof **out);
    if (!status) status = tonnx__alloc(&(*out)->rate, room, sizeof(double));
    if (!status) status = tonnx__alloc(&(*out)->loss, room, sizeof(double));
    if (!status) status = tonnx__alloc(&(*out)->smooth, room, sizeof(double));
    return status;
}

tonnx_status tonnx_lr_find(tonnx_lr_curve **out, tonnx_model *model, const tonnx_dataset *data,
                           const tonnx_train_options *train, const tonnx_lr_options *options)
{
    test t = { .options = TONNX_LR_OPTIONS_DEFAULT, .lowest = INFINITY };
    tonnx_train_options run = TONNX_TRAIN_OPTIONS_DEFAULT;
    *out = NULL;
    tonnx_status status = tonnx__options_lay(&t.options, sizeof t.options, options, "TONNX_LR_OPTIONS_DEFAULT");
    if (!status) status = tonnx__options_lay(&run, sizeof run, train, "TONNX_TRAIN_OPTIONS_DEFAULT");
    if (!status) status = check(&t.options);
    if (!status) status = curve_new(&t.curve, (size_t)t.options.steps);
    if (!status) status = run_test(&t, model, data, &run);
    if (!status) status = judge(t.curve, t.options.smoothing);
    if (status) tonnx_lr_curve_free(t.curve);
    else *out = t.curve;
    return status;
}

void tonnx_lr_curve_free(tonnx_lr_curve *curve)
{
    if (!curve) return;
    tonnx__free(curve->rate);
    tonnx__free(curve->loss);
    tonnx__free(curve->smooth);
    tonnx__free(curve);
}
