/* From bytes to records (RFC 4180). */
#include <string.h>

#include "format/data/csv_impl.h"

/* A line of a table is never that long; a quote that never closes would take the whole file. */
enum { RECORD_LIMIT = 32 << 20, CELL_LIMIT = 1 << 20, END = -1 };

static const char candidates[] = "\t,;|"; /* a tab inside a cell is rarer than a comma */

/* Where the first line from `at` on begins that says anything; the buffer's end where there is none in it. */
static size_t past_blank_lines(const tonnx__source *source, size_t at)
{
    size_t i = at;
    for (; i < source->end && source->bytes[i] && strchr(" \t\r\n", source->bytes[i]); i++)
        if (source->bytes[i] == '\n' || source->bytes[i] == '\r') at = i + 1;
    return i == source->end ? i : at;
}

/* Moves *at to the next line that says anything. */
static void next_line(const tonnx__source *source, size_t *at)
{
    while (*at < source->end && source->bytes[*at] != '\n' && source->bytes[*at] != '\r') ++*at;
    *at = past_blank_lines(source, *at);
}

/* Counts the candidates outside quotes in the line that begins at *at, and moves *at to the next one. */
static void count_delimiters(const tonnx__source *source, size_t *at, size_t counts[4])
{
    bool quoted = false;
    size_t i = *at;
    for (; i < source->end && (quoted || (source->bytes[i] != '\n' && source->bytes[i] != '\r')); i++) {
        const char *found = source->bytes[i] ? strchr(candidates, source->bytes[i]) : NULL;
        quoted ^= source->bytes[i] == '"';
        if (found && !quoted) counts[found - candidates]++;
    }
    *at = i;
    next_line(source, at);
}

/* What a line holds between blanks. */
typedef struct words_of_line {
    size_t count;
    bool numbers; /* they all are, by their letters */
    bool cut;     /* the line goes on behind the buffer */
} words_of_line;

/* Of the line at *at, which moves to the next one. */
static words_of_line count_words(const tonnx__source *source, size_t *at)
{
    words_of_line line = { 0, true, false };
    bool inside = false;
    size_t i = *at;
    for (; i < source->end && source->bytes[i] != '\n' && source->bytes[i] != '\r'; i++) {
        const bool blank = source->bytes[i] == ' ';
        line.numbers = line.numbers && (blank || (source->bytes[i] && strchr("+-.0123456789eE", source->bytes[i])));
        line.count += !blank && !inside;
        inside = !blank;
    }
    line.cut = i == source->end;
    *at = i;
    next_line(source, at);
    return line;
}

/* Numbers between blanks, as numpy.savetxt writes them: two a line at least, and as many in the next; or under as many names, which
 * a # may stand before (it is left out then). */
static bool is_blank_table(tonnx__source *source)
{
    size_t at = past_blank_lines(source, source->at);
    const size_t begin = at;
    const words_of_line first = count_words(source, &at);
    if (at == source->end) return first.numbers && first.count > 1;
    const words_of_line second = count_words(source, &at);
    const bool marked = begin == source->at && source->end - begin > 1 && !memcmp(source->bytes + begin, "# ", 2);
    const size_t names = first.count - marked;
    if (!second.numbers || second.count < 2 || (second.cut ? second.count > names : second.count != names)) return false;
    if (marked) source->at = begin + 1;
    return first.numbers || names == second.count;
}

/* The candidate that both of the first two lines hold equally often, or else the most frequent of the first. */
static char find_delimiter(tonnx__source *source)
{
    if (is_blank_table(source)) return ' ';
    size_t at = past_blank_lines(source, source->at), first[4] = { 0 }, second[4] = { 0 }, best = 1;
    count_delimiters(source, &at, first);
    count_delimiters(source, &at, second);
    for (size_t k = 0; k < 4; k++)
        if (first[k] && first[k] == second[k]) return candidates[k];
    for (size_t k = 0; k < 4; k++)
        if (first[k] > first[best]) best = k;
    return candidates[best];
}

tonnx_status tonnx__csv_begin(tonnx__csv *csv, tonnx__source *source)
{
    const unsigned char *head = source->bytes + source->at;
    const size_t size = source->end - source->at;
    *csv = (tonnx__csv){ .source = source, .line = 1 };
    if (size >= 2 && (!memcmp(head, "\xff\xfe", 2) || !memcmp(head, "\xfe\xff", 2)))
        return tonnx__fail(TONNX_BAD_DATA, "%s: the table is UTF-16; save it as UTF-8", source->path);
    if (size >= 3 && !memcmp(head, "\xef\xbb\xbf", 3)) source->at += 3;
    csv->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!csv->c_locale) return tonnx__fail(TONNX_NO_MEMORY, "%s: out of memory", source->path);
    csv->delimiter = find_delimiter(source);
    csv->stops[(unsigned char)csv->delimiter] = csv->stops['\n'] = csv->stops['\r'] = csv->stops[0] = true;
    return TONNX_OK;
}

void tonnx__csv_end(tonnx__csv *csv)
{
    if (csv->c_locale) freelocale(csv->c_locale);
    csv->c_locale = (locale_t)0;
}

/* The next byte, not taken yet; END at the end and after a failure. */
static int look(tonnx__csv *csv)
{
    tonnx__source *source = csv->source;
    if (source->at == source->end && !csv->ended) {
        csv->status = tonnx__source_fill(source);
        csv->ended = csv->status || source->at == source->end;
    }
    return csv->ended ? END : source->bytes[source->at];
}

static tonnx_status fail(const tonnx__csv *csv, size_t line, const char *what)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s:%zu: %s", csv->source->path, line, what);
}

/* Appends bytes to the record. */
static tonnx_status append(const tonnx__csv *csv, tonnx__record *record, const void *bytes, size_t size)
{
    if (record->length + size > RECORD_LIMIT)
        return fail(csv, record->line, "the line is longer than 32 MiB (a quote that does not close?)");
    const tonnx_status status = tonnx__grow(&record->text, &record->room, record->length + size, 1);
    if (status) return status;
    memcpy(record->text + record->length, bytes, size);
    record->length += size;
    return TONNX_OK;
}

static bool is_blank(const tonnx__csv *csv, int byte)
{
    return byte == ' ' || (byte == '\t' && csv->delimiter != '\t');
}

/* A run of blanks may be a delimiter too: they go with the cell before it. */
static void skip_blanks(tonnx__csv *csv)
{
    while (is_blank(csv, look(csv))) csv->source->at++;
}

/* A cell without quotes: runs of the source's buffer up to the next stop. */
static tonnx_status read_bare(tonnx__csv *csv, tonnx__record *record, size_t start)
{
    tonnx__source *source = csv->source;
    while (look(csv) != END && !csv->stops[source->bytes[source->at]]) {
        size_t end = source->at;
        while (end < source->end && !csv->stops[source->bytes[end]]) end++;
        const tonnx_status status = append(csv, record, source->bytes + source->at, end - source->at);
        if (status) return status;
        source->at = end;
    }
    while (record->length > start && is_blank(csv, (unsigned char)record->text[record->length - 1])) record->length--;
    return TONNX_OK;
}

/* A cell in quotes, "" inside it a quote; ends before the delimiter or line end. */
static tonnx_status read_quoted(tonnx__csv *csv, tonnx__record *record)
{
    const size_t opened = csv->line;
    tonnx_status status = TONNX_OK;
    csv->source->at++;
    for (int byte = look(csv); !status; byte = look(csv)) {
        if (byte == END) return csv->status ? csv->status : fail(csv, opened, "a quote opens here and never closes");
        if (byte == 0) break;
        csv->source->at++;
        csv->line += byte == '\n';
        if (byte == '"') {
            if (look(csv) != '"') break;
            csv->source->at++;
        }
        status = append(csv, record, &(char){ (char)byte }, 1);
    }
    skip_blanks(csv);
    const int next = look(csv);
    if (status || next == END || csv->stops[next]) return status;
    return fail(csv, csv->line, "text follows a closing quote; a quote inside a quoted cell is written twice");
}

static tonnx_status read_cell(tonnx__csv *csv, tonnx__record *record)
{
    if (record->cells == CELL_LIMIT) return fail(csv, record->line, "more than 1048576 columns");
    tonnx_status status = tonnx__grow(&record->starts, &record->starts_room, record->cells + 1, sizeof(size_t));
    if (status) return status;
    record->starts[record->cells++] = record->length;
    skip_blanks(csv);
    record->quoted |= look(csv) == '"';
    status = look(csv) == '"' ? read_quoted(csv, record) : read_bare(csv, record, record->length);
    if (!status) status = csv->status;
    if (!status && look(csv) == 0) status = fail(csv, csv->line, "a NUL byte (is the table UTF-8?)");
    return status ? status : append(csv, record, "", 1);
}

static bool ends_line(tonnx__csv *csv)
{
    const int next = look(csv);
    return next == END || next == '\n' || next == '\r';
}

/* LF, CRLF or CR. */
static void take_line_end(tonnx__csv *csv)
{
    if (look(csv) == '\r') {
        csv->source->at++;
        if (look(csv) != '\n') {
            csv->line++;
            return;
        }
    }
    if (look(csv) != '\n') return;
    csv->source->at++;
    csv->line++;
}

tonnx_status tonnx__csv_next(tonnx__csv *csv, tonnx__record *record)
{
    do {
        record->length = record->cells = 0;
        record->line = csv->line;
        record->quoted = false;
        if (look(csv) == END) return csv->status;
        for (;;) {
            const tonnx_status status = read_cell(csv, record);
            if (status) return status;
            if (csv->delimiter == ' ') skip_blanks(csv);
            if (csv->delimiter == ' ' ? ends_line(csv) : look(csv) != csv->delimiter) break;
            csv->source->at += csv->delimiter != ' ';
        }
        take_line_end(csv);
    } while (record->cells == 1 && record->length == 1 && !record->quoted);
    return csv->status;
}

void tonnx__record_clear(tonnx__record *record)
{
    tonnx__free(record->text);
    tonnx__free(record->starts);
    *record = (tonnx__record){ 0 };
}
