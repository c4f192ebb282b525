/* Submits: many steps each, but none longer than drivers allow, and than a stop may wait for. None is waited for until
 * results are, or all slots are taken. */
#include "runtime/clock_impl.h"
#include "vulkan/exec_impl.h"

static tonnx_status retire(tonnx__vk_exec *exec, tonnx__vk_slot *slot)
{
    if (!slot->flying) return TONNX_OK;
    const tonnx_status status = tonnx__vk_fence_wait(tonnx__vk_of(exec), slot->fence);
    if (!status && slot->groups) tonnx__vk_part_learn(exec, slot);
    slot->flying = false;
    exec->ended = tonnx__now();
    return status;
}

tonnx_status tonnx__vk_slot_free(tonnx__vk_exec *exec)
{
    return retire(exec, &exec->slots[exec->submits % TONNX__VK_SLOTS]);
}

tonnx_status tonnx__vk_wait(tonnx__vk_exec *exec)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    tonnx_status status = vk->lost ? tonnx__vk_check(vk, VK_ERROR_DEVICE_LOST, "a run") : TONNX_OK;
    for (size_t i = 0; i < TONNX__VK_SLOTS && !status; i++)
        status = retire(exec, &exec->slots[(exec->submits + i) % TONNX__VK_SLOTS]);
    const double now = tonnx__now();
    if (!status && exec->run_steps) exec->step_seconds = (now - exec->begun) / (double)exec->run_steps;
    exec->run_steps = 0;
    exec->begun = now;
    return status ? status : tonnx__vk_meter_read(exec);
}

/* The commands of `steps` steps, large rungs first, as one submit. */
static tonnx_status go_by_rungs(tonnx__vk_exec *exec, size_t steps)
{
    VkCommandBuffer list[TONNX__VK_RUNGS];
    uint32_t count = 0;
    tonnx_status status = tonnx__vk_slot_free(exec);
    tonnx__vk_slot *slot = &exec->slots[exec->submits % TONNX__VK_SLOTS];
    for (int i = TONNX__VK_RUNGS - 1; i >= 0 && !status; i--) {
        tonnx__vk_rung *rung = &exec->rungs[i];
        if (!(steps & rung->steps)) continue;
        status = tonnx__vk_record(exec, rung);
        list[count++] = rung->commands;
        rung->ran += rung->steps;
    }
    if (!status) status = tonnx__vk_submit(tonnx__vk_of(exec), list, count, slot->fence);
    slot->groups = 0;
    slot->flying = !status;
    exec->submits += !status;
    return status;
}

tonnx_status tonnx__vk_go(tonnx__vk_exec *exec, size_t steps)
{
    const tonnx_status status = tonnx__vk_is_long(exec) ? tonnx__vk_go_in_parts(exec) : go_by_rungs(exec, steps);
    exec->run_steps += steps;
    return status;
}

size_t tonnx__vk_fitting(const tonnx__vk_exec *exec, size_t steps)
{
    if (exec->step_seconds <= 0.0) return 1;
    const double fit = tonnx__vk_of(exec)->limits.submit / exec->step_seconds;
    if ((double)steps <= fit) return steps;
    return fit < 1.0 ? 1 : (size_t)fit;
}
