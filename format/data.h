/* Data files → data sets; predictions → files. Formats are told by content, not only by name. */
#ifndef TONNX_FORMAT_DATA_H
#define TONNX_FORMAT_DATA_H

#include "../runtime/dataset.h"
#include "../runtime/log.h"

TONNX_BEGIN

/* Whether the first line of a table names its columns. AUTO: where no cell is a number, where it holds the target's
 * name, or where its numbers just count the columns. */
typedef enum tonnx_header { TONNX_HEADER_AUTO, TONNX_HEADER_YES, TONNX_HEADER_NO } tonnx_header;

typedef struct tonnx_data_options {
    size_t size;                    /* sizeof(tonnx_data_options) */
    size_t limit;                   /* first N samples; 0: all */
    bool classes;                   /* whole-number targets are classes (default); false: numbers */
    tonnx_log log;                  /* hears what was inferred: header, target column, classes */
    const char *const *class_names; /* the order of text classes: others are refused; NULL: those of the file, sorted */
    size_t class_count;             /* how many `class_names` there are */
    const char *x_key, *y_key;      /* which arrays of .npz and safetensors; NULL: "x", and "y" where there is one */
    int index_base;                 /* of libsvm's indices: 0, or 1 (default) */
    size_t features;                /* of a sparse sample; 0: as the largest index of the file says */
    tonnx_header header;            /* of CSV and TSV */
    const char *const *columns;     /* features by name: a table with a header has to have them, others are left out */
    size_t column_count;            /* how many `columns` there are; 0: all columns are features */
} tonnx_data_options;

#define TONNX_DATA_OPTIONS_DEFAULT                                                                                     \
    {                                                                                                                  \
        sizeof(tonnx_data_options), 0, true, { NULL, NULL }, NULL, 0, NULL, NULL, 1, 0, TONNX_HEADER_AUTO, NULL, 0 \
    }

/* `data` is a file ("-": standard input): .npy, .npz, safetensors, IDX or IDX.gz, libsvm, CSV, TSV, or numbers with
 * blanks between them. `target` is a second file, or for tables a column ("label", or "#3" counted from 1), or an
 * array's name, or NULL for what the file itself has: libsvm's labels, the array `y_key`. Integer targets of one column
 * are classes, other targets numbers; text targets are classes by sorted name. Images flatten. TONNX_IO_FAILED where a
 * file cannot be read, TONNX_BAD_DATA (file, line, column or field) where it is wrong. `options` may be NULL: the
 * defaults. The caller owns *out, which is NULL on failure. */
TONNX_API tonnx_status tonnx_dataset_load(tonnx_dataset **out, const char *data, const char *target,
                                          const tonnx_data_options *options);

/* Writes rows as they come: .npy (float32, C order), .npz (such an array, `y`), .tsv or, for any other name and for "-"
 * (stdout), CSV. The file appears when it is finished; TONNX_IO_FAILED where it cannot be written, *out NULL then. */
typedef struct tonnx_rows_file tonnx_rows_file;
TONNX_API tonnx_status tonnx_rows_create(tonnx_rows_file **out, const char *path, size_t rows);
/* Before the first row: .npy and .npz get the shape [rows, dims…] in place of [rows, width]. Without effect where the
 * dimensions' product is not the width of the rows then written. */
TONNX_API void tonnx_rows_shape(tonnx_rows_file *file, const int64_t *dims, size_t rank);
/* The next `count` of the `rows` announced, `width` numbers each, the same for all. TONNX_BAD_USAGE where they are more. */
TONNX_API tonnx_status tonnx_rows_write(tonnx_rows_file *file, const float *values, size_t count, size_t width);
/* The file appears; TONNX_BAD_USAGE, and none, where rows are missing. Frees, also on failure. */
TONNX_API tonnx_status tonnx_rows_finish(tonnx_rows_file *file);
/* Frees, and no file appears. NULL is welcome. */
TONNX_API void tonnx_rows_discard(tonnx_rows_file *file);

TONNX_END

#endif
