/* What a run's time went into, by the device's own clock: the first step of each rung writes the time after every
 * dispatch, and stands for the others. Nothing waits for it. */
#include "vulkan/exec_impl.h"

/* Queries of one rung: the start, and the end of every dispatch but the clock's. */
static uint32_t queries_of(const tonnx__vk_exec *exec)
{
    return (uint32_t)exec->count;
}

tonnx_status tonnx__vk_profile(tonnx__exec *base, tonnx__spent *spent, tonnx__handing *handing)
{
    tonnx__vk_exec *exec = (tonnx__vk_exec *)base;
    const tonnx_status status = tonnx__vk_wait(exec);
    exec->spent = spent;
    exec->handing = handing;
    if (handing) handing->pieces = "dispatches", handing->meets = "barriers";
    tonnx__vk_unprepare(exec);
    return status;
}

tonnx_status tonnx__vk_meter_prepare(tonnx__vk_exec *exec)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    const VkQueryPoolCreateInfo info = { .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                         .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                         .queryCount = TONNX__VK_RUNGS * queries_of(exec) };
    if (!exec->spent) return TONNX_OK;
    for (size_t i = 0; i < exec->base.program->code_count; i++) exec->spent[i].tiles = exec->spent[i].meets = 0;
    for (size_t i = 0; i + 1 < exec->count; i++) {
        exec->spent[exec->list[i].code].tiles++;
        exec->spent[exec->list[i].code].meets += exec->list[i].barrier;
    }
    if (vk->limits.tick <= 0.0) return TONNX_OK;
    return tonnx__vk_check(vk, vk->api->CreateQueryPool(vk->device, &info, NULL, &exec->queries), "a pool of queries");
}

void tonnx__vk_meter_stamp(tonnx__vk_exec *exec, int rung, VkCommandBuffer commands, size_t dispatch)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    const uint32_t first = (uint32_t)rung * queries_of(exec);
    if (!exec->queries) return;
    if (!dispatch) vk->api->CmdResetQueryPool(commands, exec->queries, first, queries_of(exec));
    vk->api->CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, exec->queries,
                               first + (uint32_t)dispatch);
}

/* Seconds of each instruction in the rung's last execution, times its steps since the last reading. */
static tonnx_status read_rung(tonnx__vk_exec *exec, const tonnx__vk_rung *rung, uint64_t *times)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    const uint32_t count = queries_of(exec), first = (uint32_t)(rung - exec->rungs) * count;
    const tonnx_status status = tonnx__vk_check(
        vk,
        vk->api->GetQueryPoolResults(vk->device, exec->queries, first, count, count * sizeof *times, times,
                                     sizeof *times, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
        "the times of a run");
    for (uint32_t i = 0; i + 1 < count && !status; i++) {
        const uint64_t ticks = times[i + 1] > times[i] ? times[i + 1] - times[i] : 0;
        exec->spent[exec->list[i].code].seconds += 1e-9 * vk->limits.tick * (double)ticks * (double)rung->ran;
    }
    return status;
}

tonnx_status tonnx__vk_meter_read(tonnx__vk_exec *exec)
{
    uint64_t *times = NULL;
    tonnx_status status = TONNX_OK;
    if (!exec->spent) return TONNX_OK;
    if (exec->queries) status = tonnx__alloc(&times, queries_of(exec), sizeof *times);
    for (int r = 0; r < TONNX__VK_RUNGS && !status; r++) {
        tonnx__vk_rung *rung = &exec->rungs[r];
        for (size_t i = 0; i < exec->base.program->code_count; i++) exec->spent[i].calls += rung->ran;
        if (rung->ran && exec->queries) status = read_rung(exec, rung, times);
        rung->ran = 0;
    }
    tonnx__free(times);
    return status;
}
