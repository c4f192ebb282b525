/* Buffers, each with memory of its own: a state has five, a program four, a data set a few, so that no allocator is
 * needed. */
#include "vulkan/vulkan_impl.h"

static const VkMemoryPropertyFlags HOST = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

/* The first type among `allowed` that has all of `want`; -1 where none has. */
static int find_type(const tonnx__vk *vk, uint32_t allowed, VkMemoryPropertyFlags want)
{
    for (uint32_t i = 0; i < vk->card.memory.memoryTypeCount; i++)
        if ((allowed >> i & 1) && (vk->card.memory.memoryTypes[i].propertyFlags & want) == want) return (int)i;
    return -1;
}

static tonnx_status too_large(const tonnx__vk *vk, const char *what, size_t bytes)
{
    return tonnx__fail(TONNX_NO_MEMORY, "vulkan: %s wants %.1f MiB in one buffer; %s allows %.1f MiB", what,
                       (double)bytes / 1048576.0, vk->card.properties.deviceName,
                       (double)vk->limits.allocation / 1048576.0);
}

/* What of the heap this process may have: as the driver tells, which knows of others. */
static size_t budget(const tonnx__vk *vk)
{
    VkPhysicalDeviceMemoryBudgetPropertiesEXT told = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT
    };
    VkPhysicalDeviceMemoryProperties2 all = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
                                              .pNext = &told };
    if (!vk->card.budgets) return vk->limits.heap;
    vk->api->GetPhysicalDeviceMemoryProperties2(vk->card.physical, &all);
    const size_t bytes = (size_t)told.heapBudget[vk->card.heap];
    return bytes < vk->limits.heap ? bytes : vk->limits.heap;
}

static tonnx_status no_room(const tonnx__vk *vk, const char *what, size_t bytes)
{
    const double mib = 1048576.0;
    return tonnx__fail(TONNX_NO_MEMORY,
                       "vulkan: %s wants %.2f MiB; of the %.2f MiB that %s has, this process may use %.2f and uses %.2f: "
                       "a smaller --batch, or --backend cpu",
                       what, (double)bytes / mib, (double)vk->limits.heap / mib, vk->card.properties.deviceName,
                       (double)budget(vk) / mib, (double)vk->used / mib);
}

tonnx_status tonnx__vk_memory_want(const tonnx__vk *vk, size_t bytes, const char *what)
{
    return bytes > vk->limits.heap - vk->used ? no_room(vk, what, bytes) : TONNX_OK;
}

/* Half of what is left: the rest is for what programs want besides. */
size_t tonnx__vk_data_room(const tonnx__vk *vk)
{
    const size_t most = budget(vk), left = most > vk->used ? (most - vk->used) / 2 : 0;
    return left < vk->limits.resident ? left : vk->limits.resident;
}

static VkResult allocate(tonnx__vk *vk, tonnx__vk_buffer *buffer, int type, size_t bytes)
{
    const VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                        .allocationSize = bytes,
                                        .memoryTypeIndex = (uint32_t)type };
    const bool counts = vk->card.memory.memoryTypes[type].heapIndex == vk->card.heap;
    if (++vk->allocations == vk->card.full_at) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    if (counts && bytes > vk->limits.heap - vk->used) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const VkResult result = vk->api->AllocateMemory(vk->device, &info, NULL, &buffer->memory);
    if (!result && counts) vk->used += buffer->taken = bytes;
    return result;
}

/* Memory that the device has near it and the host reads as its own is read and written in place, unless the device plays
 * another. */
static bool is_shared(const tonnx__vk *vk, int type)
{
    const VkMemoryPropertyFlags want = HOST | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    return !vk->card.tiled && (vk->card.memory.memoryTypes[type].propertyFlags & want) == want;
}

static tonnx_status bind(tonnx__vk *vk, tonnx__vk_buffer *buffer, bool map, const char *what)
{
    const tonnx_status status =
        tonnx__vk_check(vk, vk->api->BindBufferMemory(vk->device, buffer->buffer, buffer->memory, 0), what);
    if (status || !map) return status;
    return tonnx__vk_check(vk, vk->api->MapMemory(vk->device, buffer->memory, 0, VK_WHOLE_SIZE, 0, &buffer->host), what);
}

/* What the device reads in every step it should have near it, even where the host writes it; where there is no room, it
 * may lie elsewhere. */
static tonnx_status add_memory(tonnx__vk *vk, tonnx__vk_buffer *buffer, bool host, const char *what)
{
    const VkMemoryPropertyFlags wanted = host ? HOST : 0;
    bool map = host;
    VkMemoryRequirements needs;
    VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    vk->api->GetBufferMemoryRequirements(vk->device, buffer->buffer, &needs);
    const int near = find_type(vk, needs.memoryTypeBits, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | wanted);
    const int any = find_type(vk, needs.memoryTypeBits, wanted);
    if (near < 0 && any < 0) return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: no memory for %s", what);
    if (near >= 0) result = allocate(vk, buffer, near, (size_t)needs.size);
    if (!result) map |= is_shared(vk, near);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY && any >= 0 && any != near && (host || near < 0))
        result = allocate(vk, buffer, any, (size_t)needs.size);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY)
        return no_room(vk, what, buffer->bytes);
    const tonnx_status status = tonnx__vk_check(vk, result, what);
    return status ? status : bind(vk, buffer, map, what);
}

tonnx_status tonnx__vk_buffer_new(tonnx__vk *vk, tonnx__vk_buffer *out, size_t bytes, bool host, const char *what)
{
    const size_t rounded = bytes < 16 ? 16 : (bytes + 15) / 16 * 16; /* fills, and whole texels */
    const VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                      .size = rounded,
                                      .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                               VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT |
                                               VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT };
    *out = (tonnx__vk_buffer){ .bytes = rounded };
    if (rounded > vk->limits.allocation) return too_large(vk, what, rounded);
    tonnx_status status = tonnx__vk_check(vk, vk->api->CreateBuffer(vk->device, &info, NULL, &out->buffer), what);
    if (!status) status = add_memory(vk, out, host, what);
    if (status) tonnx__vk_buffer_free(vk, out);
    return status;
}

void tonnx__vk_buffer_free(tonnx__vk *vk, tonnx__vk_buffer *buffer)
{
    if (buffer->buffer) vk->api->DestroyBuffer(vk->device, buffer->buffer, NULL);
    if (buffer->memory) vk->api->FreeMemory(vk->device, buffer->memory, NULL); /* unmaps */
    vk->used -= buffer->taken;
    *buffer = (tonnx__vk_buffer){ 0 };
}
