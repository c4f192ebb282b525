/* What every Check suite shares: a main that runs one suite, and assertions with tonnx's own message. */
#ifndef TONNX_TESTS_SUPPORT_H
#define TONNX_TESTS_SUPPORT_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/status.h"

/* The call succeeds, else its message is shown. */
#define ck_ok(call)                                                                                                    \
    do {                                                                                                               \
        const tonnx_status ck_status = (call);                                                                         \
        ck_assert_msg(ck_status == TONNX_OK, "%s: %s: %s", #call, tonnx_status_name(ck_status), tonnx_last_message()); \
    } while (0)

/* The call fails with that status, and its message holds that text. */
#define ck_fails(call, wanted, text)                                                                                   \
    do {                                                                                                               \
        const tonnx_status ck_status = (call);                                                                         \
        ck_assert_msg(ck_status == (wanted), "%s gave %s", #call, tonnx_status_name(ck_status));                       \
        ck_assert_msg(strstr(tonnx_last_message(), (text)), "message '%s' lacks '%s'", tonnx_last_message(), (text));  \
    } while (0)

/* |a − b| ≤ absolute + relative·|b|. */
#define ck_near(a, b, absolute, relative)                                                                              \
    do {                                                                                                               \
        const double ck_a = (a), ck_b = (b);                                                                           \
        ck_assert_msg(fabs(ck_a - ck_b) <= (absolute) + (relative) * fabs(ck_b), "%s = %.9g, %s = %.9g", #a, ck_a, #b, \
                      ck_b);                                                                                           \
    } while (0)

/* A suite file ends with: int main(void) { return run_suite(noun_suite()); } */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
