/* Which devices there are, what they can, and which one is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vulkan/vulkan_impl.h"

enum { UNFIT = 0 };

static const char *type_name(VkPhysicalDeviceType type)
{
    static const char *const names[] = { "other", "integrated GPU", "discrete GPU", "virtual GPU", "CPU" };
    return (unsigned)type < sizeof names / sizeof *names ? names[type] : names[0];
}

static int score(const tonnx__vk_card *card)
{
    static const int by_type[] = { 1, 4, 5, 3, 2 };
    const VkPhysicalDeviceProperties *p = &card->properties;
    if (p->apiVersion < VK_API_VERSION_1_1 || card->family == UINT32_MAX) return UNFIT;
    if (p->limits.maxPerStageDescriptorStorageBuffers < TONNX__VK_MAX_BINDINGS) return UNFIT;
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
    tonnx__vk_limits *to = &card->limits;
    const uint32_t *groups = from->maxComputeWorkGroupCount;
    to->range = from->maxStorageBufferRange;
    to->align = from->minStorageBufferOffsetAlignment < 16 ? 16 : (size_t)from->minStorageBufferOffsetAlignment;
    to->allocation = (size_t)more->maxMemoryAllocationSize;
    to->shared = from->maxComputeSharedMemorySize;
    to->invocations = from->maxComputeWorkGroupInvocations;
    to->groups = groups[0] < groups[1] ? groups[0] : groups[1];
    to->resident = card->heap / 2;
}

/* What Vulkan promises of any device, and little room for data; for tests, and to see what a model would do on one. */
static void clamp(tonnx__vk_limits *limits)
{
    const tonnx__vk_limits least = { .range = (size_t)1 << 27,
                                     .align = 256,
                                     .allocation = (size_t)1 << 30,
                                     .shared = 16384,
                                     .invocations = 128,
                                     .groups = 65535,
                                     .resident = (size_t)1 << 20 };
    if (limits->range > least.range) limits->range = least.range;
    if (limits->align < least.align) limits->align = least.align;
    if (limits->allocation > least.allocation) limits->allocation = least.allocation;
    if (limits->shared > least.shared) limits->shared = least.shared;
    if (limits->invocations > least.invocations) limits->invocations = least.invocations;
    if (limits->groups > least.groups) limits->groups = least.groups;
    if (limits->resident > least.resident) limits->resident = least.resident;
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
    api->GetPhysicalDeviceMemoryProperties(physical, &card->memory);
    card->properties = all.properties;
    card->driver = driver;
    for (uint32_t i = 0; i < card->memory.memoryHeapCount; i++) {
        const VkMemoryHeap *heap = &card->memory.memoryHeaps[i];
        if ((heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) && heap->size > card->heap) card->heap = (size_t)heap->size;
    }
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

static bool contains(const char *text, const char *part, size_t length)
{
    for (; *text; text++)
        if (!strncasecmp(text, part, length)) return true;
    return false;
}

static const tonnx__vk_card *best(const tonnx__vk_loader *loader)
{
    const tonnx__vk_card *found = &loader->cards[0];
    for (size_t i = 1; i < loader->card_count; i++)
        if (loader->cards[i].score > found->score) found = &loader->cards[i];
    return found;
}

/* The card that a number or a part of a name means; NULL where none. */
static const tonnx__vk_card *named(const tonnx__vk_loader *loader, const char *word, size_t length)
{
    char *end = NULL;
    const unsigned long index = strtoul(word, &end, 10);
    if (end == word + length) return index < loader->card_count ? &loader->cards[index] : NULL;
    for (size_t i = 0; i < loader->card_count; i++)
        if (contains(loader->cards[i].properties.deviceName, word, length)) return &loader->cards[i];
    return NULL;
}

tonnx_status tonnx__vk_choose(const tonnx__vk_loader *loader, const char *which, tonnx__vk_card *out)
{
    static const char minimum[] = "minimum";
    const tonnx__vk_card *card = best(loader);
    bool clamped = false;
    while (*which == ':') {
        const char *word = which + 1;
        const size_t length = strcspn(word, ":");
        const bool is_minimum = length == strlen(minimum) && !strncmp(word, minimum, length);
        clamped |= is_minimum;
        if (length && !is_minimum && !(card = named(loader, word, length)))
            return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: no device '%.*s' among %zu; 'tonnx devices' lists them",
                               (int)length, word, loader->card_count);
        which = word + length;
    }
    if (card->score == UNFIT)
        return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: %s has no Vulkan 1.1 compute with %d storage buffers",
                           card->properties.deviceName, TONNX__VK_MAX_BINDINGS);
    *out = *card;
    out->tiled = clamped;
    if (clamped) clamp(&out->limits);
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
    snprintf(
        text, size,
        "vulkan:%zu; %s %s; Vulkan %u.%u.%u; %.1f GiB; buffers to %.0f MiB, bindings to %.0f MiB; workgroups of %u, "
        "%zu KiB shared; no extension used%s",
        index, card->driver.driverName[0] ? card->driver.driverName : "driver", card->driver.driverInfo,
        VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version), VK_API_VERSION_PATCH(version),
        (double)card->heap / mib / 1024.0, (double)card->limits.allocation / mib, (double)card->limits.range / mib,
        card->limits.invocations, card->limits.shared / 1024, card->score == UNFIT ? "; unfit: no compute" : "");
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
