/* Golden values: tests/data/golden/NAME.csv, rows of a name and numbers, made by make.py beside them. */
#ifndef TONNX_TESTS_GOLDEN_H
#define TONNX_TESTS_GOLDEN_H

#include <stdbool.h>
#include <string.h>

#include "tests/support.h"

enum { GOLDEN_VALUES = 16 };

typedef struct golden {
    FILE *file;
    char name[32]; /* the row's first field, where it is no number; else "" */
    double values[GOLDEN_VALUES];
    size_t count;
} golden;

static inline golden *golden_open(const char *name)
{
    char path[512];
    golden *g = calloc(1, sizeof *g);
    ck_assert_ptr_nonnull(g);
    snprintf(path, sizeof path, "%s/golden/%s", TONNX_TEST_DATA, name);
    g->file = fopen(path, "r");
    ck_assert_msg(g->file != NULL, "%s is missing", path);
    return g;
}

/* The next row; false at the end. Lines that begin with # are comments. */
static inline bool golden_next(golden *g)
{
    char line[512], *rest = line, *end;
    do
        if (!fgets(line, sizeof line, g->file)) return false;
    while (line[0] == '#');
    g->name[0] = '\0';
    g->count = 0;
    for (char *field = strsep(&rest, ","); field && g->count < GOLDEN_VALUES; field = strsep(&rest, ",")) {
        const double value = strtod(field, &end);
        if (end == field) snprintf(g->name, sizeof g->name, "%.31s", field);
        else g->values[g->count++] = value;
    }
    return true;
}

static inline void golden_close(golden *g)
{
    fclose(g->file);
    free(g);
}

#endif
