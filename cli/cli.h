/* What the subcommands share: how they fail, what they say, how they open files. */
#ifndef TONNX_CLI_CLI_H
#define TONNX_CLI_CLI_H

#include "cli/opt.h"
#include "runtime/dataset.h"
#include "runtime/log.h"
#include "runtime/model.h"
#include "runtime/status.h"

enum { EXIT_DIFFERENT = 1, EXIT_USAGE = 2, EXIT_IO = 7, EXIT_SIGNALLED = 128 };

/* The table of subcommands; NULL past the last. */
const command *cli_command(size_t i);
const command *cli_find(const char *name);

/* The whole command's help, one command's help or usage line, the man page, a shell's completion. */
void help_all(void);
void help_command(const command *cmd);
void help_usage(const command *cmd, char *text, size_t size);
void help_man(void);
void help_completion_bash(void);

/* Says on stderr what is wrong with the call; returns EXIT_USAGE. */
int cli_usage(const char *format, ...) TONNX_PRINTF(1, 2);

/* The same for failed input and output; returns EXIT_IO. */
int cli_io(const char *format, ...) TONNX_PRINTF(1, 2);

/* The same where numbers are not finite; returns the exit code of TONNX_DIVERGED. */
int cli_diverged(const char *format, ...) TONNX_PRINTF(1, 2);

/* Says why a library call failed; returns its exit code, 0 where it did not fail. */
int cli_status(tonnx_status status);

/* Memory, or the end of the process with EXIT_IO. */
void *cli_alloc(size_t count, size_t size);
void *cli_grow(void *old, size_t count, size_t size);

/* What the library has to say, onto stderr; only warnings where quiet. */
tonnx_log cli_log(const opt_common *common);

/* Loads a model from a file or, for "-", from stdin; and saves one, "-" being stdout. Return an exit code. */
int cli_load(tonnx_model **out, const char *path, const tonnx_log *log);
int cli_save(const tonnx_model *model, const char *path, const tonnx_log *log);

/* Before any work: `path` is by no alias one of `inputs` (NULL entries are passed over); for a file that is written
 * whole or not at all, it can also be written. `option` is what names it, for the message. Return an exit code. */
int cli_check_alias(const char *option, const char *path, const char *const *inputs, size_t count);
int cli_check_output(const char *option, const char *path, const char *const *inputs, size_t count);

/* The same, once the model is there, of the files beside it that its weights come from; NULL as `path` is none of them. */
int cli_check_source(const char *option, const char *path, const tonnx_model *model);

#endif
