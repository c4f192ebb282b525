/* Whether a table has a header, and which column is the target. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/data/csv_impl.h"

/* What of the first record looks like a header. */
typedef struct looks {
    size_t numbers, words;
    bool counts_up; /* its numbers are 0, 1, 2 … or 1, 2, 3 …, in the columns' order: what tools write for lack of names
                     */
} looks;

static looks look_at(const tonnx__csv *csv, const tonnx__record *record)
{
    looks l = { .counts_up = true };
    double value = 0.0, next = -1.0;
    for (size_t j = 0; j < record->cells; j++) {
        const tonnx__cell_kind kind = tonnx__read_number(tonnx__cell(record, j), csv->c_locale, &value);
        l.words += kind == TONNX__CELL_TEXT;
        l.numbers += kind == TONNX__CELL_NUMBER || kind == TONNX__CELL_NOT_FINITE;
        if (kind == TONNX__CELL_NOT_FINITE) l.counts_up = false;
        if (kind != TONNX__CELL_NUMBER) continue;
        if (next < 0.0 ? value != 0.0 && value != 1.0 : value != next) l.counts_up = false;
        next = value + 1.0;
    }
    return l;
}

static bool has_cell(const tonnx__record *record, const char *text)
{
    for (size_t j = 0; j < record->cells; j++)
        if (!strcmp(tonnx__cell(record, j), text)) return true;
    return false;
}

/* The first record is a header where no cell is a number, where it holds the target's name, or where its numbers just
 * count the columns (three at least, and the next record's do not). All else is data. */
static void find_header(tonnx__columns *out, const tonnx__csv *csv, const tonnx__record *first,
                        const tonnx__record *second, const tonnx__request *request)
{
    const looks one = look_at(csv, first), two = look_at(csv, second);
    const char *target = request->column;
    *out = (tonnx__columns){ request->header == TONNX_HEADER_YES, false, TONNX__NO_COLUMN };
    if (request->header != TONNX_HEADER_AUTO) return;
    out->header = one.numbers ? target && *target != '#' && has_cell(first, target) : one.words > 0;
    out->numbered = !out->header && one.counts_up && one.numbers >= 3 && !(two.counts_up && two.numbers == one.numbers);
    out->header = out->header || out->numbered;
}

/* "#3" → 2 */
static tonnx_status find_numbered(long *column, const char *path, size_t columns, const char *target)
{
    char *end = NULL;
    errno = 0;
    const long number = strtol(target + 1, &end, 10);
    if (*end || errno || number < 1 || (size_t)number > columns)
        return tonnx__fail(TONNX_BAD_DATA, "%s: no column '%s': the table has columns #1 to #%zu", path, target,
                           columns);
    *column = number - 1;
    return TONNX_OK;
}

static tonnx_status no_such_column(const char *path, const tonnx__record *header, const char *target)
{
    char names[200] = "";
    size_t at = 0, j = 0;
    for (; j < header->cells && at + 60 < sizeof names; j++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%.40s", j ? ", " : "", tonnx__cell(header, j));
    return tonnx__fail(TONNX_BAD_DATA, "%s: no column '%s', and no file of that name; the columns are %s%s", path,
                       target, names, j < header->cells ? " …" : "");
}

static tonnx_status find_named(long *column, const char *path, const tonnx__record *header, const char *target)
{
    for (size_t j = 0; j < header->cells; j++) {
        if (strcmp(tonnx__cell(header, j), target)) continue;
        if (*column != TONNX__NO_COLUMN)
            return tonnx__fail(TONNX_BAD_DATA, "%s: columns %ld and %zu are both called '%s'; say '#%zu'", path,
                               *column + 1, j + 1, target, j + 1);
        *column = (long)j;
    }
    return TONNX_OK;
}

tonnx_status tonnx__csv_columns(tonnx__columns *out, const tonnx__csv *csv, const tonnx__record *first,
                                const tonnx__record *second, const tonnx__request *request)
{
    const char *target = request->column, *path = csv->source->path;
    tonnx_status status = TONNX_OK;
    find_header(out, csv, first, second, request);
    if (request->is_target && first->cells == 1) out->target = 0;
    if (request->is_target || !target) return TONNX_OK;
    if (target[0] == '#' && target[1] >= '0' && target[1] <= '9')
        return find_numbered(&out->target, path, first->cells, target);
    if (out->header) status = find_named(&out->target, path, first, target);
    if (status || out->target != TONNX__NO_COLUMN || request->column_may_be_file) return status;
    if (tonnx__looks_like_file(target))
        return tonnx__fail(TONNX_IO_FAILED, "%s: no such file, and no column of %s", target, path);
    if (out->header) return no_such_column(path, first, target);
    return tonnx__fail(TONNX_BAD_DATA,
                       "%s: no column '%s', for the table has no header; say '#%zu' for its last column", path, target,
                       first->cells);
}
