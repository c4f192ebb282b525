/* Steps that take long. A stop may not wait for one, so it is left where it stands, and the state of the last whole
 * step is put back: a copy of the state costs little beside such a step. */
#include "runtime/train_impl.h"

/* What makes a step long, in seconds: copying large layers takes a tenth of a half-second step of theirs. And before any
 * was timed, in operations: some tenths of a second of one core. */
static const double LONG_SECONDS = 1, LONG_FLOPS = 2e9;

static bool may_be_long(const tonnx_trainer *trainer, const tonnx__program *program)
{
    double flops = 0;
    if (trainer->step_seconds > 0) return trainer->step_seconds > LONG_SECONDS;
    for (size_t i = 0; i < program->code_count; i++) flops += tonnx__instruction_flops(program, &program->code[i]);
    return flops > LONG_FLOPS;
}

tonnx_status tonnx__train_guard(tonnx_trainer *trainer, const tonnx__program *program)
{
    const bool guarded = may_be_long(trainer, program);
    tonnx_status status = TONNX_OK;
    trainer->back = false;
    if (guarded) status = tonnx__state_read(trainer->state, &trainer->guarded, TONNX__ALL_ARENAS);
    else tonnx__image_clear(&trainer->guarded);
    if (guarded && !status) tonnx__backend_heed(trainer->backend, &trainer->stop);
    return status == TONNX_NO_MEMORY ? TONNX_OK : status;
}

tonnx_status tonnx__train_stopped(const tonnx_trainer *trainer)
{
    return tonnx__fail(TONNX_INTERRUPTED, "stopped after step %llu of %llu", (unsigned long long)trainer->at.step,
                       (unsigned long long)trainer->total_steps);
}

tonnx_status tonnx__train_unguard(tonnx_trainer *trainer, tonnx_status status)
{
    tonnx__backend_heed(trainer->backend, NULL);
    if (status != TONNX_INTERRUPTED) return status;
    status = tonnx__state_write(trainer->state, &trainer->guarded);
    trainer->back = !status;
    return status ? status : tonnx__train_stopped(trainer);
}
