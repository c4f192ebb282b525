/* Help, from the tables: examples first, then usage, then every option with its default in brackets. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/print.h"

enum { WIDTH = 100, INDENT = 26 };

/* A growing text that never overruns. */
typedef struct line {
    char *text;
    size_t used, size;
} line;

static void add(line *to, const char *text)
{
    const int more = snprintf(to->text + to->used, to->size - to->used, "%s", text);
    to->used += (size_t)more;
    if (to->used >= to->size) to->used = to->size - 1;
}

static void add_needed(void *user, const opt_group *group, const opt *option)
{
    line *to = user;
    (void)group;
    if (option->need == OPT_FREE) return;
    add(to, option->letter ? " -" : " --");
    add(to, option->letter ? (char[2]){ option->letter, '\0' } : option->name);
    add(to, " ");
    add(to, option->value);
}

void help_usage(const command *cmd, char *text, size_t size)
{
    line to = { text, 0, size };
    add(&to, "tonnx ");
    add(&to, cmd->name);
    for (const opt_operand *operand = cmd->operands; operand && operand->name; operand++) {
        add(&to, operand->optional ? " [" : " ");
        add(&to, operand->name);
        if (operand->optional) add(&to, "]");
    }
    opt_each(cmd, add_needed, &to);
    add(&to, " [options]");
}

static void print_option(void *user, const opt_group *group, const opt *option)
{
    const opt_group **last = user;
    char text[1024], head[64];
    line to = { text, 0, sizeof text };
    if (*last != group) {
        print_set_style(stdout, PRINT_BOLD);
        printf("\n%s\n", group->title);
        print_set_style(stdout, PRINT_PLAIN);
    }
    *last = group;
    const int length = snprintf(head, sizeof head, "  %c%c%c --%s%s%s", option->letter ? '-' : ' ',
                                option->letter ? option->letter : ' ', option->letter ? ',' : ' ', option->name,
                                option->value ? " " : "", option->value ? option->value : "");
    add(&to, option->help);
    if (option->words) {
        char words[512];
        add(&to, ": ");
        add(&to, opt_words_text(option->words, words, sizeof words));
    }
    if (option->kind == OPT_LIST) add(&to, " (repeatable)");
    if (option->fallback) {
        add(&to, " [");
        add(&to, option->fallback);
        add(&to, "]");
    }
    printf("%s", head);
    if (length >= INDENT) printf("\n%*s", INDENT, "");
    else printf("%*s", INDENT - length, "");
    print_wrapped(text, INDENT, WIDTH);
}

void help_command(const command *cmd)
{
    char usage[512];
    const opt_group *last = NULL;
    help_usage(cmd, usage, sizeof usage);
    for (size_t i = 0; cmd->examples && cmd->examples[i]; i++) printf("  $ %s\n", cmd->examples[i]);
    printf("\nusage: %s\n\n", usage);
    print_wrapped(cmd->summary, 0, WIDTH);
    if (cmd->details) print_wrapped(cmd->details, 0, WIDTH);
    if (cmd->operands && cmd->operands->name) putchar('\n');
    for (const opt_operand *operand = cmd->operands; operand && operand->name; operand++) {
        printf("  %-*s", INDENT - 2, operand->name);
        print_wrapped(operand->help, INDENT, WIDTH);
    }
    opt_each(cmd, print_option, &last);
}

void help_all(void)
{
    const command *cmd;
    printf("  $ tonnx inspect model.onnx\n"
           "  $ tonnx train model.onnx --data x.npy --target y.npy -o trained.onnx\n\n"
           "usage: tonnx SUBCOMMAND [options] FILE...\n\n");
    for (size_t i = 0; (cmd = cli_command(i)); i++) printf("  %-12s%s\n", cmd->name, cmd->summary);
    printf("\n'tonnx SUBCOMMAND --help' says more. Results go to stdout, messages to stderr.\n"
           "Exit codes: 0 good, 1 a check failed or files differ, 2 usage, 3 model, 4 data, 5 device,\n"
           "6 diverged, 7 I/O or memory, 130/143 interrupted.\n");
}
