/* In and out of device memory: where the host sees it, there itself, else by way of a staging buffer. Every transfer waits
 * for all work before it. */
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

/* What the buffer's bytes go through, while nothing runs. */
static tonnx_status make_ready(tonnx__vk *vk, const tonnx__vk_buffer *buffer)
{
    if (buffer->host) return tonnx__vk_finish(&vk->base);
    if (vk->staging.buffer) return TONNX_OK;
    return tonnx__vk_buffer_new(vk, &vk->staging, STAGING, true, "the staging buffer");
}

/* Where the host finds as many of *bytes, from `offset` on, as go at once. */
static void *place(const tonnx__vk *vk, const tonnx__vk_buffer *buffer, size_t offset, size_t *bytes)
{
    if (buffer->host) return (char *)buffer->host + offset;
    if (*bytes > STAGING) *bytes = STAGING;
    return vk->staging.host;
}

tonnx_status tonnx__vk_write_bytes(tonnx__vk *vk, const tonnx__vk_buffer *to, size_t offset, const void *from,
                                   size_t bytes)
{
    tonnx_status status = make_ready(vk, to);
    for (size_t done = 0, part; done < bytes && !status; done += part) {
        part = bytes - done;
        memcpy(place(vk, to, offset + done, &part), (const char *)from + done, part);
        if (!to->host) status = copy(vk, &vk->staging, 0, to, offset + done, part);
    }
    return status;
}

tonnx_status tonnx__vk_write(tonnx__vk *vk, const tonnx__vk_buffer *to, size_t offset, size_t count, const void *from,
                             tonnx__numbers numbers)
{
    const size_t at = offset * sizeof(float), bytes = count * sizeof(float);
    if (numbers == TONNX__F32) return tonnx__vk_write_bytes(vk, to, at, from, bytes);
    tonnx_status status = make_ready(vk, to);
    const double *next = from;
    for (size_t done = 0, part; done < bytes && !status; done += part) {
        part = bytes - done;
        float *write = place(vk, to, at + done, &part);
        for (size_t i = 0; i < part / sizeof *write; i++) write[i] = (float)*next++;
        if (!to->host) status = copy(vk, &vk->staging, 0, to, at + done, part);
    }
    return status;
}

tonnx_status tonnx__vk_read(tonnx__vk *vk, const tonnx__vk_buffer *from, size_t offset, size_t count, void *to,
                            tonnx__numbers numbers)
{
    const size_t at = offset * sizeof(float), bytes = count * sizeof(float);
    tonnx_status status = make_ready(vk, from);
    double *next = to;
    for (size_t done = 0, part; done < bytes && !status; done += part) {
        part = bytes - done;
        const float *read = place(vk, from, at + done, &part);
        if (!from->host) status = copy(vk, from, at + done, &vk->staging, 0, part);
        if (!status && numbers == TONNX__F32) memcpy((char *)to + done, read, part);
        for (size_t i = 0; i < part / sizeof *read && !status && numbers == TONNX__F64; i++) *next++ = (double)read[i];
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
