/* The pipeline cache on disk: what the driver made of our shaders, for the next run, in the user's cache folder. A
 * driver may crash on bytes that are not its own, so ours is a header that is checked before it sees any. Whatever is
 * wrong with the file, the cache begins empty and is written anew; a folder that cannot be written to costs time, not
 * the run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vulkan/vulkan_impl.h"

enum { MOST = 64 << 20 }; /* bytes that are believed to be a cache */

typedef struct header {
    char magic[8];
    uint64_t bytes, hash; /* of the data that follows */
    uint32_t vendor, device, driver, api;
    uint8_t uuid[VK_UUID_SIZE];
} header;

/* FNV-1a */
static uint64_t hash_of(const unsigned char *data, size_t count)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < count; i++) hash = (hash ^ data[i]) * 0x100000001B3u;
    return hash;
}

static header header_of(const tonnx__vk *vk, const unsigned char *data, size_t count)
{
    const VkPhysicalDeviceProperties *p = &vk->card.properties;
    header h = { "TONNXPC1",    count, hash_of(data, count), p->vendorID, p->deviceID, p->driverVersion,
                 p->apiVersion, { 0 } };
    memcpy(h.uuid, p->pipelineCacheUUID, sizeof h.uuid);
    return h;
}

/* A file for each device; false where there is no folder for it. `make`: the folders too. */
static bool file_name(const tonnx__vk *vk, char *name, size_t size, bool make)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool own = cache && *cache == '/';
    if (!own && (!home || *home != '/')) return false;
    int n = snprintf(name, size, "%s%s", own ? cache : home, own ? "" : "/.cache");
    if (make && n > 0 && (size_t)n < size) mkdir(name, 0700);
    n = snprintf(name, size, "%s%s/tonnx", own ? cache : home, own ? "" : "/.cache");
    if (make && n > 0 && (size_t)n < size) mkdir(name, 0700);
    n = snprintf(name, size, "%s%s/tonnx/pipelines-%08x-%08x", own ? cache : home, own ? "" : "/.cache",
                 vk->card.properties.vendorID, vk->card.properties.deviceID);
    return n > 0 && (size_t)n < size;
}

/* The data of the file, to be freed; NULL where there is none that is whole and of this driver. */
static unsigned char *read_data(const tonnx__vk *vk, FILE *file, size_t *count)
{
    header h;
    unsigned char *data = NULL;
    if (fread(&h, sizeof h, 1, file) != 1 || !h.bytes || h.bytes > MOST) return NULL;
    if (tonnx__alloc(&data, (size_t)h.bytes, 1)) return NULL;
    if (fread(data, 1, (size_t)h.bytes, file) == h.bytes && fgetc(file) == EOF) {
        const header mine = header_of(vk, data, (size_t)h.bytes);
        *count = (size_t)h.bytes;
        if (!memcmp(&h, &mine, sizeof h)) return data;
    }
    tonnx__free(data);
    *count = 0;
    return NULL;
}

tonnx_status tonnx__vk_cache_open(tonnx__vk *vk)
{
    char name[4096];
    size_t count = 0;
    FILE *file = file_name(vk, name, sizeof name, false) ? fopen(name, "rbe") : NULL;
    unsigned char *data = file ? read_data(vk, file, &count) : NULL;
    const VkPipelineCacheCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                             .initialDataSize = count,
                                             .pInitialData = data };
    if (file) fclose(file);
    vk->cached = data ? hash_of(data, count) : 0;
    const tonnx_status status = tonnx__vk_check(vk, vk->api->CreatePipelineCache(vk->device, &info, NULL, &vk->cache),
                                                "the cache of pipelines");
    tonnx__free(data);
    return status;
}

/* Whole or not at all: others may read or write the same file. */
static void write_data(const char *name, const header *h, const unsigned char *data)
{
    char temporary[4120];
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", name);
    const int fd = mkstemp(temporary);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!file) {
        if (fd >= 0) close(fd), unlink(temporary);
        return;
    }
    const bool good = fwrite(h, sizeof *h, 1, file) == 1 && fwrite(data, 1, (size_t)h->bytes, file) == h->bytes;
    if (fclose(file) || !good || rename(temporary, name)) unlink(temporary);
}

void tonnx__vk_cache_close(tonnx__vk *vk)
{
    char name[4096];
    size_t count = 0;
    unsigned char *data = NULL;
    if (!vk->cache) return;
    if (!vk->lost && vk->pipeline_count && !vk->api->GetPipelineCacheData(vk->device, vk->cache, &count, NULL) &&
        count && count <= MOST && !tonnx__alloc(&data, count, 1) &&
        !vk->api->GetPipelineCacheData(vk->device, vk->cache, &count, data) && hash_of(data, count) != vk->cached &&
        file_name(vk, name, sizeof name, true)) {
        const header h = header_of(vk, data, count);
        write_data(name, &h, data);
    }
    tonnx__free(data);
    vk->api->DestroyPipelineCache(vk->device, vk->cache, NULL);
    vk->cache = VK_NULL_HANDLE;
}
