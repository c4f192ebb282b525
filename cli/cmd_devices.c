/* tonnx devices: what programs can run on here. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "runtime/backend.h"

typedef struct args {
    opt_common common;
} args;

static const char *const examples[] = { "tonnx devices", NULL };

static void add_device(void *user, const tonnx_device_info *info)
{
    print_table_cell(user, "%s", info->backend);
    print_table_cell(user, "%s", info->device);
    print_table_cell(user, "%s", info->detail);
}

static int devices(void *opaque)
{
    print_table *table = print_table_new("lll");
    (void)opaque;
    print_table_cell(table, "%s", "backend");
    print_table_cell(table, "%s", "device");
    print_table_cell(table, "%s", "detail");
    const int code = cli_status(tonnx_devices(add_device, table));
    print_table_end(table, stdout);
    return code;
}

const command cmd_devices = {
    "devices", "the backends of this build and their devices", NULL, examples, NULL, NULL, sizeof(args), devices
};
