/* The pipeline cache on disk: what the driver made of our shaders, for the next run. A file that is not this driver's is
 * made anew. */
#include "vulkan/vulkan_impl.h"

static const char kind[] = "pipelines";

tonnx_status tonnx__vk_cache_open(tonnx__vk *vk)
{
    size_t count = 0;
    bool foreign;
    void *data = tonnx__vk_kept(vk, kind, &count, &foreign);
    const VkPipelineCacheCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                             .initialDataSize = count,
                                             .pInitialData = data };
    vk->cached = data ? tonnx__vk_hash(data, count) : 0;
    const tonnx_status status = tonnx__vk_check(vk, vk->api->CreatePipelineCache(vk->device, &info, NULL, &vk->cache),
                                                "the cache of pipelines");
    tonnx__free(data);
    return status;
}

void tonnx__vk_cache_close(tonnx__vk *vk)
{
    size_t count = 0;
    unsigned char *data = NULL;
    if (!vk->cache) return;
    if (!vk->lost && vk->pipeline_count && !vk->api->GetPipelineCacheData(vk->device, vk->cache, &count, NULL) &&
        !tonnx__alloc(&data, count, 1) && !vk->api->GetPipelineCacheData(vk->device, vk->cache, &count, data) &&
        tonnx__vk_hash(data, count) != vk->cached)
        tonnx__vk_keep(vk, kind, data, count);
    tonnx__free(data);
    vk->api->DestroyPipelineCache(vk->device, vk->cache, NULL);
    vk->cache = VK_NULL_HANDLE;
}
