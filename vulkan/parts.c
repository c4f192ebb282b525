/* A step that takes longer than a submit may goes out in parts: a few dispatches, or some workgroups of a large one. How
 * long a workgroup takes is guessed for a slow device, and learned from each part that is done. */
#include "runtime/clock_impl.h"
#include "vulkan/exec_impl.h"

/* What a part shall take of a submit's time, so that all that is in flight ends soon; FLOP/s and B/s of a slow device. */
static const double SHARE = 0.5, SLOW_FLOPS = 2e9, SLOW_BYTES = 1e9;

static double guess(const tonnx__vk_exec *exec, size_t code)
{
    const tonnx__program *program = exec->base.program;
    const tonnx__instruction *of = &program->code[code];
    return tonnx__instruction_flops(program, of) / SLOW_FLOPS + tonnx__instruction_bytes(program, of) / SLOW_BYTES;
}

bool tonnx__vk_is_long(const tonnx__vk_exec *exec)
{
    const double most = tonnx__vk_of(exec)->limits.submit;
    double seconds = 0;
    if (exec->step_seconds > 0.0) return exec->step_seconds > most;
    for (size_t i = 0; i < exec->base.program->code_count; i++) seconds += guess(exec, i);
    return seconds > most;
}

/* An instruction's seconds, shared out among the workgroups of all its dispatches. */
static double guess_slice(const tonnx__vk_exec *exec, size_t code)
{
    double groups = 0;
    for (size_t i = 0; i < exec->count; i++)
        if (exec->list[i].code == code) groups += (double)tonnx__vk_groups(&exec->list[i]);
    return guess(exec, code) / groups;
}

void tonnx__vk_part_learn(tonnx__vk_exec *exec, const tonnx__vk_slot *slot)
{
    const double begun = slot->begun > exec->ended ? slot->begun : exec->ended, took = tonnx__now() - begun;
    const double rest = slot->rest < 0.9 * took ? slot->rest : 0.9 * took;
    exec->list[slot->longest].slice = (took - rest) / (double)slot->groups;
}

static tonnx_status begin(tonnx__vk_exec *exec)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    const VkCommandBufferBeginInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT };
    const VkCommandBufferAllocateInfo room = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                               .commandPool = vk->commands,
                                               .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                               .commandBufferCount = 1 };
    tonnx_status status = tonnx__vk_slot_free(exec);
    tonnx__vk_slot *slot = &exec->slots[exec->submits % TONNX__VK_SLOTS];
    slot->groups = 0;
    slot->rest = slot->expected = 0;
    if (!status && !slot->commands)
        status = tonnx__vk_check(vk, vk->api->AllocateCommandBuffers(vk->device, &room, &slot->commands), "commands");
    return status ? status : tonnx__vk_check(vk, vk->api->BeginCommandBuffer(slot->commands, &info), "commands");
}

/* TONNX_INTERRUPTED where a stop is wanted: what is in flight is waited for, and the rest of the step left undone. */
static tonnx_status end(tonnx__vk_exec *exec, bool last)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    tonnx__vk_slot *slot = &exec->slots[exec->submits % TONNX__VK_SLOTS];
    if (last) tonnx__vk_barrier_all(vk, slot->commands);
    tonnx_status status = tonnx__vk_check(vk, vk->api->EndCommandBuffer(slot->commands), "commands");
    if (!status) status = tonnx__vk_submit(vk, &slot->commands, 1, slot->fence);
    slot->begun = tonnx__now();
    slot->flying = !status;
    exec->submits += !status;
    if (status || last || !tonnx__backend_stopped(&vk->base)) return status;
    exec->rungs[0].ran = 0; /* nobody wants its times, and not all are written */
    status = tonnx__vk_wait(exec);
    return status ? status : tonnx__abandoned();
}

/* The part's time will tell of the dispatch that is thought to take most of it. */
static void add(const tonnx__vk_exec *exec, tonnx__vk_slot *slot, size_t dispatch, size_t groups)
{
    const double seconds = (double)groups * exec->list[dispatch].slice, longest = slot->expected - slot->rest;
    slot->expected += seconds;
    slot->rest += seconds > longest ? longest : seconds;
    if (seconds <= longest && slot->groups) return;
    slot->longest = dispatch;
    slot->groups = groups;
}

/* As many workgroups as the slot's part has time for, one at least in an empty one; returns where they end. */
static size_t add_groups(tonnx__vk_exec *exec, size_t dispatch, size_t from)
{
    tonnx__vk_dispatch *d = &exec->list[dispatch];
    tonnx__vk_slot *slot = &exec->slots[exec->submits % TONNX__VK_SLOTS];
    const double fit = (SHARE * tonnx__vk_of(exec)->limits.submit - slot->expected) / d->slice;
    size_t groups = tonnx__vk_groups(d) - from;
    if (fit < (double)groups) groups = fit > 0.0 ? (size_t)fit : 0;
    if (!groups && !slot->groups) groups = 1;
    if (!groups) return from;
    if (!from) tonnx__vk_meter_stamp(exec, 0, slot->commands, dispatch);
    tonnx__vk_record_dispatch(tonnx__vk_of(exec), slot->commands, d, 0, from, from + groups);
    add(exec, slot, dispatch, groups);
    return from + groups;
}

tonnx_status tonnx__vk_go_in_parts(tonnx__vk_exec *exec)
{
    const size_t tick = exec->count - 1;
    tonnx_status status = begin(exec);
    for (size_t i = 0; i < tick && !status; i++) {
        tonnx__vk_dispatch *d = &exec->list[i];
        if (d->slice <= 0.0) d->slice = guess_slice(exec, d->code);
        for (size_t at = 0; at < tonnx__vk_groups(d) && !status;) {
            at = add_groups(exec, i, at);
            if (at == tonnx__vk_groups(d)) break;
            status = end(exec, false);
            if (!status) status = begin(exec);
        }
    }
    if (status) return status;
    const VkCommandBuffer commands = exec->slots[exec->submits % TONNX__VK_SLOTS].commands;
    tonnx__vk_meter_stamp(exec, 0, commands, tick);
    tonnx__vk_record_dispatch(tonnx__vk_of(exec), commands, &exec->list[tick], 1, 0, 1);
    exec->rungs[0].ran++;
    return end(exec, true);
}
