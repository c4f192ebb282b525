/* The backend: one device, one queue. */
#include <string.h>

#include "vulkan/variant_impl.h"

static tonnx_status lost(const tonnx__vk *vk)
{
    return tonnx__fail(TONNX_BAD_DEVICE,
                       "vulkan: %s was lost (a fault, a reset or a time-out of the driver): nothing more runs on it in "
                       "this process; --resume goes on from a checkpoint, on the same backend",
                       vk->card.properties.deviceName);
}

tonnx_status tonnx__vk_check(tonnx__vk *vk, VkResult result, const char *what)
{
    if (result == VK_ERROR_DEVICE_LOST) vk->lost = true;
    if (vk->lost) return lost(vk);
    if (result == VK_SUCCESS) return TONNX_OK;
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY)
        return tonnx__fail(TONNX_NO_MEMORY, "vulkan: %s: out of memory on %s", what, vk->card.properties.deviceName);
    return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: %s: result %d on %s", what, (int)result,
                       vk->card.properties.deviceName);
}

static tonnx_status make_device(tonnx__vk *vk)
{
    const float priority = 1.0f;
    const VkDeviceQueueCreateInfo queue = { .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                            .queueFamilyIndex = vk->card.family,
                                            .queueCount = 1,
                                            .pQueuePriorities = &priority };
    const VkDeviceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                      .queueCreateInfoCount = 1,
                                      .pQueueCreateInfos = &queue };
    const bool on_cpu = vk->card.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    char name[TONNX__VK_NAME_SIZE];
    VkDevice device = VK_NULL_HANDLE;
    if (on_cpu) tonnx__vk_place_begin(&vk->place, name);
    const VkResult result = vk->api->CreateDevice(vk->card.physical, &info, NULL, &device);
    if (on_cpu) tonnx__vk_place_end(&vk->place, name);
    tonnx_status status = tonnx__vk_check(vk, result, "opening the device");
    if (status) return status;
    status = tonnx__vk_load_device(vk->api, device);
    if (!status) vk->device = device;
    if (!status) vk->api->GetDeviceQueue(device, vk->card.family, 0, &vk->queue);
    return status;
}

static tonnx_status make_transfer(tonnx__vk *vk)
{
    const VkCommandPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                           .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                           .queueFamilyIndex = vk->card.family };
    const VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
    VkCommandBufferAllocateInfo buffer = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                           .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                           .commandBufferCount = 1 };
    tonnx_status status =
        tonnx__vk_check(vk, vk->api->CreateCommandPool(vk->device, &pool, NULL, &vk->commands), "a command pool");
    buffer.commandPool = vk->commands;
    if (!status)
        status = tonnx__vk_check(vk, vk->api->AllocateCommandBuffers(vk->device, &buffer, &vk->transfer),
                                 "a command buffer");
    if (!status)
        status = tonnx__vk_check(vk, vk->api->CreateFence(vk->device, &fence, NULL, &vk->transferred), "a fence");
    return status;
}

tonnx_status tonnx__vk_open(tonnx__backend **out, const tonnx__backend_options *options)
{
    const char *name = options->name ? options->name : "";
    tonnx__vk *vk = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&vk, 1, sizeof *vk);
    if (status) return status;
    vk->base.kind = &tonnx__backend_vulkan;
    vk->log = options->log;
    vk->api = &vk->loader.api;
    status = tonnx__vk_loader_open(&vk->loader);
    if (!status) status = tonnx__vk_choose(&vk->loader, name + strcspn(name, ":"), &vk->card);
    if (!status && !strcmp(name, "auto") && vk->card.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU)
        status = tonnx__fail(TONNX_BAD_DEVICE, "vulkan has no GPU here, only %s", vk->card.properties.deviceName);
    if (!status) {
        vk->limits = vk->card.limits;
        tonnx__vk_describe(&vk->card, vk->text, sizeof vk->text);
        status = make_device(vk);
    }
    if (!status) status = make_transfer(vk);
    if (!status) status = tonnx__vk_cache_open(vk);
    if (!status) tonnx__vk_variants_open(vk);
    if (status) tonnx__vk_close(&vk->base);
    else *out = &vk->base;
    return status;
}

void tonnx__vk_close(tonnx__backend *backend)
{
    tonnx__vk *vk = (tonnx__vk *)backend;
    if (vk->device) {
        vk->api->QueueWaitIdle(vk->queue);
        tonnx__vk_data_free_all(vk);
        tonnx__vk_variants_close(vk);
        tonnx__vk_cache_close(vk);
        tonnx__vk_pipelines_free(vk);
        tonnx__vk_buffer_free(vk, &vk->staging);
        if (vk->transferred) vk->api->DestroyFence(vk->device, vk->transferred, NULL);
        if (vk->commands) vk->api->DestroyCommandPool(vk->device, vk->commands, NULL);
        vk->api->DestroyDevice(vk->device, NULL);
    }
    tonnx__vk_loader_close(&vk->loader);
    tonnx__free(vk);
}

static const char *device_text(const tonnx__backend *backend)
{
    return ((const tonnx__vk *)backend)->text;
}

tonnx_status tonnx__vk_finish(tonnx__backend *backend)
{
    tonnx__vk *vk = (tonnx__vk *)backend;
    return tonnx__vk_check(vk, vk->lost ? VK_ERROR_DEVICE_LOST : vk->api->QueueWaitIdle(vk->queue), "the end of a run");
}

const tonnx__backend_kind tonnx__backend_vulkan = {
    .name = "vulkan",
    .numbers = TONNX__F32,
    .devices = tonnx__vk_devices,
    .open = tonnx__vk_open,
    .close = tonnx__vk_close,
    .device = device_text,
    .state_new = tonnx__vk_state_new,
    .state_free = tonnx__vk_state_free,
    .state_write = tonnx__vk_state_write,
    .state_read = tonnx__vk_state_read,
    .exec_new = tonnx__vk_exec_new,
    .exec_free = tonnx__vk_exec_free,
    .run = tonnx__vk_run,
    .results = tonnx__vk_results,
    .work_write = tonnx__vk_work_write,
    .work_read = tonnx__vk_work_read,
    .finish = tonnx__vk_finish,
    .profile = tonnx__vk_profile,
    .plan = tonnx__vk_plan,
    .tune = tonnx__vk_tune,
};
