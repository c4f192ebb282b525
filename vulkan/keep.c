/* What one run learns for the next: files in the user's cache folder, one of each kind for each device. Ours is a header
 * that is checked before anybody believes what follows: a driver may crash on bytes that are not its own, and what was
 * measured on one driver says nothing of another. A folder that cannot be written to costs time, not the run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vulkan/vulkan_impl.h"

enum { MOST = 64 << 20 }; /* bytes that are believed to be ours */

typedef struct header {
    char magic[8], kind[8];
    uint64_t bytes, hash; /* of the data that follows */
    uint32_t vendor, device, driver, api;
    uint8_t uuid[VK_UUID_SIZE];
} header;

/* FNV-1a */
uint64_t tonnx__vk_hash(const void *data, size_t count)
{
    const unsigned char *bytes = data;
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < count; i++) hash = (hash ^ bytes[i]) * 0x100000001B3u;
    return hash;
}

static header header_of(const tonnx__vk *vk, const char *kind, const void *data, size_t count)
{
    const VkPhysicalDeviceProperties *p = &vk->card.properties;
    header h = { .magic = "TONNXVK",
                 .bytes = count,
                 .hash = tonnx__vk_hash(data, count),
                 .vendor = p->vendorID,
                 .device = p->deviceID,
                 .driver = p->driverVersion,
                 .api = p->apiVersion };
    strncpy(h.kind, kind, sizeof h.kind - 1);
    memcpy(h.uuid, p->pipelineCacheUUID, sizeof h.uuid);
    return h;
}

bool tonnx__vk_kept_name(const tonnx__vk *vk, const char *kind, char *name, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool own = cache && *cache == '/';
    if (!own && (!home || *home != '/')) return false;
    const int n = snprintf(name, size, "%s%s/tonnx/%s-%08x-%08x", own ? cache : home, own ? "" : "/.cache", kind,
                           vk->card.properties.vendorID, vk->card.properties.deviceID);
    return n > 0 && (size_t)n < size;
}

/* The folders of the file, where they are missing: the last two. */
static void make_folders(char *name)
{
    char *last = strrchr(name, '/');
    *last = '\0';
    char *before = strrchr(name, '/');
    *before = '\0';
    mkdir(name, 0700);
    *before = '/';
    mkdir(name, 0700);
    *last = '/';
}

/* The data of the file, to be freed; NULL where it is not whole or not of this driver. */
static void *read_data(const tonnx__vk *vk, const char *kind, FILE *file, size_t *count)
{
    header h;
    unsigned char *data = NULL;
    if (fread(&h, sizeof h, 1, file) != 1 || !h.bytes || h.bytes > MOST) return NULL;
    if (tonnx__alloc(&data, (size_t)h.bytes, 1)) return NULL;
    if (fread(data, 1, (size_t)h.bytes, file) == h.bytes && fgetc(file) == EOF) {
        const header mine = header_of(vk, kind, data, (size_t)h.bytes);
        *count = (size_t)h.bytes;
        if (!memcmp(&h, &mine, sizeof h)) return data;
    }
    tonnx__free(data);
    *count = 0;
    return NULL;
}

void *tonnx__vk_kept(const tonnx__vk *vk, const char *kind, size_t *count, bool *foreign)
{
    char name[4096];
    FILE *file = tonnx__vk_kept_name(vk, kind, name, sizeof name) ? fopen(name, "rbe") : NULL;
    void *data = file ? read_data(vk, kind, file, count) : NULL;
    *foreign = file && !data;
    if (file) fclose(file);
    if (!data) *count = 0;
    return data;
}

/* Whole or not at all: others may read or write the same file. */
void tonnx__vk_keep(const tonnx__vk *vk, const char *kind, const void *data, size_t count)
{
    char name[4096], temporary[4120];
    if (!count || count > MOST || !tonnx__vk_kept_name(vk, kind, name, sizeof name)) return;
    const header h = header_of(vk, kind, data, count);
    make_folders(name);
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", name);
    const int fd = mkstemp(temporary);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!file) {
        if (fd >= 0) close(fd), unlink(temporary);
        return;
    }
    const bool good = fwrite(&h, sizeof h, 1, file) == 1 && fwrite(data, 1, count, file) == count;
    if (fclose(file) || !good || rename(temporary, name)) unlink(temporary);
}
