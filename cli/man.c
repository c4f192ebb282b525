/* The man page and shell completion, from the same tables as parsing and help. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* roff: a backslash and a hyphen have a meaning of their own, and so have a dot and a quote that begin a line. */
static void roff(const char *text)
{
    if (*text == '.' || *text == '\'') fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '\\') fputs("\\e", stdout);
        else if (*text == '-') fputs("\\-", stdout);
        else putchar(*text);
        if (*text == '|') fputs("\\:", stdout); /* a long list of words may break here */
    }
}

static void man_option(void *user, const opt_group *group, const opt *option)
{
    char words[512];
    (void)user;
    (void)group;
    fputs(".TP\n\\fB", stdout);
    if (option->letter) printf("\\-%c\\fR, \\fB", option->letter);
    fputs("\\-\\-", stdout);
    roff(option->name);
    fputs("\\fR", stdout);
    if (option->value) printf(" \\fI%s\\fR", option->value);
    putchar('\n');
    roff(option->help);
    if (option->words) {
        fputs(": ", stdout);
        roff(opt_words_text(option->words, words, sizeof words));
    }
    if (option->kind == OPT_LIST) fputs(" (repeatable)", stdout);
    if (option->fallback) {
        fputs(" [", stdout);
        roff(option->fallback);
        putchar(']');
    }
    putchar('\n');
}

static void man_command(const command *cmd)
{
    char usage[512];
    help_usage(cmd, usage, sizeof usage);
    fputs(".SS ", stdout);
    roff(usage);
    putchar('\n');
    roff(cmd->summary);
    puts(".");
    if (cmd->details) {
        roff(cmd->details);
        putchar('\n');
    }
    for (const opt_group *group = cmd->groups; group && group->options; group++)
        for (const opt *option = group->options; option->name; option++) man_option(NULL, group, option);
    for (size_t i = 0; cmd->examples && cmd->examples[i]; i++) {
        fputs(".PP\n.EX\n", stdout);
        roff(cmd->examples[i]);
        fputs("\n.EE\n", stdout);
    }
}

static void man_status(void)
{
    static const char *const codes[][2] = {
        { "0", "good" },
        { "1", "a check failed, or files differ" },
        { "2", "wrong usage" },
        { "3", "the model file is bad or not supported" },
        { "4", "the data is bad" },
        { "5", "the device failed" },
        { "6", "training diverged" },
        { "7", "input or output failed, or out of memory" },
        { "130, 143", "interrupted" },
    };
    puts(".SH EXIT STATUS");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) printf(".TP\n%s\n%s\n", codes[i][0], codes[i][1]);
}

void help_man(void)
{
    const command *cmd;
    printf(".TH TONNX 1 \"\" \"tonnx %s\" \"User Commands\"\n.SH NAME\ntonnx \\- train ONNX models\n", TONNX_VERSION);
    puts(".SH SYNOPSIS\n\\fBtonnx\\fR \\fISUBCOMMAND\\fR [\\fIoptions\\fR] \\fIFILE\\fR...\n.SH DESCRIPTION");
    puts("Loads an MLP from an ONNX file, inspects it, initialises it, trains or fine\\-tunes it, and writes the same "
         "file\n"
         "back with only the weights changed. Results go to stdout, messages and progress to stderr.\n.SH SUBCOMMANDS");
    for (size_t i = 0; (cmd = cli_command(i)); i++) man_command(cmd);
    puts(".SH OPTIONS\nEvery subcommand takes:");
    for (const opt *option = opt_common_groups->options; option->name; option++) man_option(NULL, NULL, option);
    man_status();
    puts(".SH ENVIRONMENT\n.TP\nNO_COLOR\nwhere not empty: no colour and no live line\n.TP\nTERM\n\"dumb\": the same");
}

static void completion_words(void *user, const opt_group *group, const opt *option)
{
    char words[512];
    (void)group;
    if (!option->words) return;
    printf("    %s:--%s) words=\"", ((const command *)user)->name, option->name);
    opt_words_text(option->words, words, sizeof words);
    for (const char *c = words; *c; c++) putchar(*c == '|' ? ' ' : *c);
    puts("\" ;;");
}

static void completion_option(void *user, const opt_group *group, const opt *option)
{
    (void)user;
    (void)group;
    printf(" --%s", option->name);
}

void help_completion_bash(void)
{
    const command *cmd;
    fputs("# bash completion for tonnx: tonnx completion > /etc/bash_completion.d/tonnx\n_tonnx() {\n"
          "    local word=\"${COMP_WORDS[COMP_CWORD]}\" last=\"${COMP_WORDS[COMP_CWORD-1]}\" words=\"\"\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"",
          stdout);
    for (size_t i = 0; (cmd = cli_command(i)); i++) printf("%s%s", i ? " " : "", cmd->name);
    puts("\"; else\n    case \"${COMP_WORDS[1]}:$last\" in");
    for (size_t i = 0; (cmd = cli_command(i)); i++) opt_each(cmd, completion_words, (void *)cmd);
    puts("    *) case \"${COMP_WORDS[1]}\" in");
    for (size_t i = 0; (cmd = cli_command(i)); i++) {
        printf("        %s) [ \"${word#-}\" != \"$word\" ] && words=\"", cmd->name);
        opt_each(cmd, completion_option, NULL);
        puts("\" ;;");
    }
    puts("        esac ;;\n    esac; fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
         "complete -o default -F _tonnx tonnx");
}
