/* The subcommands, each in its own cmd_NAME.c. */
#ifndef TONNX_CLI_COMMANDS_H
#define TONNX_CLI_COMMANDS_H

#include "cli/opt.h"

extern const command cmd_new, cmd_inspect, cmd_check, cmd_init, cmd_train, cmd_eval, cmd_predict, cmd_lr_find, cmd_diff,
    cmd_convert, cmd_plan, cmd_ops, cmd_devices, cmd_bench, cmd_completion, cmd_version;

#endif
