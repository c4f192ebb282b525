/* The queue: all work goes through here, is counted, and a device that is lost is noticed. */
#include "runtime/clock_impl.h"
#include "vulkan/vulkan_impl.h"

tonnx_status tonnx__vk_submit(tonnx__vk *vk, const VkCommandBuffer *commands, uint32_t count, VkFence fence)
{
    const VkSubmitInfo info = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                .commandBufferCount = count,
                                .pCommandBuffers = commands };
    VkResult result = VK_ERROR_DEVICE_LOST;
    if (++vk->toll.submits == vk->card.loses_at) vk->lost = true;
    if (!vk->lost) result = vk->api->QueueSubmit(vk->queue, 1, &info, fence);
    return tonnx__vk_check(vk, result, "a submit");
}

tonnx_status tonnx__vk_fence_wait(tonnx__vk *vk, VkFence fence)
{
    const double begin = tonnx__now();
    tonnx_status status =
        tonnx__vk_check(vk, vk->api->WaitForFences(vk->device, 1, &fence, VK_TRUE, UINT64_MAX), "a wait");
    if (!status) status = tonnx__vk_check(vk, vk->api->ResetFences(vk->device, 1, &fence), "a wait");
    tonnx__vk_place_look(&vk->place);
    vk->toll.waits++;
    vk->toll.waited += tonnx__now() - begin;
    return status;
}
