#include <unistd.h>

#include "damage.h"

#define BAD TONNX_TEST_DATA "/bad/"

/* Length, header, `size` bytes of elements. */
static const char *safetensors(const char *header, const void *elements, size_t size)
{
    unsigned char file[4096] = { 0 };
    const size_t length = strlen(header);
    file[0] = (unsigned char)length;
    file[1] = (unsigned char)(length >> 8);
    memcpy(file + 8, header, length);
    memcpy(file + 8 + length, elements, size);
    return scratch_write("a.safetensors", file, 8 + length + size);
}

START_TEST(every_type)
{
    static const struct row {
        const char *type, *bytes;
        size_t size;
        float values[2];
    } rows[] = {
        { "F16", "\x00\x3c\x00\xc0", 4, { 1, -2 } },
        { "BF16", "\x80\x3f\x00\xc0", 4, { 1, -2 } },
        { "F32", "\x00\x00\x80\x3f\x00\x00\x00\xc0", 8, { 1, -2 } },
        { "F64", "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0", 16, { 1, -2 } },
        { "I8", "\xff\x07", 2, { -1, 7 } },
        { "I16", "\xff\xff\x07\x01", 4, { -1, 263 } },
        { "I32", "\xff\xff\xff\xff\x07\0\0\0", 8, { -1, 7 } },
        { "I64", "\xff\xff\xff\xff\xff\xff\xff\xff\x07\0\0\0\0\0\0\0", 16, { -1, 7 } },
        { "U8", "\xff\x07", 2, { 255, 7 } },
        { "U16", "\xff\xff\x07\x01", 4, { 65535, 263 } },
        { "U32", "\x07\0\0\0\0\0\x01\0", 8, { 7, 65536 } },
        { "U64", "\x07\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0", 16, { 7, 65536 } },
        { "BOOL", "\x01\0", 2, { 1, 0 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char header[128];
        tonnx_dataset *set = NULL;
        snprintf(header, sizeof header, "{\"x\":{\"dtype\":\"%s\",\"shape\":[1,2],\"data_offsets\":[0,%zu]}}",
                 rows[i].type, rows[i].size);
        ck_ok(tonnx_dataset_load(&set, safetensors(header, rows[i].bytes, rows[i].size), NULL, NULL));
        for (size_t j = 0; j < 2; j++)
            ck_assert_msg((set->x ? set->x[j] : (float)set->x_bytes[j]) == rows[i].values[j], "%s", rows[i].type);
        tonnx_dataset_free(set);
    }
}
END_TEST

#define PAIR                                                                                                           \
    "{\"__metadata__\":{\"format\":\"pt\"},\"x\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[16,24]},"        \
    "\"y\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"                                                 \
    "\"z\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[24,27]}}  "

/* From here on, standard input is the first `size` bytes there, through a pipe. */
static void pipe_in(const unsigned char *bytes, size_t size)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq((int)write(ends[1], bytes, size), (int)size);
    close(ends[1]);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
}

START_TEST(both_arrays_of_one_file_and_of_a_pipe)
{
    static const unsigned char bytes[27] = { 1, [8] = 2, [18] = 0x80, 0x3f, [23] = 0xc0 };
    const char *path = safetensors(PAIR, bytes, sizeof bytes);
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    for (int piped = 0; piped < 2; piped++) {
        tonnx_dataset *set = NULL;
        if (piped) {
            size_t size;
            unsigned char *all = scratch_read(path, &size);
            pipe_in(all, size);
            free(all);
        }
        ck_ok(tonnx_dataset_load(&set, piped ? "-" : path, NULL, &options));
        ck_assert(set->samples == 2 && set->x[0] == 1.0f && set->x[1] == -2.0f && set->classes[1] == 2);
        tonnx_dataset_free(set);
    }
    tonnx_dataset *set = NULL;
    options.x_key = "z";
    ck_fails(tonnx_dataset_load(&set, path, NULL, &options), TONNX_BAD_DATA, "array 'z': elements of its dtype");
    options.x_key = "w";
    ck_fails(tonnx_dataset_load(&set, path, NULL, &options), TONNX_BAD_DATA, "no array 'w'");
}
END_TEST

/* What a file's size says at once, a pipe says at its end. */
START_TEST(a_pipe_that_is_cut_or_goes_on_is_refused)
{
    static const struct row {
        int more; /* bytes at the end; < 0: so many are missing */
        const char *target, *message;
    } rows[] = {
        { -2, NULL, "-: is cut short: 2 bytes are missing" }, /* of z, which nobody asked for */
        { 1, NULL, "-: holds more bytes than its header says" },
        { -20, BAD "common/y.npy", "-: is cut short: 9 bytes are missing" }, /* of y, which stands before x */
    };
    static const unsigned char elements[28] = { 1 };
    tonnx_dataset *set = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size;
        unsigned char *all = scratch_read(safetensors(PAIR, elements, sizeof elements), &size);
        pipe_in(all, size - 1 + (size_t)rows[i].more);
        free(all);
        ck_fails(tonnx_dataset_load(&set, "-", rows[i].target, NULL), TONNX_BAD_DATA, rows[i].message);
    }
}
END_TEST

#define EMPTY_AND_FULL(first, second)                                                                                  \
    "{\"" first "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"" second                                \
    "\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}"

/* No bytes lie anywhere: an empty tensor overlaps nothing, whatever it is called. */
START_TEST(an_empty_tensor_takes_no_place)
{
    static const char *const headers[][2] = { { EMPTY_AND_FULL("a", "x"), "x" }, { EMPTY_AND_FULL("x", "a"), "a" } };
    for (size_t i = 0; i < 2; i++) {
        tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
        tonnx_dataset *set = NULL;
        options.x_key = headers[i][1];
        ck_ok(tonnx_dataset_load(&set, safetensors(headers[i][0], "\0\0\x80\x3f\0\0\0\xc0", 8), NULL, &options));
        ck_assert(set->samples == 2 && set->x[0] == 1.0f && set->x[1] == -2.0f);
        tonnx_dataset_free(set);
    }
}
END_TEST

/* Eight bytes of length that no header has, before a bracket. */
START_TEST(odd_lengths_are_known_all_the_same)
{
    static const struct row {
        const char *bytes;
        size_t size;
        const char *message;
    } rows[] = {
        { "\0\0\0\0\0\0\0\0{}", 10, "header: no JSON object: a value of another kind (byte 0)" },
        { "\0\0\0\0\0\0\0\x80{}", 10, "header of 9223372036854775808 bytes" },
        { "\0\0\0\0\0\0\0\x80{\"", 10, "header of 9223372036854775808 bytes" },
        { "\0\x01\0\0\0\0\0\x80{\"", 10, "header of 9223372036854776064 bytes" },
        { "\0\0\0\0\0\0\0\x80{", 9, "IDX magic 0x00000000" }, /* by no means a safetensors file */
        { "\0\0\0\0\0\0\0\x80{1", 10, "IDX magic 0x00000000" },
    };
    tonnx_dataset *set = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_fails(tonnx_dataset_load(&set, scratch_write("a.bin", rows[i].bytes, rows[i].size), NULL, NULL),
                 TONNX_BAD_DATA, rows[i].message);
}
END_TEST

#define X(rest) "{\"x\":{\"dtype\":\"F32\"," rest "}}"
#define TWO(from, to)                                                                                                  \
    "{\"x\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]},"                                               \
    "\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[" from "," to "]}}"

START_TEST(wrong_headers_are_refused)
{
    static const struct row {
        const char *header, *message;
    } rows[] = {
        { "{\"x\"}", "no JSON object" },
        { "{\"__metadata__\":[[[[[[[[[[[[[[", "nests deeper than 8" },
        { X("\"shape\":[1,2],\"data_offsets\":[0,8]") " []", "no JSON object: more stands behind" },
        { "{\"x\":{\"dtype\":7}}", "tensor 'x': its dtype is no string" },
        { X("\"shape\":7"), "tensor 'x': its shape is no array" },
        { X("\"shape\":[1,2],\"data_offsets\":[0,8,8]"), "tensor 'x': its data_offsets are no pair" },
        { X("\"shape\":[1,2],\"data_offsets\":[0,8"), "no JSON object: a comma or a closing bracket is missing" },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", "tensor '__metadata__': it has no dtype" },
        { "{\"x\":[]}", "tensor 'x': it is no object" },
        { "{}", "8 bytes at the end belong to no tensor" },
        { X("\"shape\":[1,2]"), "tensor 'x': it has no data_offsets" },
        { X("\"data_offsets\":[0,8]"), "tensor 'x': it has no shape" },
        { X("\"shape\":[1,-2],\"data_offsets\":[0,8]"), "tensor 'x': its shape has a dimension that is no count" },
        { X("\"shape\":[1,2.0],\"data_offsets\":[0,8]"), "tensor 'x': its shape has a dimension that is no count" },
        { X("\"shape\":[1,2],\"data_offsets\":[8,0]"), "tensor 'x': its data_offsets end before they begin" },
        { X("\"shape\":[1,3],\"data_offsets\":[0,8]"),
          "tensor 'x': type and shape take 12 bytes, data_offsets give 8" },
        { X("\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]"), "tensor 'x': its shape is beyond 64 bits" },
        { X("\"shape\":[1,1],\"data_offsets\":[0,4]"), "4 bytes at the end belong to no tensor" },
        { X("\"shape\":[1,1],\"data_offsets\":[4,8]"), "tensor 'x': a hole of 4 bytes" },
        { X("\"shape\":[1,4],\"data_offsets\":[0,16]"), "tensor 'x': its data_offsets end at 16, the file at 8" },
        { X("\"shape\":[1,2],\"data_offsets\":[0,99999999999999999999]"), "its data_offsets are no pair" },
        { X("\"shape\":[1,2],\"shape\":[1,2],\"data_offsets\":[0,8]"), "tensor 'x': duplicate 'shape'" },
        { TWO("0", "4"), "overlap" },
        { TWO("2", "6"), "tensors 'x' and 'w' overlap" },
        { "{\"\xff\":{}}", "no JSON object" },
        { X("\"shape\":[4294967296,4294967296,2],\"data_offsets\":[0,8]"), "tensor 'x': its shape is beyond 64 bits" },
        { "{\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":{\"dtype\":\"F32\",\"shape\":[0],"
          "\"data_offsets\":[0,0]}}",
          "8 bytes at the end belong to no tensor" },
    };
    static const unsigned char bytes[8] = { 0 };
    tonnx_dataset *set = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_fails(tonnx_dataset_load(&set, safetensors(rows[i].header, bytes, 8), NULL, NULL), TONNX_BAD_DATA,
                 rows[i].message);
        ck_assert(strstr(tonnx_last_message(), "a.safetensors"));
    }
}
END_TEST

START_TEST(a_key_that_is_not_there_lists_the_first_that_are)
{
    char header[1024] = "{", *at = header + 1;
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    tonnx_dataset *set = NULL;
    for (int i = 0; i < 10; i++)
        at += sprintf(at, "%s\"t%d\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[%d,8]}", i ? "," : "", i,
                      i ? 0 : 2, i ? 8 : 0);
    strcpy(at, "}");
    const char *path = safetensors(header, "12345678", 8);
    ck_fails(tonnx_dataset_load(&set, path, NULL, NULL), TONNX_BAD_DATA, "among: t0, t1, t2, t3, t4, t5, t6, t7, …");
    options.x_key = "t0";
    options.y_key = "z";
    ck_fails(tonnx_dataset_load(&set, path, NULL, &options), TONNX_BAD_DATA, "no array 'z'; choose with --y-key");
    ck_fails(tonnx_dataset_load(&set, path, "z", &options), TONNX_BAD_DATA, "no array 'z'; choose with --target");
    ck_fails(tonnx_dataset_load(&set, path, "t0", &options), TONNX_BAD_DATA, "'t0' cannot be both");
    options.y_key = NULL;
    ck_fails(tonnx_dataset_load(&set, path, "t0", &options), TONNX_BAD_DATA, "'t0' cannot be both");
    options.x_key = "y"; /* features that are called as targets are */
    ck_ok(tonnx_dataset_load(
        &set, safetensors("{\"y\":{\"dtype\":\"F32\",\"shape\":[1,2,1],\"data_offsets\":[0,8]}}", "\0\0\0\0\0\0\0", 8),
        NULL, &options));
    ck_assert(set->features == 2 && set->target_kind == TONNX_TARGET_NONE);
    tonnx_dataset_free(set);
}
END_TEST

/* Read without a tree, a header of any size takes no memory to speak of. */
START_TEST(headers_that_would_swell_are_refused)
{
    enum { SIZE = 300000 };
    static const char begin[] = "\xe0\x93\x04\0\0\0\0\0{\"x\":{\"shape\":[";
    char *file = malloc(SIZE + 8);
    tonnx_dataset *set = NULL;
    for (int deep = 0; deep < 2; deep++) {
        memset(file, deep ? '[' : '1', SIZE + 8);
        for (size_t i = sizeof begin; !deep && i < SIZE; i += 2) file[i] = ',';
        memcpy(file, begin, sizeof begin - 1);
        ck_fails(tonnx_dataset_load(&set, scratch_write("a.safetensors", file, SIZE + 8), NULL, NULL), TONNX_BAD_DATA,
                 deep ? "it nests deeper than 8 levels" : "more than 32 dimensions");
    }
    free(file);
}
END_TEST

START_TEST(too_many_tensors)
{
    enum { TENSORS = (1 << 17) + 1, ROOM = 64 };
    char *file = calloc(TENSORS, ROOM);
    tonnx_dataset *set = NULL;
    size_t at = 8;
    for (size_t i = 0; i < TENSORS; i++)
        at += (size_t)sprintf(file + at, "%c\"%zu\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
                              i ? ',' : '{', i);
    file[at++] = '}';
    for (size_t i = 0; i < 8; i++) file[i] = (char)((at - 8) >> 8 * i);
    ck_fails(tonnx_dataset_load(&set, scratch_write("a.safetensors", file, at), NULL, NULL), TONNX_BAD_DATA,
             "more than 131072 tensors");
    free(file);
}
END_TEST

START_TEST(members_that_say_nothing_here_are_passed_over)
{
    static const unsigned char bytes[8] = { 0 };
    tonnx_dataset *set = NULL;
    const char *header =
        "{ \"__metadata__\" : {\"a\":[1,-2.5e3,true,null]}, \"\\u0078\":{\"more\":{\"b\":[]},\"data_offsets\""
        ":[0,8],\"shape\":[1,2],\"dtype\":\"F32\"} }";
    ck_ok(tonnx_dataset_load(&set, safetensors(header, bytes, 8), NULL, NULL));
    ck_assert(set->samples == 1 && set->features == 2);
    tonnx_dataset_free(set);
}
END_TEST

START_TEST(bad_files_and_their_twin)
{
    static const struct row {
        const char *file, *message;
    } rows[] = {
        { BAD "st-duplicate-key/batch.safetensors", "header: duplicate tensor 'x'" },
        { BAD "st-header-huge/batch.safetensors", "header of 9223372036854775808 bytes" },
        { BAD "st-hole/batch.safetensors", "tensor 'tail_t': a hole" },
        { BAD "st-overlap/batch.safetensors", "overlap" },
        { BAD "st-reversed/batch.safetensors", "tensor 'x': its data_offsets end before" },
        { BAD "st-short/batch.safetensors", "tensor 'x': its data_offsets end at 576" },
    };
    tonnx_dataset *set = NULL, *plain = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_fails(tonnx_dataset_load(&set, rows[i].file, NULL, NULL), TONNX_BAD_DATA, rows[i].message);
    ck_ok(tonnx_dataset_load(&set, BAD "twin-safetensors/batch.safetensors", NULL, NULL));
    ck_ok(tonnx_dataset_load(&plain, BAD "common/x.npy", NULL, NULL));
    ck_assert_mem_eq(set->x, plain->x, 24 * 6 * sizeof(float));
    tonnx_dataset_free(set);
    tonnx_dataset_free(plain);
}
END_TEST

START_TEST(damage_is_refused_or_harmless)
{
    static const unsigned char bytes[27] = { 1, [8] = 2, [18] = 0x80, 0x3f, [23] = 0xc0 };
    const char *path = safetensors(PAIR, bytes, sizeof bytes);
    ck_assert_uint_gt(damage_each(path, "hurt.safetensors", NULL, NULL), 1000);
}
END_TEST

static Suite *safetensors_suite(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tests = tcase_create("safetensors");
    tcase_add_unchecked_fixture(tests, scratch_make, scratch_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, every_type);
    tcase_add_test(tests, both_arrays_of_one_file_and_of_a_pipe);
    tcase_add_test(tests, a_pipe_that_is_cut_or_goes_on_is_refused);
    tcase_add_test(tests, an_empty_tensor_takes_no_place);
    tcase_add_test(tests, odd_lengths_are_known_all_the_same);
    tcase_add_test(tests, wrong_headers_are_refused);
    tcase_add_test(tests, a_key_that_is_not_there_lists_the_first_that_are);
    tcase_add_test(tests, headers_that_would_swell_are_refused);
    tcase_add_test(tests, too_many_tensors);
    tcase_add_test(tests, members_that_say_nothing_here_are_passed_over);
    tcase_add_test(tests, bad_files_and_their_twin);
    tcase_add_test(tests, damage_is_refused_or_harmless);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(safetensors_suite());
}
