/* Elements that stand beside the model (external data) or sparsely in it: read, changed, written; and nothing outside
 * the model's folder is opened, whatever the file says. */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "format/onnx.h"
#include "runtime/model_impl.h"
#include "scratch.h"
#include "wire.h"

enum { ROWS = 2, COLS = 3, COUNT = ROWS * COLS };

static const float numbers[2 * COUNT] = { 1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12 };

typedef struct entry {
    const char *key, *value;
} entry;

/* TensorProto of that name and type [2, columns], external, with up to four entries of external_data. */
static void external_of(wire *w, const char *name, int dtype, uint64_t columns, const entry *entries)
{
    static wire part;
    w->size = 0;
    wire_varint(w, 1, ROWS);
    wire_varint(w, 1, columns);
    wire_varint(w, 2, (uint64_t)dtype);
    wire_text(w, 8, name);
    for (size_t i = 0; i < 4 && entries[i].key; i++) {
        part.size = 0;
        wire_text(&part, 1, entries[i].key);
        wire_text(&part, 2, entries[i].value);
        wire_message(w, 13, &part);
    }
    wire_varint(w, 14, 1);
}

static void external_tensor(wire *w, const char *name, const entry *entries)
{
    external_of(w, name, TONNX_FLOAT, COLS, entries);
}

/* A model file with that tensor, and the data file beside it. */
static const char *model_file(const char *name, const entry *entries)
{
    static wire tensor, model;
    external_tensor(&tensor, "w", entries);
    wire_model_of(&model, &tensor);
    return scratch_write(name, model.bytes, model.size);
}

static const entry plain[4] = { { "location", "weights.bin" }, { "offset", "4" }, { "length", "24" } };

static void expect(const tonnx_model *model, size_t tensor, size_t i, double value)
{
    ck_assert_double_eq(tonnx__tensor_get(&model->tensors[tensor], i), value);
}

static void expect_file(const char *path, const void *bytes, size_t size)
{
    size_t have = 0;
    unsigned char *got = scratch_read(path, &have);
    ck_assert_uint_eq(have, size);
    ck_assert_int_eq(memcmp(got, bytes, size), 0);
    free(got);
}

static void put_data(void)
{
    scratch_write("weights.bin", numbers, sizeof numbers);
}

static int warnings;

static void count_warnings(void *user, tonnx_log_level level, const char *line)
{
    (void)user, (void)line;
    warnings += level == TONNX_LOG_WARNING;
}

START_TEST(a_range_of_a_file_is_read)
{
    static const entry forms[3][4] = {
        { { "location", "weights.bin" } },
        { { "offset", "0" }, { "location", "./weights.bin" }, { "checksum", "abc" } },
        { { "location", "weights.bin" }, { "length", "24" }, { "basepath", "/etc" }, { "", "" } },
    };
    const tonnx_log log = { count_warnings, NULL };
    tonnx_model *model = NULL;
    put_data();
    warnings = 0;
    ck_ok(tonnx_onnx_load(&model, model_file("m.onnx", forms[_i]), &log));
    for (size_t i = 0; i < COUNT; i++) expect(model, 0, i, (double)numbers[i]);
    ck_assert_int_eq(warnings, _i == 2);
    tonnx_model_free(model);
    ck_ok(tonnx_onnx_load(&model, model_file("m.onnx", plain), NULL));
    for (size_t i = 0; i < COUNT; i++) expect(model, 0, i, (double)numbers[i + 1]);
    tonnx_model_free(model);
}
END_TEST

#define TEN "0123456789"
#define LONG_NAME                                                                                                      \
    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct refused {
    entry entries[4];
    const char *says;
} refusals[] = {
    { { { "offset", "0" } }, "no location" },
    { { { "location", "" } }, "location '': is empty" },
    { { { "location", "/etc/hostname" } }, "absolute" },
    { { { "location", "../weights.bin" } }, "leads out" },
    { { { "location", "a/../../weights.bin" } }, "leads out" },
    { { { "location", "a/.." } }, "leads out" },
    { { { "location", "gone.bin" } }, "no such file" },
    { { { "location", "link.bin" } }, "symbolic link" },
    { { { "location", "linked/weights.bin" } }, "symbolic link" },
    { { { "location", "hard.bin" } }, "hard link" },
    { { { "location", "fifo.bin" } }, "FIFO" },
    { { { "location", "folder" } }, "directory" },
    { { { "location", "weights.bin" }, { "location", "weights.bin" } }, "twice" },
    { { { "location", "weights.bin" }, { "offset", "-1" } }, "offset '-1'" },
    { { { "location", "weights.bin" }, { "offset", "0x10" } }, "offset '0x10'" },
    { { { "location", "weights.bin" }, { "offset", " 4" } }, "offset ' 4'" },
    { { { "location", "weights.bin" }, { "offset", "" } }, "offset ''" },
    { { { "location", "weights.bin" }, { "offset", "18446744073709551616" } }, "offset" },
    { { { "location", "weights.bin" }, { "offset", "18446744073709551600" }, { "length", "24" } }, "ends before that" },
    { { { "location", "weights.bin" }, { "offset", "28" } }, "ends before that" },
    { { { "location", "weights.bin" }, { "length", "25" } }, "ask for 24 bytes" },
    { { { "location", "weights.bin" }, { "length", "20" } }, "ask for 24 bytes" },
    { { { "location", "weights.bin" }, { "length", "184467440737095516160" } }, "length '184467440737095516160'" },
    { { { "location", LONG_NAME "/weights.bin" } }, "name too long" },
    { { { "location", "weights.bin/weights.bin" } }, "Not a directory" },
};

/* From here on this process has a kernel without openat2. */
static void forget_openat2(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { sizeof code / sizeof *code, code };
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* By the kernel at once, and folder by folder. */
START_TEST(what_leads_elsewhere_is_refused)
{
    const struct refused *refused = &refusals[_i / 2];
    const bool linked_folder = _i % 2 && !strncmp(refused->entries[0].value, "linked/", 7);
    const char *says = linked_folder ? "Not a directory" : refused->says; /* O_DIRECTORY comes before O_NOFOLLOW */
    tonnx_model *model = NULL;
    put_data();
    if (_i % 2) forget_openat2();
    scratch_write("two.bin", numbers, sizeof numbers);
    ck_assert_int_eq(symlink("weights.bin", scratch_path("link.bin")), 0);
    ck_assert_int_eq(symlink(".", scratch_path("linked")), 0);
    ck_assert_int_eq(link(scratch_path("two.bin"), scratch_path("hard.bin")), 0);
    ck_assert_int_eq(mkfifo(scratch_path("fifo.bin"), 0600), 0);
    ck_assert_int_eq(mkdir(scratch_path("folder"), 0700), 0);
    ck_fails(tonnx_onnx_load(&model, model_file("m.onnx", refused->entries), NULL), TONNX_BAD_MODEL, says);
    ck_assert_ptr_nonnull(strstr(tonnx_last_message(), "tensor 'w': external_data"));
    static const char *const made[] = { "link.bin", "linked", "two.bin", "hard.bin", "fifo.bin" };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) unlink(scratch_path(made[i]));
    rmdir(scratch_path("folder"));
}
END_TEST

/* By the kernel at once, and folder by folder. */
START_TEST(folders_may_have_names_of_two_letters)
{
    static const entry deeper[4] = { { "location", "ab//weights.bin" } };
    char data[700];
    tonnx_model *model = NULL;
    if (_i) forget_openat2();
    ck_assert_int_eq(mkdir(scratch_path("ab"), 0700), 0);
    snprintf(data, sizeof data, "%s/weights.bin", scratch_path("ab"));
    ck_assert_int_eq(rename(scratch_write("here.bin", numbers, sizeof numbers), data), 0);
    ck_ok(tonnx_onnx_load(&model, model_file("m.onnx", deeper), NULL));
    for (size_t i = 0; i < COUNT; i++) expect(model, 0, i, (double)numbers[i]);
    tonnx_model_free(model);
    unlink(data);
    rmdir(scratch_path("ab"));
}
END_TEST

static void refuses(const wire *tensor, tonnx_status wanted, const char *says)
{
    static wire bytes;
    tonnx_model *model = NULL;
    wire_model_of(&bytes, tensor);
    ck_fails(tonnx_onnx_load(&model, scratch_write("m.onnx", bytes.bytes, bytes.size), NULL), wanted, says);
}

START_TEST(what_does_not_fit_the_data_is_refused)
{
    static const entry whole[4] = { { "location", "weights.bin" } }, small[4] = { { "location", "short.bin" } };
    static wire tensor;
    put_data();
    scratch_write("short.bin", numbers, 8);
    external_tensor(&tensor, "w", small);
    refuses(&tensor, TONNX_BAD_MODEL, "'w': external_data offset 0, length 24: 'short.bin' has 8 bytes and ends before");
    external_of(&tensor, "w", TONNX_FLOAT, 1ull << 61, whole);
    refuses(&tensor, TONNX_BAD_MODEL, "'w': its dims ask for more bytes than can be");
}
END_TEST

/* An entry of which nothing is there is one that is not known; text has no size that could be checked. */
START_TEST(entries_may_say_nothing)
{
    static const entry whole[4] = { { "location", "weights.bin" }, { "length", "9" } };
    static wire tensor, bytes;
    const tonnx_log log = { count_warnings, NULL };
    tonnx_model *model = NULL;
    put_data();
    warnings = 0;
    external_tensor(&tensor, "w", plain);
    wire_bytes(&tensor, 13, "", 0);
    wire_model_of(&bytes, &tensor);
    ck_ok(tonnx_onnx_load(&model, scratch_write("m.onnx", bytes.bytes, bytes.size), &log));
    ck_assert_int_eq(warnings, 1);
    tonnx_model_free(model);
    external_of(&tensor, "w", TONNX_STRING, COLS, whole);
    wire_model_of(&bytes, &tensor);
    ck_ok(tonnx_onnx_load(&model, scratch_write("m.onnx", bytes.bytes, bytes.size), NULL));
    ck_assert_ptr_null(model->tensors[0].bytes);
    tonnx_model_free(model);
}
END_TEST

/* The model can be opened and its folder too, and then the process has no more files: no fault of the model's. */
START_TEST(too_many_open_files_are_an_io_failure)
{
    static wire tensor;
    struct rlimit before, now;
    const int next = dup(STDIN_FILENO);
    put_data();
    external_tensor(&tensor, "w", plain);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)next + 1;
    const char *path = model_file("m.onnx", plain);
    tonnx_model *model = NULL;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
    const tonnx_status status = tonnx_onnx_load(&model, path, NULL);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_fails(status, TONNX_IO_FAILED, "'w': external_data location 'weights.bin' cannot be opened: Too many open files");
}
END_TEST

START_TEST(a_model_of_no_folder_has_no_data_files)
{
    size_t size = 0;
    tonnx_model *model = NULL;
    put_data();
    unsigned char *bytes = scratch_read(model_file("m.onnx", plain), &size);
    ck_fails(tonnx_onnx_read(&model, bytes, size, "stdin", NULL), TONNX_BAD_MODEL, "location 'weights.bin'");
    free(bytes);
}
END_TEST

/* Into another folder: the same names. Only the changed number differs, and only in the data file. */
START_TEST(data_goes_where_the_model_goes)
{
    const double set[COUNT] = { -2, 3, 0.5, 5, -6, 7 };
    float wanted[2 * COUNT];
    char out[700], data[700];
    size_t size = 0;
    tonnx_model *model = NULL;
    put_data();
    ck_assert_int_eq(mkdir(scratch_path("away"), 0700), 0);
    snprintf(out, sizeof out, "%s/out.onnx", scratch_path("away"));
    snprintf(data, sizeof data, "%s/weights.bin", scratch_path("away"));
    const char *path = model_file("m.onnx", plain);
    ck_ok(tonnx_onnx_load(&model, path, NULL));
    ck_ok(tonnx_model_write(model, 0, set));
    ck_ok(tonnx_onnx_save(model, out, NULL));
    unsigned char *source = scratch_read(path, &size);
    expect_file(out, source, size);
    memcpy(wanted, numbers, sizeof wanted);
    wanted[3] = 0.5f;
    expect_file(data, wanted, sizeof wanted);
    expect_file(scratch_path("weights.bin"), numbers, sizeof numbers);
    free(source);
    tonnx_model_free(model);
    unlink(out);
    unlink(data);
    rmdir(scratch_path("away"));
}
END_TEST

/* Beside the input the name is taken: the output's own name with .data, again and again; a stale checksum goes. */
START_TEST(nothing_is_overwritten_but_its_own)
{
    static const entry sums[4] = { { "location", "weights.bin" }, { "checksum", "0a" }, { "length", "24" } };
    const double set[COUNT] = { 1, -2, 3, -4, 5, 0.25 };
    size_t size = 0;
    tonnx_model *model = NULL, *again = NULL;
    put_data();
    for (int round = 0; round < 2; round++) {
        ck_ok(tonnx_onnx_load(&model, model_file("m.onnx", sums), NULL));
        ck_ok(tonnx_model_write(model, 0, set));
        ck_ok(tonnx_onnx_save(model, scratch_path("out.onnx"), NULL));
        ck_ok(tonnx_onnx_load(&again, scratch_path("out.onnx"), NULL));
        ck_assert_str_eq(again->data_files[0].location, "out.onnx.data");
        expect(again, 0, 5, 0.25);
        expect_file(scratch_path("weights.bin"), numbers, sizeof numbers);
        tonnx_model_free(again);
        ck_fails(tonnx_onnx_save(model, scratch_path("weights.bin"), NULL), TONNX_BAD_USAGE, "external data");
        tonnx_model_free(model);
    }
    ck_assert_int_ne(access(scratch_path("out.onnx.data2"), F_OK), 0);
    unsigned char *bytes = scratch_read(scratch_path("out.onnx"), &size);
    ck_assert_ptr_null(memmem(bytes, size, "checksum", 8));
    free(bytes);
}
END_TEST

/* To no file: the elements move in. */
START_TEST(into_memory_data_moves_in)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    tonnx_model *model = NULL, *again = NULL;
    put_data();
    ck_ok(tonnx_onnx_load(&model, model_file("m.onnx", plain), NULL));
    ck_ok(tonnx_onnx_write(model, &bytes, &size));
    ck_ok(tonnx_onnx_read(&again, bytes, size, "memory", NULL));
    for (size_t i = 0; i < COUNT; i++) expect(again, 0, i, (double)numbers[i + 1]);
    tonnx_model_free(model);
    tonnx_model_free(again);
    free(bytes);
}
END_TEST

/* Two tensors over the same bytes: a change of one leaves the other. */
START_TEST(shared_bytes_part)
{
    static const entry later[4] = { { "location", "weights.bin" }, { "offset", "20" } };
    static wire first, second, graph, model_bytes;
    const double set[COUNT] = { -2, 3, -4, 5, -6, 0.5 };
    tonnx_model *model = NULL, *again = NULL;
    put_data();
    external_tensor(&first, "w", plain);
    external_tensor(&second, "v", later);
    wire_graph(&graph, &first);
    wire_message(&graph, 5, &second);
    wire_model(&model_bytes, &graph);
    ck_ok(tonnx_onnx_load(&model, scratch_write("m.onnx", model_bytes.bytes, model_bytes.size), NULL));
    ck_ok(tonnx_model_write(model, 0, set));
    ck_ok(tonnx_onnx_save(model, scratch_path("parted.onnx"), NULL));
    ck_ok(tonnx_onnx_load(&again, scratch_path("parted.onnx"), NULL));
    expect(again, 0, 5, 0.5);
    expect(again, 1, 0, (double)numbers[5]);
    expect(again, 1, 1, (double)numbers[6]);
    tonnx_model_free(model);
    tonnx_model_free(again);
}
END_TEST

/* Which of several tensors over two files share bytes: a inside w, and v with neither; u has a file of its own. */
START_TEST(only_what_overlaps_is_shared)
{
    static const struct place {
        const char *name;
        uint64_t columns;
        entry entries[4];
        bool shared;
    } places[] = {
        { "w", 3, { { "location", "weights.bin" } }, true },
        { "a", 1, { { "location", "weights.bin" }, { "offset", "4" } }, true },
        { "v", 3, { { "location", "weights.bin" }, { "offset", "24" } }, false },
        { "u", 3, { { "location", "other.bin" }, { "offset", "0" } }, false },
    };
    static wire tensor, graph, bytes;
    tonnx_model *model = NULL;
    put_data();
    scratch_write("other.bin", numbers, sizeof numbers);
    for (size_t i = 0; i < 4; i++) {
        external_of(&tensor, places[i].name, TONNX_FLOAT, places[i].columns, places[i].entries);
        if (i) wire_message(&graph, 5, &tensor);
        else wire_graph(&graph, &tensor);
    }
    wire_model(&bytes, &graph);
    ck_ok(tonnx_onnx_load(&model, scratch_write("m.onnx", bytes.bytes, bytes.size), NULL));
    ck_assert_uint_eq(model->data_file_count, 2);
    for (size_t i = 0; i < 4; i++)
        ck_assert_msg(model->tensors[i].file_shared == places[i].shared, "%s", places[i].name);
    tonnx_model_free(model);
}
END_TEST

/* SparseTensorProto "w" float [2, 3] with 5 at [0, 1] and 7 at [1, 2]. */
static const char *sparse_file(bool linear, const int64_t *indices, size_t rank)
{
    static wire values, places, sparse, model;
    static const float stored[2] = { 5, 7 };
    values.size = places.size = sparse.size = 0;
    wire_varint(&values, 1, 2);
    wire_varint(&values, 2, TONNX_FLOAT);
    wire_text(&values, 8, "w");
    wire_bytes(&values, 9, stored, sizeof stored);
    wire_varint(&places, 1, 2);
    if (!linear) wire_varint(&places, 1, rank);
    wire_varint(&places, 2, TONNX_INT64);
    wire_bytes(&places, 9, indices, 2 * (linear ? 1 : rank) * sizeof *indices);
    wire_message(&sparse, 1, &values);
    wire_message(&sparse, 2, &places);
    wire_varint(&sparse, 3, ROWS);
    wire_varint(&sparse, 3, COLS);
    wire_sparse_model(&model, &sparse);
    return scratch_write("sparse.onnx", model.bytes, model.size);
}

/* Stored numbers are changed where they are stored; a zero that is trained makes the tensor dense. */
START_TEST(sparse_tensors_are_read_dense)
{
    static const int64_t linear[2] = { 1, 5 }, pairs[4] = { 0, 1, 1, 2 };
    const double stored[2][COUNT] = { { 0, 6, 0, 0, 0, 7 }, { 0, 6, 0, 0.5, 0, 7 } };
    tonnx_model *model = NULL, *again = NULL;
    for (int dense = 0; dense < 2; dense++) {
        ck_ok(tonnx_onnx_load(&model, sparse_file(_i, _i ? linear : pairs, 2), NULL));
        expect(model, 0, 1, 5);
        expect(model, 0, 5, 7);
        expect(model, 0, 0, 0);
        ck_ok(tonnx_model_write(model, 0, stored[dense]));
        ck_ok(tonnx_onnx_save(model, scratch_path("out.onnx"), NULL));
        ck_ok(tonnx_onnx_load(&again, scratch_path("out.onnx"), NULL));
        ck_assert_uint_eq(again->tensor_count, 1);
        ck_assert_int_eq(again->tensors[0].sparse == NULL, dense);
        for (size_t i = 0; i < COUNT; i++) expect(again, 0, i, stored[dense][i]);
        tonnx_model_free(model);
        tonnx_model_free(again);
    }
}
END_TEST

START_TEST(an_unchanged_or_removed_sparse_tensor_is_written_as_it_is)
{
    static const int64_t linear[2] = { 1, 5 };
    size_t size = 0;
    tonnx_model *model = NULL, *again = NULL;
    const char *path = sparse_file(true, linear, 2);
    unsigned char *source = scratch_read(path, &size);
    ck_ok(tonnx_onnx_load(&model, path, NULL));
    ck_ok(tonnx_model_write(model, 0, (double[]){ 0, 5, 0, 0, 0, 7 }));
    ck_ok(tonnx_onnx_save(model, scratch_path("out.onnx"), NULL));
    expect_file(scratch_path("out.onnx"), source, size);
    free(source);
    ck_ok(tonnx__model_rename_input(model, 0, 1, "x"));
    model->tensors[0].removed = true;
    ck_ok(tonnx_onnx_save(model, scratch_path("out.onnx"), NULL));
    ck_ok(tonnx_onnx_load(&again, scratch_path("out.onnx"), NULL));
    ck_assert_uint_eq(again->tensor_count, 0);
    tonnx_model_free(model);
    tonnx_model_free(again);
}
END_TEST

START_TEST(sparse_tensors_that_lie_are_refused)
{
    static const int64_t lies[4][4] = { { 1, 6 }, { 5, 1 }, { 1, 1 }, { -1, 2 } };
    tonnx_model *model = NULL;
    ck_fails(tonnx_onnx_load(&model, sparse_file(true, lies[_i], 2), NULL), TONNX_BAD_MODEL, "sparse tensor 'w'");
}
END_TEST

static Suite *external_suite(void)
{
    Suite *suite = suite_create("external");
    TCase *tcase = tcase_create("external");
    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_add_loop_test(tcase, a_range_of_a_file_is_read, 0, 3);
    tcase_add_loop_test(tcase, what_leads_elsewhere_is_refused, 0, 2 * sizeof refusals / sizeof *refusals);
    tcase_add_loop_test(tcase, folders_may_have_names_of_two_letters, 0, 2);
    tcase_add_test(tcase, what_does_not_fit_the_data_is_refused);
    tcase_add_test(tcase, entries_may_say_nothing);
    tcase_add_test(tcase, too_many_open_files_are_an_io_failure);
    tcase_add_test(tcase, only_what_overlaps_is_shared);
    tcase_add_test(tcase, an_unchanged_or_removed_sparse_tensor_is_written_as_it_is);
    tcase_add_test(tcase, a_model_of_no_folder_has_no_data_files);
    tcase_add_test(tcase, data_goes_where_the_model_goes);
    tcase_add_test(tcase, nothing_is_overwritten_but_its_own);
    tcase_add_test(tcase, into_memory_data_moves_in);
    tcase_add_test(tcase, shared_bytes_part);
    tcase_add_loop_test(tcase, sparse_tensors_are_read_dense, 0, 2);
    tcase_add_loop_test(tcase, sparse_tensors_that_lie_are_refused, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(external_suite());
}
