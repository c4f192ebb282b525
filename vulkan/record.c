/* From a program to recorded commands: its dispatches, their pipelines and bindings. */
#include "vulkan/cut_impl.h"

/* The clock goes on. */
static void cut_tick(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = { .shader = TONNX__VK_tick, .specs = { 1 }, .code = cut->index };
    tonnx__vk_gives(&d, (tonnx__vk_operand){ &cut->exec->clock, 0, 1, 1, false });
    tonnx__vk_emit(cut, &d, 1, 1);
}

static tonnx_status cut_all(tonnx__vk_exec *exec)
{
    const tonnx__program *program = exec->base.program;
    tonnx__vk_cut cut = { .vk = tonnx__vk_of(exec), .exec = exec };
    for (; cut.index < program->code_count && !cut.status; cut.index++) {
        tonnx__vk_cut_open(&cut);
        if (tonnx__vk_cut_with_loss(&cut)) cut.index++;
        else tonnx__vk_cutter_of(cut.code->kind)(&cut);
    }
    if (!cut.status) cut_tick(&cut);
    return cut.status;
}

static tonnx_status make_pool(tonnx__vk_exec *exec)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    uint32_t bindings = 0, views = 0;
    for (size_t i = 0; i < exec->count; i++) {
        bindings += exec->list[i].operand_count;
        views += tonnx__vk_shader_views(exec->list[i].shader);
    }
    const VkDescriptorPoolSize sizes[] = { { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, bindings },
                                           { VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, views } };
    const VkDescriptorPoolCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                              .maxSets = (uint32_t)exec->count,
                                              .poolSizeCount = views ? 2 : 1,
                                              .pPoolSizes = sizes };
    return tonnx__vk_check(vk, vk->api->CreateDescriptorPool(vk->device, &info, NULL, &exec->pool), "bindings");
}

static void write_bindings(tonnx__vk *vk, const tonnx__vk_dispatch *d)
{
    VkDescriptorBufferInfo infos[TONNX__VK_MAX_BINDINGS];
    VkWriteDescriptorSet writes[TONNX__VK_MAX_BINDINGS];
    for (uint32_t k = 0; k < d->operand_count; k++) {
        const tonnx__vk_window *w = &d->windows[k];
        infos[k] = (VkDescriptorBufferInfo){ w->buffer->buffer, w->offset, w->bytes };
        writes[k] = (VkWriteDescriptorSet){ .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                            .dstSet = d->set,
                                            .dstBinding = k,
                                            .descriptorCount = 1,
                                            .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                            .pBufferInfo = &infos[k] };
    }
    vk->api->UpdateDescriptorSets(vk->device, d->operand_count, writes, 0, NULL);
}

/* One of the first operands as texels, to the last whole one; buffers end with one. */
static tonnx_status show(tonnx__vk *vk, tonnx__vk_dispatch *d, uint32_t view, uint32_t operand, VkFormat format)
{
    const tonnx__vk_window *w = &d->windows[operand];
    const VkBufferViewCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                          .buffer = w->buffer->buffer,
                                          .format = format,
                                          .offset = w->offset,
                                          .range = (w->bytes + 15) / 16 * 16 };
    const tonnx_status status =
        tonnx__vk_check(vk, vk->api->CreateBufferView(vk->device, &info, NULL, &d->views[view]), "a view");
    const VkWriteDescriptorSet write = { .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                         .dstSet = d->set,
                                         .dstBinding = d->operand_count + view,
                                         .descriptorCount = 1,
                                         .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER,
                                         .pTexelBufferView = &d->views[view] };
    if (!status) vk->api->UpdateDescriptorSets(vk->device, 1, &write, 0, NULL);
    return status;
}

static tonnx_status show_texels(tonnx__vk *vk, tonnx__vk_dispatch *d)
{
    static const VkFormat formats[] = { VK_FORMAT_R32G32B32A32_SFLOAT, VK_FORMAT_R32_SFLOAT };
    const uint32_t views = tonnx__vk_shader_views(d->shader), shown = views / 2;
    tonnx_status status = TONNX_OK;
    for (uint32_t i = 0; i < views && !status; i++) status = show(vk, d, i, i % shown, formats[i / shown]);
    return status;
}

static tonnx_status equip(tonnx__vk_exec *exec, tonnx__vk_dispatch *d)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    tonnx_status status = tonnx__vk_pipeline_get(vk, d->shader, d->specs, &d->pipeline);
    if (!status) status = tonnx__vk_layout_get(vk, d->shader, &d->layout);
    if (status) return status;
    const VkDescriptorSetAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                               .descriptorPool = exec->pool,
                                               .descriptorSetCount = 1,
                                               .pSetLayouts = &vk->sets[d->shader] };
    status = tonnx__vk_check(vk, vk->api->AllocateDescriptorSets(vk->device, &info, &d->set), "bindings");
    if (!status) write_bindings(vk, d);
    return status ? status : show_texels(vk, d);
}

tonnx_status tonnx__vk_prepare(tonnx__vk_exec *exec)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    exec->scratch_size = 0;
    tonnx_status status = cut_all(exec);
    if (!status && exec->scratch_size)
        status = tonnx__vk_buffer_new(vk, &exec->scratch, exec->scratch_size * sizeof(float), false, "scratch room");
    if (!status) status = tonnx__vk_schedule(exec);
    if (!status) status = make_pool(exec);
    if (!status) status = tonnx__vk_meter_prepare(exec);
    for (size_t i = 0; i < exec->count && !status; i++) status = equip(exec, &exec->list[i]);
    exec->ready = !status;
    return status;
}

void tonnx__vk_unprepare(tonnx__vk_exec *exec)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    for (int i = 0; i < TONNX__VK_RUNGS; i++) {
        if (exec->rungs[i].commands) vk->api->FreeCommandBuffers(vk->device, vk->commands, 1, &exec->rungs[i].commands);
        exec->rungs[i].commands = VK_NULL_HANDLE;
    }
    if (exec->pool) vk->api->DestroyDescriptorPool(vk->device, exec->pool, NULL);
    for (size_t i = 0; i < exec->count; i++)
        for (int k = 0; k < TONNX__VK_MAX_VIEWS; k++)
            vk->api->DestroyBufferView(vk->device, exec->list[i].views[k], NULL);
    exec->pool = VK_NULL_HANDLE;
    vk->api->DestroyQueryPool(vk->device, exec->queries, NULL);
    exec->queries = VK_NULL_HANDLE;
    tonnx__vk_buffer_free(vk, &exec->scratch);
    exec->count = 0;
    exec->ready = false;
}

static void record_barrier(tonnx__vk *vk, VkCommandBuffer commands)
{
    const VkMemoryBarrier written = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                      .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                                      .dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT };
    vk->api->CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0,
                                1, &written, 0, NULL, 0, NULL);
}

size_t tonnx__vk_groups(const tonnx__vk_dispatch *d)
{
    return (size_t)d->groups[0] * d->groups[1];
}

/* Workgroups counted along x first, which may begin and end within a row. */
static void record_groups(tonnx__vk *vk, VkCommandBuffer commands, const tonnx__vk_dispatch *d, size_t from, size_t to)
{
    const size_t across = d->groups[0];
    if (to - from == tonnx__vk_groups(d)) vk->api->CmdDispatch(commands, d->groups[0], d->groups[1], 1);
    else while (from < to) {
            const size_t x = from % across, y = from / across, rows = x ? 0 : (to - from) / across;
            const size_t left = across - x, cols = rows ? across : to - from < left ? to - from : left;
            vk->api->CmdDispatchBase(commands, (uint32_t)x, (uint32_t)y, 0, (uint32_t)cols, rows ? (uint32_t)rows : 1, 1);
            from += rows ? rows * across : cols;
        }
}

void tonnx__vk_record_dispatch(tonnx__vk *vk, VkCommandBuffer commands, const tonnx__vk_dispatch *d, uint32_t step,
                               size_t from, size_t to)
{
    tonnx__vk_push push = d->push;
    push.u[TONNX__VK_U_STEP] = step;
    if (d->barrier && !from) record_barrier(vk, commands);
    vk->api->CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, d->pipeline);
    vk->api->CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, d->layout, 0, 1, &d->set, 0, NULL);
    vk->api->CmdPushConstants(commands, d->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, &push);
    record_groups(vk, commands, d, from, to);
}

static void record_whole(tonnx__vk *vk, VkCommandBuffer commands, const tonnx__vk_dispatch *d, uint32_t step)
{
    tonnx__vk_record_dispatch(vk, commands, d, step, 0, tonnx__vk_groups(d));
}

tonnx_status tonnx__vk_record(tonnx__vk_exec *exec, tonnx__vk_rung *rung)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    const VkCommandBufferAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                               .commandPool = vk->commands,
                                               .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                               .commandBufferCount = 1 };
    const VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                             .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT };
    if (rung->commands) return TONNX_OK;
    tonnx_status status =
        tonnx__vk_check(vk, vk->api->AllocateCommandBuffers(vk->device, &info, &rung->commands), "commands");
    if (!status) status = tonnx__vk_check(vk, vk->api->BeginCommandBuffer(rung->commands, &begin), "commands");
    if (status) return status;
    for (uint32_t s = 0; s < rung->steps; s++)
        for (size_t i = 0; i < exec->count; i++) {
            if (s == 0) tonnx__vk_meter_stamp(exec, (int)(rung - exec->rungs), rung->commands, i);
            if (i + 1 < exec->count) record_whole(vk, rung->commands, &exec->list[i], s);
        }
    record_whole(vk, rung->commands, &exec->list[exec->count - 1], rung->steps);
    tonnx__vk_barrier_all(vk, rung->commands);
    return tonnx__vk_check(vk, vk->api->EndCommandBuffer(rung->commands), "commands");
}
