/* Stepping: runs of steps that cross no epoch, no pass over the data and no checkpoint, and their results. */
#include <math.h>
#include <stdio.h>

#include "runtime/train_impl.h"

/* Step t's (from 0) learning rate: schedule, plateau, then warm-up min(1, t/W), steps counted from 1. */
static double rate_of(const tonnx_trainer *trainer, uint64_t t)
{
    const tonnx_train_options *o = &trainer->options;
    const double rate = tonnx__schedule_rate(o->schedule, &o->schedule_options, o->rate, t, trainer->total_steps);
    const double warm = t + 1 < o->warmup ? (double)(t + 1) / (double)o->warmup : 1;
    return rate * trainer->at.plateau_factor * warm;
}

/* The one function that computes what varies from step to step. */
static void make_record(const tonnx_trainer *trainer, tonnx__record *record, uint64_t t, uint64_t batch, size_t rows)
{
    *record = (tonnx__record){
        .rate = rate_of(trainer, t), .first = (size_t)batch * trainer->goal.rows, .rows = rows, .step = t
    };
    tonnx__optimizer_coefficients(trainer->goal.optimizer, trainer->goal.h, t + 1, record->c);
}

static void at_most(uint64_t *count, uint64_t limit)
{
    if (*count > limit) *count = limit;
}

/* Steps up to one whose statistics are wanted; that one runs alone. */
static uint64_t until_stats(const tonnx_trainer *trainer)
{
    const uint64_t every = trainer->options.stats_every;
    if (!every) return UINT64_MAX;
    const uint64_t left = every - trainer->at.step % every;
    return left > 1 ? left - 1 : 1;
}

/* How many steps one run may have: all of one program, none past the end of epoch, pass or training nor past a
 * checkpoint or statistics nor into a step that is verified, about 0.1 s at most, so that a stop is heard. The first run
 * of all is one step, for nothing is known of its time. */
static uint64_t run_length(const tonnx_trainer *trainer, uint64_t steps, int which)
{
    const tonnx__progress *at = &trainer->at;
    const uint64_t full = trainer->data->samples / trainer->goal.rows, every = trainer->options.checkpoint_steps;
    const double fit = trainer->step_seconds > 0 ? 0.1 / trainer->step_seconds : 1;
    uint64_t count = which ? 1 : full - at->batch;
    at_most(&count, steps);
    at_most(&count, trainer->total_steps - at->step);
    at_most(&count, trainer->steps_per_epoch - at->step_in_epoch);
    at_most(&count, TONNX__MAX_STEPS);
    at_most(&count, tonnx__verify_steps(trainer));
    at_most(&count, until_stats(trainer));
    if (trainer->options.checkpoint && every) at_most(&count, every - at->step % every);
    if ((double)count > fit) count = fit < 1 ? 1 : (uint64_t)fit;
    return count;
}

static bool wants_event(const tonnx_trainer *trainer, uint64_t step)
{
    return trainer->options.log_every && step % trainer->options.log_every == 0;
}

static void count_step(tonnx_trainer *trainer, double loss, size_t rows)
{
    tonnx__progress *at = &trainer->at;
    at->step++;
    at->step_in_epoch++;
    if (++at->batch == trainer->pass_steps) {
        at->batch = 0;
        at->pass++;
    }
    at->last_loss = loss;
    at->epoch_loss += loss * (double)rows;
    at->epoch_rows += rows;
}

/* One step's results: counted, told, and checked. */
static tonnx_status take_result(tonnx_trainer *trainer, const tonnx__record *record, const double *result)
{
    const double loss = result[TONNX__RESULT_LOSS], square = result[TONNX__RESULT_GRAD_SQUARE];
    const bool measured = trainer->options.log_grad_norm || trainer->options.clip_norm > 0;
    count_step(trainer, loss, record->rows);
    if (wants_event(trainer, trainer->at.step)) {
        tonnx_event event = tonnx__event_of(trainer, TONNX_EVENT_STEP);
        event.epoch = trainer->at.epoch + 1;
        event.loss = loss;
        event.rate = record->rate;
        event.grad_norm = measured ? sqrt(square) : NAN;
        tonnx__emit(trainer, &event);
    }
    if (!isfinite(loss)) return tonnx__diverged(trainer, "the loss");
    return measured && !isfinite(square) ? tonnx__diverged(trainer, "the gradient's norm") : TONNX_OK;
}

static tonnx_status validate(tonnx_trainer *trainer, tonnx_event *event)
{
    tonnx_metrics metrics;
    if (!trainer->validation) return TONNX_OK;
    const tonnx_status status =
        tonnx__measure(&metrics, trainer->validation, trainer->options.validation, &trainer->validation_goal);
    if (status) return status;
    event->val_loss = metrics.loss;
    event->val_accuracy = metrics.accuracy;
    return TONNX_OK;
}

static tonnx_status close_epoch(tonnx_trainer *trainer)
{
    tonnx__progress *at = &trainer->at;
    tonnx_event event = tonnx__event_of(trainer, TONNX_EVENT_EPOCH);
    event.epoch = at->epoch + 1;
    event.train_loss = at->epoch_rows ? at->epoch_loss / (double)at->epoch_rows : NAN;
    event.seconds = trainer->epoch_seconds;
    event.samples_per_second = (double)at->epoch_rows / trainer->epoch_seconds;
    tonnx_status status = validate(trainer, &event);
    if (status) return status;
    at->epoch++;
    at->step_in_epoch = at->epoch_rows = 0;
    at->epoch_loss = trainer->epoch_seconds = 0;
    status = tonnx__watch_epoch(trainer, isnan(event.val_loss) ? event.train_loss : event.val_loss);
    tonnx__emit(trainer, &event);
    return status;
}

/* One run: records, the device's work, results. */
static tonnx_status run(tonnx_trainer *trainer, int which, uint64_t count)
{
    const tonnx__progress *at = &trainer->at;
    const size_t rows = trainer->programs[which]->rows;
    tonnx_profile *spent = &trainer->profile;
    double seconds = 0;
    trainer->mark = tonnx__now();
    if (trainer->order && trainer->order_pass != at->pass)
        tonnx__shuffle(trainer->order, trainer->data->samples, trainer->options.seed, at->pass);
    trainer->order_pass = at->pass;
    seconds += tonnx__lap(trainer, &spent->order);
    for (uint64_t i = 0; i < count; i++) make_record(trainer, &trainer->records[i], at->step + i, at->batch + i, rows);
    seconds += tonnx__lap(trainer, &spent->records);
    tonnx_status status = tonnx__train_guard(trainer, trainer->programs[which]);
    if (!status)
        status =
            tonnx__exec_run(trainer->execs[which], &trainer->feed, trainer->order, trainer->records, (size_t)count);
    if (!status) status = tonnx__exec_results(trainer->execs[which], (size_t)count, trainer->results);
    status = tonnx__train_unguard(trainer, status);
    seconds += tonnx__lap(trainer, &spent->backend);
    trainer->epoch_seconds += seconds;
    trainer->seconds += seconds;
    if (!which) trainer->step_seconds = seconds / (double)count; /* a short batch says little of a full one */
    for (uint64_t i = 0; i < count && !status; i++)
        status = take_result(trainer, &trainer->records[i], &trainer->results[i * TONNX__RESULTS]);
    spent->steps += count;
    tonnx__lap(trainer, &spent->results);
    return status;
}

static tonnx_status run_verified(tonnx_trainer *trainer, int which, uint64_t count)
{
    const bool due = tonnx__verify_due(trainer);
    tonnx_status status = due ? tonnx__verify_before(trainer) : TONNX_OK;
    if (!status) status = run(trainer, which, count);
    return due && !status ? tonnx__verify_after(trainer, which) : status;
}

/* The same, and where its last step is one whose statistics are wanted, these. */
static tonnx_status run_told(tonnx_trainer *trainer, int which, uint64_t count)
{
    const bool telling = tonnx__train_stats_due(trainer, trainer->at.step + count);
    tonnx_status status = telling ? tonnx__train_stats_begin(trainer) : TONNX_OK;
    if (!status) status = run_verified(trainer, which, count);
    return !status && telling ? tonnx__train_stats_tell(trainer) : status;
}

/* Between runs: the epoch's end, checkpoints, a stop. A total that ends within an epoch closes it too, but only after
 * the checkpoint, so that a longer run can go on from there as if there had been no end. */
static tonnx_status between(tonnx_trainer *trainer)
{
    tonnx_status status = TONNX_OK;
    if (trainer->at.step_in_epoch == trainer->steps_per_epoch) status = close_epoch(trainer);
    if (!status) status = tonnx__train_hand(trainer);
    if (!status && trainer->at.step == trainer->total_steps && trainer->at.step_in_epoch) status = close_epoch(trainer);
    if (!status && tonnx_trainer_done(trainer)) return tonnx__watch_end(trainer);
    return !status && atomic_load(&trainer->stop) ? tonnx__train_stopped(trainer) : status;
}

/* The last good state goes out even though the run has failed; the failure's own message stays the last one. */
static tonnx_status hand_good(tonnx_trainer *trainer, tonnx_status status)
{
    char message[1024];
    const tonnx_train_options *o = &trainer->options;
    if ((status != TONNX_DIVERGED && status != TONNX_BAD_DEVICE) || !trainer->good) return status;
    snprintf(message, sizeof message, "%s", tonnx_last_message());
    if (o->checkpoint(o->checkpoint_user, trainer->good))
        tonnx__say(&o->log, TONNX_LOG_WARNING, "%s", tonnx_last_message());
    return tonnx__fail(status, "%s", message);
}

tonnx_status tonnx__train_some(tonnx_trainer *trainer, uint64_t steps)
{
    const tonnx__progress *at = &trainer->at;
    const uint64_t epoch = at->epoch;
    tonnx_status status = TONNX_OK;
    trainer->mark = tonnx__now();
    tonnx__train_start(trainer);
    if (!trainer->good) status = tonnx__train_keep(trainer);
    if (!status && tonnx_trainer_done(trainer)) status = tonnx__watch_end(trainer);
    tonnx__lap(trainer, &trainer->profile.between);
    while (steps && !status && at->epoch == epoch && !tonnx_trainer_done(trainer)) {
        const int which = at->batch == trainer->data->samples / trainer->goal.rows;
        const uint64_t count = run_length(trainer, steps, which);
        if (count) status = run_told(trainer, which, count); /* none where an interrupt came before the epoch was closed */
        steps -= count;
        trainer->mark = tonnx__now();
        if (!status) status = between(trainer);
        tonnx__lap(trainer, &trainer->profile.between);
    }
    return tonnx__train_end(trainer, hand_good(trainer, status));
}

tonnx_status tonnx_trainer_step(tonnx_trainer *trainer)
{
    return tonnx__train_some(trainer, 1);
}

tonnx_status tonnx_trainer_epoch(tonnx_trainer *trainer)
{
    return tonnx__train_some(trainer, UINT64_MAX);
}

tonnx_status tonnx_trainer_run(tonnx_trainer *trainer)
{
    tonnx_status status = TONNX_OK;
    do {
        status = tonnx_trainer_epoch(trainer);
    } while (!status && !tonnx_trainer_done(trainer));
    return status;
}
