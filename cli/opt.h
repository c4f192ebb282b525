/* Options as tables. One row per option drives parsing, defaults, usage, --help, the man page and shell completion. */
#ifndef TONNX_CLI_OPT_H
#define TONNX_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an option's value is, and the type of the field that it fills. */
typedef enum opt_kind {
    OPT_FLAG,     /* bool: takes no value */
    OPT_TEXT,     /* const char * */
    OPT_FILE,     /* const char *; "-" is stdin or stdout */
    OPT_LIST,     /* const char **: may be given often, ends with NULL; NULL where never given */
    OPT_WORD,     /* const char *: one of `words` */
    OPT_COUNT,    /* uint64_t, from 0 */
    OPT_POSITIVE, /* uint64_t, from 1 */
    OPT_REAL,     /* double from 0, finite; NaN where not given and without default */
    OPT_SHARE     /* double, 0 ≤ x < 1 */
} opt_kind;

/* The words that an option takes, from the op book or from a list of its own. */
typedef struct opt_words {
    const char *(*at)(size_t i);       /* NULL past the last */
    bool (*accepts)(const char *word); /* aliases and parameters beyond the list; NULL: none */
} opt_words;

typedef enum opt_need {
    OPT_FREE,    /* may be left out */
    OPT_NEEDED,  /* the parser insists */
    OPT_EXPECTED /* usage shows it as needed; the command knows when */
} opt_need;

/* One option. A table ends with a row without name. */
typedef struct opt {
    const char *name; /* without dashes */
    char letter;      /* of the short form; 0: none */
    opt_kind kind;
    size_t at;            /* offset of the field in the group's struct */
    const char *value;    /* what help calls the value: "FILE", "N" */
    const char *fallback; /* default, in the form that a user would type; NULL: none */
    const char *help;
    const opt_words *words;
    opt_need need;
} opt;

/* Options that belong together, and where their struct stands in the command's. A list ends with NULL options. */
typedef struct opt_group {
    const char *title;
    const opt *options;
    size_t at;
} opt_group;

/* A file or word without dashes; fills a const char *. A list ends with a row without name. */
typedef struct opt_operand {
    const char *name;
    size_t at;
    bool optional;
    const char *help;
} opt_operand;

/* What every command takes; the first member of every command's arguments. */
typedef struct opt_common {
    bool help, quiet, plain;
} opt_common;

/* A subcommand: what it takes, what help says of it, what it does. */
typedef struct command {
    const char *name;
    const char *summary;         /* one line */
    const char *details;         /* a paragraph; NULL: none */
    const char *const *examples; /* command lines, ends with NULL */
    const opt_operand *operands;
    const opt_group *groups;
    size_t args_size;       /* of the struct that holds all groups; begins with an opt_common */
    int (*run)(void *args); /* returns the exit code */
} command;

/* The group that every command has. */
extern const opt_group opt_common_groups[];

/* Fills `args` (zeroed, cmd->args_size) with defaults and then from the words. 0, or the exit code for wrong usage
 * after saying what is wrong. Where --help stands anywhere, args->help is set and nothing is missed. */
int opt_parse(const command *cmd, int argc, char **argv, void *args);

/* Frees what parsing allocated in `args` (lists). */
void opt_release(const command *cmd, void *args);

/* Calls `visit` for every option of a command, its own groups first. */
void opt_each(const command *cmd, void (*visit)(void *user, const opt_group *group, const opt *option), void *user);

/* The word of a list nearest to `word`; NULL where none is near. */
const char *opt_nearest(const char *word, const char *(*at)(const void *list, size_t i), const void *list);

/* "auto|cross-entropy|bce": all words of an option, into `text`. */
const char *opt_words_text(const opt_words *words, char *text, size_t size);

#endif
