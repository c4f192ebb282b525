#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include "format/data.h"
#include "runtime/dataset_impl.h"
#include "scratch.h"

#define BAD TONNX_TEST_DATA "/bad/"

/* The .npy of `size` bytes of elements; version 1, unpadded. */
static const char *npy(const char *dictionary, const void *elements, size_t size)
{
    unsigned char file[4096] = "\x93NUMPY\x01";
    const size_t length = strlen(dictionary);
    file[8] = (unsigned char)length;
    file[9] = (unsigned char)(length >> 8);
    memcpy(file + 10, dictionary, length);
    memcpy(file + 10 + length, elements, size);
    return scratch_write("a.npy", file, 10 + length + size);
}

static tonnx_dataset *load(const char *data, const char *target)
{
    tonnx_dataset *set = NULL;
    ck_ok(tonnx_dataset_load(&set, data, target, NULL));
    return set;
}

static void check_row(const char *path, size_t features, const float *wanted)
{
    tonnx_dataset *set = load(path, NULL);
    ck_assert_uint_eq(set->features, features);
    for (size_t i = 0; i < set->samples * features; i++) {
        if (set->x_bytes) ck_assert_uint_eq(set->x_bytes[i], (unsigned char)wanted[i]);
        else ck_assert_msg(set->x[i] == wanted[i], "element %zu is %g", i, (double)set->x[i]);
    }
    tonnx_dataset_free(set);
}

/* Two numbers as the target of a column of the same two: class indices where they are whole numbers that can be. */
static void check_target(const char *path, const char *descr, const float *wanted)
{
    const bool whole = !strchr(descr, 'f'), classes = whole && wanted[0] >= 0 && wanted[1] >= 0 && wanted[0] < 1 << 20;
    tonnx_dataset *set = NULL;
    const tonnx_status status = tonnx_dataset_load(&set, path, path, NULL);
    ck_assert_msg(status == (whole && !classes ? TONNX_BAD_DATA : TONNX_OK), "%s: %s", descr, tonnx_last_message());
    for (size_t i = 0; !status && i < 2; i++)
        ck_assert_msg((whole ? (float)set->classes[i] : set->targets[i]) == wanted[i], "%s: target %zu", descr, i);
    tonnx_dataset_free(set);
}

/* Two columns of targets are numbers, of whatever type. */
static void check_numbers(const char *path, const float *wanted)
{
    tonnx_dataset *set = load(path, path);
    ck_assert(set->target_kind == TONNX_TARGET_NUMBER && set->target_width == 2);
    for (size_t i = 0; i < 2; i++) ck_assert(set->targets[i] == wanted[i]);
    tonnx_dataset_free(set);
}

START_TEST(npy_of_every_type)
{
    static const struct row {
        const char *descr, *bytes;
        size_t size;
        float values[2];
    } rows[] = {
        { "<f2", "\x00\x3c\x00\xc0", 4, { 1, -2 } },
        { ">f2", "\x3c\x00\xc0\x00", 4, { 1, -2 } },
        { "<f4", "\x00\x00\x80\x3f\x00\x00\x00\xc0", 8, { 1, -2 } },
        { "f4", "\x00\x00\x80\x3f\x00\x00\x00\xc0", 8, { 1, -2 } },
        { "=f4", "\x00\x00\x80\x3f\x00\x00\x00\xc0", 8, { 1, -2 } },
        { ">f4", "\x3f\x80\x00\x00\xc0\x00\x00\x00", 8, { 1, -2 } },
        { ">f8", "\x3f\xf0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0", 16, { 1, -2 } },
        { "|b1", "\x01\x00", 2, { 1, 0 } },
        { "|u1", "\xff\x07", 2, { 255, 7 } },
        { "|i1", "\xff\x07", 2, { -1, 7 } },
        { "<i2", "\xff\xff\x07\x01", 4, { -1, 263 } },
        { ">u2", "\xff\xff\x01\x07", 4, { 65535, 263 } },
        { "<i4", "\xff\xff\xff\xff\x07\x00\x00\x00", 8, { -1, 7 } },
        { ">u4", "\x00\x00\x00\x07\x00\x01\x00\x00", 8, { 7, 65536 } },
        { "<i8", "\xff\xff\xff\xff\xff\xff\xff\xff\x07\0\0\0\0\0\0\0", 16, { -1, 7 } },
        { "<u8", "\0\0\0\0\0\0\0\x80\x07\0\0\0\0\0\0\0", 16, { 9223372036854775808.0f, 7 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char dictionary[200];
        snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (1, 2), }",
                 rows[i].descr);
        check_row(npy(dictionary, rows[i].bytes, rows[i].size), 2, rows[i].values);
        snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (2,), }",
                 rows[i].descr);
        check_target(npy(dictionary, rows[i].bytes, rows[i].size), rows[i].descr, rows[i].values);
        snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (1, 2), }",
                 rows[i].descr);
        check_numbers(npy(dictionary, rows[i].bytes, rows[i].size), rows[i].values);
    }
}
END_TEST

START_TEST(npy_in_every_order_flattens_alike)
{
    /* a[i][j][k] = 6i + 3j + k over (2, 2, 3), in C order and in Fortran order; then (3,), and headers spelled
     * otherwise */
    static const float c[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    static const float fortran[12] = { 0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11 };
    check_row(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3), }", c, sizeof c), 6, c);
    check_row(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2, 3), }", fortran, sizeof fortran), 6, c);
    check_row(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", c, 12), 1, c);
    check_row(npy("{\"shape\":(2L,3L),'fortran_order':False,\"descr\":'<f4'}  \n", c, 24), 3, c);
    const unsigned char bytes[6] = { 0, 3, 1, 4, 2, 5 };
    check_row(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", bytes, 6), 3, c);
}
END_TEST

START_TEST(npy_limit_reads_the_first_samples)
{
    static const float c[6] = { 0, 1, 2, 3, 4, 5 }, fortran[6] = { 0, 2, 4, 1, 3, 5 };
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.limit = 2;
    for (int order = 0; order < 2; order++) {
        tonnx_dataset *set = NULL;
        const char *path = order ? npy("{'descr':'<f4','fortran_order':True,'shape':(3,2)}", fortran, 24)
                                 : npy("{'descr':'<f4','fortran_order':False,'shape':(3,2)}", c, 24);
        ck_ok(tonnx_dataset_load(&set, path, NULL, &options));
        ck_assert(set->samples == 2 && set->features == 2);
        ck_assert_mem_eq(set->x, c, 16);
        tonnx_dataset_free(set);
    }
}
END_TEST

START_TEST(wrong_npy_headers_are_refused)
{
    static const struct row {
        const char *dictionary, *message;
    } rows[] = {
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", "'}' should follow" },
        { "{'descr': '<f4', 'fortran_order': False}", "no 'shape'" },
        { "{'descr': '<f4', 'shape': (2,3)}", "no 'fortran_order'" },
        { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "key 'descr'" },
        { "{'descr': '<f4', 'colour': 3, 'fortran_order': False, 'shape': (2, 3)}", "key 'colour'" },
        { "{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3)}", "dtype '<c8'" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", "record" },
        { "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", "True or False" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': 6}", "tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0, 3)}", "should end with ')'" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", "nothing should follow" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "shape ()" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", "(0, 3) is empty" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0)}", "(2, 0) is empty" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", "needs 32 bytes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", "24 follow the header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "beyond 64 bits" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "beyond 64 bits" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296, 4294967296)}", "beyond 64" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 1152921504606846976)}", "beyond 64 bits" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': "
          "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,7)}",
          "needs 28 bytes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000000, 1, 1000000000000000, 100000000000, "
          "1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1000000000000000, 1, 1, 1, 1, 1000000000000000, 1000000000000000, "
          "1000000000000000, 1000000000000000, 1000000000000000, 1000000000000000, 1000000000000000)}",
          "beyond 64 bits" },
        { "[1]", "dictionary" },
        { "{'descr': '<f4',\t'fortran_order': False,\r\n'shape': (2, 4)}", "needs 32 bytes" }, /* blanks of any kind */
    };
    static const float six[6] = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tonnx_dataset *set = NULL;
        ck_fails(tonnx_dataset_load(&set, npy(rows[i].dictionary, six, sizeof six), NULL, NULL), TONNX_BAD_DATA,
                 rows[i].message);
        ck_assert_msg(strstr(tonnx_last_message(), "a.npy"), "%s", tonnx_last_message());
    }
}
END_TEST

START_TEST(idx_of_every_type)
{
    static const struct row {
        const char *bytes;
        size_t size;
        float values[2];
    } rows[] = {
        { "\0\0\x08\x02\0\0\0\x01\0\0\0\x02\xff\x07", 14, { 255, 7 } },
        { "\0\0\x09\x02\0\0\0\x01\0\0\0\x02\xff\x07", 14, { -1, 7 } },
        { "\0\0\x0b\x02\0\0\0\x01\0\0\0\x02\xff\xff\x01\x07", 16, { -1, 263 } },
        { "\0\0\x0c\x02\0\0\0\x01\0\0\0\x02\xff\xff\xff\xff\0\0\0\x07", 20, { -1, 7 } },
        { "\0\0\x0d\x02\0\0\0\x01\0\0\0\x02\x3f\x80\0\0\xc0\0\0\0", 20, { 1, -2 } },
        { "\0\0\x0e\x02\0\0\0\x01\0\0\0\x02\x3f\xf0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0", 28, { 1, -2 } },
        { "\0\0\x08\x03\0\0\0\x01\0\0\0\x02\0\0\0\x01\x05\x06", 18, { 5, 6 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(scratch_write("a.idx", rows[i].bytes, rows[i].size), 2, rows[i].values);
    check_row(scratch_write("a.idx", "\0\0\x08\x01\0\0\0\x01{", 9), 1, (float[]){ '{' });
    tonnx_dataset *data = NULL; /* these bytes begin a safetensors header, too */
    ck_ok(tonnx_dataset_load(&data, scratch_write("a.idx", "\0\0\x08\x01\0\0\0\x02{\"", 10), NULL, NULL));
    ck_assert(data->samples == 2 && data->features == 1);
    tonnx_dataset_free(data);
}
END_TEST

/* `count` bytes of value `value` behind an IDX header, gzip'd. */
static const char *zipped(size_t count, int value)
{
    unsigned char *bytes = malloc(count + 8);
    const unsigned char head[8] = { 0,
                                    0,
                                    8,
                                    1,
                                    (unsigned char)(count >> 24),
                                    (unsigned char)(count >> 16),
                                    (unsigned char)(count >> 8),
                                    (unsigned char)count };
    memset(bytes, value, count + 8);
    memcpy(bytes, head, 8);
    const char *path = scratch_path("a.gz");
    gzFile file = gzopen(path, "wb9");
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)count + 8), (int)count + 8);
    gzclose(file);
    free(bytes);
    return path;
}

START_TEST(gzip_is_read_but_no_bomb)
{
    tonnx_dataset *set = load(zipped(100000, 7), NULL);
    ck_assert(set->samples == 100000 && set->x_bytes[99999] == 7);
    tonnx_dataset_free(set);
    ck_fails(tonnx_dataset_load(&set, zipped(64 << 20, 0), NULL, NULL), TONNX_BAD_DATA, "can unzip to no more than");
    /* and a table, whose size no header tells */
    gzFile file = gzopen(scratch_path("a.gz"), "wb9");
    static char line[1 << 16];
    memset(line, '\n', sizeof line);
    for (int i = 0; i < 1 << 10; i++) ck_assert_int_gt(gzwrite(file, line, sizeof line), 0);
    gzclose(file);
    ck_fails(tonnx_dataset_load(&set, scratch_path("a.gz"), NULL, NULL), TONNX_BAD_DATA, "swells");
}
END_TEST

/* Numbers that deflate finds nothing in: `count` bytes behind an IDX header, gzip'd. */
static const char *noise(size_t count)
{
    unsigned char *bytes = malloc(count + 8);
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < count + 8; i++) x ^= x << 13, x ^= x >> 7, x ^= x << 17, bytes[i] = (unsigned char)(x >> 24);
    memcpy(bytes, "\0\0\x08\x01", 4);
    for (size_t i = 0; i < 4; i++) bytes[4 + i] = (unsigned char)(count >> 8 * (3 - i));
    gzFile file = gzopen(scratch_path("a.gz"), "wb1");
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)count + 8), (int)count + 8);
    gzclose(file);
    free(bytes);
    return scratch_path("a.gz");
}

START_TEST(a_large_gzip_file_is_no_bomb)
{
    tonnx_dataset *set = load(noise(17 << 20), NULL);
    ck_assert_uint_eq(set->samples, 17 << 20);
    tonnx_dataset_free(set);
}
END_TEST

/* A file, gzip'd, without its last quarter. */
static const char *cut_gzip(const char *path)
{
    struct stat info;
    size_t size;
    unsigned char *bytes = scratch_read(path, &size);
    const char *zipped_path = scratch_path("cut.gz");
    gzFile file = gzopen(zipped_path, "wb");
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
    gzclose(file);
    ck_assert_int_eq(stat(zipped_path, &info), 0);
    ck_assert_int_eq(truncate(zipped_path, info.st_size * 3 / 4), 0);
    free(bytes);
    return zipped_path;
}

/* `count` records of six random digits each, between what begins and what ends one. */
static const char *records(const char *before, const char *begin, const char *end, size_t count)
{
    char *text = malloc(strlen(before) + count * (strlen(begin) + strlen(end) + 6) + 1), *at = text;
    uint64_t x = 88172645463325252u;
    at += sprintf(at, "%s", before);
    for (size_t i = 0; i < count; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        at += sprintf(at, "%s%06u%s", begin, (unsigned)(x % 1000000), end);
    }
    const char *path = scratch_text("records", text);
    free(text);
    return path;
}

/* Predictions of `count` rows, as .npz. */
static const char *archive(size_t count)
{
    tonnx_rows_file *file = NULL;
    uint64_t x = 88172645463325252u;
    ck_ok(tonnx_rows_create(&file, scratch_path("p.npz"), count));
    for (size_t i = 0; i < count; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        ck_ok(tonnx_rows_write(file, &(float){ (float)x }, 1, 1));
    }
    ck_ok(tonnx_rows_finish(file));
    return scratch_path("p.npz");
}

/* Far behind the first bytes, in whatever a reader is busy with there: the stream is to blame, not the line. */
START_TEST(a_gzip_stream_that_is_cut_is_called_that)
{
    enum { MANY = 60000 };
    static const struct row {
        const char *before, *begin, *end;
    } rows[] = {
        { "a,b\n", "1,", "\n" },     /* plain numbers */
        { "a,b\n", "1,\"", "\"\n" }, /* quoted ones */
        { "a,b\n1,\"", "", "" },     /* one quote over all */
        { "a,b\n1,", "", "" },       /* one number over all */
        { "0 1:1\n", "1 1:", "\n" }, /* libsvm */
    };
    tonnx_dataset *set = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_fails(tonnx_dataset_load(&set, cut_gzip(records(rows[i].before, rows[i].begin, rows[i].end, MANY)), NULL,
                                    NULL),
                 TONNX_BAD_DATA, "cut.gz: the gzip stream is damaged or cut");
    ck_fails(tonnx_dataset_load(&set, cut_gzip(archive(MANY)), NULL, NULL), TONNX_BAD_DATA,
             "cut.gz: the gzip stream is damaged or cut");
}
END_TEST

START_TEST(options_that_were_not_laid_out_are_refused)
{
    const tonnx_data_options options = { .limit = 3 };
    tonnx_dataset *set = NULL;
    ck_fails(tonnx_dataset_load(&set, scratch_text("a.csv", "1,2\n"), NULL, &options), TONNX_BAD_USAGE,
             "TONNX_DATA_OPTIONS_DEFAULT");
}
END_TEST

START_TEST(integers_are_classes_and_floats_are_numbers)
{
    static const float x[2] = { 1, 2 };
    static const int64_t whole[2] = { 3, 1 }, many[2] = { 1 << 20, 0 };
    const char *data = scratch_write("x.npy", "", 0);
    ck_assert_int_eq(rename(npy("{'descr':'<f4','fortran_order':False,'shape':(2,1)}", x, 8), data), 0);
    tonnx_data_options numbers = TONNX_DATA_OPTIONS_DEFAULT;
    numbers.classes = false;
    tonnx_dataset *set = load(data, npy("{'descr':'<i8','fortran_order':False,'shape':(2,)}", whole, 16));
    ck_assert(set->classes[0] == 3 && set->class_count == 4 && !set->targets);
    tonnx_dataset_free(set);
    ck_ok(tonnx_dataset_load(&set, data, scratch_path("a.npy"), &numbers));
    ck_assert(!set->classes && set->targets[0] == 3.0f);
    tonnx_dataset_free(set);
    set = load(data, npy("{'descr':'|u1','fortran_order':False,'shape':(2,1)}", "\x01\x02", 2));
    ck_assert(set->classes[1] == 2);
    tonnx_dataset_free(set);
    set = load(data, npy("{'descr':'|u1','fortran_order':False,'shape':(2,2)}", "\x01\x02\x03\x04", 4));
    ck_assert(!set->classes && set->target_width == 2 && set->targets[3] == 4.0f);
    tonnx_dataset_free(set);
    set = load(data, npy("{'descr':'<f4','fortran_order':False,'shape':(2,)}", x, 8));
    ck_assert(set->target_kind == TONNX_TARGET_NUMBER && set->target_width == 1 && set->targets[1] == 2.0f);
    tonnx_dataset_free(set);
    ck_fails(tonnx_dataset_load(&set, data, npy("{'descr':'<i8','fortran_order':False,'shape':(2,)}", many, 16), NULL),
             TONNX_BAD_DATA, "sample 1 has class 1048576");
    ck_fails(tonnx_dataset_load(&set, data, "#1", NULL), TONNX_BAD_DATA, "no column '#1'");
    ck_fails(tonnx_dataset_load(&set, data, "label", NULL), TONNX_IO_FAILED, "label: no such file");
}
END_TEST

START_TEST(bad_files_are_refused)
{
    static const struct row {
        const char *data, *target, *message;
    } rows[] = {
        { BAD "csv-empty/points.csv", "kind", "points.csv" },
        { BAD "csv-header-only/points.csv", "kind", "points.csv" },
        { BAD "csv-missing-cell/points.csv", "kind", "points.csv:5" },
        { BAD "csv-nan/points.csv", "kind", "points.csv:8" },
        { BAD "csv-no-target/points.csv", "colour", "colour" },
        { BAD "csv-nul/points.csv", "kind", "points.csv:6" },
        { BAD "csv-open-quote/points.csv", "kind", "points.csv:5" },
        { BAD "csv-overflow/points.csv", "kind", "points.csv:7" },
        { BAD "csv-ragged/points.csv", "kind", "points.csv:5" },
        { BAD "csv-target-index/points.csv", "#15", "#15" },
        { BAD "csv-text-cell/points.csv", "kind", "points.csv:5" },
        { BAD "npy-bad-header/feat.npy", NULL, "fortran_order" },
        { BAD "npy-header-1g/feat.npy", NULL, "header of 1073741824 bytes" },
        { BAD "npy-negative-shape/feat.npy", NULL, "shape" },
        { BAD "npy-object/feat.npy", NULL, "object" },
        { BAD "npy-shape-huge/feat.npy", NULL, "shape (1099511627776, 1099511627776)" },
        { BAD "npy-short/feat.npy", NULL, "needs 576 bytes" },
        { BAD "npy-string-dtype/feat.npy", NULL, "dtype '<U8'" },
        { BAD "idx-bad-type/img-idx2-ubyte", BAD "idx-bad-type/lab-idx1-ubyte", "img-idx2-ubyte: IDX magic" },
        { BAD "idx-gz-cut/img-idx2-ubyte.gz", BAD "idx-gz-cut/lab-idx1-ubyte", "gzip stream" },
        { BAD "idx-huge/img-idx2-ubyte", BAD "idx-huge/lab-idx1-ubyte", "img-idx2-ubyte: shape" },
        { BAD "idx-label-count/img-idx2-ubyte", BAD "idx-label-count/lab-idx1-ubyte", "lab-idx1-ubyte: 23 targets" },
        { BAD "common/x.npy", BAD "data-class-negative/y3.npy", "y3.npy: sample 4 has class -1" },
        { BAD "common/x.npy", BAD "data-count-differs/y4.npy", "y4.npy: 22 targets" },
        { BAD "data-nan/x2.npy", BAD "common/y.npy", "x2.npy: sample 2, feature 6 is nan" },
        { BAD "data-no-samples/zero.npy", NULL, "zero.npy: no samples" },
    };
    tonnx_dataset *set = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_fails(tonnx_dataset_load(&set, rows[i].data, rows[i].target, NULL), TONNX_BAD_DATA, rows[i].message);
        ck_assert_ptr_null(set);
        ck_assert_ptr_null(strchr(tonnx_last_message(), '\n'));
    }
    ck_fails(tonnx_dataset_load(&set, BAD "not_here.npy", NULL, NULL), TONNX_IO_FAILED, "not_here.npy");
    ck_fails(tonnx_dataset_load(&set, BAD "common/x.npy", BAD "not_here.npy", NULL), TONNX_IO_FAILED, "not_here.npy");
    ck_fails(tonnx_dataset_load(&set, BAD, NULL, NULL), TONNX_IO_FAILED, "is a folder");
    ck_assert_int_eq(mkfifo(scratch_path("pipe"), 0600), 0);
    ck_fails(tonnx_dataset_load(&set, scratch_path("pipe"), NULL, NULL), TONNX_IO_FAILED, "pipe");
}
END_TEST

START_TEST(good_twins_are_read_alike)
{
    tonnx_dataset *x = load(BAD "common/x.npy", BAD "common/y.npy"), *plain = load(BAD "common/plain.csv", NULL);
    static const char *const twins[] = { BAD "twin-npy-fortran/feat.npy", BAD "twin-npy-double-v2/feat.npy",
                                         BAD "twin-csv-bom/points.csv", BAD "twin-csv-crlf/points.csv",
                                         BAD "twin-csv-quoted/points.csv" };
    for (size_t i = 0; i < 5; i++) {
        tonnx_dataset *twin = load(twins[i], NULL);
        ck_assert(twin->samples == 24 && twin->features == 6);
        ck_assert_mem_eq(twin->x, i < 2 ? x->x : plain->x, 24 * 6 * sizeof(float));
        tonnx_dataset_free(twin);
    }
    tonnx_dataset *table = load(BAD "twin-csv/points.csv", "kind");
    ck_assert(table->class_count == 3 && x->class_count == 3);
    ck_assert_str_eq(table->class_names[2], "owl");
    ck_assert_mem_eq(table->x, plain->x, 24 * 6 * sizeof(float));
    tonnx_dataset *idx = load(BAD "twin-idx/img-idx2-ubyte", BAD "twin-idx/lab-idx1-ubyte");
    tonnx_dataset *gz = load(BAD "twin-idx-gz/img-idx2-ubyte.gz", BAD "twin-idx-gz/lab-idx1-ubyte.gz");
    ck_assert(idx->x_bytes && idx->scale == 1.0 / 255.0 && idx->class_count == 3);
    ck_assert_mem_eq(idx->x_bytes, gz->x_bytes, 24 * 6);
    ck_assert_mem_eq(idx->classes, gz->classes, 24 * sizeof(int32_t));
    tonnx_dataset *all[] = { x, plain, table, idx, gz };
    for (size_t i = 0; i < 5; i++) tonnx_dataset_free(all[i]);
}
END_TEST

static const char *const samples[] = {
    BAD "common/x.npy",
    BAD "common/y.npy",
    BAD "twin-npy-double-v2/feat.npy",
    BAD "twin-idx/lab-idx1-ubyte",
    BAD "twin-idx-gz/img-idx2-ubyte.gz",
    BAD "twin-csv/points.csv",
    BAD "twin-csv-quoted/points.csv",
};

static tonnx_status load_bytes(const unsigned char *bytes, size_t size, const char *target)
{
    tonnx_dataset *set = NULL;
    const tonnx_status status = tonnx_dataset_load(&set, scratch_write("fuzz", bytes, size), target, NULL);
    ck_assert_msg(!status || status == TONNX_BAD_DATA, "%s", tonnx_last_message());
    ck_assert(!status == !!set);
    tonnx_dataset_free(set);
    return status;
}

/* Binary files cut anywhere are refused; tables may still be good ones, of fewer rows. */
START_TEST(every_truncation_is_survived)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        size_t size = 0;
        unsigned char *bytes = scratch_read(samples[i], &size);
        for (size_t cut = 0; cut < size; cut++) {
            const tonnx_status status = load_bytes(bytes, cut, NULL);
            if (!strstr(samples[i], ".csv")) ck_assert_msg(status, "%s cut to %zu bytes is read", samples[i], cut);
        }
        if (strstr(samples[i], "twin-csv/"))
            for (size_t cut = 0; cut < size; cut++) load_bytes(bytes, cut, "kind");
        free(bytes);
    }
}
END_TEST

START_TEST(every_changed_byte_is_survived)
{
    static const unsigned char masks[] = { 0x01, 0x80, 0xff };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        size_t size = 0;
        unsigned char *bytes = scratch_read(samples[i], &size);
        for (size_t at = 0; at < size; at++)
            for (size_t m = 0; m < sizeof masks; m++) {
                bytes[at] ^= masks[m];
                load_bytes(bytes, size, strstr(samples[i], "twin-csv/") ? "#7" : NULL);
                bytes[at] ^= masks[m];
            }
        free(bytes);
    }
}
END_TEST

START_TEST(every_failed_allocation_is_survived)
{
    static const char *const pairs[][2] = {
        { BAD "twin-csv/points.csv", "kind" },
        { BAD "common/x.npy", BAD "common/y.npy" },
        { BAD "twin-idx-gz/img-idx2-ubyte.gz", BAD "twin-idx-gz/lab-idx1-ubyte.gz" },
    };
    for (size_t p = 0; p < 3; p++)
        for (size_t nth = 1;; nth++) {
            tonnx_dataset *set = NULL;
            tonnx__mem_fault(nth, false);
            const tonnx_status status = tonnx_dataset_load(&set, pairs[p][0], pairs[p][1], NULL);
            tonnx__mem_fault(0, false);
            tonnx_dataset_free(set);
            if (!status) break;
            ck_assert_msg(status == TONNX_NO_MEMORY && !set, "%s", tonnx_last_message());
        }
}
END_TEST

static const float rows[6] = { 0.1f, -1.5f, 3.0e-39f, 16777217.0f, 0.0f, 1.0f / 3.0f };

START_TEST(rows_written_are_rows_read)
{
    static const char *const names[] = { "out.npy", "out.csv" };
    for (size_t i = 0; i < 2; i++) {
        tonnx_rows_file *file = NULL;
        const char *path = scratch_path(names[i]);
        ck_ok(tonnx_rows_create(&file, path, 3));
        ck_ok(tonnx_rows_write(file, rows, 2, 2));
        ck_ok(tonnx_rows_write(file, rows + 4, 1, 2));
        ck_ok(tonnx_rows_finish(file));
        tonnx_dataset *set = load(path, NULL);
        ck_assert(set->samples == 3 && set->features == 2);
        ck_assert_mem_eq(set->x, rows, sizeof rows);
        tonnx_dataset_free(set);
    }
    size_t size = 0;
    unsigned char *text = scratch_read(scratch_path("out.csv"), &size);
    ck_assert_uint_eq(size, strlen("0.1,-1.5\n3e-39,16777216\n0,0.33333334\n"));
    ck_assert_mem_eq(text, "0.1,-1.5\n3e-39,16777216\n0,0.33333334\n", size);
    free(text);
}
END_TEST

START_TEST(rows_that_do_not_fit_are_refused)
{
    tonnx_rows_file *file = NULL;
    ck_ok(tonnx_rows_create(&file, scratch_path("part.npy"), 3));
    ck_fails(tonnx_rows_write(file, rows, 1, 0), TONNX_BAD_USAGE, "do not fit");
    ck_ok(tonnx_rows_write(file, rows, 2, 2));
    ck_fails(tonnx_rows_write(file, rows, 1, 3), TONNX_BAD_USAGE, "do not fit");
    ck_fails(tonnx_rows_write(file, rows, 2, 2), TONNX_BAD_USAGE, "do not fit");
    ck_fails(tonnx_rows_finish(file), TONNX_BAD_USAGE, "3 rows were announced, 2 written");
    ck_assert_int_ne(access(scratch_path("part.npy"), F_OK), 0);
    ck_fails(tonnx_rows_create(&file, scratch_path("no/such/folder.csv"), 3), TONNX_IO_FAILED, "folder.csv");
    ck_assert_ptr_null(file);
    ck_ok(tonnx_rows_create(&file, scratch_path("left.csv"), 3));
    tonnx_rows_discard(file);
    tonnx_rows_discard(NULL);
    ck_assert_int_ne(access(scratch_path("left.csv"), F_OK), 0);
}
END_TEST

START_TEST(a_closed_standard_output_is_an_io_failure)
{
    tonnx_rows_file *file = NULL;
    fflush(stdout);
    close(STDOUT_FILENO);
    ck_ok(tonnx_rows_create(&file, "-", 1));
    ck_ok(tonnx_rows_write(file, rows, 1, 2));
    ck_fails(tonnx_rows_finish(file), TONNX_IO_FAILED, "standard output");
}
END_TEST

START_TEST(standard_input_is_a_file_too)
{
    tonnx_dataset *set = NULL;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq((int)write(ends[1], "a,b\n1,2\n3,4\n", 12), 12);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    ck_ok(tonnx_dataset_load(&set, "-", "b", NULL));
    ck_assert(set->samples == 2 && set->classes[1] == 4);
    tonnx_dataset_free(set);
    close(ends[0]);
}
END_TEST

/* From here on, standard input is that file, through a pipe. */
static void pipe_in(const char *path)
{
    int ends[2];
    size_t size;
    unsigned char *bytes = scratch_read(path, &size);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq((int)write(ends[1], bytes, size), (int)size);
    close(ends[1]);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    free(bytes);
}

START_TEST(a_pipe_may_be_zipped_or_the_target)
{
    pipe_in(zipped(1000, 7));
    tonnx_dataset *set = load("-", NULL);
    ck_assert(set->samples == 1000 && set->x_bytes[999] == 7);
    tonnx_dataset_free(set);
    pipe_in(scratch_text("y.csv", "2\n1\n"));
    set = load(scratch_text("x.csv", "1,2\n3,4\n"), "-");
    ck_assert(set->samples == 2 && set->classes[0] == 2 && set->classes[1] == 1);
    tonnx_dataset_free(set);
    pipe_in(archive(100));
    set = load("-", NULL);
    ck_assert_uint_eq(set->samples, 100);
    tonnx_dataset_free(set);
}
END_TEST

START_TEST(a_folder_on_standard_input_is_no_data)
{
    tonnx_dataset *set = NULL;
    const int folder = open(scratch_folder, O_RDONLY | O_DIRECTORY);
    ck_assert_int_eq(dup2(folder, STDIN_FILENO), STDIN_FILENO);
    ck_fails(tonnx_dataset_load(&set, "-", NULL, NULL), TONNX_IO_FAILED, "-: is a folder, not a file of data");
    close(folder);
}
END_TEST

static Suite *data_suite(void)
{
    const TTest *tests[] = {
        npy_of_every_type,
        npy_in_every_order_flattens_alike,
        npy_limit_reads_the_first_samples,
        wrong_npy_headers_are_refused,
        idx_of_every_type,
        gzip_is_read_but_no_bomb,
        a_large_gzip_file_is_no_bomb,
        a_gzip_stream_that_is_cut_is_called_that,
        options_that_were_not_laid_out_are_refused,
        integers_are_classes_and_floats_are_numbers,
        bad_files_are_refused,
        good_twins_are_read_alike,
        every_truncation_is_survived,
        every_changed_byte_is_survived,
        every_failed_allocation_is_survived,
        rows_written_are_rows_read,
        rows_that_do_not_fit_are_refused,
        a_closed_standard_output_is_an_io_failure,
        standard_input_is_a_file_too,
        a_pipe_may_be_zipped_or_the_target,
        a_folder_on_standard_input_is_no_data,
    };
    Suite *suite = suite_create("data");
    TCase *files = tcase_create("files");
    tcase_set_timeout(files, 120);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(files, tests[i]);
    suite_add_tcase(suite, files);
    return suite;
}

int main(void)
{
    scratch_make();
    const int result = run_suite(data_suite());
    scratch_remove();
    return result;
}
