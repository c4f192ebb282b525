/* Verification: every N-th step is also done by the judge of the backends, from the same state, in double. */
#include <math.h>

#include "runtime/train_impl.h"

/* The judge, its state, the same programs made ready on it, and numbers on their way. */
struct tonnx__verify {
    tonnx__backend *backend;
    tonnx__state *state;
    tonnx__exec *execs[2];
    tonnx__image before, after, judged;
    tonnx_verification found;
};

static tonnx_status make_ready(tonnx_trainer *trainer, int which)
{
    struct tonnx__verify *v = trainer->verify;
    const tonnx__program *program = trainer->programs[which];
    if (!program) return TONNX_OK;
    const tonnx_status status = tonnx__exec_new(&v->execs[which], v->state->device, program);
    if (status || !trainer->goal.class_weights) return status;
    return tonnx__exec_write(v->execs[which], program->class_weights, trainer->goal.class_weights, TONNX__F64);
}

tonnx_status tonnx__verify_new(tonnx_trainer *trainer)
{
    if (!trainer->options.verify) return TONNX_OK;
    tonnx_status status = tonnx__alloc(&trainer->verify, 1, sizeof *trainer->verify);
    if (status) return status;
    struct tonnx__verify *v = trainer->verify;
    status = tonnx__backend_judge(&v->backend);
    if (!status)
        status = tonnx__state_new(&v->state, trainer->net, v->backend, trainer->trained, trainer->goal.moments);
    for (int which = 0; which < 2 && !status; which++) status = make_ready(trainer, which);
    return status;
}

void tonnx__verify_free(struct tonnx__verify *v)
{
    if (!v) return;
    for (int which = 0; which < 2; which++) tonnx__exec_free(v->execs[which]);
    tonnx__state_free(v->state);
    tonnx__backend_close(v->backend);
    tonnx__image_clear(&v->before);
    tonnx__image_clear(&v->after);
    tonnx__image_clear(&v->judged);
    tonnx__free(v);
}

uint64_t tonnx__verify_steps(const tonnx_trainer *trainer)
{
    const uint64_t every = trainer->options.verify;
    if (!every) return UINT64_MAX;
    const uint64_t left = every - 1 - trainer->at.step % every;
    return left ? left : 1;
}

bool tonnx__verify_due(const tonnx_trainer *trainer)
{
    return trainer->verify && (trainer->at.step + 1) % trainer->options.verify == 0;
}

tonnx_status tonnx__verify_before(tonnx_trainer *trainer)
{
    struct tonnx__verify *v = trainer->verify;
    const tonnx_status status = tonnx__state_read(trainer->state, &v->before, TONNX__ALL_ARENAS);
    return status ? status : tonnx__state_write(v->state, &v->before);
}

/* Takes a deviation that is larger than what was known, or no number; returns whether it was. */
static bool take(double *largest, double deviation)
{
    if (deviation <= *largest || isnan(*largest)) return false;
    *largest = deviation;
    return true;
}

static double relative(double deviation, double size)
{
    return deviation == 0 ? 0 : deviation / size;
}

/* ‖w − r‖ / ‖r‖ of parameter p, w the backend's and r the judge's. */
static double deviation_of(const tonnx_trainer *trainer, size_t p)
{
    const struct tonnx__verify *v = trainer->verify;
    const tonnx__param *param = &trainer->net->params[p];
    const struct tonnx__place *at = &trainer->state->layout.places[p];
    double apart = 0, size = 0;
    for (size_t i = at->offset; i < at->offset + param->rows * param->cols; i++) {
        const double w = tonnx__image_at(&v->after, at->arena, i), r = tonnx__image_at(&v->judged, at->arena, i);
        apart += (w - r) * (w - r);
        size += r * r;
    }
    return relative(sqrt(apart), sqrt(size));
}

static void compare(tonnx_trainer *trainer, double loss, double judged)
{
    tonnx_verification *found = &trainer->verify->found;
    found->steps++;
    if (take(&found->loss, relative(fabs(loss - judged), fabs(judged)))) found->loss_step = trainer->at.step;
    for (size_t p = 0; p < trainer->net->param_count; p++)
        if (take(&found->weights, deviation_of(trainer, p))) {
            found->weights_step = trainer->at.step;
            found->tensor = trainer->net->params[p].name;
        }
}

tonnx_status tonnx__verify_after(tonnx_trainer *trainer, int which)
{
    struct tonnx__verify *v = trainer->verify;
    double results[TONNX__RESULTS];
    tonnx_status status = tonnx__exec_run(v->execs[which], &trainer->feed, trainer->order, trainer->records, 1);
    if (!status) status = tonnx__exec_results(v->execs[which], 1, results);
    if (!status) status = tonnx__state_read(trainer->state, &v->after, TONNX__MODEL_ARENAS);
    if (!status) status = tonnx__state_read(v->state, &v->judged, TONNX__MODEL_ARENAS);
    if (!status) compare(trainer, trainer->results[TONNX__RESULT_LOSS], results[TONNX__RESULT_LOSS]);
    return status;
}

tonnx_status tonnx_trainer_verification(const tonnx_trainer *trainer, tonnx_verification *out)
{
    *out = (tonnx_verification){ 0 };
    if (!trainer->verify)
        return tonnx__fail(TONNX_BAD_USAGE, "this trainer was made without `verify`: there is nothing to show");
    *out = trainer->verify->found;
    return TONNX_OK;
}
