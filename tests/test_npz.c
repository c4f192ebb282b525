#include <fcntl.h>

#include "damage.h"

#define GOOD TONNX_TEST_DATA "/npz/"
#define BAD  TONNX_TEST_DATA "/bad/"

static const float wanted_x[15] = { 3.0f,    -4.25f,  -3.25f, -2.75f, -3.25f, 3.0f,   3.625f, 0.75f,
                                    -4.625f, -4.125f, -1.75f, -0.75f, 1.125f, -0.25f, -2.375f };
static const int32_t wanted_y[5] = { 0, 2, 1, 1, 0 };

static void check_x(const tonnx_dataset *set)
{
    ck_assert(set->samples == 5 && set->features == 3);
    ck_assert_mem_eq(set->x, wanted_x, sizeof wanted_x);
}

static void check_both(const tonnx_dataset *set)
{
    check_x(set);
    ck_assert(set->class_count == 3);
    ck_assert_mem_eq(set->classes, wanted_y, sizeof wanted_y);
}

static tonnx_dataset *load(const char *path, const char *x_key, const char *y_key)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    tonnx_dataset *set = NULL;
    options.x_key = x_key;
    options.y_key = y_key;
    ck_ok(tonnx_dataset_load(&set, path, NULL, &options));
    return set;
}

START_TEST(both_arrays_of_one_file)
{
    static const char *const files[] = { GOOD "stored.npz", GOOD "deflated.npz", GOOD "streamed.npz" };
    for (size_t i = 0; i < 3; i++) {
        tonnx_dataset *set = load(files[i], NULL, NULL);
        check_both(set);
        ck_assert_str_eq(set->target_name, "y");
        tonnx_dataset_free(set);
    }
}
END_TEST

START_TEST(keys_choose)
{
    tonnx_dataset *set = load(GOOD "several.npz", "inputs", "labels");
    check_both(set);
    tonnx_dataset_free(set);
    set = load(GOOD "several.npz", "inputs", "wide");
    ck_assert(set->target_width == 2 && set->targets[2] == 2.0f);
    tonnx_dataset_free(set);
    set = load(GOOD "several.npz", "inputs", NULL);
    ck_assert(set->target_kind == TONNX_TARGET_NONE);
    tonnx_dataset_free(set);
    set = load(GOOD "unnamed.npz", NULL, NULL);
    check_x(set);
    tonnx_dataset_free(set);
    ck_ok(tonnx_dataset_load(&set, GOOD "unnamed.npz", GOOD "stored.npz", NULL));
    check_both(set);
    tonnx_dataset_free(set);
    ck_ok(tonnx_dataset_load(&set, GOOD "deflated.npz", "y", NULL));
    check_both(set);
    tonnx_dataset_free(set);
}
END_TEST

START_TEST(unknown_keys_name_those_there_are)
{
    static const struct row {
        const char *file, *target, *x_key, *y_key, *message;
    } rows[] = {
        { "several.npz", NULL, NULL, NULL, "no array 'x'; choose with --x-key among: inputs, labels, wide" },
        { "several.npz", NULL, "inputs", "targets", "no array 'targets'; choose with --y-key among: inputs" },
        { "several.npz", NULL, "inputs", "inputs", "'inputs' cannot be both" },
        { "stored.npz", GOOD "several.npz", NULL, NULL, "several.npz: no array 'y'; choose with --y-key" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[512];
        tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
        tonnx_dataset *set = NULL;
        options.x_key = rows[i].x_key;
        options.y_key = rows[i].y_key;
        snprintf(path, sizeof path, GOOD "%s", rows[i].file);
        ck_fails(tonnx_dataset_load(&set, path, rows[i].target, &options), TONNX_BAD_DATA, rows[i].message);
    }
    tonnx_dataset *set = NULL;
    ck_fails(tonnx_dataset_load(&set, GOOD "stored.npz", "nothing", NULL), TONNX_BAD_DATA,
             "no array 'nothing'; choose with --target among");
    ck_fails(tonnx_dataset_load(&set, GOOD "stored.npz", "no/file.npy", NULL), TONNX_IO_FAILED,
             "file.npy: no such file");
}
END_TEST

START_TEST(a_limit_takes_the_first_samples_of_both)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.limit = 2;
    static const char *const files[] = { GOOD "stored.npz", GOOD "deflated.npz" };
    for (size_t i = 0; i < 2; i++) {
        tonnx_dataset *set = NULL;
        ck_ok(tonnx_dataset_load(&set, files[i], NULL, &options));
        ck_assert(set->samples == 2 && set->classes[1] == 2);
        ck_assert_mem_eq(set->x, wanted_x, 24);
        tonnx_dataset_free(set);
    }
}
END_TEST

START_TEST(standard_input_is_read)
{
    tonnx_dataset *set = NULL;
    const int before = dup(STDIN_FILENO), file = open(GOOD "deflated.npz", O_RDONLY);
    ck_assert_int_ge(dup2(file, STDIN_FILENO), 0);
    ck_ok(tonnx_dataset_load(&set, "-", NULL, NULL));
    dup2(before, STDIN_FILENO);
    close(before);
    close(file);
    check_both(set);
    tonnx_dataset_free(set);
}
END_TEST

static void put(unsigned char *at, size_t bytes, size_t value)
{
    for (size_t i = 0; i < bytes; i++) at[i] = (unsigned char)(value >> 8 * i);
}

/* The first directory entry. */
static unsigned char *central(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i + 4 <= size; i++)
        if (!memcmp(bytes + i, "PK\1\2", 4)) return bytes + i;
    abort();
}

static unsigned char *second(unsigned char *bytes, size_t size)
{
    unsigned char *first = central(bytes, size);
    return central(first + 4, size - (size_t)(first + 4 - bytes));
}

/* What is done to stored.npz, which has x.npy (188 bytes) and y.npy, and what has to be said. */
typedef struct lie {
    const char *message;
    void (*tell)(unsigned char *first, unsigned char *second, unsigned char *bytes);
} lie;

static void encrypt(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    first[8] |= 1;
}

static void pack_otherwise(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    put(first + 10, 2, 12); /* bzip2 */
}

static void share_bytes(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    put(first + 20, 4, 250);
    put(first + 24, 4, 250);
}

static void be_the_same(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)bytes;
    memcpy(other + 42, first + 42, 4);
    memcpy(other + 46, first + 46, 5);
    memcpy(other + 20, first + 20, 8);
}

static void name_alike(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    const size_t at = (size_t)other[42] | (size_t)other[43] << 8;
    other[46] = first[46];
    bytes[at + 30] = first[46];
}

static void swell(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    put(first + 10, 2, 8);
    put(first + 24, 4, 1033 * 248);
}

static void differ_in_size(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    put(first + 24, 4, 187);
}

static void lie_elsewhere(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    put(first + 42, 4, 3);
}

static void lie_beyond(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    put(first + 42, 4, 1 << 30);
}

static void break_sum(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    first[16] ^= 1;
}

static void break_header(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)first, (void)other;
    bytes[30 + 5 + 20] = 'X'; /* the magic of x.npy, behind 20 bytes of extra field */
}

static void lose_its_name(unsigned char *first, unsigned char *other, unsigned char *bytes)
{
    (void)other, (void)bytes;
    put(first + 28, 2, 0);
}

START_TEST(archives_that_lie_are_refused)
{
    static const lie lies[] = {
        { "entry 'x.npy' is encrypted", encrypt },
        { "entry 'x.npy' is packed by other means", pack_otherwise },
        { "entries 'x.npy' and 'y.npy' overlap", share_bytes },
        { "overlap", be_the_same },
        { "entry 'x.npy' is there twice", name_alike },
        { "entry 'x.npy': 256184 bytes cannot be", swell },
        { "entry 'x.npy' is stored, but its two sizes differ", differ_in_size },
        { "entry 'x.npy' is not where", lie_elsewhere },
        { "entry 'x.npy' begins beyond", lie_beyond },
        { "array 'x': is damaged: its CRC-32", break_sum },
        { "array 'x': is no .npy", break_header },
        { "an entry's name is empty", lose_its_name },
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        size_t size;
        tonnx_dataset *set = NULL;
        unsigned char *bytes = scratch_read(GOOD "stored.npz", &size);
        lies[i].tell(central(bytes, size), second(bytes, size), bytes);
        ck_fails(tonnx_dataset_load(&set, scratch_write("lie.npz", bytes, size), NULL, NULL), TONNX_BAD_DATA,
                 lies[i].message);
        ck_assert(strstr(tonnx_last_message(), "lie.npz"));
        free(bytes);
    }
}
END_TEST

enum { END = 22, END64 = 56, LOCATOR = 20 };

/* stored.npz with a 64-bit end record and the locator of it, as archives beyond 4 GiB have them. */
static const char *with_end64(size_t end64_at, size_t directory_at, size_t directory_size)
{
    size_t size;
    unsigned char *bytes = scratch_read(GOOD "stored.npz", &size), *end64 = bytes + size - END;
    memmove(end64 + END64 + LOCATOR, end64, END);
    memset(end64, 0, END64 + LOCATOR);
    memcpy(end64, "PK\6\6", 4);
    put(end64 + 4, 8, END64 - 12);
    put(end64 + 24, 8, 2);
    put(end64 + 32, 8, 2);
    put(end64 + 40, 8, directory_size);
    put(end64 + 48, 8, directory_at);
    memcpy(end64 + END64, "PK\6\7", 4);
    put(end64 + END64 + 8, 8, end64_at);
    put(end64 + END64 + 16, 4, 1);
    const char *path = scratch_write("large.npz", bytes, size + END64 + LOCATOR);
    free(bytes);
    return path;
}

START_TEST(the_end_record_of_large_archives)
{
    enum { DIRECTORY_AT = 466, DIRECTORY_SIZE = 102, END64_AT = DIRECTORY_AT + DIRECTORY_SIZE };
    tonnx_dataset *set = load(with_end64(END64_AT, DIRECTORY_AT, DIRECTORY_SIZE), NULL, NULL);
    check_both(set);
    tonnx_dataset_free(set);
    static const struct row {
        size_t at, directory_at, directory_size;
        const char *message;
    } rows[] = {
        { SIZE_MAX, DIRECTORY_AT, DIRECTORY_SIZE, "a record lies beyond the file's end" },
        { 0, DIRECTORY_AT, DIRECTORY_SIZE, "its 64-bit end record is not where it should be" },
        { END64_AT, SIZE_MAX, DIRECTORY_SIZE, "its directory lies beyond the file's end" },
        { END64_AT, DIRECTORY_AT, SIZE_MAX, "its directory lies beyond the file's end" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_fails(tonnx_dataset_load(&set, with_end64(rows[i].at, rows[i].directory_at, rows[i].directory_size), NULL,
                                    NULL),
                 TONNX_BAD_DATA, rows[i].message);
}
END_TEST

/* An end record in the comment of another: whoever reads the archive may take the one or the other. */
START_TEST(an_archive_of_two_directories_is_refused)
{
    size_t size;
    tonnx_dataset *set = NULL;
    unsigned char *bytes = scratch_read(GOOD "stored.npz", &size), *end = bytes + size - END;
    memcpy(end + END, end, END);
    put(end + 20, 2, END); /* its comment */
    put(end + END + 8, 2, 1);
    put(end + END + 10, 2, 1); /* entries, the first of them, */
    put(end + END + 12, 4, (size_t)(second(bytes, size) - central(bytes, size)));
    ck_fails(tonnx_dataset_load(&set, scratch_write("two.npz", bytes, size + END), NULL, NULL), TONNX_BAD_DATA,
             "two.npz: the zip archive has two directories");
    free(bytes);
}
END_TEST

/* What is no .npy is no array: here x.npy is called x, and what its name was is an extra field. */
START_TEST(other_entries_are_passed_over)
{
    size_t size;
    unsigned char *bytes = scratch_read(GOOD "stored.npz", &size), *first = central(bytes, size);
    put(first + 28, 2, 1);
    put(first + 30, 2, 4);
    memcpy(first + 47, "\xfe\xca\0", 4);
    put(bytes + 26, 2, 1);
    put(bytes + 28, 2, 24);
    memcpy(bytes + 31, "\xfe\xca\0", 4);
    tonnx_dataset *set = load(scratch_write("other.npz", bytes, size), NULL, NULL);
    ck_assert(set->samples == 5 && set->features == 1 && set->target_kind == TONNX_TARGET_NONE);
    tonnx_dataset_free(set);
    free(bytes);
}
END_TEST

START_TEST(bad_archives_and_their_twin)
{
    tonnx_dataset *set = NULL, *plain = NULL;
    ck_fails(tonnx_dataset_load(&set, BAD "npz-bad-crc/pack.npz", NULL, NULL), TONNX_BAD_DATA, "array 'x': is damaged");
    ck_fails(tonnx_dataset_load(&set, BAD "npz-bomb/pack.npz", NULL, NULL), TONNX_BAD_DATA, "entry 'x.npy'");
    ck_fails(tonnx_dataset_load(&set, BAD "npz-cut/pack.npz", NULL, NULL), TONNX_BAD_DATA, "no end record");
    ck_ok(tonnx_dataset_load(&set, BAD "twin-npz-deflated/pack.npz", NULL, NULL));
    ck_ok(tonnx_dataset_load(&plain, BAD "common/x.npy", NULL, NULL));
    ck_assert_mem_eq(set->x, plain->x, 24 * 6 * sizeof(float));
    tonnx_dataset_free(set);
    tonnx_dataset_free(plain);
}
END_TEST

START_TEST(no_damage_goes_unseen)
{
    ck_assert_uint_gt(damage_each(GOOD "stored.npz", "hurt.npz", NULL, check_x), 5000);
    ck_assert_uint_gt(damage_each(GOOD "deflated.npz", "hurt.npz", NULL, check_x), 5000);
    ck_assert_uint_gt(damage_each(GOOD "streamed.npz", "hurt.npz", NULL, check_x), 3000);
}
END_TEST

static Suite *npz_suite(void)
{
    Suite *suite = suite_create("npz");
    TCase *tests = tcase_create("npz");
    tcase_add_unchecked_fixture(tests, scratch_make, scratch_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, both_arrays_of_one_file);
    tcase_add_test(tests, keys_choose);
    tcase_add_test(tests, unknown_keys_name_those_there_are);
    tcase_add_test(tests, a_limit_takes_the_first_samples_of_both);
    tcase_add_test(tests, standard_input_is_read);
    tcase_add_test(tests, archives_that_lie_are_refused);
    tcase_add_test(tests, the_end_record_of_large_archives);
    tcase_add_test(tests, an_archive_of_two_directories_is_refused);
    tcase_add_test(tests, other_entries_are_passed_over);
    tcase_add_test(tests, bad_archives_and_their_twin);
    tcase_add_test(tests, no_damage_goes_unseen);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(npz_suite());
}
