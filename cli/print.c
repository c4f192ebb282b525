#define _GNU_SOURCE /* vasprintf */
#include "cli/print.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

enum { RING = 8, RING_TEXT = 128 };

static bool plain;

void print_set_plain(bool set)
{
    plain = set;
}

bool print_is_plain(void)
{
    return plain;
}

bool print_is_live(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (plain || (no_color && *no_color) || !term || !strcmp(term, "dumb")) return false;
    return isatty(fileno(stream)) == 1;
}

void print_set_style(FILE *stream, print_style style)
{
    static const char *const codes[] = { "0", "1", "2", "31", "32", "33" };
    if (print_is_live(stream)) fprintf(stream, "\033[%sm", codes[style]);
}

static bool line_stands; /* a live line is on the terminal */

void print_live_line(const char *format, ...)
{
    va_list args;
    if (!print_is_live(stderr)) return;
    va_start(args, format);
    fputs("\r\033[K", stderr);
    vfprintf(stderr, format, args);
    fflush(stderr);
    va_end(args);
    line_stands = true;
}

void print_live_clear(void)
{
    if (line_stands) fputs("\r\033[K", stderr);
    line_stands = false;
}

static char *ring(void)
{
    static char texts[RING][RING_TEXT];
    static size_t next;
    return texts[next++ % RING];
}

const char *print_count(uint64_t number)
{
    char digits[24], *text = ring(), *to = text;
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    const size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0 && !plain) *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

const char *print_number(double number)
{
    char *text = ring();
    if (isnan(number)) return "-";
    snprintf(text, RING_TEXT, "%.4g", number);
    return text;
}

const char *print_bars(const uint64_t *counts, size_t count)
{
    static const char *const glyphs[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    char *text = ring();
    uint64_t most = 1;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) most = counts[i] > most ? counts[i] : most;
    for (size_t i = 0; i < count && used + 4 < RING_TEXT; i++) {
        const double share = (double)counts[i] / (double)most;
        const char *glyph = glyphs[counts[i] ? 1 + (size_t)lround(share * 7) : 0]; /* a count of one is still seen */
        used += (size_t)snprintf(text + used, RING_TEXT - used, "%s", glyph);
    }
    while (used && text[used - 1] == ' ') used--; /* no line ends in blanks */
    text[used] = '\0';
    return text;
}

/* Columns on a terminal: bytes that begin a character, every one taken as one column wide. */
static size_t width_of(const char *text, size_t bytes)
{
    size_t width = 0;
    for (size_t i = 0; i < bytes; i++) width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

/* Bytes up to where a line may break: before a blank, after the | of alternatives. */
static size_t piece_of(const char *text)
{
    const size_t length = strcspn(text, " |");
    return text[length] == '|' ? length + 1 : length;
}

void print_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length && text[i]; i++) putchar((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
}

void print_wrapped(const char *text, size_t indent, size_t width)
{
    size_t at = indent;
    const char *gap = "";
    while (*text) {
        const size_t length = piece_of(text), columns = width_of(text, length);
        if (at > indent && at + strlen(gap) + columns > width) {
            printf("\n%*s", (int)indent, "");
            at = indent;
            gap = "";
        }
        fputs(gap, stdout);
        print_clean(text, length);
        at += strlen(gap) + columns;
        text += length;
        gap = *text == ' ' ? " " : "";
        text += strspn(text, " ");
    }
    putchar('\n');
}

struct print_table {
    size_t columns, cells, room;
    const char *align;
    char **text;
};

print_table *print_table_new(const char *align)
{
    print_table *table = cli_alloc(1, sizeof *table);
    table->columns = strlen(align);
    table->align = align;
    return table;
}

/* Names come from files: a control character must not reach a terminal. */
static void blank_controls(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
}

void print_table_cell(print_table *table, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    if (table->cells == table->room) {
        table->room = table->room ? 2 * table->room : 64;
        table->text = cli_grow(table->text, table->room, sizeof *table->text);
    }
    va_start(args, format);
    const int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) exit(cli_io("out of memory"));
    blank_controls(text);
    table->text[table->cells++] = text;
}

static size_t cell_width(const char *text)
{
    return width_of(text, strlen(text));
}

static size_t widest(const print_table *table, size_t column)
{
    size_t most = 0;
    for (size_t i = column; i < table->cells; i += table->columns)
        if (cell_width(table->text[i]) > most) most = cell_width(table->text[i]);
    return most;
}

/* The columns of a row up to its last one that is not empty: no line ends in blanks. */
static size_t columns_in(const print_table *table, size_t row)
{
    size_t columns = table->cells - row * table->columns;
    if (columns > table->columns) columns = table->columns;
    while (columns && !*table->text[row * table->columns + columns - 1]) columns--;
    return columns;
}

static void print_row(const print_table *table, size_t row, const size_t *widths, FILE *out)
{
    const size_t columns = columns_in(table, row);
    for (size_t c = 0; c < columns; c++) {
        const char *text = table->text[row * table->columns + c];
        const size_t pad = widths[c] - cell_width(text);
        const bool last = c + 1 == columns;
        if (table->align[c] == 'r') fprintf(out, "%*s%s%s", (int)pad, "", text, last ? "" : "  ");
        else fprintf(out, "%s%*s", text, last ? 0 : (int)pad + 2, "");
    }
    fputc('\n', out);
}

/* On a terminal a first column of names gives way where the table is too wide: a name keeps its end, which tells it apart. */
static void shorten(print_table *table, size_t *widths)
{
    enum { LEAST = 8 };
    size_t total = 2 * (table->columns - 1);
    for (size_t c = 0; c < table->columns; c++) total += widths[c];
    if (total <= PRINT_COLUMNS || widths[0] <= LEAST) return;
    const size_t over = total - PRINT_COLUMNS;
    widths[0] = widths[0] > over + LEAST ? widths[0] - over : LEAST;
    for (size_t i = 0; i < table->cells; i += table->columns) {
        char *text = table->text[i], *end = text;
        size_t drop = cell_width(text);
        if (drop <= widths[0]) continue;
        for (drop -= widths[0] - 2; drop; drop--)
            do end++;
            while (((unsigned char)*end & 0xc0) == 0x80);
        text[0] = text[1] = '.';
        memmove(text + 2, end, strlen(end) + 1);
    }
}

void print_table_end(print_table *table, FILE *out)
{
    size_t *widths = cli_alloc(table->columns, sizeof *widths);
    for (size_t c = 0; c < table->columns; c++) widths[c] = widest(table, c);
    if (print_is_live(out)) shorten(table, widths);
    for (size_t row = 0; row * table->columns < table->cells; row++) {
        if (!row) print_set_style(out, PRINT_BOLD);
        print_row(table, row, widths, out);
        if (!row) print_set_style(out, PRINT_PLAIN);
    }
    for (size_t i = 0; i < table->cells; i++) free(table->text[i]);
    free(table->text);
    free(table);
    free(widths);
}
