/* In and out of device memory, by way of a staging buffer that the host sees. Every transfer waits for all work before
 * it. */
#include <string.h>

#include "vulkan/vulkan_impl.h"

enum { STAGING = 4 << 20 };

static tonnx_status begin(tonnx__vk *vk)
{
    const VkCommandBufferBeginInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT };
    tonnx_status status = vk->lost ? tonnx__vk_check(vk, VK_ERROR_DEVICE_LOST, "") : TONNX_OK;
    if (!status && !vk->staging.buffer)
        status = tonnx__vk_buffer_new(vk, &vk->staging, STAGING, true, "the staging buffer");
    if (!status) status = tonnx__vk_check(vk, vk->api->BeginCommandBuffer(vk->transfer, &info), "a transfer");
    if (!status) tonnx__vk_barrier_all(vk, vk->transfer);
    return status;
}

/* Submits and waits. */
static tonnx_status end(tonnx__vk *vk)
{
    tonnx__vk_barrier_all(vk, vk->transfer);
    tonnx_status status = tonnx__vk_check(vk, vk->api->EndCommandBuffer(vk->transfer), "a transfer");
    if (!status) status = tonnx__vk_submit(vk, &vk->transfer, 1, vk->transferred);
    return status ? status : tonnx__vk_fence_wait(vk, vk->transferred);
}

void tonnx__vk_barrier_all(tonnx__vk *vk, VkCommandBuffer commands)
{
    const VkMemoryBarrier all = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                  .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                                  .dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
                                                   VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT |
                                                   VK_ACCESS_HOST_READ_BIT };
    const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    vk->api->CmdPipelineBarrier(commands, stages, stages | VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &all, 0, NULL, 0, NULL);
}

static tonnx_status copy(tonnx__vk *vk, const tonnx__vk_buffer *from, size_t from_at, const tonnx__vk_buffer *to,
                         size_t to_at, size_t bytes)
{
    const VkBufferCopy region = { from_at, to_at, bytes };
    const tonnx_status status = begin(vk);
    if (status) return status;
    vk->api->CmdCopyBuffer(vk->transfer, from->buffer, to->buffer, 1, &region);
    return end(vk);
}

static tonnx_status want_staging(tonnx__vk *vk)
{
    if (vk->staging.buffer) return TONNX_OK;
    return tonnx__vk_buffer_new(vk, &vk->staging, STAGING, true, "the staging buffer");
}

tonnx_status tonnx__vk_write_bytes(tonnx__vk *vk, const tonnx__vk_buffer *to, size_t offset, const void *from,
                                   size_t bytes)
{
    tonnx_status status = want_staging(vk);
    for (size_t done = 0; done < bytes && !status;) {
        const size_t part = bytes - done < STAGING ? bytes - done : STAGING;
        memcpy(vk->staging.host, (const char *)from + done, part);
        status = copy(vk, &vk->staging, 0, to, offset + done, part);
        done += part;
    }
    return status;
}

tonnx_status tonnx__vk_write(tonnx__vk *vk, const tonnx__vk_buffer *to, size_t offset, size_t count, const void *from,
                             tonnx__numbers numbers)
{
    enum { ROOM = STAGING / sizeof(float) };
    tonnx_status status = want_staging(vk);
    if (numbers == TONNX__F32)
        return tonnx__vk_write_bytes(vk, to, offset * sizeof(float), from, count * sizeof(float));
    for (size_t done = 0; done < count && !status;) {
        const size_t part = count - done < ROOM ? count - done : ROOM;
        for (size_t i = 0; i < part; i++) ((float *)vk->staging.host)[i] = (float)((const double *)from)[done + i];
        status = copy(vk, &vk->staging, 0, to, (offset + done) * sizeof(float), part * sizeof(float));
        done += part;
    }
    return status;
}

tonnx_status tonnx__vk_read(tonnx__vk *vk, const tonnx__vk_buffer *from, size_t offset, size_t count, void *to,
                            tonnx__numbers numbers)
{
    enum { ROOM = STAGING / sizeof(float) };
    tonnx_status status = want_staging(vk);
    for (size_t done = 0; done < count && !status;) {
        const size_t part = count - done < ROOM ? count - done : ROOM;
        const float *read = vk->staging.host;
        status = copy(vk, from, (offset + done) * sizeof(float), &vk->staging, 0, part * sizeof(float));
        if (!status && numbers == TONNX__F32) memcpy((float *)to + done, read, part * sizeof(float));
        for (size_t i = 0; i < part && !status && numbers == TONNX__F64; i++)
            ((double *)to)[done + i] = (double)read[i];
        done += part;
    }
    return status;
}

tonnx_status tonnx__vk_zero(tonnx__vk *vk, const tonnx__vk_buffer *buffer)
{
    const tonnx_status status = begin(vk);
    if (status) return status;
    vk->api->CmdFillBuffer(vk->transfer, buffer->buffer, 0, VK_WHOLE_SIZE, 0);
    return end(vk);
}
