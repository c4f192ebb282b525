/* Failing, from inside the library. */
#ifndef TONNX_RUNTIME_STATUS_IMPL_H
#define TONNX_RUNTIME_STATUS_IMPL_H

#include "runtime/status.h"

/* Keeps the formatted line as this thread's last message (cut at 1023 bytes, control characters blanked) and
 * returns `status`, so that a failure is one statement: return tonnx__fail(TONNX_BAD_MODEL, "%s: …", path); */
tonnx_status tonnx__fail(tonnx_status status, const char *format, ...) TONNX_PRINTF(2, 3);

/* Prefixes this thread's last message with "PREFIX: ", for callers that know the file where the callee did not. */
tonnx_status tonnx__fail_in(tonnx_status status, const char *prefix);

#endif
