/* Text tables in pieces: records of cells, numbers, and the distinct words of a column. */
#ifndef TONNX_FORMAT_DATA_CSV_IMPL_H
#define TONNX_FORMAT_DATA_CSV_IMPL_H

#include <locale.h>

#include "format/data/table_impl.h"

/* A table being read, record after record (RFC 4180, with any of , tab ; | between cells and any line end, or
 * numbers with blanks between them). */
typedef struct tonnx__csv {
    tonnx__source *source;
    char delimiter;
    bool stops[256]; /* bytes that end a bare cell: delimiter, line ends, NUL */
    bool ended;
    bool scalar;         /* plain records without this processor's vectors; for tests */
    locale_t c_locale;   /* numbers have a decimal point, whatever the caller's locale */
    size_t line;         /* of the next byte, from 1 */
    tonnx_status status; /* a failure of the source, kept until the record is done */
} tonnx__csv;

/* One record: its cells as strings, unquoted, blanks around them gone. Reused from record to record. */
typedef struct tonnx__record {
    char *text;
    size_t length, room;
    size_t *starts; /* of the cells in `text` */
    size_t cells, starts_room;
    size_t line; /* it begins on, from 1 */
    bool quoted; /* a cell of it: an empty one in quotes is no blank line */
} tonnx__record;

static inline const char *tonnx__cell(const tonnx__record *record, size_t j)
{
    return record->text + record->starts[j];
}

/* Looks at the first lines for byte order mark and delimiter. */
tonnx_status tonnx__csv_begin(tonnx__csv *csv, tonnx__source *source);

void tonnx__csv_end(tonnx__csv *csv);

/* The next record that is not blank; no cells at the end. */
tonnx_status tonnx__csv_next(tonnx__csv *csv, tonnx__record *record);
void tonnx__record_clear(tonnx__record *record);

enum { TONNX__NO_COLUMN = -1 };

/* Where the cells of a plain record go. */
enum { TONNX__PLAIN_WORD = 64 };
typedef struct tonnx__plain {
    size_t cells;
    double *numbers;  /* [cells] */
    long word_column; /* whose cell is a word, or TONNX__NO_COLUMN */
    char *word;       /* [TONNX__PLAIN_WORD] that cell */
} tonnx__plain;

/* The next record, where it lies in the source's buffer and all its cells are plain numbers, the same as read_number's (and
 * one a plain word): returns its bytes, which are the caller's to take (source->at) with its line; else 0. */
size_t tonnx__csv_plain(tonnx__csv *csv, const tonnx__plain *to);

typedef enum tonnx__cell_kind {
    TONNX__CELL_TEXT,
    TONNX__CELL_NUMBER,    /* *value is finite, or infinite where the number is too large for a double */
    TONNX__CELL_EMPTY,     /* nothing */
    TONNX__CELL_NOT_FINITE /* nan, inf, infinity in any case, signed or not */
} tonnx__cell_kind;

/* Decimal numbers as C writes them, rounded correctly. */
tonnx__cell_kind tonnx__read_number(const char *text, locale_t c_locale, double *value);

typedef struct tonnx__columns {
    bool header;   /* the first record is one */
    bool numbered; /* and was taken for one because it counts the columns */
    long target; /* the column that is the target, from 0, or TONNX__NO_COLUMN */
} tonnx__columns;

/* Infers both from the first two records (`second` has no cells where there is none). A file of targets that has one
 * column is that column. TONNX_BAD_DATA where the column asked for is not there. */
tonnx_status tonnx__csv_columns(tonnx__columns *out, const tonnx__csv *csv, const tonnx__record *first,
                                const tonnx__record *second, const tonnx__request *request);

/* Distinct words, numbered as they come. */
enum { TONNX__MAX_WORDS = 1 << 16 };
typedef struct tonnx__words {
    char **text; /* [count], owned */
    size_t count, room;
    uint32_t *slots; /* hash table: index + 1, 0 where free */
} tonnx__words;

/* The word's number in *index; a new one is added. *index = TONNX__MAX_WORDS where there is no more room. */
tonnx_status tonnx__words_add(tonnx__words *words, const char *text, size_t *index);
/* The same without adding; false where it is not there. */
bool tonnx__words_find(const tonnx__words *words, const char *text, size_t *index);
/* Sorts by bytes; *places (to be freed) says for each old number the new one. Nothing is found or added after that. */
tonnx_status tonnx__words_sort(tonnx__words *words, size_t **places);
void tonnx__words_clear(tonnx__words *words);

#endif
