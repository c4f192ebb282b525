/* CSV and TSV: which record is the header, which column the target, and what its cells mean. Rows are stored as they
 * come; the file is never held. */
#define _GNU_SOURCE /* locale_t */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/data/csv_impl.h"
#include "runtime/dataset_impl.h"

typedef struct build {
    const tonnx__request *request;
    tonnx__table *x, *y;
    tonnx__csv csv;
    tonnx__record first, record; /* the file's first record; the one at hand */
    tonnx__columns columns;
    bool *left_out; /* [first.cells] columns that are neither features nor the target; NULL: there are none */
    size_t left_out_count;
    size_t seen;           /* samples, stored or not */
    size_t x_room, y_room; /* elements */
    bool is_text;          /* the target's first cell is a word, or a number that is a class's name */
    bool number_classes;   /* some of the given classes are named by numbers */
    bool whole;            /* every target so far is a class index */
    double *numbers;       /* [y_room] the target's, where it is numbers */
    tonnx__words words;    /* its words, where it is text */
    double *row;           /* [first.cells] a plain record's numbers */
} build;

static const char *path_of(const build *b)
{
    return b->csv.source->path;
}

static const char *header_name(const build *b, size_t column)
{
    return b->columns.header ? tonnx__cell(&b->first, column) : "";
}

static tonnx_status fail_cell(const build *b, size_t column, const char *what)
{
    const char *name = header_name(b, column), *cell = tonnx__cell(&b->record, column);
    return tonnx__fail(TONNX_BAD_DATA, "%s:%zu: column %zu%s%.60s%s: '%.40s' %s", path_of(b), b->record.line,
                       column + 1, *name ? " '" : "", name, *name ? "'" : "", cell, what);
}

static bool is_left_out(const build *b, size_t column)
{
    return b->left_out && b->left_out[column];
}

/* Every feature that the caller names has to be there. */
static tonnx_status check_columns(const build *b)
{
    const tonnx__request *request = b->request;
    for (size_t i = 0; i < request->column_count; i++) {
        size_t j = 0;
        while (j < b->first.cells && strcmp(header_name(b, j), request->columns[i])) j++;
        if (j == b->first.cells || (long)j == b->columns.target)
            return tonnx__fail(TONNX_BAD_DATA, "%s: column '%.60s', which the model was trained on, is %s", path_of(b),
                               request->columns[i], j == b->first.cells ? "not in it" : "its target here");
    }
    return TONNX_OK;
}

/* What the header names and the caller does not is no feature. */
static tonnx_status leave_out(build *b)
{
    const tonnx__request *request = b->request;
    if (!b->columns.header || !request->column_count || request->is_target) return TONNX_OK;
    tonnx_status status = check_columns(b);
    if (!status) status = tonnx__alloc(&b->left_out, b->first.cells, sizeof *b->left_out);
    for (size_t j = 0; !status && j < b->first.cells; j++) {
        size_t i = 0;
        while (i < request->column_count && strcmp(header_name(b, j), request->columns[i])) i++;
        b->left_out[j] = i == request->column_count && (long)j != b->columns.target;
        b->left_out_count += b->left_out[j];
    }
    return status;
}

static tonnx_status take_names(build *b)
{
    size_t to = 0;
    tonnx_status status = TONNX_OK;
    if (!b->columns.header) return TONNX_OK;
    if (b->x->columns) status = tonnx__alloc(&b->x->names, b->x->columns, sizeof(char *));
    if (!status && b->y->columns) status = tonnx__alloc(&b->y->names, 1, sizeof(char *));
    for (size_t j = 0; !status && j < b->first.cells; j++)
        if (!is_left_out(b, j))
            status =
                tonnx__strdup((long)j == b->columns.target ? &b->y->names[0] : &b->x->names[to++], header_name(b, j));
    return status;
}

/* Columns, names and, from the length of the first sample, about as much room as the file will need. Room that stays
 * untouched costs nothing, for fresh pages are mapped on their first use. */
static tonnx_status lay_out(build *b)
{
    const tonnx__source *source = b->csv.source;
    const size_t length = b->record.cells ? b->record.length : 1;
    size_t rows = tonnx__source_is_exact(source) ? tonnx__source_most(source) / length : 64;
    rows += rows / 8 + 2; /* the first sample may be longer than most */
    b->y->columns = b->columns.target != TONNX__NO_COLUMN;
    b->x->columns = b->first.cells - b->y->columns - b->left_out_count;
    if (!b->x->columns && !b->request->is_target)
        return tonnx__fail(TONNX_BAD_DATA, "%s: no features: the only column is the target", path_of(b));
    if (rows > b->request->limit) rows = b->request->limit;
    tonnx_status status = take_names(b);
    size_t elements = 0;
    if (status || !b->x->columns || !tonnx__mul(&elements, rows, b->x->columns)) return status;
    status = tonnx__alloc(&b->x->floats, elements, sizeof(float));
    if (!status) b->x_room = elements;
    return status;
}

/* What tools write where they have no value. */
static bool is_missing(const char *cell)
{
    static const char *const words[] = { "nan", "na", "n/a", "#n/a", "null", "none", "missing", "?" };
    size_t i = 0;
    while (i < sizeof words / sizeof *words && strcasecmp(cell, words[i]) != 0) i++;
    return i < sizeof words / sizeof *words;
}

/* A cell that is no number, and why. */
static tonnx_status fail_number(const build *b, size_t column, const char *why)
{
    const bool missing = is_missing(tonnx__cell(&b->record, column));
    return fail_cell(b, column, missing ? "is a missing value; fill it in, or drop the row" : why);
}

/* Where no target is named, this column may be meant. */
static tonnx_status fail_text(const build *b, size_t column)
{
    const char *name = header_name(b, column);
    char what[160];
    if (b->request->column || b->request->is_target)
        return fail_number(b, column, "is not a number; only the target may be text");
    if (*name)
        snprintf(what, sizeof what, "is not a number; if the column is the target, name it: --target '%.80s'", name);
    else
        snprintf(what, sizeof what, "is not a number; if the column is the target, name it: --target '#%zu'",
                 column + 1);
    return fail_number(b, column, what);
}

/* True and False, in the three ways that tools write them, are 1 and 0. */
static bool is_truth(const char *cell, float *to)
{
    static const char *const words[] = { "False", "True", "false", "true", "FALSE", "TRUE" };
    size_t i = 0;
    while (i < 6 && strcmp(cell, words[i]) != 0) i++;
    *to = (float)(i % 2);
    return i < 6;
}

static tonnx_status read_feature(const build *b, size_t column, float *to)
{
    double value = 0.0;
    switch (tonnx__read_number(tonnx__cell(&b->record, column), b->csv.c_locale, &value)) {
    case TONNX__CELL_EMPTY:
        return fail_cell(b, column, "is an empty cell: a missing value; fill it in, or drop the row");
    case TONNX__CELL_NOT_FINITE:
        return fail_number(b, column, "is not a finite number");
    case TONNX__CELL_TEXT:
        return is_truth(tonnx__cell(&b->record, column), to) ? TONNX_OK : fail_text(b, column);
    case TONNX__CELL_NUMBER:
        break;
    }
    *to = (float)value;
    return isfinite(*to) ? TONNX_OK : fail_cell(b, column, "is beyond the range of float32");
}

/* Where the next sample's features go. */
static tonnx_status feature_room(build *b, float **to)
{
    size_t need = 0;
    if (!tonnx__mul(&need, b->x->rows + 1, b->x->columns)) need = SIZE_MAX;
    const tonnx_status status = tonnx__grow(&b->x->floats, &b->x_room, need, sizeof(float));
    *to = status ? NULL : b->x->floats + b->x->rows * b->x->columns;
    return status;
}

static tonnx_status read_features(build *b)
{
    float *to = NULL;
    tonnx_status status = feature_room(b, &to);
    for (size_t j = 0; j < b->record.cells && !status; j++)
        if ((long)j != b->columns.target && !is_left_out(b, j)) status = read_feature(b, j, to++);
    b->x->rows += !status;
    return status;
}

/* The given class that `value` is, spelled otherwise: 1.0, +1 and 1 are one. */
static bool find_number(const build *b, double value, size_t *index)
{
    double named = 0.0;
    for (size_t i = 0; i < b->request->class_count; i++) {
        if (tonnx__read_number(b->request->classes[i], b->csv.c_locale, &named) != TONNX__CELL_NUMBER || named != value) continue;
        *index = i;
        return true;
    }
    return false;
}

/* Where classes are given, words must be among them. */
static tonnx_status read_word(build *b, size_t *index)
{
    const size_t column = (size_t)b->columns.target;
    const char *cell = tonnx__cell(&b->record, column);
    double value = 0.0;
    if (b->request->classes) {
        const bool number = b->number_classes && tonnx__read_number(cell, b->csv.c_locale, &value) == TONNX__CELL_NUMBER;
        const bool found = tonnx__words_find(&b->words, cell, index) || (number && find_number(b, value, index));
        return found ? TONNX_OK : fail_cell(b, column, "is none of the model's classes");
    }
    const tonnx_status status = tonnx__words_add(&b->words, cell, index);
    if (status || *index < TONNX__MAX_WORDS) return status;
    return fail_cell(b, column, "is one class too many: at most 65536 are read; is this the target?");
}

/* A target that has been judged: a word's number, or a number. */
static tonnx_status keep_target(build *b, double value, size_t index, bool store)
{
    b->whole = b->whole && value >= 0.0 && value < TONNX__MAX_CLASSES && value == floor(value);
    if (!store) return TONNX_OK;
    const tonnx_status status = b->is_text ? tonnx__grow(&b->y->integers, &b->y_room, b->y->rows + 1, sizeof(int64_t))
                                           : tonnx__grow(&b->numbers, &b->y_room, b->y->rows + 1, sizeof(double));
    if (status) return status;
    if (b->is_text) b->y->integers[b->y->rows++] = (int64_t)index;
    else b->numbers[b->y->rows++] = value;
    return TONNX_OK;
}

/* The target's cell, whose first one decided what they all are: words, of which numbers may be some, or numbers. */
static tonnx_status read_target(build *b, bool store)
{
    const size_t column = (size_t)b->columns.target;
    double value = 0.0;
    size_t index = 0;
    const tonnx__cell_kind kind = tonnx__read_number(tonnx__cell(&b->record, column), b->csv.c_locale, &value);
    if (kind == TONNX__CELL_EMPTY)
        return fail_cell(b, column, "is an empty cell: a missing target; fill it in, or drop the row");
    if (kind == TONNX__CELL_NOT_FINITE) return fail_number(b, column, "is not a finite number");
    if (!b->seen) b->is_text = kind == TONNX__CELL_TEXT || b->number_classes;
    if (!b->is_text && kind == TONNX__CELL_TEXT)
        return fail_number(b, column, "is not a number, but the target began with one");
    if (!b->is_text && fabs(value) > (double)FLT_MAX) return fail_cell(b, column, "is beyond the range of float32");
    const tonnx_status status = b->is_text ? read_word(b, &index) : TONNX_OK;
    return status ? status : keep_target(b, value, index, store);
}

static tonnx_status check_cells(const build *b)
{
    if (b->record.cells == b->first.cells) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s:%zu: %zu cells, but line %zu has %zu", path_of(b), b->record.line, b->record.cells,
                       b->first.line, b->first.cells);
}

static tonnx_status read_sample(build *b)
{
    const bool store = b->seen < b->request->limit;
    tonnx_status status = check_cells(b);
    if (status) return status;
    if (store && b->x->columns) status = read_features(b);
    if (!status && b->columns.target != TONNX__NO_COLUMN) status = read_target(b, store);
    b->seen++;
    return status;
}

/* The first record, where it is a sample and no header. */
static tonnx_status read_first(build *b)
{
    const tonnx__record second = b->record;
    b->record = b->first;
    const tonnx_status status = read_sample(b);
    b->record = second;
    return status;
}

/* to[i] = from[i]; false where one does not fit a float. A float less itself has no bits set, unless it is infinite. */
static bool to_floats(float *to, const double *from, size_t count)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        to[i] = (float)from[i];
        const float rest = to[i] - to[i];
        memcpy(&bits, &rest, sizeof bits);
        bad |= bits;
    }
    return !bad;
}

/* The features of the plain record in `row`, stored; false where they are not what features should be. */
static bool plain_features(const build *b, float *to)
{
    const size_t cells = b->first.cells, target = (size_t)b->columns.target;
    if (!b->left_out && b->columns.target == TONNX__NO_COLUMN) return to_floats(to, b->row, cells);
    if (!b->left_out)
        return to_floats(to, b->row, target) && to_floats(to + target, b->row + target + 1, cells - target - 1);
    bool good = true;
    for (size_t j = 0; j < cells; j++)
        if ((long)j != b->columns.target && !b->left_out[j]) good = to_floats(to++, &b->row[j], 1) && good;
    return good;
}

/* Whether the plain record's target is one that the slow way would take without a word; its value or its number. */
static bool plain_target(const build *b, const char *word, double *value, size_t *index)
{
    if (b->columns.target == TONNX__NO_COLUMN) return true;
    if (b->is_text)
        return tonnx__read_number(word, b->csv.c_locale, value) != TONNX__CELL_NOT_FINITE &&
               tonnx__words_find(&b->words, word, index);
    *value = b->row[b->columns.target];
    return fabs(*value) <= (double)FLT_MAX;
}

/* Samples as long as they are plain; the first one that is not is left where it is. */
static tonnx_status read_plain_samples(build *b)
{
    char word[TONNX__PLAIN_WORD];
    const bool has_target = b->columns.target != TONNX__NO_COLUMN;
    const tonnx__plain plain = { b->first.cells, b->row, b->is_text ? b->columns.target : TONNX__NO_COLUMN, word };
    tonnx_status status = TONNX_OK;
    while (!status && (b->seen < b->request->limit || has_target)) {
        const bool store = b->seen < b->request->limit;
        double value = 0.0;
        size_t index = 0;
        float *to = NULL;
        const size_t bytes = tonnx__csv_plain(&b->csv, &plain);
        if (!bytes || !plain_target(b, word, &value, &index)) break;
        if (store && b->x->columns) status = feature_room(b, &to);
        if (status || (to && !plain_features(b, to))) break;
        if (has_target) status = keep_target(b, value, index, store);
        b->x->rows += to != NULL;
        b->csv.source->at += bytes;
        b->csv.line++;
        b->seen++;
    }
    return status;
}

/* Beyond the limit a target column is read on: what the targets are (which classes, whole or not) is a matter of the
 * whole file, not of its first samples. */
static tonnx_status read_samples(build *b)
{
    tonnx_status status = TONNX_OK;
    while (!status && b->record.cells && (b->seen < b->request->limit || b->columns.target != TONNX__NO_COLUMN)) {
        status = read_sample(b);
        if (!status) status = read_plain_samples(b);
        if (!status) status = tonnx__csv_next(&b->csv, &b->record);
    }
    if (!status && !b->record.cells) b->x->rows_in_file = b->y->rows_in_file = b->seen;
    return status;
}

static tonnx_status begin(build *b, tonnx__source *source)
{
    b->whole = true;
    tonnx_status status = tonnx__csv_begin(&b->csv, source);
    if (!status) status = tonnx__csv_next(&b->csv, &b->first);
    if (!status && !b->first.cells)
        status = tonnx__fail(TONNX_BAD_DATA, "%s: no samples: the table is blank", source->path);
    if (!status) status = tonnx__csv_next(&b->csv, &b->record);
    for (size_t i = 0, index; !status && b->request->classes && i < b->request->class_count; i++) {
        double value;
        status = tonnx__words_add(&b->words, b->request->classes[i], &index);
        b->number_classes |= tonnx__read_number(b->request->classes[i], b->csv.c_locale, &value) == TONNX__CELL_NUMBER;
    }
    return status;
}

/* A file of one column of words: its first line is no header after all where the same word comes again below. */
static tonnx_status reclaim_header(build *b)
{
    size_t index = 0;
    tonnx__table *y = b->y;
    if (!b->request->is_target || !b->is_text || !b->columns.header || b->request->header != TONNX_HEADER_AUTO)
        return TONNX_OK;
    if (!tonnx__words_find(&b->words, header_name(b, 0), &index)) return TONNX_OK;
    const tonnx_status status = tonnx__grow(&y->integers, &b->y_room, y->rows + 1, sizeof(int64_t));
    if (status) return status;
    memmove(y->integers + 1, y->integers, y->rows * sizeof *y->integers);
    y->integers[0] = (int64_t)index;
    if (y->rows < b->request->limit) y->rows++;
    y->rows_in_file++;
    b->columns.header = false;
    tonnx__free(y->names[0]);
    tonnx__free(y->names);
    y->names = NULL;
    return TONNX_OK;
}

/* Words sorted by name, unless the caller gave their order. */
static tonnx_status finish_words(build *b)
{
    size_t *places = NULL;
    tonnx_status status = b->request->classes ? TONNX_OK : tonnx__words_sort(&b->words, &places);
    for (size_t i = 0; places && i < b->y->rows; i++) b->y->integers[i] = (int64_t)places[b->y->integers[i]];
    tonnx__free(places);
    if (status) return status;
    b->y->words = b->words.text;
    b->y->word_count = b->words.count;
    b->words.text = NULL;
    b->words.count = 0;
    return TONNX_OK;
}

/* Class indices where all targets are whole and none is negative, else numbers. */
static tonnx_status finish_numbers(build *b)
{
    tonnx__table *y = b->y;
    const tonnx_status status = b->whole ? tonnx__alloc(&y->integers, y->rows, sizeof(int64_t))
                                         : tonnx__alloc(&y->floats, y->rows, sizeof(float));
    for (size_t i = 0; !status && i < y->rows; i++)
        if (b->whole) y->integers[i] = (int64_t)b->numbers[i];
        else y->floats[i] = (float)b->numbers[i];
    return status;
}

/* The cells of the header that `wanted` picks (NULL: all), the first few. */
static void list_header(const build *b, const bool *wanted, char *text, size_t size)
{
    enum { MOST = 5 };
    size_t used = 0, listed = 0;
    for (size_t j = 0; j < b->first.cells && listed <= MOST; j++) {
        if (wanted && !wanted[j]) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%.24s", listed ? ", " : "",
                                 listed < MOST ? header_name(b, j) : "…");
        listed++;
    }
}

/* "CSV with header", and what else was inferred of the columns. */
static void describe(const build *b, char *how, size_t size)
{
    char names[200] = "";
    const char by = b->csv.delimiter;
    size_t used = (size_t)snprintf(how, size, "%s %s header",
                                   by == '\t'  ? "TSV"
                                   : by == ' ' ? "table with blanks between,"
                                               : "CSV",
                                   b->columns.header ? "with" : "without");
    if (b->columns.numbered) {
        list_header(b, NULL, names, sizeof names);
        used += (size_t)snprintf(how + used, size - used,
                                 " (its first line %s is taken as column numbers; --header no: it is a sample)", names);
    }
    if (!b->left_out_count) return;
    list_header(b, b->left_out, names, sizeof names);
    snprintf(how + used, size - used, ", left out what the model was not trained on (%s)", names);
}

static tonnx_status finish(build *b)
{
    tonnx_status status = TONNX_OK;
    if (!b->seen) return tonnx__fail(TONNX_BAD_DATA, "%s: no samples: there is only a header", path_of(b));
    if (b->columns.target != TONNX__NO_COLUMN) status = reclaim_header(b);
    if (!status && b->columns.target != TONNX__NO_COLUMN) status = b->is_text ? finish_words(b) : finish_numbers(b);
    describe(b, b->x->how, sizeof b->x->how);
    if (b->request->is_target) memcpy(b->y->how, b->x->how, sizeof b->y->how);
    else snprintf(b->y->how, sizeof b->y->how, "column %ld of %zu", b->columns.target + 1, b->first.cells);
    return status;
}

static tonnx_status read_csv(tonnx__table *x, tonnx__table *y, tonnx__source *source, const tonnx__request *request)
{
    build b = { .request = request, .x = x, .y = y };
    tonnx_status status = begin(&b, source);
    if (!status) status = tonnx__csv_columns(&b.columns, &b.csv, &b.first, &b.record, request);
    if (!status) status = leave_out(&b);
    if (!status && b.record.cells) status = check_cells(&b);
    if (!status) status = lay_out(&b);
    if (!status) status = tonnx__alloc(&b.row, b.first.cells, sizeof *b.row);
    if (!status && !b.columns.header) status = read_first(&b);
    if (!status) status = read_samples(&b);
    if (!status) status = finish(&b);
    tonnx__record_clear(&b.first);
    tonnx__record_clear(&b.record);
    tonnx__words_clear(&b.words);
    tonnx__free(b.numbers);
    tonnx__free(b.left_out);
    tonnx__free(b.row);
    tonnx__csv_end(&b.csv);
    return status;
}

/* The last resort: whatever no other reader knows is a table. */
static bool sniff(const unsigned char *head, size_t size)
{
    (void)head;
    return size > 0;
}

const tonnx__reader tonnx__csv_reader = { "CSV or TSV", sniff, read_csv };
