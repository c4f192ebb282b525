/* Linked into every program of a build with AddressSanitizer. A Vulkan driver leaks when it is unloaded, and what was unloaded has no name
 * that a suppression could give: here nothing is unloaded, and what the drivers themselves leak is told apart from what we do. */
int dlclose(void *library);
const char *__lsan_default_suppressions(void);

__attribute__((visibility("default"))) int dlclose(void *library)
{
    (void)library;
    return 0;
}

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libvulkan\n" /* the loader, and Mesa's drivers: libvulkan_lvp.so */
           "leak:libVkLayer\n"
           "leak:libLLVM\n";
}
