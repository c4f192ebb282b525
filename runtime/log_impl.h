#ifndef TONNX_RUNTIME_LOG_IMPL_H
#define TONNX_RUNTIME_LOG_IMPL_H

#include "runtime/log.h"

/* Formats one line and hands it to the caller's log; `log` may be NULL. */
void tonnx__say(const tonnx_log *log, tonnx_log_level level, const char *format, ...) TONNX_PRINTF(3, 4);

#endif
