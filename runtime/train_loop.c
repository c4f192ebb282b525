/* Stepping: runs of steps that cross no epoch, their results, and the events that tell of them. */
#include <math.h>
#include <time.h>

#include "runtime/train_impl.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void emit(const tonnx_trainer *trainer, const tonnx_event *event)
{
    if (trainer->options.event) trainer->options.event(trainer->options.event_user, event);
}

/* An event of a kind with everything unknown. */
static tonnx_event event_of(const tonnx_trainer *trainer, tonnx_event_kind kind)
{
    return (tonnx_event){ .kind = kind,
                          .step = trainer->step,
                          .epoch = trainer->epoch,
                          .loss = NAN,
                          .rate = NAN,
                          .grad_norm = NAN,
                          .train_loss = NAN,
                          .val_loss = NAN,
                          .val_accuracy = NAN,
                          .seconds = trainer->seconds,
                          .samples_per_second = NAN,
                          .status = TONNX_OK };
}

static size_t trained_elements(const tonnx_trainer *trainer)
{
    size_t count = 0;
    for (size_t p = 0; p < trainer->net->param_count; p++)
        if (trainer->trained[p]) count += trainer->net->params[p].rows * trainer->net->params[p].cols;
    return count;
}

void tonnx__train_start(tonnx_trainer *trainer)
{
    if (trainer->started) return;
    trainer->started = true;
    tonnx_event event = event_of(trainer, TONNX_EVENT_START);
    event.backend = trainer->backend->kind->name;
    event.device = tonnx__backend_device(trainer->backend);
    event.parameters = trained_elements(trainer);
    event.samples = trainer->data->samples;
    event.total_steps = trainer->total_steps;
    event.steps_per_epoch = trainer->steps_per_epoch;
    event.total_epochs = (trainer->total_steps + trainer->steps_per_epoch - 1) / trainer->steps_per_epoch;
    emit(trainer, &event);
}

tonnx_status tonnx__train_end(tonnx_trainer *trainer, tonnx_status status)
{
    if (trainer->ended || (!status && !tonnx_trainer_done(trainer))) return status;
    trainer->ended = true;
    tonnx_event event = event_of(trainer, TONNX_EVENT_END);
    event.status = status;
    emit(trainer, &event);
    return status;
}

/* Step t's (from 0) learning rate: schedule, plateau, then warm-up min(1, t/W), steps counted from 1. */
static double rate_of(const tonnx_trainer *trainer, uint64_t t)
{
    const tonnx_train_options *o = &trainer->options;
    const double rate = tonnx__schedule_rate(o->schedule, &o->schedule_options, o->rate, t, trainer->total_steps);
    const double warm = t + 1 < o->warmup ? (double)(t + 1) / (double)o->warmup : 1;
    return rate * trainer->plateau_factor * warm;
}

/* The one function that computes what varies from step to step. */
static void make_record(const tonnx_trainer *trainer, tonnx__record *record, uint64_t t, uint64_t in_epoch, size_t rows)
{
    *record = (tonnx__record){
        .rate = rate_of(trainer, t), .first = (size_t)in_epoch * trainer->goal.rows, .rows = rows, .step = t
    };
    tonnx__optimizer_coefficients(trainer->goal.optimizer, trainer->goal.h, t + 1, record->c);
}

/* How many steps one run may have: all of one program, none past the end of epoch or training, about 50 ms at most, so
 * that a stop is heard. The first run of all is short, for nothing is known of its time. */
static uint64_t run_length(const tonnx_trainer *trainer, uint64_t steps, int which)
{
    const uint64_t full = trainer->data->samples / trainer->goal.rows;
    uint64_t count = which ? 1 : full - trainer->step_in_epoch;
    const double fit = trainer->step_seconds > 0 ? 0.05 / trainer->step_seconds : 4;
    if (count > steps) count = steps;
    if (count > trainer->total_steps - trainer->step) count = trainer->total_steps - trainer->step;
    if (count > TONNX__MAX_STEPS) count = TONNX__MAX_STEPS;
    if ((double)count > fit) count = fit < 1 ? 1 : (uint64_t)fit;
    return count;
}

static bool wants_event(const tonnx_trainer *trainer, uint64_t step)
{
    return trainer->options.log_every && step % trainer->options.log_every == 0;
}

/* One step's results: counted, told, and checked. */
static tonnx_status take_result(tonnx_trainer *trainer, const tonnx__record *record, const double *result)
{
    const double loss = result[TONNX__RESULT_LOSS], square = result[TONNX__RESULT_GRAD_SQUARE];
    const bool measured = trainer->options.log_grad_norm || trainer->options.clip_norm > 0;
    trainer->step++;
    trainer->step_in_epoch++;
    trainer->last_loss = loss;
    trainer->epoch_loss += loss * (double)record->rows;
    trainer->epoch_rows += record->rows;
    if (wants_event(trainer, trainer->step)) {
        tonnx_event event = event_of(trainer, TONNX_EVENT_STEP);
        event.epoch = trainer->epoch + 1;
        event.loss = loss;
        event.rate = record->rate;
        event.grad_norm = measured ? sqrt(square) : NAN;
        emit(trainer, &event);
    }
    if (!isfinite(loss) || (measured && !isfinite(square)))
        return tonnx__fail(TONNX_DIVERGED,
                           "step %llu (epoch %llu): the %s is not finite; a smaller --lr or --clip-norm may help",
                           (unsigned long long)trainer->step, (unsigned long long)trainer->epoch + 1,
                           isfinite(loss) ? "gradient's norm" : "loss");
    return TONNX_OK;
}

/* Reduce on plateau, once per epoch: after 10 epochs that are no better than the best by 1e-4 of it, the rate falls by
 * gamma (PyTorch's ReduceLROnPlateau with its defaults). */
static void step_plateau(tonnx_trainer *trainer, double loss)
{
    enum { PATIENCE = 10 };
    const tonnx_train_options *o = &trainer->options;
    if (o->schedule != TONNX_SCHEDULE_plateau) return;
    trainer->plateau_bad = loss < trainer->plateau_best * (1 - 1e-4) ? 0 : trainer->plateau_bad + 1;
    if (!trainer->plateau_bad) trainer->plateau_best = loss;
    if (trainer->plateau_bad <= PATIENCE) return;
    const double floor = o->rate > 0 ? o->schedule_options.min_rate / o->rate : 0;
    trainer->plateau_factor = fmax(trainer->plateau_factor * o->schedule_options.gamma, floor);
    trainer->plateau_bad = 0;
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
    trainer->epoch++;
    tonnx_event event = event_of(trainer, TONNX_EVENT_EPOCH);
    event.train_loss = trainer->epoch_rows ? trainer->epoch_loss / (double)trainer->epoch_rows : NAN;
    event.seconds = trainer->epoch_seconds;
    event.samples_per_second = (double)trainer->epoch_rows / trainer->epoch_seconds;
    const tonnx_status status = validate(trainer, &event);
    if (status) return status;
    step_plateau(trainer, isnan(event.val_loss) ? event.train_loss : event.val_loss);
    trainer->step_in_epoch = trainer->epoch_rows = 0;
    trainer->epoch_loss = trainer->epoch_seconds = 0;
    emit(trainer, &event);
    return TONNX_OK;
}

/* One run: records, the device's work, results. */
static tonnx_status run(tonnx_trainer *trainer, int which, uint64_t count)
{
    const size_t rows = trainer->programs[which]->rows;
    const double begin = now();
    if (trainer->order && !trainer->step_in_epoch)
        tonnx__shuffle(trainer->order, trainer->data->samples, trainer->options.seed, trainer->epoch);
    for (uint64_t i = 0; i < count; i++)
        make_record(trainer, &trainer->records[i], trainer->step + i, trainer->step_in_epoch + i, rows);
    tonnx_status status =
        tonnx__exec_run(trainer->execs[which], &trainer->feed, trainer->order, trainer->records, (size_t)count);
    if (!status) status = tonnx__exec_results(trainer->execs[which], (size_t)count, trainer->results);
    const double seconds = now() - begin;
    trainer->epoch_seconds += seconds;
    trainer->seconds += seconds;
    trainer->step_seconds = seconds / (double)count;
    for (uint64_t i = 0; i < count && !status; i++)
        status = take_result(trainer, &trainer->records[i], &trainer->results[i * TONNX__RESULTS]);
    return status;
}

static tonnx_status stopped(const tonnx_trainer *trainer)
{
    return tonnx__fail(TONNX_INTERRUPTED, "stopped after step %llu of %llu", (unsigned long long)trainer->step,
                       (unsigned long long)trainer->total_steps);
}

tonnx_status tonnx__train_some(tonnx_trainer *trainer, uint64_t steps)
{
    const uint64_t epoch = trainer->epoch;
    tonnx_status status = TONNX_OK;
    tonnx__train_start(trainer);
    while (steps && !status && trainer->epoch == epoch && !tonnx_trainer_done(trainer)) {
        const int which = trainer->step_in_epoch == trainer->data->samples / trainer->goal.rows;
        const uint64_t count = run_length(trainer, steps, which);
        status = run(trainer, which, count);
        steps -= count;
        const bool ends = trainer->step_in_epoch == trainer->steps_per_epoch || tonnx_trainer_done(trainer);
        if (!status && ends) status = close_epoch(trainer);
        if (!status && atomic_load(&trainer->stop) && !tonnx_trainer_done(trainer)) status = stopped(trainer);
    }
    return tonnx__train_end(trainer, status);
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
    while (!status && !tonnx_trainer_done(trainer)) status = tonnx_trainer_epoch(trainer);
    return status;
}
