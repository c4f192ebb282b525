/* What every reader of data files makes: a table of rows; and the list of the readers. */
#ifndef TONNX_FORMAT_DATA_TABLE_IMPL_H
#define TONNX_FORMAT_DATA_TABLE_IMPL_H

#include "format/data.h"
#include "format/data/source_impl.h"
#include "runtime/tensor.h"

/* rows × columns elements, row after row, in exactly one of bytes, floats and integers. All pointers are owned. */
typedef struct tonnx__table {
    size_t rows, columns; /* columns 0: nothing was read */
    size_t rows_in_file;  /* 0 where a limit kept the reader from counting */
    unsigned char *bytes;
    float *floats;
    int64_t *integers;
    char **names; /* of the columns; NULL where they have none */
    char **words; /* the one column is text: its integers index these; NULL where it is numbers */
    size_t word_count;
    char how[400]; /* what kind of file it was, and what was inferred: for the log */
} tonnx__table;

/* What the caller wants of a file. Strings are borrowed. */
typedef struct tonnx__request {
    bool is_target;             /* the file holds targets: whole numbers stay integers, one text column is welcome */
    const char *column;         /* "label" or "#3": the column that is the target; NULL: none */
    bool column_may_be_file;    /* a file of that name exists: no such column is no error */
    size_t limit;               /* rows wanted; SIZE_MAX: all */
    const char *const *classes; /* the order of text classes, `class_count` of them; NULL: sorted */
    size_t class_count;
    bool numbers;               /* whole numbers are wanted as numbers, not as classes */
    const char *x_key, *y_key;  /* of named arrays; NULL: "x", and "y" where there is one */
    size_t index_base;          /* of sparse rows: 0 or 1 */
    tonnx_header header;        /* of tables */
    const char *const *columns; /* features by name, `column_count` of them; 0: all */
    size_t column_count;
    size_t features;            /* columns of sparse rows; 0: as many as there are indices */
} tonnx__request;

/* One format. To add one: a file with these two functions, and a row in load.c. */
typedef struct tonnx__reader {
    const char *name;
    /* Do these first bytes of a file (never none, maybe the whole file) look like the format? */
    bool (*sniff)(const unsigned char *head, size_t size);
    /* *x gets the table; a column of text that the target is, or the column asked for, goes to *y and not to *x. Both
     * are zero before; on failure the caller clears them. */
    tonnx_status (*read)(tonnx__table *x, tonnx__table *y, tonnx__source *source, const tonnx__request *request);
} tonnx__reader;

extern const tonnx__reader tonnx__npy_reader, tonnx__idx_reader, tonnx__npz_reader, tonnx__safetensors_reader,
    tonnx__libsvm_reader, tonnx__csv_reader;

void tonnx__table_clear(tonnx__table *table);

/* A target that names nothing in the data: was it meant as a file? */
bool tonnx__looks_like_file(const char *target);

/* An array as npy and IDX store it. */
enum { TONNX__ARRAY_RANK = 32 };
typedef struct tonnx__array {
    tonnx_dtype dtype;
    bool big_endian, fortran; /* fortran: the first dimension varies fastest */
    size_t rank;
    size_t dims[TONNX__ARRAY_RANK]; /* samples first; the others flatten, in C order */
} tonnx__array;

/* The magic, version and dictionary of an .npy. */
tonnx_status tonnx__npy_header(tonnx__array *array, tonnx__source *source);

/* The same written, as NumPy does: *out, to be freed, has *size bytes. Elements follow little-endian, in C order. */
tonnx_status tonnx__npy_make_header(char **out, size_t *size, tonnx_dtype dtype, size_t rank, const int64_t *dims);

/* Turns `count` elements of `size` bytes each from big to little endian, or back. */
void tonnx__swap_bytes(unsigned char *elements, size_t count, size_t size);

/* Reads the elements that follow a header; they must fill the rest of the file. Fails before it allocates where the
 * file cannot be large enough. Bytes stay bytes where they are features. */
tonnx_status tonnx__array_read(tonnx__table *table, const tonnx__array *array, tonnx__source *source,
                               const tonnx__request *request);

#endif
