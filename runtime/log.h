/* The callback through which the library says in one line what it inferred or changed. A library never prints. */
#ifndef TONNX_RUNTIME_LOG_H
#define TONNX_RUNTIME_LOG_H

#include "api.h"

TONNX_BEGIN

typedef enum tonnx_log_level { TONNX_LOG_INFO, TONNX_LOG_WARNING } tonnx_log_level;

/* `say` may be NULL: then nothing is said. `line` has no newline and is borrowed for the call. */
typedef struct tonnx_log {
    void (*say)(void *user, tonnx_log_level level, const char *line);
    void *user;
} tonnx_log;

TONNX_END

#endif
