/* The events that tell of a run. */
#include <math.h>

#include "runtime/train_impl.h"

void tonnx__emit(const tonnx_trainer *trainer, const tonnx_event *event)
{
    if (trainer->options.event) trainer->options.event(trainer->options.event_user, event);
}

tonnx_event tonnx__event_of(const tonnx_trainer *trainer, tonnx_event_kind kind)
{
    return (tonnx_event){ .kind = kind,
                          .step = trainer->at.step,
                          .epoch = trainer->at.epoch,
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
    tonnx_event event = tonnx__event_of(trainer, TONNX_EVENT_START);
    event.backend = trainer->backend->kind->name;
    event.device = tonnx__backend_device(trainer->backend);
    event.parameters = trained_elements(trainer);
    event.samples = trainer->data->samples;
    event.total_steps = trainer->total_steps;
    event.steps_per_epoch = trainer->steps_per_epoch;
    event.total_epochs =
        trainer->total_steps / trainer->steps_per_epoch + (trainer->total_steps % trainer->steps_per_epoch > 0);
    tonnx__emit(trainer, &event);
}

tonnx_status tonnx__train_end(tonnx_trainer *trainer, tonnx_status status)
{
    if (trainer->ended || (!status && !tonnx_trainer_done(trainer))) return status;
    trainer->ended = true;
    tonnx_event event = tonnx__event_of(trainer, TONNX_EVENT_END);
    event.status = status;
    tonnx__emit(trainer, &event);
    return status;
}
