/* tonnx: a table of subcommands, and how a process begins and ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/print.h"

static const command *const commands[] = {
    &cmd_new,  &cmd_inspect, &cmd_check, &cmd_init, &cmd_train,   &cmd_eval,       &cmd_predict, &cmd_lr_find,
    &cmd_diff, &cmd_convert, &cmd_plan,  &cmd_ops,  &cmd_devices, &cmd_bench, &cmd_completion, &cmd_version,
};

const command *cli_command(size_t i)
{
    return i < sizeof commands / sizeof *commands ? commands[i] : NULL;
}

const command *cli_find(const char *name)
{
    const command *cmd;
    for (size_t i = 0; (cmd = cli_command(i)); i++)
        if (!strcmp(cmd->name, name)) return cmd;
    return NULL;
}

static const char *name_at(const void *list, size_t i)
{
    const command *cmd = cli_command(i);
    (void)list;
    return cmd ? cmd->name : NULL;
}

/* A file that is opened must not become stdin, stdout or stderr because those were closed: writing to a closed stdout
 * has to fail, hence the wrong mode for it. */
static void hold_standard_files(void)
{
    static const int modes[] = { O_RDONLY, O_RDONLY, O_WRONLY };
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd) _exit(EXIT_IO);
}

static int no_command(void)
{
    const command *cmd;
    fprintf(stderr, "usage: tonnx SUBCOMMAND [options] FILE...   subcommands:\n");
    for (size_t i = 0; (cmd = cli_command(i)); i++) fprintf(stderr, "  %-12s%s\n", cmd->name, cmd->summary);
    fprintf(stderr, "'tonnx SUBCOMMAND --help' says more.\n");
    return EXIT_USAGE;
}

static int unknown_command(const char *word)
{
    const char *near = opt_nearest(word, name_at, NULL);
    if (near) return cli_usage("unknown subcommand '%s'; did you mean %s?", word, near);
    return cli_usage("unknown subcommand '%s'; 'tonnx --help' lists them", word);
}

static int run_command(const command *cmd, int argc, char **argv)
{
    void *args = cli_alloc(1, cmd->args_size);
    const opt_common *common = args;
    int code = opt_parse(cmd, argc, argv, args);
    print_set_plain(common->plain);
    if (!code && common->help) help_command(cmd);
    else if (!code) code = cmd->run(args);
    opt_release(cmd, args);
    free(args);
    return code;
}

static int run(int argc, char **argv)
{
    if (argc < 2) return no_command();
    const char *word = argv[1];
    const command *cmd = cli_find(word);
    if (cmd) return run_command(cmd, argc - 2, argv + 2);
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) {
        cmd = argc > 2 ? cli_find(argv[2]) : NULL;
        if (argc > 2 && !cmd) return unknown_command(argv[2]);
        if (cmd) help_command(cmd);
        else help_all();
        return 0;
    }
    if (!strcmp(word, "--man")) { /* what the build makes the man page with */
        help_man();
        return 0;
    }
    if (!strcmp(word, "--version")) return run_command(&cmd_version, 0, NULL);
    return unknown_command(word);
}

int main(int argc, char **argv)
{
    hold_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is a failed write, and failed writes are reported */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that grows beyond `ulimit -f` */
    const int code = run(argc, argv);
    const int unwritten = fflush(stdout) | ferror(stdout);
    if (!unwritten || code > EXIT_DIFFERENT) return code;
    return cli_io("stdout: %s", errno ? strerror(errno) : "cannot be written");
}
