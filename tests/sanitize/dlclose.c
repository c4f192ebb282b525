/* Linked into sanitizer builds of the command: libraries stay where they are once they are open.
 *
 * Vulkan's loader unloads its drivers when the instance goes. What Mesa's driver keeps in globals of its own (128
 * bytes, by realloc, below vkEnumeratePhysicalDevices) cannot be reached from anywhere then, and LeakSanitizer calls it
 * a leak that no suppression can name, for its module is unknown. While the driver stays, there is none. */
__attribute__((visibility("default"))) int dlclose(void *library);

int dlclose(void *library)
{
    (void)library;
    return 0;
}
