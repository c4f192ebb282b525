/* Which of the devices is meant, and what it is planned for as. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vulkan/vulkan_impl.h"

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

/* What Vulkan promises of any device, and little room for data; for tests, and to see what a model would do on one. */
static void clamp(tonnx__vk_limits *limits)
{
    const tonnx__vk_limits least = { .range = (size_t)1 << 27,
                                     .align = 256,
                                     .allocation = (size_t)1 << 30,
                                     .shared = 16384,
                                     .invocations = 128,
                                     .groups = 65535,
                                     .resident = (size_t)1 << 20,
                                     .texels = 65536,
                                     .views = 4 };
    if (limits->range > least.range) limits->range = least.range;
    if (limits->align < least.align) limits->align = least.align;
    if (limits->allocation > least.allocation) limits->allocation = least.allocation;
    if (limits->shared > least.shared) limits->shared = least.shared;
    if (limits->invocations > least.invocations) limits->invocations = least.invocations;
    if (limits->groups > least.groups) limits->groups = least.groups;
    if (limits->texels > least.texels) limits->texels = least.texels;
    if (limits->views > least.views) limits->views = least.views;
    if (limits->resident > least.resident) limits->resident = least.resident;
}

/* The number behind "NAME=" where the word begins so; false else. */
static bool setting(const char *word, size_t length, const char *name, double *value)
{
    char *end = NULL;
    const size_t before = strlen(name);
    if (length <= before || strncmp(word, name, before) != 0) return false;
    *value = strtod(word + before, &end);
    return end == word + length && *value > 0 && *value < 1e15;
}

/* What a word asks for besides a device; false where it is none of these. */
static bool pretend(tonnx__vk_card *card, const char *word, size_t length)
{
    static const char minimum[] = "minimum";
    tonnx__vk_limits *limits = &card->limits;
    double value = 0;
    if (length == strlen(minimum) && !strncmp(word, minimum, length)) {
        card->tiled = true;
        clamp(limits);
        return true;
    }
    if (setting(word, length, "lost=", &value)) {
        card->loses_at = (uint64_t)value;
        return true;
    }
    if (setting(word, length, "full=", &value)) {
        card->full_at = (uint64_t)value;
        return true;
    }
    if (!setting(word, length, "memory=", &value)) return false;
    if ((double)limits->heap > value * 1048576.0) limits->heap = (size_t)(value * 1048576.0);
    if (limits->resident > limits->heap / 2) limits->resident = limits->heap / 2;
    return true;
}

tonnx_status tonnx__vk_choose(const tonnx__vk_loader *loader, const char *which, tonnx__vk_card *out)
{
    *out = *best(loader);
    while (*which == ':') {
        const char *word = which + 1;
        const size_t length = strcspn(word, ":");
        const tonnx__vk_card *card = NULL;
        which = word + length;
        if (!length || pretend(out, word, length)) continue;
        card = named(loader, word, length);
        if (!card)
            return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: no device '%.*s' among %zu; 'tonnx devices' lists them",
                               (int)length, word, loader->card_count);
        *out = *card;
    }
    char why[120];
    if (!tonnx__vk_unfit(out, why, sizeof why)) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: %s cannot run this: %s", out->properties.deviceName, why);
}
