#include "damage.h"

#define BAD TONNX_TEST_DATA "/bad/"

static const char *svm(const char *text)
{
    return scratch_text("a.svm", text);
}

static tonnx_dataset *load(const char *path, size_t features, int base)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    tonnx_dataset *set = NULL;
    options.features = features;
    options.index_base = base;
    ck_ok(tonnx_dataset_load(&set, path, NULL, &options));
    return set;
}

START_TEST(sparse_lines_become_dense_rows)
{
    static const char *const texts[] = {
        "2 qid:7 1:0.5 4:-1e1\n0 qid:8\n1\tqid:9  2:3\n",
        "2 1:0.5 4:-1e1\n0\n1 2:3\n",
        "2  qid:7 1:0.5 4:-1e1\n0\n1 2:3\n",
        "\xef\xbb\xbf"
        "2 1:0.5 4:-1e1\n0\n1 2:3\n",
        "# a comment\n\n2 1:0.5  4:-10 # and another\r\n0 \n1\t2:+3.0",
    };
    static const float wanted[12] = { 0.5f, 0, 0, -10, 0, 0, 0, 0, 0, 3, 0, 0 };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tonnx_dataset *set = load(svm(texts[i]), 0, 1);
        ck_assert(set->samples == 3 && set->features == 4 && set->class_count == 3);
        ck_assert_mem_eq(set->x, wanted, sizeof wanted);
        ck_assert(set->classes[0] == 2 && set->classes[2] == 1 && !set->class_names);
        ck_assert_str_eq(set->target_name, "label");
        tonnx_dataset_free(set);
    }
}
END_TEST

START_TEST(indices_count_from_0_or_1)
{
    tonnx_dataset *set = load(svm("0 0:1 2:3\n"), 0, 0);
    ck_assert(set->features == 3 && set->x[0] == 1 && set->x[2] == 3);
    tonnx_dataset_free(set);
    set = load(svm("0 1:1 3:3\n"), 5, 1);
    ck_assert(set->features == 5 && set->x[0] == 1 && set->x[2] == 3 && set->x[4] == 0);
    tonnx_dataset_free(set);
    set = load(svm("0 1:1 3:3\n"), 4, 0);
    ck_assert(set->features == 4 && set->x[1] == 1 && set->x[3] == 3);
    tonnx_dataset_free(set);
}
END_TEST

START_TEST(labels_are_classes_signs_or_numbers)
{
    tonnx_data_options numbers = TONNX_DATA_OPTIONS_DEFAULT;
    numbers.classes = false;
    tonnx_dataset *set = load(svm("+1 1:1\n-1 1:2\n"), 0, 1);
    ck_assert(set->class_count == 2 && set->classes[0] == 1 && set->classes[1] == 0);
    ck_assert_str_eq(set->class_names[0], "-1");
    tonnx_dataset_free(set);
    ck_ok(tonnx_dataset_load(&set, scratch_path("a.svm"), NULL, &numbers));
    ck_assert(set->target_kind == TONNX_TARGET_NUMBER && set->targets[1] == -1.0f);
    tonnx_dataset_free(set);
    set = load(svm("+1 1:1\n1 1:2\n"), 0, 1);
    ck_assert(set->class_count == 2 && set->classes[0] == 1 && !set->class_names);
    tonnx_dataset_free(set);
    set = load(svm("0.5 1:1\n-2 1:2\n"), 0, 1);
    ck_assert(set->target_kind == TONNX_TARGET_NUMBER && set->targets[0] == 0.5f);
    tonnx_dataset_free(set);
    set = load(svm("5000000 1:1\n2 1:2\n"), 0, 1); /* no one has so many classes */
    ck_assert(set->target_kind == TONNX_TARGET_NUMBER && set->targets[0] == 5000000.0f);
    tonnx_dataset_free(set);
}
END_TEST

START_TEST(a_limit_changes_neither_width_nor_kind)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    tonnx_dataset *set = NULL;
    options.limit = 1;
    ck_ok(tonnx_dataset_load(&set, svm("1 1:1\n0.5 7:2\n"), NULL, &options));
    ck_assert(set->samples == 1 && set->features == 7 && set->target_kind == TONNX_TARGET_NUMBER);
    tonnx_dataset_free(set);
}
END_TEST

START_TEST(labels_may_be_the_target_of_another_file)
{
    tonnx_dataset *set = NULL;
    ck_ok(tonnx_dataset_load(&set, BAD "common/x.npy", BAD "twin-svm/data.svm", NULL));
    ck_assert(set->samples == 24 && set->class_count == 3);
    tonnx_dataset_free(set);
    ck_ok(tonnx_dataset_load(&set, BAD "twin-svm/data.svm", BAD "common/y.npy", NULL));
    ck_assert(set->samples == 24 && set->class_count == 3);
    tonnx_dataset_free(set);
    ck_fails(tonnx_dataset_load(&set, BAD "twin-svm/data.svm", "#1", NULL), TONNX_BAD_DATA, "no column '#1'");
}
END_TEST

START_TEST(wrong_lines_are_named)
{
    static const struct row {
        const char *text, *message;
    } rows[] = {
        { "1 1:one\n1 1:1\n", "a.svm:1: '1:one' is no INDEX:VALUE pair" },
        { "abc 1:1\n1 1:1\n", "a.svm:1: 'abc' is no label: a line is LABEL INDEX:VALUE" },
        { "0 :1 2:1\n1 1:1\n", "a.svm:1: ':1' is no INDEX:VALUE pair" },
        { "inf 1:1\n1 1:1\n", "a.svm:1: 'inf' is not a finite number" },
        { "1:1 2:2\n1 1:1\n", "a.svm:1: '1:1' is no label: a line is LABEL INDEX:VALUE" },
        { "1 1:1\n1 1:1 x\n", "a.svm:2: 'x' is no INDEX:VALUE pair" },
        { "1 1:1\n1 1:1 2;3\n", "a.svm:2: '2;3' is no INDEX:VALUE pair" },
        { "1 1:1\n1 :3\n", "a.svm:2: ':3' is no INDEX:VALUE pair" },
        { "1 1:1\n1 3:\n", "a.svm:2: '3:' is no INDEX:VALUE pair" },
        { "1 1:1\n1 -3:1\n", "a.svm:2: '-3:1' is no INDEX:VALUE pair" },
        { "1 1:1\n1 3:1:2\n", "a.svm:2: '3:1:2' is no INDEX:VALUE pair" },
        { "1 1:1\n2 qid:x 1:1\n", "a.svm:2: 'qid:x' is no INDEX:VALUE pair" },
        { "1 1:1\n2 1:1 qid:1\n", "a.svm:2: 'qid:1' is no INDEX:VALUE pair" },
        { "1 1:1\n2 qid:1x 1:1\n", "a.svm:2: 'qid:1x' is no INDEX:VALUE pair" },
        { "1 1:1\n1 2:1 1:1\n", "a.svm:2: '1:1' comes after an index as large" },
        { "1 1:1\n1 2:1 2:1\n", "a.svm:2: '2:1' comes after an index as large" },
        { "1 1:1\n1 0:1\n", "a.svm:2: '0:1' has index 0" },
        { "1 1:1\n1 2147483648:1\n", "a.svm:2: '2147483648:1' has an index beyond 31 bits" },
        { "1 1:1\n1 99999999999999999999999:1\n", "has an index beyond 31 bits" },
        { "1 1:1\n1 18446744073709551617:1\n", "has an index beyond 31 bits" },
        { "1 1:1\n1 2:nan\n", "a.svm:2: '2:nan' is not a finite number" },
        { "1 1:1\n1 2:-Inf\n", "a.svm:2: '2:-Inf' is not a finite number" },
        { "1 1:1\n1 2:1e39\n", "a.svm:2: '2:1e39' is beyond the range of float32" },
        { "1 1:1\nnan 2:1\n", "a.svm:2: 'nan' is not a finite number" },
        { "1 1:1\n1e99 2:1\n", "a.svm:2: '1e99' is beyond the range of float32" },
        { "1 1:1\n1,2 2:1\n", "a.svm:2: '1,2' is no label" },
        { "1 1:1\n2:1\n", "a.svm:2: '2:1' is no label" },
        { "1 qid:1\n0 qid:2\n", "no features: no line has a pair" },
        { "1 1:1\n1 2000000000:1\n", "too sparse to train densely" },
    };
    tonnx_dataset *set = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_fails(tonnx_dataset_load(&set, svm(rows[i].text), NULL, NULL), TONNX_BAD_DATA, rows[i].message);
    ck_fails(tonnx_dataset_load(&set, scratch_write("a.svm", "1 1:1\n1 2:\0\n", 12), NULL, NULL), TONNX_BAD_DATA,
             "a.svm:2: '1 2:' goes on with a NUL byte");
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.features = 6;
    ck_fails(tonnx_dataset_load(&set, svm("1 1:1\n1 7:1\n"), NULL, &options), TONNX_BAD_DATA,
             "a.svm:2: '7:1': its index is beyond the model's 6 features");
}
END_TEST

/* A larger file may swell further, by its size. */
START_TEST(many_lines_become_many_rows)
{
    enum { ROWS = 10000, COLUMNS = 450 };
    char *text = malloc(ROWS * 16), *at = text;
    for (int i = 0; i < ROWS; i++) at += sprintf(at, "%d %d:1\n", i % 3, i % COLUMNS + 1);
    tonnx_dataset *set = load(svm(text), 0, 1);
    ck_assert(set->samples == ROWS && set->features == COLUMNS && set->class_count == 3);
    for (size_t i = 0; i < ROWS; i++) ck_assert(set->x[i * COLUMNS + i % COLUMNS] == 1.0f);
    tonnx_dataset_free(set);
    free(text);
}
END_TEST

START_TEST(tables_are_not_taken_for_libsvm)
{
    static const char *const tables[] = { "1\n2\n3\n", "2021-01-01 10:30,5\n2021-01-02 11:30,6\n", "1 2,3\n4,5\n" };
    tonnx_dataset *set = NULL;
    for (size_t i = 0; i < 3; i++)
        if (!tonnx_dataset_load(&set, scratch_text("a.csv", tables[i]), NULL, NULL)) tonnx_dataset_free(set);
        else ck_assert_msg(!strstr(tonnx_last_message(), "pair"), "%s", tonnx_last_message());
}
END_TEST

START_TEST(bad_files_and_their_twin)
{
    tonnx_dataset *set = NULL, *plain = NULL;
    ck_fails(tonnx_dataset_load(&set, BAD "svm-bad-pair/data.svm", NULL, NULL), TONNX_BAD_DATA, "data.svm:4");
    ck_fails(tonnx_dataset_load(&set, BAD "svm-index-large/data.svm", NULL, NULL), TONNX_BAD_DATA, "data.svm:3");
    set = load(BAD "twin-svm/data.svm", 6, 1);
    ck_ok(tonnx_dataset_load(&plain, BAD "common/plain.csv", NULL, NULL));
    ck_assert_mem_eq(set->x, plain->x, 24 * 6 * sizeof(float));
    tonnx_dataset_free(set);
    tonnx_dataset_free(plain);
}
END_TEST

START_TEST(damage_is_refused_or_harmless)
{
    const char *path = svm("# birds\n2 1:0.0389 2:-0.369 4:-1.1e-3\r\n0\n1\t2:+3 3:7 # the last\n-1.5 4:0.5\n");
    ck_assert_uint_gt(damage_each(path, "hurt.svm", NULL, NULL), 500);
}
END_TEST

static Suite *libsvm_suite(void)
{
    Suite *suite = suite_create("libsvm");
    TCase *tests = tcase_create("libsvm");
    tcase_add_unchecked_fixture(tests, scratch_make, scratch_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, sparse_lines_become_dense_rows);
    tcase_add_test(tests, indices_count_from_0_or_1);
    tcase_add_test(tests, labels_are_classes_signs_or_numbers);
    tcase_add_test(tests, a_limit_changes_neither_width_nor_kind);
    tcase_add_test(tests, labels_may_be_the_target_of_another_file);
    tcase_add_test(tests, wrong_lines_are_named);
    tcase_add_test(tests, many_lines_become_many_rows);
    tcase_add_test(tests, tables_are_not_taken_for_libsvm);
    tcase_add_test(tests, bad_files_and_their_twin);
    tcase_add_test(tests, damage_is_refused_or_harmless);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(libsvm_suite());
}
