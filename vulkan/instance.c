/* Which devices there are, and what they can. */
#include <stdio.h>
#include <string.h>

#include "vulkan/vulkan_impl.h"

static const char *type_name(VkPhysicalDeviceType type)
{
    static const char *const names[] = { "other", "integrated GPU", "discrete GPU", "virtual GPU", "CPU" };
    return (unsigned)type < sizeof names / sizeof *names ? names[type] : names[0];
}

/* How many storage buffers the shader with the most has; Vulkan promises 4 of any device, and desktops have 16 and more. */
static uint32_t most_bindings(void)
{
    uint32_t most = 0;
    for (int i = 0; i < TONNX__VK_SHADERS; i++)
        if (tonnx__vk_shader_bindings(i) > most) most = tonnx__vk_shader_bindings(i);
    return most;
}

bool tonnx__vk_unfit(const tonnx__vk_card *card, char *why, size_t size)
{
    const VkPhysicalDeviceProperties *p = &card->properties;
    const uint32_t buffers = p->limits.maxPerStageDescriptorStorageBuffers;
    *why = '\0';
    if (p->apiVersion < VK_API_VERSION_1_1) snprintf(why, size, "older than Vulkan 1.1");
    else if (card->family == UINT32_MAX) snprintf(why, size, "no queue that computes");
    else if (buffers < most_bindings())
        snprintf(why, size, "%u storage buffers a shader, where %u are needed", buffers, most_bindings());
    return *why;
}

static int score(const tonnx__vk_card *card)
{
    static const int by_type[] = { 1, 4, 5, 3, 2 };
    const VkPhysicalDeviceProperties *p = &card->properties;
    char why[120];
    if (tonnx__vk_unfit(card, why, sizeof why)) return TONNX__VK_UNFIT;
    return (unsigned)p->deviceType < 5 ? by_type[p->deviceType] : by_type[0];
}

/* The first family of queues that computes. */
static void find_family(const tonnx__vk_api *api, tonnx__vk_card *card)
{
    VkQueueFamilyProperties families[32];
    uint32_t count = 32;
    api->GetPhysicalDeviceQueueFamilyProperties(card->physical, &count, families);
    card->family = UINT32_MAX;
    for (uint32_t i = count; i-- > 0;)
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) card->family = i;
    if (card->family == UINT32_MAX || !families[card->family].timestampValidBits) return;
    card->limits.tick = (double)card->properties.limits.timestampPeriod;
}

static void read_limits(tonnx__vk_card *card, const VkPhysicalDeviceMaintenance3Properties *more)
{
    const VkPhysicalDeviceLimits *from = &card->properties.limits;
    const VkPhysicalDeviceMemoryProperties *memory = &card->memory;
    tonnx__vk_limits *to = &card->limits;
    const uint32_t *groups = from->maxComputeWorkGroupCount;
    to->range = from->maxStorageBufferRange;
    to->align = from->minStorageBufferOffsetAlignment < 16 ? 16 : (size_t)from->minStorageBufferOffsetAlignment;
    if (to->align < from->minTexelBufferOffsetAlignment) to->align = (size_t)from->minTexelBufferOffsetAlignment;
    to->texels = from->maxTexelBufferElements;
    to->views = from->maxPerStageDescriptorStorageImages;
    to->allocation = (size_t)more->maxMemoryAllocationSize;
    to->shared = from->maxComputeSharedMemorySize;
    to->invocations = from->maxComputeWorkGroupInvocations;
    to->groups = groups[0] < groups[1] ? groups[0] : groups[1];
    if (to->groups > UINT16_MAX) to->groups = UINT16_MAX; /* what shaders are told */
    to->heap = (size_t)memory->memoryHeaps[card->heap].size;
    to->resident = to->heap / 2;
    to->submit = 0.1;
}

/* Whether the driver has VK_EXT_memory_budget, of which nothing has to be enabled. */
static bool tells_budget(const tonnx__vk_api *api, VkPhysicalDevice physical)
{
    VkExtensionProperties *list = NULL;
    uint32_t count = 0;
    bool found = false;
    if (api->EnumerateDeviceExtensionProperties(physical, NULL, &count, NULL) || !count ||
        tonnx__alloc(&list, count, sizeof *list))
        return false;
    if (!api->EnumerateDeviceExtensionProperties(physical, NULL, &count, list))
        for (uint32_t i = 0; i < count; i++)
            found |= !strcmp(list[i].extensionName, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    tonnx__free(list);
    return found;
}

static void read_memory(const tonnx__vk_api *api, tonnx__vk_card *card)
{
    VkPhysicalDeviceMemoryProperties2 all = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2 };
    api->GetPhysicalDeviceMemoryProperties2(card->physical, &all);
    card->memory = all.memoryProperties;
    card->budgets = tells_budget(api, card->physical);
    size_t largest = 0;
    for (uint32_t i = 0; i < card->memory.memoryHeapCount; i++) {
        const VkMemoryHeap *heap = &card->memory.memoryHeaps[i];
        if (!(heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) || heap->size <= largest) continue;
        largest = (size_t)heap->size;
        card->heap = i;
    }
}

static void read_card(const tonnx__vk_api *api, tonnx__vk_card *card, VkPhysicalDevice physical)
{
    VkPhysicalDeviceDriverProperties driver = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES };
    VkPhysicalDeviceMaintenance3Properties more = { .sType =
                                                        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES };
    VkPhysicalDeviceProperties2 all = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &more };
    *card = (tonnx__vk_card){ .physical = physical };
    api->GetPhysicalDeviceProperties2(physical, &all);
    if (all.properties.apiVersion >= VK_API_VERSION_1_2) more.pNext = &driver;
    api->GetPhysicalDeviceProperties2(physical, &all);
    read_memory(api, card);
    card->properties = all.properties;
    card->driver = driver;
    read_limits(card, &more);
    find_family(api, card);
    card->score = score(card);
}

tonnx_status tonnx__vk_list_cards(tonnx__vk_loader *loader)
{
    VkPhysicalDevice devices[TONNX__VK_MAX_CARDS];
    uint32_t count = TONNX__VK_MAX_CARDS;
    const VkResult result = loader->api.EnumeratePhysicalDevices(loader->instance, &count, devices);
    if ((result && result != VK_INCOMPLETE) || !count)
        return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: the loader finds no device (Debian: mesa-vulkan-drivers has "
                                             "drivers for most GPUs, and one for the CPU)");
    for (uint32_t i = 0; i < count; i++) read_card(&loader->api, &loader->cards[i], devices[i]);
    loader->card_count = count;
    return TONNX_OK;
}

void tonnx__vk_describe(const tonnx__vk_card *card, char *text, size_t size)
{
    snprintf(text, size, "%s (%s)", card->properties.deviceName, type_name(card->properties.deviceType));
}

static void detail(const tonnx__vk_card *card, size_t index, char *text, size_t size)
{
    const uint32_t version = card->properties.apiVersion;
    const double mib = 1024.0 * 1024.0;
    char why[120];
    const bool unfit = tonnx__vk_unfit(card, why, sizeof why);
    snprintf(
        text, size,
        "vulkan:%zu; %s %s; Vulkan %u.%u.%u; %.1f GiB; buffers to %.0f MiB, bindings to %.0f MiB; workgroups of %u, "
        "%zu KiB shared, %u storage buffers; no extension used%s%s%s",
        index, card->driver.driverName[0] ? card->driver.driverName : "driver", card->driver.driverInfo,
        VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version), VK_API_VERSION_PATCH(version),
        (double)card->limits.heap / mib / 1024.0, (double)card->limits.allocation / mib, (double)card->limits.range / mib,
        card->limits.invocations, card->limits.shared / 1024,
        card->properties.limits.maxPerStageDescriptorStorageBuffers, card->budgets ? " but the memory's budget" : "",
        unfit ? "; unfit: " : "", why);
}

tonnx_status tonnx__vk_devices(void (*visit)(void *user, const tonnx_device_info *info), void *user)
{
    tonnx__vk_loader *loader = NULL;
    char name[300], more[900];
    tonnx_status status = tonnx__alloc(&loader, 1, sizeof *loader);
    if (status) return status;
    if (tonnx__vk_loader_open(loader)) visit(user, &(tonnx_device_info){ "vulkan", "none", tonnx_last_message() });
    for (size_t i = 0; i < loader->card_count; i++) {
        tonnx__vk_describe(&loader->cards[i], name, sizeof name);
        detail(&loader->cards[i], i, more, sizeof more);
        visit(user, &(tonnx_device_info){ "vulkan", name, more });
    }
    tonnx__vk_loader_close(loader);
    tonnx__free(loader);
    return TONNX_OK;
}
