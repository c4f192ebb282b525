/* Parsing by table. */
#include "cli/opt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const opt common_options[] = {
    { "quiet", 'q', OPT_FLAG, offsetof(opt_common, quiet), NULL, NULL, "say nothing but warnings and errors", NULL,
      OPT_FREE },
    { "plain", 0, OPT_FLAG, offsetof(opt_common, plain), NULL, NULL, "no colour, no live line, no separators", NULL,
      OPT_FREE },
    { "help", 'h', OPT_FLAG, offsetof(opt_common, help), NULL, NULL, "this text", NULL, OPT_FREE },
    { 0 },
};
const opt_group opt_common_groups[] = { { "Common", common_options, 0 }, { 0 } };

void opt_each(const command *cmd, void (*visit)(void *user, const opt_group *group, const opt *option), void *user)
{
    const opt_group *lists[] = { cmd->groups, opt_common_groups };
    for (size_t i = 0; i < 2; i++)
        for (const opt_group *group = lists[i]; group && group->options; group++)
            for (const opt *option = group->options; option->name; option++) visit(user, group, option);
}

/* A parse under way. */
typedef struct parse {
    const command *cmd;
    char *args;
    size_t operands;   /* taken so far */
    bool options_over; /* after "--" */
    const char *name;  /* looked for by `match` */
    size_t name_length;
    char letter;
    const opt *found;
    char *field; /* of `found` */
    const opt *missing;
} parse;

static char *field_of(const parse *p, const opt_group *group, const opt *option)
{
    return p->args + group->at + option->at;
}

static int bad_value(const parse *p, const opt *option, const char *value, const char *wanted)
{
    return cli_usage("%s: --%s %s: %s", p->cmd->name, option->name, value, wanted);
}

static int store_count(const parse *p, const opt *option, uint64_t *field, const char *value)
{
    char *end = NULL;
    const uint64_t least = option->kind == OPT_POSITIVE;
    errno = 0;
    const unsigned long long number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || number < least)
        return bad_value(p, option, value, least ? "want a whole number from 1" : "want a whole number from 0");
    *field = number;
    return 0;
}

static int store_real(const parse *p, const opt *option, double *field, const char *value)
{
    char *end = NULL;
    const double number = strtod(value, &end);
    if (end == value || *end || !isfinite(number) || number < 0)
        return bad_value(p, option, value, "want a number from 0");
    if (option->kind == OPT_SHARE && number >= 1) return bad_value(p, option, value, "want a share from 0 to below 1");
    *field = number;
    return 0;
}

static const char *word_at(const void *list, size_t i)
{
    return ((const opt_words *)list)->at(i);
}

static int store_word(const parse *p, const opt *option, const char **field, const char *value)
{
    char all[512];
    const char *word;
    *field = value;
    for (size_t i = 0; (word = option->words->at(i)); i++)
        if (!strcmp(word, value)) return 0;
    if (option->words->accepts && option->words->accepts(value)) return 0;
    const char *near = opt_nearest(value, word_at, option->words);
    if (near) return cli_usage("%s: --%s %s: did you mean %s?", p->cmd->name, option->name, value, near);
    return cli_usage("%s: --%s %s: want one of %s", p->cmd->name, option->name, value,
                     opt_words_text(option->words, all, sizeof all));
}

static void store_in_list(const char ***field, const char *value)
{
    size_t count = 0;
    while (*field && (*field)[count]) count++;
    *field = cli_grow(*field, count + 2, sizeof **field);
    (*field)[count] = value;
    (*field)[count + 1] = NULL;
}

static int store(const parse *p, const opt *option, char *field, const char *value)
{
    switch (option->kind) {
    case OPT_FLAG:
        *(bool *)field = true;
        return 0;
    case OPT_TEXT:
    case OPT_FILE:
        if (!*value) return bad_value(p, option, "''", "want something");
        *(const char **)(void *)field = value;
        return 0;
    case OPT_LIST:
        store_in_list((const char ***)(void *)field, value);
        return 0;
    case OPT_WORD:
        return store_word(p, option, (const char **)(void *)field, value);
    case OPT_COUNT:
    case OPT_POSITIVE:
        return store_count(p, option, (uint64_t *)(void *)field, value);
    case OPT_REAL:
    case OPT_SHARE:
        return store_real(p, option, (double *)(void *)field, value);
    }
    return 0;
}

static void set_default(void *user, const opt_group *group, const opt *option)
{
    const parse *p = user;
    char *field = field_of(p, group, option);
    if (option->fallback) (void)store(p, option, field, option->fallback);
    else if (option->kind == OPT_REAL) *(double *)(void *)field = NAN;
}

static void match(void *user, const opt_group *group, const opt *option)
{
    parse *p = user;
    const bool same_name =
        p->name && strlen(option->name) == p->name_length && !memcmp(option->name, p->name, p->name_length);
    if (!same_name && (!p->letter || option->letter != p->letter)) return;
    p->found = option;
    p->field = field_of(p, group, option);
}

/* All long names of a command, counted through: what a misspelt one is compared with. */
typedef struct name_walk {
    size_t wanted, seen;
    const char *name;
} name_walk;

static void walk_name(void *user, const opt_group *group, const opt *option)
{
    name_walk *walk = user;
    (void)group;
    if (walk->seen++ == walk->wanted) walk->name = option->name;
}

static const char *option_at(const void *list, size_t i)
{
    name_walk walk = { i, 0, NULL };
    opt_each(list, walk_name, &walk);
    return walk.name;
}

static int unknown_option(const parse *p, const char *word)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *near = word[1] == '-' ? opt_nearest(name + 2, option_at, p->cmd) : NULL;
    if (near) return cli_usage("%s: unknown option %s; did you mean --%s?", p->cmd->name, name, near);
    return cli_usage("%s: unknown option %s; 'tonnx %s --help' lists them", p->cmd->name, name, p->cmd->name);
}

/* One option: argv[i], and argv[i + 1] where it takes a value that is not attached. Advances *i. */
static int take_option(parse *p, char **argv, int argc, int *i)
{
    const char *word = argv[*i], *value = NULL;
    p->found = NULL;
    p->name = NULL;
    p->letter = 0;
    if (word[1] == '-') {
        p->name = word + 2;
        p->name_length = strcspn(p->name, "=");
        if (p->name[p->name_length]) value = p->name + p->name_length + 1;
    } else {
        p->letter = word[1];
        if (word[2]) value = word + 2;
    }
    opt_each(p->cmd, match, p);
    if (!p->found) return unknown_option(p, word);
    if (p->found->kind == OPT_FLAG)
        return value ? cli_usage("%s: --%s takes no value", p->cmd->name, p->found->name)
                     : store(p, p->found, p->field, "");
    if (!value && *i + 1 < argc && !(argv[*i + 1][0] == '-' && argv[*i + 1][1] == '-')) value = argv[++*i];
    if (!value) return cli_usage("%s: --%s needs a value (%s)", p->cmd->name, p->found->name, p->found->value);
    return store(p, p->found, p->field, value);
}

static int take_operand(parse *p, const char *word)
{
    const opt_operand *operand = p->cmd->operands;
    for (size_t i = 0; operand && operand->name && i < p->operands; i++) operand++;
    if (!operand || !operand->name) return cli_usage("%s: '%s' is one word too many", p->cmd->name, word);
    *(const char **)(void *)(p->args + operand->at) = word;
    p->operands++;
    return 0;
}

static void find_missing(void *user, const opt_group *group, const opt *option)
{
    parse *p = user;
    if (option->need == OPT_NEEDED && !*(const char **)(void *)field_of(p, group, option)) p->missing = option;
}

static int check_complete(parse *p)
{
    char usage[512];
    const opt_operand *operand = p->cmd->operands;
    help_usage(p->cmd, usage, sizeof usage);
    for (size_t i = 0; operand && operand->name && i < p->operands; i++) operand++;
    if (operand && operand->name && !operand->optional)
        return cli_usage("%s: %s is missing; usage: %s", p->cmd->name, operand->name, usage);
    opt_each(p->cmd, find_missing, p);
    if (p->missing && p->missing->letter)
        return cli_usage("%s: -%c %s is missing; usage: %s", p->cmd->name, p->missing->letter, p->missing->value,
                         usage);
    if (p->missing) return cli_usage("%s: --%s is missing; usage: %s", p->cmd->name, p->missing->name, usage);
    return 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) return true;
    return false;
}

int opt_parse(const command *cmd, int argc, char **argv, void *args)
{
    parse p = { .cmd = cmd, .args = args };
    int code = 0;
    opt_each(cmd, set_default, &p);
    if (asks_for_help(argc, argv)) {
        ((opt_common *)args)->help = true;
        return 0;
    }
    for (int i = 0; i < argc && !code; i++) {
        if (!p.options_over && !strcmp(argv[i], "--")) p.options_over = true;
        else if (!p.options_over && argv[i][0] == '-' && argv[i][1]) code = take_option(&p, argv, argc, &i);
        else code = take_operand(&p, argv[i]);
    }
    return code ? code : check_complete(&p);
}

static void release_list(void *user, const opt_group *group, const opt *option)
{
    const parse *p = user;
    if (option->kind == OPT_LIST) free(*(const char ***)(void *)field_of(p, group, option));
}

void opt_release(const command *cmd, void *args)
{
    parse p = { .cmd = cmd, .args = args };
    opt_each(cmd, release_list, &p);
}
