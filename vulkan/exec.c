/* A program's exec: its own buffers. What is recorded for it is record.c's, running it run.c's. */
#include "vulkan/cut_impl.h"

static tonnx_status check_kinds(const tonnx__program *program)
{
    for (size_t i = 0; i < program->code_count; i++)
        if (!tonnx__vk_cutter_of(program->code[i].kind))
            return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: no shader for '%s' yet: use --backend cpu",
                               tonnx__kind_name(program->code[i].kind));
    return TONNX_OK;
}

static bool gathers(const tonnx__program *program)
{
    for (size_t i = 0; i < program->code_count; i++)
        if (program->code[i].kind == TONNX__GATHER) return true;
    return false;
}

static tonnx_status make_buffers(tonnx__vk_exec *exec)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    const VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
    const size_t work = exec->base.program->arena_size[TONNX__ARENA_WORK] * sizeof(float);
    const size_t results = (size_t)TONNX__MAX_STEPS * TONNX__RESULTS * sizeof(float);
    tonnx_status status = tonnx__vk_memory_want(vk, work + results + sizeof(tonnx__vk_clock), "a step's program");
    if (!status) status = tonnx__vk_buffer_new(vk, &exec->work, work, false, "the program's work arena");
    if (!status) status = tonnx__vk_buffer_new(vk, &exec->results, results, true, "the results");
    if (!status) status = tonnx__vk_buffer_new(vk, &exec->clock, sizeof(tonnx__vk_clock), true, "the clock");
    for (int i = 0; i < TONNX__VK_SLOTS && !status; i++)
        status = tonnx__vk_check(vk, vk->api->CreateFence(vk->device, &fence, NULL, &exec->slots[i].fence), "a fence");
    return status ? status : tonnx__vk_zero(vk, &exec->work);
}

tonnx_status tonnx__vk_exec_new(tonnx__device_state *state, const tonnx__program *program, tonnx__exec **out)
{
    tonnx__vk_exec *exec = NULL;
    tonnx_status status = check_kinds(program);
    if (!status) status = tonnx__alloc(&exec, 1, sizeof *exec);
    if (status) return status;
    exec->base = (tonnx__exec){ state, program };
    exec->gathers = gathers(program);
    for (int i = 0; i < TONNX__VK_RUNGS; i++) exec->rungs[i].steps = 1u << i;
    status = make_buffers(exec);
    if (!status && !exec->gathers) status = tonnx__vk_prepare(exec);
    if (status) tonnx__vk_exec_free(&exec->base);
    else *out = &exec->base;
    return status;
}

void tonnx__vk_exec_free(tonnx__exec *base)
{
    tonnx__vk_exec *exec = (tonnx__vk_exec *)base;
    tonnx__vk *vk = tonnx__vk_of(exec);
    tonnx__vk_finish(&vk->base);
    tonnx__vk_unprepare(exec);
    tonnx__vk_data_clear(vk, &exec->ring);
    tonnx__vk_source_free(exec);
    tonnx__vk_buffer *const buffers[] = { &exec->work, &exec->scratch, &exec->results, &exec->clock, &exec->order };
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) tonnx__vk_buffer_free(vk, buffers[i]);
    for (int i = 0; i < TONNX__VK_SLOTS; i++) {
        tonnx__vk_slot *slot = &exec->slots[i];
        if (slot->commands) vk->api->FreeCommandBuffers(vk->device, vk->commands, 1, &slot->commands);
        vk->api->DestroyFence(vk->device, slot->fence, NULL);
    }
    tonnx__free(exec->list);
    tonnx__free(exec);
}

tonnx_status tonnx__vk_work_write(tonnx__exec *base, size_t offset, size_t count, const void *from,
                                  tonnx__numbers numbers)
{
    tonnx__vk_exec *exec = (tonnx__vk_exec *)base;
    return tonnx__vk_write(tonnx__vk_of(exec), &exec->work, offset, count, from, numbers);
}

tonnx_status tonnx__vk_work_read(tonnx__exec *base, size_t offset, size_t count, void *to, tonnx__numbers numbers)
{
    tonnx__vk_exec *exec = (tonnx__vk_exec *)base;
    return tonnx__vk_read(tonnx__vk_of(exec), &exec->work, offset, count, to, numbers);
}
