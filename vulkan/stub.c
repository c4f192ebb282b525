/* In the place of the Vulkan backend where the build had no Vulkan headers or no shader compiler. */
#include "runtime/backend_impl.h"

static const char reason[] = "this build has no Vulkan backend: it wants glslc and the Vulkan headers when it is made "
                             "(Debian: apt-get install glslc libvulkan-dev)";

static tonnx_status devices(void (*visit)(void *user, const tonnx_device_info *info), void *user)
{
    visit(user, &(tonnx_device_info){ "vulkan", "none", reason });
    return TONNX_OK;
}

static tonnx_status open(tonnx__backend **out, const tonnx__backend_options *options)
{
    (void)options;
    *out = NULL;
    return tonnx__fail(TONNX_BAD_DEVICE, "%s", reason);
}

/* Never opened, so nothing else is called. */
extern const tonnx__backend_kind tonnx__backend_vulkan;
const tonnx__backend_kind tonnx__backend_vulkan = { .name = "vulkan", .devices = devices, .open = open };
