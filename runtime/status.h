/* How calls end: a status from one list, and one line that says what happened and what to do. */
#ifndef TONNX_RUNTIME_STATUS_H
#define TONNX_RUNTIME_STATUS_H

#include "api.h"

TONNX_BEGIN

typedef enum tonnx_status {
#define TONNX_STATUS(id, exit_code, meaning) TONNX_##id,
#include "status.def"
#undef TONNX_STATUS
    TONNX_STATUS_COUNT
} tonnx_status;

/* The identifier in lower case with dashes ("bad-model"); "unknown" for a number that is none of ours. */
TONNX_API const char *tonnx_status_name(tonnx_status status);

/* What a process should exit with (cli.md: 0 good, 2 usage, 3 model, 4 data, …). */
TONNX_API int tonnx_status_exit_code(tonnx_status status);

/* The line that the last failed call of this thread left, without a newline; "" where none failed yet.
 * Borrowed: valid until the next failing call of this thread. */
TONNX_API const char *tonnx_last_message(void);

TONNX_END

#endif
