/* What is watched at an epoch's end: the rate's plateau, the best weights, patience; and what a run ends with. */
#include <math.h>

#include "runtime/train_impl.h"

/* Reduce on plateau: after 10 epochs that are no better than the best by 1e-4 of it, the rate falls by gamma (PyTorch's
 * ReduceLROnPlateau with its defaults). */
static void step_plateau(tonnx_trainer *trainer, double loss)
{
    enum { PATIENCE = 10 };
    const tonnx_train_options *o = &trainer->options;
    tonnx__progress *at = &trainer->at;
    if (o->schedule != TONNX_SCHEDULE_plateau) return;
    at->plateau_bad = loss < at->plateau_best * (1 - 1e-4) ? 0 : at->plateau_bad + 1;
    if (!at->plateau_bad) at->plateau_best = loss;
    if (at->plateau_bad <= PATIENCE) return;
    const double floor = o->rate > 0 ? fmin(o->schedule_options.min_rate / o->rate, 1) : 0;
    at->plateau_factor = fmax(at->plateau_factor * o->schedule_options.gamma, floor);
    at->plateau_bad = 0;
}

tonnx_status tonnx__watch_epoch(tonnx_trainer *trainer, double loss)
{
    tonnx__progress *at = &trainer->at;
    step_plateau(trainer, loss);
    if (!trainer->options.best && !trainer->options.patience) return TONNX_OK;
    if (!(loss < at->best_loss)) {
        at->stale++;
        return TONNX_OK;
    }
    at->best_loss = loss;
    at->best_epoch = at->epoch;
    at->stale = 0;
    return tonnx__state_read(trainer->state, &trainer->best, TONNX__MODEL_ARENAS);
}

bool tonnx__is_out_of_patience(const tonnx_trainer *trainer)
{
    return trainer->options.patience && trainer->at.stale >= trainer->options.patience;
}

static bool ends_with_best(const tonnx_trainer *trainer)
{
    const bool wanted = trainer->options.best || tonnx__is_out_of_patience(trainer);
    return wanted && trainer->at.best_epoch && tonnx_trainer_done(trainer);
}

static void tell_best(const tonnx_trainer *trainer)
{
    const tonnx__progress *at = &trainer->at;
    const char *loss = trainer->options.validation ? "validation" : "training";
    if (tonnx__is_out_of_patience(trainer))
        tonnx__say(&trainer->options.log, TONNX_LOG_INFO,
                   "stopped early: %llu epoch%s without a lower %s loss; the weights of epoch %llu (%s loss %.6g) are "
                   "restored",
                   (unsigned long long)at->stale, at->stale == 1 ? "" : "s", loss, (unsigned long long)at->best_epoch,
                   loss, at->best_loss);
    else
        tonnx__say(&trainer->options.log, TONNX_LOG_INFO, "the best weights are those of epoch %llu (%s loss %.6g)",
                   (unsigned long long)at->best_epoch, loss, at->best_loss);
}

/* The last update may have left numbers that no loss has met. */
static tonnx_status check_finite(tonnx_trainer *trainer)
{
    tonnx__image image = { 0 };
    tonnx_status status = tonnx__state_read(trainer->state, &image, 1u << TONNX__ARENA_PARAM);
    if (!status && tonnx__image_not_finite(&image, trainer->state)) status = tonnx__diverged(trainer, "the update");
    tonnx__image_clear(&image);
    return status;
}

tonnx_status tonnx__watch_end(tonnx_trainer *trainer)
{
    if (trainer->told) return TONNX_OK;
    trainer->told = true;
    if (!ends_with_best(trainer)) return check_finite(trainer);
    tell_best(trainer);
    return TONNX_OK;
}

/* Whether the model's tensor of a parameter holds NaN or Inf. */
static tonnx_status has_not_finite(bool *out, const tonnx__param *param, tonnx_model *model)
{
    const size_t count = param->rows * param->cols;
    double *values = NULL;
    const tonnx_status status = tonnx__alloc(&values, count, sizeof *values);
    *out = false;
    if (status) return status;
    tonnx__param_pull(param, model, values);
    for (size_t i = 0; i < count && !*out; i++) *out = !isfinite(values[i]);
    tonnx__free(values);
    return TONNX_OK;
}

/* `out`: the first of all parameters, or of those that `moving` moves, that the model holds NaN or Inf of; NULL: there is
 * none. */
static tonnx_status stored_not_finite(const tonnx__param **out, const tonnx_trainer *trainer, const tonnx__state *moving)
{
    const tonnx_net *net = trainer->net;
    tonnx_status status = TONNX_OK;
    bool found = false;
    *out = NULL;
    for (size_t p = 0; p < net->param_count && !found && !status; p++) {
        const tonnx__param *param = &net->params[p];
        if (param->derived || (moving && !tonnx__state_moves(moving, p, !trainer->options.freeze_bn))) continue;
        status = has_not_finite(&found, param, net->model);
        if (found) *out = param;
    }
    return status;
}

/* What was pulled: numbers of the state that are finite may be beyond what a tensor's type holds (65504 in float16), and
 * those of the best epoch may have met no loss. */
static tonnx_status check_stored(const tonnx_trainer *trainer)
{
    const tonnx__param *param = NULL;
    const tonnx_status status = trainer->at.step ? stored_not_finite(&param, trainer, trainer->state) : TONNX_OK;
    if (!param) return status;
    return tonnx__fail(TONNX_DIVERGED,
                       "step %llu: what is to be written is not finite, tensor '%s' as %s is not; a smaller --lr or "
                       "--clip-norm may help",
                       (unsigned long long)trainer->at.step, param->name,
                       tonnx_dtype_name(tonnx__param_tensor(param, trainer->net->model)->dtype));
}

/* The best weights take the state's place for as long as it is read: a checkpoint made later holds the last ones. */
tonnx_status tonnx_trainer_pull(tonnx_trainer *trainer, tonnx_model *model)
{
    const bool statistics = !trainer->options.freeze_bn;
    tonnx__image last = { 0 };
    if (model != trainer->net->model)
        return tonnx__fail(TONNX_BAD_USAGE, "the trainer was made with another model than the one it is pulled into");
    if (!ends_with_best(trainer)) {
        const tonnx_status pulled = tonnx__state_pull(trainer->state, statistics);
        return pulled ? pulled : check_stored(trainer);
    }
    tonnx_status status = tonnx__state_read(trainer->state, &last, TONNX__MODEL_ARENAS);
    if (status) return status;
    status = tonnx__state_write(trainer->state, &trainer->best);
    if (!status) status = tonnx__state_pull(trainer->state, statistics);
    const tonnx_status back = tonnx__state_write(trainer->state, &last);
    tonnx__image_clear(&last);
    if (!status) status = back;
    return status ? status : check_stored(trainer);
}

tonnx_status tonnx__diverged(tonnx_trainer *trainer, const char *what)
{
    const unsigned long long step = trainer->at.step, epoch = trainer->at.epoch + (trainer->at.step_in_epoch > 0);
    const tonnx__param *brought = NULL;
    tonnx__image image = { 0 };
    /* After the first step the model still holds what it was loaded with. */
    if (step == 1 && !stored_not_finite(&brought, trainer, NULL) && brought)
        return tonnx__fail(TONNX_DIVERGED,
                           "step %llu (epoch %llu): %s is not finite, as the model's tensor '%s' was not to begin with; "
                           "give it finite weights (tonnx init)",
                           step, epoch, what, brought->name);
    const tonnx_status status = tonnx__state_read(trainer->state, &image, 1u << TONNX__ARENA_PARAM);
    const char *name = status ? NULL : tonnx__image_not_finite(&image, trainer->state);
    tonnx__image_clear(&image);
    return tonnx__fail(
        TONNX_DIVERGED, "step %llu (epoch %llu): %s is not finite%s%s%s; a smaller --lr or --clip-norm may help", step,
        epoch, what, name ? ", and tensor '" : "", name ? name : "", name ? "' is not" : "");
}
