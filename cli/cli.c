/* How subcommands fail, speak and get memory. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/print.h"

static void say_error(const char *format, va_list args)
{
    char line[1024];
    vsnprintf(line, sizeof line, format, args);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?'; /* words of a command line may hold anything */
    print_live_clear();
    print_set_style(stderr, PRINT_RED);
    fputs("tonnx: ", stderr);
    print_set_style(stderr, PRINT_PLAIN);
    fprintf(stderr, "%s\n", line);
}

int cli_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_error(format, args);
    va_end(args);
    return EXIT_USAGE;
}

int cli_io(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_error(format, args);
    va_end(args);
    return EXIT_IO;
}

int cli_diverged(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_error(format, args);
    va_end(args);
    return tonnx_status_exit_code(TONNX_DIVERGED);
}

static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_error(format, args);
    va_end(args);
}

int cli_status(tonnx_status status)
{
    if (status) say("%s", tonnx_last_message());
    return tonnx_status_exit_code(status);
}

void *cli_alloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory) exit(cli_io("out of memory"));
    return memory;
}

void *cli_grow(void *old, size_t count, size_t size)
{
    void *memory = reallocarray(old, count, size);
    if (!memory) exit(cli_io("out of memory"));
    return memory;
}

static void hear(void *user, tonnx_log_level level, const char *line)
{
    const opt_common *common = user;
    if (level == TONNX_LOG_WARNING) say("warning: %s", line);
    if (level == TONNX_LOG_WARNING || common->quiet) return;
    print_live_clear();
    fprintf(stderr, "%s\n", line);
}

tonnx_log cli_log(const opt_common *common)
{
    return (tonnx_log){ hear, (void *)common };
}
