/* Every reader over good files of its kind, and the writers of the same, with the N-th allocation failing, N = 1 … end:
 * the status is "out of memory", nothing half-made comes out. (The sanitizers' build adds: nothing leaks. What
 * libraries allocate, and calls on files, are tests/faults.) */
#include "converters/weights.h"
#include "format/data.h"
#include "format/file.h"
#include "format/onnx.h"
#include "runtime/model_impl.h"
#include "scratch.h"
#include "wire.h"

#define BAD    TONNX_TEST_DATA "/bad/"
#define EXPORT TONNX_TEST_DATA "/exports/"

/* Some way through the library; true where nothing came out of one that failed. */
typedef struct way {
    tonnx_status (*go)(const void *what);
    const void *what;
    const char *name;
} way;

static void loop(const way *w, bool forever)
{
    tonnx_status status = TONNX_NO_MEMORY;
    ck_ok(w->go(w->what));
    for (size_t nth = 1; status; nth++) {
        tonnx__mem_fault(nth, forever);
        status = w->go(w->what);
        const size_t made = tonnx__mem_fault(0, false);
        ck_assert_msg(status == (made >= nth ? TONNX_NO_MEMORY : TONNX_OK), "%s, allocation %zu: %s", w->name, nth,
                      tonnx_last_message());
        ck_assert_msg(!status || strstr(tonnx_last_message(), "out of memory"), "%s, allocation %zu: %s", w->name, nth,
                      tonnx_last_message());
    }
}

static void each_allocation(tonnx_status (*go)(const void *what), const void *what, const char *name)
{
    const way w = { go, what, name };
    loop(&w, false);
    loop(&w, true);
}

typedef struct table {
    const char *name, *text; /* a file to write; NULL: it is there under that name */
    const char *target;      /* a column, an array, or a file that is there; NULL: none */
    tonnx_data_options options;
} table;

#define OPTIONS .size = sizeof(tonnx_data_options), .index_base = 1

static const char *const species[] = { "cat", "dog", "eel" };
static const char *const wanted[] = { "b", "a" };

static const table tables[] = {
    { "t.csv", "a,b,k\n1,2,dog\n\"3\",4,\"the \"\"cat\"\"\"\n5,6,dog\n", "k", { OPTIONS, .classes = true } },
    { "t.csv",
      "a,b,k\n1,2,dog\n3,4,cat\n",
      "k",
      { OPTIONS, .classes = true, .class_names = species, .class_count = 3 } },
    { "t.csv", "a,b,k\n1,2,0\n4,5,1\n", "k", { OPTIONS, .classes = true, .columns = wanted, .column_count = 2 } },
    { "t.csv", "a,b,c\n1,2,3\n4,5,6\n", NULL, { OPTIONS, .columns = wanted, .column_count = 2 } },
    { "t.csv", "1,2,0\n3,4,1\n5,True,2\n7,8,0\n", "#3", { OPTIONS, .classes = true, .limit = 2 } },
    { "t.tsv", "1\t2\t0.5\n3\t4\t-1\n", "#3", { OPTIONS } },
    { "t.txt", "1 2\n3 4\n5 6\n1 2\n3 4\n5 6\n1 2\n3 4\n5 6\n", "words.txt", { OPTIONS, .classes = true } },
    { "t.csv",
      "0000000000000000000000000000000000000000000000000000001,2,3,4\n" /* longer than the others: more rows than room */
      "1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,\"4\"\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n",
      NULL,
      { OPTIONS } },
    { "t.svm", "1 1:2 3:4\n-1 2:1 # no\n\n1 qid:7 1:1\n", NULL, { OPTIONS, .classes = true } },
    { "t.svm", "2 1:2 3:4\n0 2:1\n", NULL, { OPTIONS, .classes = true, .limit = 1 } },
    { "t.svm", "0.5 1:2\n1.5 2:1\n", NULL, { OPTIONS, .features = 4 } },
    { "t.csv", "1,2\n3,4\n", "labels.svm", { OPTIONS, .classes = true } },
    { TONNX_TEST_DATA "/npz/stored.npz", NULL, NULL, { OPTIONS, .classes = true } },
    { TONNX_TEST_DATA "/npz/deflated.npz", NULL, "y", { OPTIONS, .classes = true } },
    { TONNX_TEST_DATA "/npz/streamed.npz", NULL, NULL, { OPTIONS, .x_key = "x" } },
    { BAD "twin-safetensors/batch.safetensors", NULL, NULL, { OPTIONS, .classes = true } },
    { BAD "twin-npy-double-v2/feat.npy", NULL, NULL, { OPTIONS } },
    { BAD "twin-npy-fortran/feat.npy", NULL, NULL, { OPTIONS } },
    { BAD "common/x.npy", NULL, BAD "common/y.npy", { OPTIONS, .classes = true } },
    { BAD "twin-idx-gz/img-idx2-ubyte.gz", NULL, BAD "twin-idx-gz/lab-idx1-ubyte.gz", { OPTIONS, .classes = true } },
};

static tonnx_status load_table(const void *what)
{
    const table *t = what;
    tonnx_dataset *data = NULL;
    const tonnx_status status =
        tonnx_dataset_load(&data, t->text ? scratch_path(t->name) : t->name, t->target, &t->options);
    ck_assert(!data == !!status);
    tonnx_dataset_free(data);
    return status;
}

START_TEST(a_table_is_read)
{
    table t = tables[_i];
    if (t.text) scratch_text(t.name, t.text);
    scratch_text("words.txt", "dog\ncat\ndog\ncat\ndog\ncat\ndog\ncat\ndog\n"); /* no header after all */
    scratch_text("labels.svm", "1 1:0\n0 1:0\n");
    if (t.target && strchr(t.target, '.') && *t.target != '/') t.target = scratch_path(t.target);
    each_allocation(load_table, &t, t.name);
}
END_TEST

/* Forms that no exporter above has: external data, sparse tensors, functions with defaults, constants, metadata. */
static const char *const models[] = {
    EXPORT "external-data-ts17/model.onnx",
    EXPORT "hand-functions/model.onnx",
    EXPORT "hand-constant-nodes/model.onnx",
    EXPORT "hand-function-attribute/model.onnx",
    EXPORT "hand-half-int32-data/model.onnx",
    EXPORT "hand-double-data/model.onnx",
    EXPORT "skl-binary-relu-strings/model.onnx",
    EXPORT "hand-unused-things/model.onnx",
    NULL, /* sparse.onnx */
};

/* Loads a model, changes its numbers, and writes it into memory and into a file. */
static tonnx_status load_and_write(const void *what)
{
    tonnx_model *model = NULL;
    unsigned char *bytes = NULL;
    size_t size = 0;
    double *values = calloc(1 << 16, sizeof *values);
    tonnx_status status = tonnx_onnx_load(&model, what, NULL);
    ck_assert(!model == !!status);
    for (size_t i = 0; !status && i < model->tensor_count; i++) {
        if (!model->tensors[i].bytes) continue;
        status = tonnx_model_read(model, i, values);
        for (size_t k = 0; !status && k < model->tensors[i].count; k++) values[k] = values[k] == 0 ? 1 : values[k] / 2;
        if (!status) status = tonnx_model_write(model, i, values);
    }
    if (!status) status = tonnx_onnx_write(model, &bytes, &size);
    ck_assert(!bytes == !!status);
    if (!status) status = tonnx_onnx_save(model, scratch_path("out.onnx"), NULL);
    tonnx_file_free(bytes);
    tonnx_model_free(model);
    free(values);
    return status;
}

/* SparseTensorProto "w" float [2, 3] with 5 at [0, 1]; metadata. */
static const char *sparse_file(void)
{
    static wire values, places, sparse, model;
    static const int64_t at[2] = { 0, 1 };
    values.size = places.size = sparse.size = 0;
    wire_tensor(&values, TONNX_FLOAT, 1, (uint64_t[]){ 1 });
    wire_bytes(&values, 9, (float[]){ 5 }, sizeof(float));
    wire_varint(&places, 1, 1);
    wire_varint(&places, 1, 2);
    wire_varint(&places, 2, TONNX_INT64);
    wire_bytes(&places, 9, at, sizeof at);
    wire_message(&sparse, 1, &values);
    wire_message(&sparse, 2, &places);
    wire_varint(&sparse, 3, 2);
    wire_varint(&sparse, 3, 3);
    wire_sparse_model(&model, &sparse);
    values.size = 0;
    wire_text(&values, 1, "author");
    wire_text(&values, 2, "nobody");
    wire_message(&model, 14, &values);
    return scratch_write("sparse.onnx", model.bytes, model.size);
}

START_TEST(a_model_is_read_changed_and_written)
{
    char path[600]; /* a scratch path is good for eight calls only */
    snprintf(path, sizeof path, "%s", models[_i] ? models[_i] : sparse_file());
    each_allocation(load_and_write, path, path);
}
END_TEST

static tonnx_status write_rows(const void *what)
{
    static const float values[6] = { 1, -2.5f, 1e-30f, 0.1f, 3, 4 };
    tonnx_rows_file *file = NULL;
    tonnx_status status = tonnx_rows_create(&file, scratch_path(what), 2);
    ck_assert(!file == !!status);
    if (!status) tonnx_rows_shape(file, (int64_t[]){ 3, 1 }, 2);
    for (size_t i = 0; !status && i < 2; i++) status = tonnx_rows_write(file, values + 3 * i, 1, 3);
    if (!status) return tonnx_rows_finish(file);
    tonnx_rows_discard(file);
    return status;
}

START_TEST(rows_are_written)
{
    static const char *const names[] = { "p.npy", "p.npz", "p.csv", "p.tsv" };
    each_allocation(write_rows, names[_i], names[_i]);
}
END_TEST

static tonnx_status copy_weights(const void *what)
{
    const char *const *names = what;
    return tonnx_weights_copy(names[0], scratch_path(names[1]));
}

START_TEST(weights_are_copied)
{
    static const char *const names[][2] = {
        { TONNX_TEST_DATA "/npz/deflated.npz", "w.safetensors" },
        { TONNX_TEST_DATA "/npz/several.npz", "w.npz" },
        { BAD "twin-safetensors/batch.safetensors", "w.npz" },
    };
    each_allocation(copy_weights, names[_i], names[_i][0]);
    ck_fails(tonnx_weights_copy(BAD "common/plain.csv", scratch_path("w.npz")), TONNX_BAD_MODEL,
             "plain.csv: is neither .npz nor .safetensors");
}
END_TEST

static Suite *reader_faults_suite(void)
{
    Suite *suite = suite_create("reader_faults");
    TCase *tests = tcase_create("memory");
    tcase_add_unchecked_fixture(tests, scratch_make, scratch_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_table_is_read, 0, sizeof tables / sizeof *tables);
    tcase_add_loop_test(tests, a_model_is_read_changed_and_written, 0, sizeof models / sizeof *models);
    tcase_add_loop_test(tests, rows_are_written, 0, 4);
    tcase_add_loop_test(tests, weights_are_copied, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(reader_faults_suite());
}
