#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/file.h"
#include "support.h"

static char folder[64];

static void setup(void)
{
    strcpy(folder, "/tmp/tonnx-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* Entries of the folder but for "." and ".."; removes them where `sweep`. */
static int entries(bool sweep)
{
    DIR *dir = opendir(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[400];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        count++;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (sweep) remove(path);
    }
    closedir(dir);
    return count;
}

static void teardown(void)
{
    entries(true);
    rmdir(folder);
}

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const char *text)
{
    tonnx_file *file = NULL;
    ck_ok(tonnx_file_create(&file, path));
    ck_ok(tonnx_file_write(file, text, strlen(text)));
    ck_ok(tonnx_file_finish(file));
}

static void expect(const char *path, const char *text)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    ck_ok(tonnx_file_read(path, 1000, &bytes, &size));
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_int_eq(memcmp(bytes, text, size), 0);
    tonnx_file_free(bytes);
}

START_TEST(a_file_appears_whole_or_not_at_all)
{
    const char *path = in_folder("a");
    tonnx_file *file = NULL;
    put(path, "first");
    ck_ok(tonnx_file_create(&file, path));
    ck_ok(tonnx_file_write(file, "sec", 3));
    expect(path, "first");
    tonnx_file_discard(file);
    expect(path, "first");
    ck_assert_int_eq(entries(false), 1);
    put(path, "second");
    expect(path, "second");
    put(path, "");
    expect(path, "");
    ck_assert_int_eq(entries(false), 1);
    tonnx_file_discard(NULL);
}
END_TEST

START_TEST(two_writers_do_not_meet)
{
    tonnx_file *one = NULL, *two = NULL;
    ck_ok(tonnx_file_create(&one, in_folder("a")));
    ck_ok(tonnx_file_create(&two, in_folder("a")));
    ck_ok(tonnx_file_write(one, "one", 3));
    ck_ok(tonnx_file_write(two, "two", 3));
    ck_ok(tonnx_file_finish(one));
    expect(in_folder("a"), "one");
    ck_ok(tonnx_file_finish(two));
    expect(in_folder("a"), "two");
}
END_TEST

START_TEST(a_place_that_cannot_be_written_fails_at_once)
{
    tonnx_file *file = NULL;
    ck_fails(tonnx_file_create(&file, in_folder("none/a")), TONNX_IO_FAILED, "none/a");
    ck_assert_ptr_null(file);
    ck_fails(tonnx_file_create(&file, folder), TONNX_IO_FAILED, "is a folder");
    ck_fails(tonnx_file_create(&file, "/dev/null"), TONNX_IO_FAILED, "/dev/null");
    ck_assert_int_eq(entries(false), 0);
}
END_TEST

START_TEST(what_is_no_regular_file_is_not_read)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
    ck_fails(tonnx_file_read(in_folder("fifo"), 10, &bytes, &size), TONNX_IO_FAILED, "a FIFO");
    ck_fails(tonnx_file_read(folder, 10, &bytes, &size), TONNX_IO_FAILED, "a folder");
    ck_fails(tonnx_file_read(in_folder("none"), 10, &bytes, &size), TONNX_IO_FAILED, "none");
    put(in_folder("a"), "0123456789");
    ck_ok(tonnx_file_read(in_folder("a"), 10, &bytes, &size));
    tonnx_file_free(bytes);
    ck_fails(tonnx_file_read(in_folder("a"), 9, &bytes, &size), TONNX_IO_FAILED, "limit");
    ck_assert(!bytes && !size);
}
END_TEST

START_TEST(aliases_are_one_file)
{
    put(in_folder("a"), "a");
    put(in_folder("b"), "a");
    ck_assert_int_eq(link(in_folder("a"), in_folder("hard")), 0);
    ck_assert_int_eq(symlink("a", in_folder("soft")), 0);
    ck_assert(tonnx_file_same(in_folder("a"), in_folder("hard")));
    ck_assert(tonnx_file_same(in_folder("soft"), in_folder("a")));
    ck_assert(!tonnx_file_same(in_folder("a"), in_folder("b")));
    ck_assert(!tonnx_file_same(in_folder("none"), in_folder("none")));
}
END_TEST

START_TEST(a_link_stays_and_rights_are_kept)
{
    struct stat info;
    put(in_folder("a"), "old");
    ck_assert_int_eq(chmod(in_folder("a"), 0640), 0);
    ck_assert_int_eq(symlink("a", in_folder("soft")), 0);
    put(in_folder("soft"), "new");
    ck_assert_int_eq(lstat(in_folder("soft"), &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
    expect(in_folder("a"), "new");
    ck_assert_int_eq(stat(in_folder("a"), &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0640);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file)
{
    static char much[1 << 16];
    tonnx_file *file = NULL;
    put(in_folder("a"), "old");
    const struct rlimit small = { 4096, RLIM_INFINITY };
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_ok(tonnx_file_create(&file, in_folder("a")));
    ck_fails(tonnx_file_write(file, much, sizeof much), TONNX_IO_FAILED, "/a: cannot be written");
    tonnx_file_discard(file);
    expect(in_folder("a"), "old");
    ck_assert_int_eq(entries(false), 1);
}
END_TEST

static Suite *file_suite(void)
{
    Suite *suite = suite_create("file");
    TCase *tests = tcase_create("file");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_file_appears_whole_or_not_at_all);
    tcase_add_test(tests, two_writers_do_not_meet);
    tcase_add_test(tests, a_place_that_cannot_be_written_fails_at_once);
    tcase_add_test(tests, what_is_no_regular_file_is_not_read);
    tcase_add_test(tests, aliases_are_one_file);
    tcase_add_test(tests, a_link_stays_and_rights_are_kept);
    tcase_add_test(tests, a_full_disk_leaves_the_old_file);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(file_suite());
}
