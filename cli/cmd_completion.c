/* tonnx completion: what a shell needs to complete tonnx's words. */
#include "cli/cli.h"
#include "cli/commands.h"

typedef struct args {
    opt_common common;
} args;

static const char *const examples[] = { "tonnx completion > ~/.local/share/bash-completion/completions/tonnx", NULL };

static int completion(void *opaque)
{
    (void)opaque;
    help_completion_bash();
    return 0;
}

const command cmd_completion = {
    "completion", "shell completion for bash, to be sourced", NULL, examples, NULL, NULL, sizeof(args), completion,
};
