/* The fast way through a table, on every set of instructions: what it takes and what it leaves, and that its numbers are
 * those of the slow way, bit by bit. */
#define _GNU_SOURCE /* newlocale */
#include <inttypes.h>
#include <math.h>

#include "format/data/csv_impl.h"
#include "format/data/source_impl.h"
#include "runtime/rng_impl.h"
#include "scratch.h"

enum { MOST = 1000 };

/* The numbers of a table's first record of `cells`, with or without the processor's vectors; 0 where it is not plain. */
static size_t read_plain(const char *text, size_t cells, bool scalar, double *numbers)
{
    tonnx__source *source = NULL;
    tonnx__csv csv;
    const tonnx__plain to = { cells, numbers, TONNX__NO_COLUMN, NULL };
    ck_ok(tonnx__source_open(&source, scratch_text("plain.csv", text)));
    ck_ok(tonnx__csv_begin(&csv, source));
    csv.scalar = scalar;
    const size_t bytes = tonnx__csv_plain(&csv, &to);
    tonnx__csv_end(&csv);
    tonnx__source_close(source);
    return bytes;
}

static double slow(const char *cell)
{
    double value = 0.0;
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    ck_assert_int_eq(tonnx__read_number(cell, c, &value), TONNX__CELL_NUMBER);
    freelocale(c);
    return value;
}

static void same_bits(const char *cell, double value)
{
    const double wanted = slow(cell);
    ck_assert_msg(!memcmp(&wanted, &value, sizeof value), "%s: %.17g, not %.17g", cell, value, wanted);
}

START_TEST(what_is_plain_is_taken)
{
    static const char *const cells[] = {
        "0", "-0", "7", "42", "255", "9999", "12345", "-12345", "00012", "12345678", "123456789", "9999999999999998",
        "9007199254740994", "1234567890123456789", "0.5", "-0.5", "-0.0", "00.50", "1.5", "1234567.12345678", "12345678.1",
        "12345678.1234567", "123456789.123456", "12345678901234.5", "0.12345678901234", "0.123456789012345", "-1.23456789012345",
        "1e5", "-1E-3", "1.5e+3", "0.1e22",
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        for (int scalar = 0; scalar < 2; scalar++) {
            char text[128];
            double numbers[3];
            const size_t length = (size_t)snprintf(text, sizeof text, "%s,%s,%s\r\n1,2,3\n", cells[i], cells[i], cells[i]);
            ck_assert_msg(read_plain(text, 3, scalar, numbers) == length - 6, "%s", cells[i]);
            for (int k = 0; k < 3; k++) same_bits(cells[i], numbers[k]);
        }
}
END_TEST

START_TEST(what_is_not_is_left)
{
    static const char *const cells[] = { "",      "-",    ".",      "-.",  ".5",  "5.",     "-5.",  "+1",        " 1",    "1 ",
                                         "\"1\"", "1-",   "--1",    "1/2", "1:2", "1.2.3",  "1..2", "0x10",      "nan",   "x",
                                         "1.5x",  "1e",   "1e+",    "1e5x", "12x4", "123456789x", "1.234567x9", "1234567.1234.67", "\xc3\xa9",
                                         "1\r",   "1e0001", "12345678901234567890" };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        for (int scalar = 0; scalar < 2; scalar++) {
            char text[128];
            double numbers[3];
            for (int at = 0; at < 3; at++) { /* as the first, a middle and the last cell */
                snprintf(text, sizeof text, "%s,%s,%s\n7,8,9\n", at == 0 ? cells[i] : "7", at == 1 ? cells[i] : "8",
                         at == 2 ? cells[i] : "9");
                if (at == 2 && !strcmp(cells[i], "1\r")) continue; /* a line's end */
                ck_assert_msg(!read_plain(text, 3, scalar, numbers), "%s", text);
            }
        }
}
END_TEST

START_TEST(a_record_has_as_many_cells_and_an_end)
{
    double numbers[4];
    for (int scalar = 0; scalar < 2; scalar++) {
        ck_assert_uint_eq(read_plain("1,2\n3,4\n", 2, scalar, numbers), 4);
        ck_assert_uint_eq(read_plain("1,2\n3,4\n", 3, scalar, numbers), 0);
        ck_assert_uint_eq(read_plain("1,2,3\n", 2, scalar, numbers), 0);
        ck_assert_uint_eq(read_plain("1,2,\n", 2, scalar, numbers), 0);
        ck_assert_uint_eq(read_plain("1,2", 2, scalar, numbers), 0);
        ck_assert_uint_eq(read_plain("\n1,2\n", 2, scalar, numbers), 0);
    }
}
END_TEST

/* A number in one of the ways that tools write it. Exponents and digits are few enough for it to be plain. */
static void spell(char *to, size_t room, uint64_t i)
{
    const uint32_t word = tonnx__rng_word(1, 1, i), more = tonnx__rng_word(1, 2, i);
    const double value = ((double)word - 2147483648.0) * pow(10.0, (double)(more % 16) - 12.0);
    const int kind = (int)(more >> 29);
    if (kind == 0) snprintf(to, room, "%" PRIu32, word % 256);
    else if (kind == 1) snprintf(to, room, "%" PRId64, ((int64_t)word << 28) >> more % 60);
    else if (kind == 2) snprintf(to, room, "%.*e", (int)(word % 9), value);
    else if (kind == 3) snprintf(to, room, "%.*f", (int)(1 + word % 6), value * 1e-3);
    else snprintf(to, room, "%.*g", (int)(1 + word % 14), value);
}

/* Lines far longer than a block of 64 bytes, so that cells lie across its ends in every way. */
START_TEST(numbers_are_those_of_the_slow_way)
{
    static char text[MOST * 40], cells[MOST][40];
    static double numbers[MOST];
    for (uint64_t round = 0; round < 20; round++) {
        size_t at = 0;
        for (size_t i = 0; i < MOST; i++) {
            spell(cells[i], sizeof cells[i], round * MOST + i);
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%c", cells[i], i + 1 < MOST ? ',' : '\n');
        }
        for (int scalar = 0; scalar < 2; scalar++) {
            ck_assert_uint_eq(read_plain(text, MOST, scalar, numbers), at);
            for (size_t i = 0; i < MOST; i++) same_bits(cells[i], numbers[i]);
        }
    }
}
END_TEST

static Suite *csv_plain_suite(void)
{
    const TTest *tests[] = { what_is_plain_is_taken, what_is_not_is_left, a_record_has_as_many_cells_and_an_end,
                             numbers_are_those_of_the_slow_way };
    Suite *suite = suite_create("csv_plain");
    TCase *records = tcase_create("records");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(records, tests[i]);
    suite_add_tcase(suite, records);
    return suite;
}

int main(void)
{
    scratch_make();
    const int result = run_suite(csv_plain_suite());
    scratch_remove();
    return result;
}
