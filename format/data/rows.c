/* Rows of numbers → .npy, .npz or CSV, as they come. */
#define _GNU_SOURCE /* newlocale, uselocale */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/data.h"
#include "format/data/npz_write_impl.h"
#include "format/data/table_impl.h"
#include "format/file.h"

enum { NUMBER_ROOM = 32, RANK_MOST = 4 };

struct tonnx_rows_file {
    tonnx_file *file; /* NULL: standard output, or npz */
    tonnx__npz_file *npz;
    char *path;
    bool npy;
    char separator;              /* of CSV */
    size_t rows, width, written; /* width: 0 until the first row */
    bool shaped;                 /* a row is an array of these dimensions */
    size_t row_rank;
    int64_t row_dims[RANK_MOST];
    locale_t c_locale; /* numbers have a decimal point, whatever the caller's locale */
    char *line;
    size_t room;
};

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text);
    return length > strlen(end) && !strcmp(text + length - strlen(end), end);
}

static void rows_free(tonnx_rows_file *file)
{
    if (file->c_locale) freelocale(file->c_locale);
    tonnx__free(file->line);
    tonnx__free(file->path);
    tonnx__free(file);
}

tonnx_status tonnx_rows_create(tonnx_rows_file **out, const char *path, size_t rows)
{
    tonnx_rows_file *file = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&file, 1, sizeof *file);
    if (status) return status;
    file->rows = rows;
    file->npy = ends_with(path, ".npy");
    file->separator = ends_with(path, ".tsv") ? '\t' : ',';
    file->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!file->c_locale) status = tonnx__fail(TONNX_NO_MEMORY, "%s: out of memory", path);
    if (!status) status = tonnx__strdup(&file->path, path);
    if (!status && ends_with(path, ".npz")) status = tonnx__npz_create(&file->npz, path);
    else if (!status && strcmp(path, "-")) status = tonnx_file_create(&file->file, path);
    if (status) rows_free(file);
    else *out = file;
    return status;
}

static tonnx_status put(tonnx_rows_file *file, const void *bytes, size_t size)
{
    if (file->file) return tonnx_file_write(file->file, bytes, size);
    if (fwrite(bytes, 1, size, stdout) == size) return TONNX_OK;
    return tonnx__fail(TONNX_IO_FAILED, "standard output: cannot be written: %s", strerror(errno));
}

void tonnx_rows_shape(tonnx_rows_file *file, const int64_t *dims, size_t rank)
{
    file->shaped = rank <= RANK_MOST;
    file->row_rank = rank;
    for (size_t i = 0; i < rank && file->shaped; i++) {
        file->shaped = dims[i] > 0 && dims[i] <= INT32_MAX;
        file->row_dims[i] = dims[i];
    }
}

/* [rows, width], or [rows, …] with the dimensions of a row as they were given. */
static size_t shape(const tonnx_rows_file *file, int64_t dims[1 + RANK_MOST])
{
    size_t product = 1;
    bool fits = file->shaped;
    dims[0] = (int64_t)file->rows;
    for (size_t i = 0; i < file->row_rank && fits; i++) {
        fits = tonnx__mul(&product, product, (size_t)file->row_dims[i]);
        dims[1 + i] = file->row_dims[i];
    }
    if (fits && product == file->width) return 1 + file->row_rank;
    dims[1] = (int64_t)file->width;
    return 2;
}

/* What stands before the first row of float32. */
static tonnx_status put_header(tonnx_rows_file *file)
{
    int64_t dims[1 + RANK_MOST];
    const size_t rank = shape(file, dims);
    char *head = NULL;
    size_t size = 0;
    if (file->npz) return tonnx__npz_begin(file->npz, "y", TONNX_FLOAT, rank, dims);
    if (!file->npy) return TONNX_OK;
    tonnx_status status = tonnx__npy_make_header(&head, &size, TONNX_FLOAT, rank, dims);
    if (!status) status = put(file, head, size);
    tonnx__free(head);
    return status;
}

/* The shortest decimals that read back as the same float: 9 digits always do. */
static size_t print_float(char *to, float value)
{
    int length = 0;
    for (int digits = 6; digits <= 9; digits++) {
        length = snprintf(to, NUMBER_ROOM, "%.*g", digits, (double)value);
        if (strtof(to, NULL) == value) break;
    }
    return (size_t)length;
}

static tonnx_status put_csv(tonnx_rows_file *file, const float *values, size_t count)
{
    size_t need = 0;
    if (!tonnx__mul(&need, file->width, NUMBER_ROOM)) need = SIZE_MAX;
    tonnx_status status = tonnx__grow(&file->line, &file->room, need, 1);
    const locale_t before = status ? (locale_t)0 : uselocale(file->c_locale);
    for (size_t i = 0; !status && i < count; i++) {
        size_t length = 0;
        for (size_t j = 0; j < file->width; j++) {
            length += print_float(file->line + length, values[i * file->width + j]);
            file->line[length++] = j + 1 < file->width ? file->separator : '\n';
        }
        status = put(file, file->line, length);
    }
    if (before) uselocale(before);
    return status;
}

tonnx_status tonnx_rows_write(tonnx_rows_file *file, const float *values, size_t count, size_t width)
{
    tonnx_status status = TONNX_OK;
    if (!width || (file->width && width != file->width) || count > file->rows - file->written)
        return tonnx__fail(TONNX_BAD_USAGE,
                           "%s: %zu rows of %zu numbers do not fit: %zu of %zu rows of %zu are written", file->path,
                           count, width, file->written, file->rows, file->width);
    if (!file->width) {
        file->width = width;
        status = put_header(file);
    }
    const size_t size = count * width * sizeof *values;
    if (!status && file->npz) status = tonnx__npz_put(file->npz, values, size);
    else if (!status) status = file->npy ? put(file, values, size) : put_csv(file, values, count);
    if (!status) file->written += count;
    return status;
}

tonnx_status tonnx_rows_finish(tonnx_rows_file *file)
{
    tonnx_status status = TONNX_OK;
    if (file->written < file->rows) {
        status = tonnx__fail(TONNX_BAD_USAGE, "%s: %zu rows were announced, %zu written", file->path, file->rows,
                             file->written);
        tonnx__npz_discard(file->npz);
        tonnx_file_discard(file->file);
    } else if (file->npz) {
        status = tonnx__npz_end(file->npz);
        if (status) tonnx__npz_discard(file->npz);
        else status = tonnx__npz_finish(file->npz);
    } else if (file->file) {
        status = tonnx_file_finish(file->file);
    } else if (fflush(stdout) || ferror(stdout)) {
        status = tonnx__fail(TONNX_IO_FAILED, "standard output: cannot be written: %s", strerror(errno));
    }
    rows_free(file);
    return status;
}

void tonnx_rows_discard(tonnx_rows_file *file)
{
    if (!file) return;
    tonnx__npz_discard(file->npz);
    tonnx_file_discard(file->file);
    rows_free(file);
}
