/* The Vulkan backend against the reference, every variant of every kind, as the device is and as if it had no more than Vulkan
 * promises; the same bits twice. Without a device: skipped, in CI a failure. */
#include "trial_judge.h"

static const char *const names[] = { "vulkan", "vulkan:minimum" };
enum { NAMES = sizeof names / sizeof *names };

START_TEST(vulkan_is_reference)
{
    const char *name = names[_i % NAMES];
    tonnx__backend *vulkan = trial_open(name, 0);
    check_against_reference(vulkan, _i / NAMES, name);
    tonnx__backend_close(vulkan);
}
END_TEST

static Suite *vulkan_suite(void)
{
    Suite *suite = suite_create("vulkan");
    TCase *kinds = tcase_create("kinds");
    tcase_set_timeout(kinds, 120);
    tcase_add_loop_test(kinds, vulkan_is_reference, 0, TONNX__KINDS * NAMES);
    suite_add_tcase(suite, kinds);
    return suite;
}

int main(void)
{
    tonnx__backend *backend = NULL;
    const char *ci = getenv("CI");
    const bool has = !tonnx__backend_open(&backend, &(tonnx__backend_options){ "vulkan", 0, { NULL, NULL } });
    if (has) tonnx__backend_close(backend);
    if (has) return run_suite(vulkan_suite());
    printf("%s\n", tonnx_last_message());
    return ci && !strcmp(ci, "true") ? 1 : 77;
}
