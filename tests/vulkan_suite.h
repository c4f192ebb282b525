/* Suites that need a Vulkan device: skipped without one, in CI a failure. Pipelines are made anew, and nothing is left behind. */
#ifndef TONNX_TESTS_VULKAN_SUITE_H
#define TONNX_TESTS_VULKAN_SUITE_H

#include "runtime/backend_impl.h"
#include "support.h"

static inline int run_on_vulkan(Suite *(*suite)(void))
{
    tonnx__backend *backend = NULL;
    const char *ci = getenv("CI");
    setenv("XDG_CACHE_HOME", "/proc/none", 1);
    const bool has = !tonnx__backend_open(&backend, &(tonnx__backend_options){ "vulkan", 0, { NULL, NULL }, TONNX_FP32 });
    if (has) tonnx__backend_close(backend);
    if (has) return run_suite(suite());
    printf("%s\n", tonnx_last_message());
    return ci && !strcmp(ci, "true") ? 1 : 77;
}

#endif
