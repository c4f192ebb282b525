/* How a program runs on the device, as text: its dispatches level by level, and its memory. */
#include <stdio.h>
#include <string.h>

#include "vulkan/exec_impl.h"

typedef struct printer {
    void (*line)(void *user, const char *text);
    void *user;
} printer;

static void print_head(const tonnx__vk_exec *exec, const printer *to)
{
    char text[512];
    size_t barriers = 0;
    for (size_t i = 0; i + 1 < exec->count; i++) barriers += exec->list[i].barrier;
    snprintf(text, sizeof text, "%s: %zu dispatches and %zu barriers a step",
             exec->base.state->backend->kind->device(exec->base.state->backend), exec->count - 1, barriers);
    to->line(to->user, text);
}

/* The clock's own dispatch, the last one, ends a submit, not a step. */
static void print_dispatch(const tonnx__vk_exec *exec, size_t i, const printer *to)
{
    const tonnx__vk_dispatch *d = &exec->list[i];
    char text[256];
    snprintf(text, sizeof text, "%s %-18s %5u x %u x %u workgroups of %3u   instruction %zu %s",
             d->barrier ? "--" : "  ", tonnx__vk_shader_name(d->shader), d->groups[0], d->groups[1], d->groups[2],
             d->specs[0], d->code, tonnx__kind_name(exec->base.program->code[d->code].kind));
    to->line(to->user, text);
}

static double mib_of(const tonnx__vk_table *table)
{
    double bytes = 0;
    for (size_t i = 0; i < table->count; i++) bytes += (double)table->pieces[i].buffer.bytes;
    return bytes / 1048576.0;
}

/* What of the data lies on the device, and room for the rest. */
static void print_data(const tonnx__vk_exec *exec, const printer *to)
{
    const tonnx__vk *vk = tonnx__vk_of(exec);
    const double kept = exec->kept ? mib_of(&exec->kept->x) + mib_of(&exec->kept->t) : 0;
    char text[256];
    snprintf(text, sizeof text, "data: %.2f MiB on the device, %.2f MiB for what is sent; %.1f of %.1f MiB are taken", kept,
             mib_of(&exec->ring.x) + mib_of(&exec->ring.t), (double)vk->used / 1048576.0,
             (double)vk->limits.heap / 1048576.0);
    to->line(to->user, text);
}

/* The arenas, and what lies beside them. */
static void print_memory(const tonnx__vk_exec *exec, const printer *to)
{
    char text[TONNX__INSTRUCTION_TEXT];
    tonnx__program_memory(exec->base.program, sizeof(float), text);
    const size_t length = strlen(text);
    snprintf(text + length, sizeof text - length, ", scratch %.1f KiB, clock and results %.1f KiB",
             (double)exec->scratch.bytes / 1024, (double)(exec->clock.bytes + exec->results.bytes) / 1024);
    to->line(to->user, text);
}

tonnx_status tonnx__vk_plan(tonnx__exec *base, const tonnx__feed *feed, void (*line)(void *user, const char *text),
                            void *user)
{
    tonnx__vk_exec *exec = (tonnx__vk_exec *)base;
    const printer to = { line, user };
    const tonnx_status status = tonnx__vk_make_ready(exec, feed);
    if (status) return status;
    print_head(exec, &to);
    for (size_t i = 0; i + 1 < exec->count; i++) print_dispatch(exec, i, &to);
    print_memory(exec, &to);
    if (exec->gathers) print_data(exec, &to);
    return TONNX_OK;
}
