/* The loader library is opened at run time, so that the same binary runs on machines without Vulkan, and says so. */
#include <dlfcn.h>

#include "vulkan/vulkan_impl.h"

static tonnx_status missing(const char *function)
{
    return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: the loader has no %s: Vulkan 1.1 is wanted", function);
}

static tonnx_status open_library(tonnx__vk_api *api)
{
    api->library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!api->library)
        return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: libvulkan.so.1 is not installed (Debian: apt-get install "
                                             "libvulkan1, and a driver such as mesa-vulkan-drivers)");
    *(void **)&api->GetInstanceProcAddr = dlsym(api->library, "vkGetInstanceProcAddr");
    return api->GetInstanceProcAddr ? TONNX_OK : missing("vkGetInstanceProcAddr");
}

static tonnx_status load_global(tonnx__vk_api *api)
{
#define TONNX_VK_INSTANCE(name)
#define TONNX_VK_DEVICE(name)
#define TONNX_VK_GLOBAL(name)                                                                                          \
    api->name = (PFN_vk##name)api->GetInstanceProcAddr(NULL, "vk" #name);                                              \
    if (!api->name) return missing("vk" #name);
#include "vulkan/functions.def"
#undef TONNX_VK_GLOBAL
#undef TONNX_VK_INSTANCE
    return TONNX_OK;
}

static tonnx_status load_instance(tonnx__vk_api *api, VkInstance instance)
{
#define TONNX_VK_GLOBAL(name)
#define TONNX_VK_INSTANCE(name)                                                                                        \
    api->name = (PFN_vk##name)api->GetInstanceProcAddr(instance, "vk" #name);                                          \
    if (!api->name) return missing("vk" #name);
#include "vulkan/functions.def"
#undef TONNX_VK_INSTANCE
#undef TONNX_VK_DEVICE
    return TONNX_OK;
}

tonnx_status tonnx__vk_load_device(tonnx__vk_api *api, VkDevice device)
{
#define TONNX_VK_INSTANCE(name)
#define TONNX_VK_DEVICE(name)                                                                                          \
    api->name = (PFN_vk##name)api->GetDeviceProcAddr(device, "vk" #name);                                              \
    if (!api->name) return missing("vk" #name);
#include "vulkan/functions.def"
#undef TONNX_VK_GLOBAL
#undef TONNX_VK_INSTANCE
#undef TONNX_VK_DEVICE
    return TONNX_OK;
}

static tonnx_status make_instance(tonnx__vk_loader *loader)
{
    uint32_t version = 0;
    const VkApplicationInfo application = { .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                            .pApplicationName = "tonnx",
                                            .apiVersion = VK_API_VERSION_1_2 };
    const VkInstanceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                        .pApplicationInfo = &application };
    if (loader->api.EnumerateInstanceVersion(&version) || version < VK_API_VERSION_1_1)
        return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: the loader is older than Vulkan 1.1");
    const VkResult result = loader->api.CreateInstance(&info, NULL, &loader->instance);
    if (!result) return load_instance(&loader->api, loader->instance);
    loader->instance = VK_NULL_HANDLE;
    return tonnx__fail(TONNX_BAD_DEVICE,
                       result == VK_ERROR_INCOMPATIBLE_DRIVER
                           ? "vulkan: no driver is installed (Debian: apt-get install mesa-vulkan-drivers)"
                           : "vulkan: no instance can be made (result %d)",
                       (int)result);
}

tonnx_status tonnx__vk_loader_open(tonnx__vk_loader *loader)
{
    *loader = (tonnx__vk_loader){ .instance = VK_NULL_HANDLE };
    tonnx_status status = open_library(&loader->api);
    if (!status) status = load_global(&loader->api);
    if (!status) status = make_instance(loader);
    if (!status) status = tonnx__vk_list_cards(loader);
    if (status) tonnx__vk_loader_close(loader);
    return status;
}

/* The library stays open: drivers leave threads behind that may still run in it. */
void tonnx__vk_loader_close(tonnx__vk_loader *loader)
{
    if (loader->instance) loader->api.DestroyInstance(loader->instance, NULL);
    loader->instance = VK_NULL_HANDLE;
}
