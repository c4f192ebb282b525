/* tonnx version */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"

typedef struct args {
    opt_common common;
} args;

static const char *const examples[] = { "tonnx version", NULL };

static int version(void *opaque)
{
    (void)opaque;
    puts("tonnx " TONNX_VERSION);
    return 0;
}

const command cmd_version = { "version", "the version", NULL, examples, NULL, NULL, sizeof(args), version };
