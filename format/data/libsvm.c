/* libsvm text (csie.ntu.edu.tw/~cjlin/libsvmtools/datasets): a line per sample, "LABEL INDEX:VALUE INDEX:VALUE …",
 * indices ascending, what is not there is 0; # begins a comment. "qid:N" behind the label (SVMrank's)
 * is passed over. Rows become dense once the largest index is known. */
#define _GNU_SOURCE /* newlocale */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/data/csv_impl.h"
#include "runtime/dataset_impl.h"

enum { LARGEST_INDEX = INT32_MAX };

typedef struct pair {
    uint32_t column; /* from 0 */
    float value;
} pair;

typedef struct build {
    const tonnx__request *request;
    tonnx__source *source;
    locale_t c_locale;
    char *line;
    size_t length, line_room, number; /* of the line at hand, numbered from 1 */
    double *labels;                   /* [rows] */
    size_t *ends;                     /* [rows] where a row's pairs end */
    pair *pairs;
    size_t rows, seen, pair_count; /* rows are stored, seen are all samples of the file */
    size_t label_room, end_room, pair_room;
    size_t columns; /* largest index seen */
    bool whole;     /* every label so far is a class index */
    bool signs;     /* every label so far is −1 or 1 … */
    bool negative;  /* … and one is −1 */
} build;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The length of "qid:N" and what it ends before, a blank or the end of the text; 0 where it is not there. */
static size_t query(const char *text, size_t size)
{
    size_t i = 4;
    if (size < 5 || memcmp(text, "qid:", 4) != 0) return 0;
    while (i < size && text[i] >= '0' && text[i] <= '9') i++;
    return i > 4 && (i == size || is_blank(text[i])) ? i : 0;
}

/* What the head's lines look like, best last: no line of ours, pairs of which some are broken, a sample. */
typedef enum looks { LOOKS_ELSE, LOOKS_BARE, LOOKS_BROKEN, LOOKS_RIGHT } looks;

/* A word behind the label. */
static looks look_at_pair(const char *word, size_t size)
{
    size_t digits = 0;
    if (query(word, size)) return LOOKS_RIGHT;
    while (digits < size && word[digits] >= '0' && word[digits] <= '9') digits++;
    if (!strchr("0123456789:-", *word) || !memchr(word, ':', size)) return LOOKS_ELSE;
    for (size_t i = digits + 1; i < size; i++)
        if (!strchr("+-.0123456789eEinfatyINFATY", word[i])) return LOOKS_BROKEN;
    return digits && digits + 1 < size && word[digits] == ':' ? LOOKS_RIGHT : LOOKS_BROKEN;
}

static looks look_at_label(const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!strchr("+-.0123456789eE", word[i])) return LOOKS_BROKEN;
    return LOOKS_RIGHT;
}

/* A line of the head that is no comment: a label alone is bare, and so is a blank line. */
static looks look_at_line(const char *line, size_t size)
{
    size_t words = 0;
    looks all = LOOKS_RIGHT;
    for (size_t i = 0, from; i < size; words += i > from) {
        while (i < size && is_blank(line[i])) i++;
        for (from = i; i < size && !is_blank(line[i]); i++)
            if (!line[i] || strchr(",;|\"", line[i])) return LOOKS_ELSE; /* a table's */
        if (i == from) break;
        const looks word = words ? look_at_pair(line + from, i - from) : look_at_label(line + from, i - from);
        if (word < all) all = word;
    }
    return words > 1 ? all : all == LOOKS_RIGHT ? LOOKS_BARE : LOOKS_ELSE;
}

/* Editors on Windows put one before UTF-8. */
static size_t byte_order_mark(const unsigned char *head, size_t size)
{
    return size >= 3 && !memcmp(head, "\xef\xbb\xbf", 3) ? 3 : 0;
}

/* The next line from *at on that says anything, and it is moved behind that. */
static looks next_look(const char **at, const char *end)
{
    looks found = LOOKS_BARE;
    while (found == LOOKS_BARE && *at < end) {
        const char *newline = memchr(*at, '\n', (size_t)(end - *at)), *stop = newline ? newline : end;
        const char *comment = memchr(*at, '#', (size_t)(stop - *at));
        found = look_at_line(*at, (size_t)((comment ? comment : stop) - *at));
        *at = stop + 1;
    }
    return found;
}

/* The first lines that say anything: numbers alone are a table, numbers before pairs are not. A broken one is ours where the next is
 * right: a table's cells may hold colons. */
static bool sniff(const unsigned char *head, size_t size)
{
    const char *at = (const char *)head + byte_order_mark(head, size), *end = (const char *)head + size;
    const looks first = next_look(&at, end);
    return first == LOOKS_RIGHT || (first == LOOKS_BROKEN && next_look(&at, end) == LOOKS_RIGHT);
}

static tonnx_status fail_line(const build *b, const char *token, const char *what)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s:%zu: '%.40s' %s", b->source->path, b->number, token, what);
}

/* The next line without its end and its comment; *more is false at the end of the file. */
static tonnx_status next_line(build *b, bool *more)
{
    tonnx__source *source = b->source;
    const unsigned char *newline = NULL;
    b->length = 0;
    *more = false;
    while (!newline) {
        const tonnx_status filled = source->at < source->end ? TONNX_OK : tonnx__source_fill(source);
        if (filled) return filled;
        const unsigned char *from = source->bytes + source->at;
        newline = memchr(from, '\n', source->end - source->at);
        const size_t size = newline ? (size_t)(newline - from) : source->end - source->at;
        if (!newline && !size) break;
        const tonnx_status room = tonnx__grow(&b->line, &b->line_room, b->length + size + 1, 1);
        if (room) return room;
        memcpy(b->line + b->length, from, size);
        b->length += size;
        source->at += size + (newline != NULL);
        *more = true;
    }
    b->number += *more;
    if (*more) b->line[b->length] = '\0';
    if (*more && strlen(b->line) < b->length) return fail_line(b, b->line, "goes on with a NUL byte");
    if (*more && strchr(b->line, '#')) *strchr(b->line, '#') = '\0';
    return TONNX_OK;
}

/* Cuts the next word off *at; NULL at the end. */
static char *next_word(char **at)
{
    while (is_blank(**at)) ++*at;
    char *word = *at;
    while (**at && !is_blank(**at)) ++*at;
    if (**at) *(*at)++ = '\0';
    return *word ? word : NULL;
}

static tonnx_status read_value(const build *b, const char *text, const char *token, float *out)
{
    double value = 0.0;
    const tonnx__cell_kind kind = tonnx__read_number(text, b->c_locale, &value);
    if (kind == TONNX__CELL_NOT_FINITE) return fail_line(b, token, "is not a finite number");
    if (kind != TONNX__CELL_NUMBER) return fail_line(b, token, "is no INDEX:VALUE pair");
    *out = (float)value;
    return isfinite(*out) ? TONNX_OK : fail_line(b, token, "is beyond the range of float32");
}

/* Digits up to the colon, minus the base, below the columns there are. */
static tonnx_status read_index(const build *b, const char *token, size_t *column)
{
    const size_t base = b->request->index_base;
    size_t index = 0;
    const char *at = token;
    for (; *at >= '0' && *at <= '9'; at++)
        if (index <= LARGEST_INDEX) index = index * 10 + (size_t)(*at - '0');
    if (at == token || *at != ':') return fail_line(b, token, "is no INDEX:VALUE pair");
    if (index < base) return fail_line(b, token, "has index 0, but they count from 1; see --index-base");
    *column = index - base;
    if (b->request->features && *column >= b->request->features)
        return tonnx__fail(TONNX_BAD_DATA,
                           "%s:%zu: '%.40s': its index is beyond the model's %zu features (counted from %zu)",
                           b->source->path, b->number, token, b->request->features, base);
    return *column < LARGEST_INDEX ? TONNX_OK : fail_line(b, token, "has an index beyond 31 bits");
}

static tonnx_status read_pair(build *b, const char *token, size_t least, size_t *column)
{
    pair p = { 0 };
    tonnx_status status = read_index(b, token, column);
    if (!status && *column < least) status = fail_line(b, token, "comes after an index as large: they must ascend");
    if (!status) status = read_value(b, strchr(token, ':') + 1, token, &p.value);
    if (status) return status;
    if (*column >= b->columns) b->columns = *column + 1;
    if (b->seen >= b->request->limit || b->request->is_target) return TONNX_OK;
    status = tonnx__grow(&b->pairs, &b->pair_room, b->pair_count + 1, sizeof *b->pairs);
    p.column = (uint32_t)*column;
    if (!status) b->pairs[b->pair_count++] = p;
    return status;
}

static tonnx_status read_label(build *b, const char *token)
{
    double value = 0.0;
    const tonnx__cell_kind kind = tonnx__read_number(token, b->c_locale, &value);
    if (kind == TONNX__CELL_NOT_FINITE) return fail_line(b, token, "is not a finite number");
    if (kind != TONNX__CELL_NUMBER) return fail_line(b, token, "is no label: a line is LABEL INDEX:VALUE …");
    if (fabs(value) > (double)FLT_MAX) return fail_line(b, token, "is beyond the range of float32");
    b->whole = b->whole && value >= 0.0 && value < TONNX__MAX_CLASSES && value == floor(value);
    b->signs = b->signs && fabs(value) == 1.0;
    b->negative = b->negative || value < 0.0;
    if (b->seen >= b->request->limit) return TONNX_OK;
    const tonnx_status status = tonnx__grow(&b->labels, &b->label_room, b->rows + 1, sizeof *b->labels);
    if (!status) b->labels[b->rows] = value;
    return status;
}

static tonnx_status read_sample(build *b)
{
    char *at = b->line, *word = next_word(&at);
    size_t least = 0, column = 0;
    if (!word) return TONNX_OK; /* a blank line */
    tonnx_status status = read_label(b, word);
    while (is_blank(*at)) at++;
    at += query(at, strlen(at));
    for (; !status && (word = next_word(&at)); least = column + 1) status = read_pair(b, word, least, &column);
    if (!status && b->rows < b->request->limit) {
        status = tonnx__grow(&b->ends, &b->end_room, b->rows + 1, sizeof *b->ends);
        if (!status) b->ends[b->rows++] = b->pair_count;
    }
    b->seen++;
    return status;
}

/* Dense rows swell what is sparse: as much as gzip may, and no more. */
static tonnx_status check_swell(const build *b, size_t columns)
{
    size_t bytes = 0, most = 0;
    bool fits = tonnx__mul(&bytes, b->rows, columns);
    fits = tonnx__mul(&bytes, bytes, sizeof(float)) && fits;
    if (!tonnx__mul(&most, b->source->given, TONNX__SWELL_RATIO) || most < TONNX__SWELL_FREE) most = TONNX__SWELL_FREE;
    if (fits && bytes <= most) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: %zu samples of %zu features, nearly all 0, are too sparse to train densely",
                       b->source->path, b->rows, columns);
}

/* x[rows, columns] from the pairs. */
static tonnx_status fill(const build *b, tonnx__table *x)
{
    const size_t columns = b->request->features ? b->request->features : b->columns;
    if (!columns) return tonnx__fail(TONNX_BAD_DATA, "%s: no features: no line has a pair", b->source->path);
    tonnx_status status = check_swell(b, columns);
    if (!status) status = tonnx__alloc(&x->floats, b->rows * columns, sizeof *x->floats);
    if (status) return status;
    for (size_t row = 0, i = 0; row < b->rows; row++)
        for (; i < b->ends[row]; i++) x->floats[row * columns + b->pairs[i].column] = b->pairs[i].value;
    x->rows = b->rows;
    x->rows_in_file = b->seen;
    x->columns = columns;
    return TONNX_OK;
}

/* −1 and 1, as two classes are written here, are classes by these names. */
static tonnx_status name_signs(tonnx__table *y)
{
    tonnx_status status = tonnx__alloc(&y->words, 2, sizeof *y->words);
    if (status) return status;
    y->word_count = 2;
    status = tonnx__strdup(&y->words[0], "-1");
    return status ? status : tonnx__strdup(&y->words[1], "1");
}

static tonnx_status take_labels(const build *b, tonnx__table *y)
{
    const bool signs = b->signs && b->negative && !b->request->numbers, classes = signs || b->whole;
    y->rows = b->rows;
    y->rows_in_file = b->seen;
    y->columns = 1;
    snprintf(y->how, sizeof y->how, "libsvm labels");
    tonnx_status status = tonnx__alloc(&y->names, 1, sizeof *y->names);
    if (!status) status = tonnx__strdup(&y->names[0], "label");
    if (!status && signs) status = name_signs(y);
    if (!status)
        status = classes ? tonnx__alloc(&y->integers, b->rows, sizeof(int64_t))
                         : tonnx__alloc(&y->floats, b->rows, sizeof(float));
    for (size_t i = 0; !status && i < b->rows; i++)
        if (signs) y->integers[i] = b->labels[i] > 0.0;
        else if (classes) y->integers[i] = (int64_t)b->labels[i];
        else y->floats[i] = (float)b->labels[i];
    return status;
}

/* To the end of the file even beyond a limit: what the labels are and how wide a row is are matters of the whole. There
 * is a sample at least, by which the file was known. */
static tonnx_status read_lines(build *b)
{
    bool more = true;
    tonnx_status status = TONNX_OK;
    while (!status && more) {
        status = next_line(b, &more);
        if (!status && more) status = read_sample(b);
    }
    return status;
}

static tonnx_status read_libsvm(tonnx__table *x, tonnx__table *y, tonnx__source *source, const tonnx__request *request)
{
    build b = { .request = request, .source = source, .whole = true, .signs = true };
    source->at += byte_order_mark(source->bytes + source->at, source->end - source->at);
    b.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    tonnx_status status = b.c_locale ? read_lines(&b) : tonnx__fail(TONNX_NO_MEMORY, "%s: out of memory", source->path);
    snprintf(x->how, sizeof x->how, "libsvm, indices from %zu", request->index_base);
    if (!status && !request->is_target) status = fill(&b, x);
    if (!status && !request->column) status = take_labels(&b, y);
    if (b.c_locale) freelocale(b.c_locale);
    tonnx__free(b.line);
    tonnx__free(b.labels);
    tonnx__free(b.ends);
    tonnx__free(b.pairs);
    return status;
}

const tonnx__reader tonnx__libsvm_reader = { "libsvm", sniff, read_libsvm };
