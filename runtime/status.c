#include "runtime/status_impl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/log_impl.h"

enum { MESSAGE_SIZE = 1024 };

static _Thread_local char message[MESSAGE_SIZE];

static const struct row {
    const char *id;
    int exit_code;
} rows[TONNX_STATUS_COUNT] = {
#define TONNX_STATUS(id, code, meaning) { #id, code },
#include "runtime/status.def"
#undef TONNX_STATUS
};

const char *tonnx_status_name(tonnx_status status)
{
    static _Thread_local char name[32];
    size_t i = 0;
    if ((unsigned)status >= TONNX_STATUS_COUNT) return "unknown";
    for (const char *id = rows[status].id; id[i] && i + 1 < sizeof name; i++)
        name[i] = id[i] == '_' ? '-' : (char)tolower((unsigned char)id[i]);
    name[i] = '\0';
    return name;
}

int tonnx_status_exit_code(tonnx_status status)
{
    return (unsigned)status < TONNX_STATUS_COUNT ? rows[status].exit_code : 1;
}

const char *tonnx_last_message(void)
{
    return message;
}

/* Names come from files: a newline or an escape in one must not forge a second line on a terminal. */
static void blank_controls(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
}

tonnx_status tonnx__fail(tonnx_status status, const char *format, ...)
{
    char fresh[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(fresh, sizeof fresh, format, args); /* into a fresh buffer: an argument may be the old message */
    va_end(args);
    blank_controls(fresh);
    memcpy(message, fresh, sizeof message);
    return status;
}

tonnx_status tonnx__fail_in(tonnx_status status, const char *prefix)
{
    return tonnx__fail(status, "%s: %s", prefix, message);
}

void tonnx__say(const tonnx_log *log, tonnx_log_level level, const char *format, ...)
{
    char line[MESSAGE_SIZE];
    va_list args;
    if (!log || !log->say) return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    blank_controls(line);
    log->say(log->user, level, line);
}
