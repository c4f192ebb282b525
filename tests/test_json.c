#include <string.h>

#include "format/json_impl.h"
#include "runtime/mem_impl.h"
#include "support.h"

static tonnx_json *sample(void)
{
    tonnx_json *root = tonnx_json_object();
    tonnx_json_string(root, "event", "step");
    tonnx_json_integer(root, "step", 1LL << 53);
    tonnx_json_number(root, "loss", 0.1);
    tonnx_json_number(root, "nan", NAN);
    tonnx_json_number(root, "inf", -INFINITY);
    tonnx_json_bool(root, "ok", true);
    tonnx_json_string(root, "none", NULL);
    tonnx_json *list = tonnx_json_add_array(root, "list");
    tonnx_json_number(list, NULL, 1e-30);
    tonnx_json *inner = tonnx_json_add_object(list, NULL);
    tonnx_json_string(inner, "quote\"", "a\n\xc3\xa9");
    tonnx_json_add_array(list, NULL);
    return root;
}

START_TEST(values_become_one_line)
{
    tonnx_json *root = sample();
    char *text = tonnx_json_text(root, false);
    ck_assert_str_eq(text, "{\"event\":\"step\",\"step\":9007199254740992,\"loss\":0.1,\"nan\":null,\"inf\":null,"
                           "\"ok\":true,\"none\":null,\"list\":[1e-30,{\"quote\\\"\":\"a\\n\xc3\xa9\"},[]]}");
    tonnx_json_text_free(text);
    tonnx_json_free(root);
}
END_TEST

START_TEST(values_are_indented)
{
    tonnx_json *root = tonnx_json_array();
    tonnx_json_integer(tonnx_json_add_object(root, NULL), "a", 1);
    char *text = tonnx_json_text(root, true);
    ck_assert_str_eq(text, "[\n  {\n    \"a\": 1\n  }\n]");
    tonnx_json_text_free(text);
    tonnx_json_free(root);
}
END_TEST

START_TEST(text_that_is_not_utf8_is_shown_as_far_as_it_goes)
{
    tonnx_json *root = tonnx_json_object();
    tonnx_json_string(root, "path", "caf\xe9.onnx");
    char *text = tonnx_json_text(root, false);
    ck_assert_str_eq(text, "{\"path\":\"caf?.onnx\"}");
    tonnx_json_text_free(text);
    tonnx_json_free(root);
}
END_TEST

START_TEST(failures_are_kept_until_the_text_is_asked_for)
{
    tonnx_json *root = tonnx_json_object();
    tonnx_json_integer(root, NULL, 1); /* an object's member needs a key */
    tonnx_json_integer(root, "b", 1);
    ck_assert_ptr_null(tonnx_json_text(root, false));
    tonnx_json_free(root);
    tonnx_json_integer(NULL, "a", 1);
    tonnx_json_string(NULL, "a", "b");
    ck_assert_ptr_null(tonnx_json_add_object(NULL, "a"));
    ck_assert_ptr_null(tonnx_json_text(NULL, true));
    tonnx_json_text_free(NULL);
    tonnx_json_free(NULL);
}
END_TEST

START_TEST(every_failed_allocation_ends_in_no_text)
{
    for (size_t nth = 1;; nth++) {
        tonnx__mem_fault(nth, false);
        tonnx_json *root = sample();
        char *text = tonnx_json_text(root, false);
        const size_t made = tonnx__mem_fault(0, false);
        ck_assert(!text == (made >= nth));
        tonnx_json_text_free(text);
        tonnx_json_free(root);
        if (made < nth) break;
    }
}
END_TEST

START_TEST(strings_are_read)
{
    static const struct row {
        const char *text;
        size_t count;
        const char *first;
    } rows[] = {
        { "[]", 0, NULL },
        { " [ \"a\" , \"b\" ] ", 2, "a" },
        { "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", 1, "\"\\/\b\f\n\r\t" },
        { "[\"\\u0041\\u00e9\\u20aC\\ud83d\\ude00\"]", 1, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "[\"\xc3\xa9\"]", 1, "\xc3\xa9" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char **strings = NULL;
        size_t count = 9;
        ck_ok(tonnx_json_strings(&strings, &count, rows[i].text));
        ck_assert_uint_eq(count, rows[i].count);
        if (count) ck_assert_str_eq(strings[0], rows[i].first);
        if (count) ck_assert_ptr_null(strings[count]);
        tonnx_json_strings_free(strings);
    }
}
END_TEST

START_TEST(what_is_no_array_of_strings_gives_none)
{
    static const char *const texts[] = { NULL,
                                         "",
                                         "[",
                                         "[\"a\"",
                                         "[\"a\",]",
                                         "[,]",
                                         "[\"a\" \"b\"]",
                                         "[1]",
                                         "{}",
                                         "\"a\"",
                                         "[\"a\"] 1",
                                         "[\"a]",
                                         "[\"\\x\"]",
                                         "[\"\\u00\"]",
                                         "[\"\\u0000\"]",
                                         "[\"\\ud83d\"]",
                                         "[\"\\ude00\"]",
                                         "[\"\\ud83d\\u0041\"]",
                                         "[\"a\nb\"]",
                                         "[\"\xff\"]",
                                         "[\"\\u00g0\"]",
                                         "[\"\\u00@0\"]",
                                         "[\"\\u00:0\"]",
                                         "[\"\\u00/0\"]",
                                         "[\"\\u00`0\"]",
                                         "[\"\\u00\xc3\xa9\"]",
                                         "[\"\\u12",
                                         "[\"\\ud83d\\u",
                                         "[\"\\ud83d\\n12345\"]",
                                         "[\"\\ud83dxu1234\"]",
                                         "[\"\\" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char **strings = (char **)1;
        size_t count = 9;
        ck_ok(tonnx_json_strings(&strings, &count, texts[i]));
        ck_assert_msg(!strings && !count, "%s", texts[i]);
    }
}
END_TEST

/* Passes over the one value; what is wrong, or NULL. */
static const char *skip(const char *text)
{
    tonnx__json_in in = tonnx__json_read(text, strlen(text));
    tonnx__json_skip(&in);
    tonnx__json_done(&in);
    return in.wrong;
}

START_TEST(values_of_every_kind_are_passed_over)
{
    static const char *const good[] = {
        "0",    "-1.5e+3", "12E2", "true",          "null", "{\"a\":[1,{\"b\":false}],\"c\":\"\"}",
        "[[]]", "[1,2]",   " {} ", "[[[[[[[]]]]]]]"
    };
    static const char *const bad[] = { "",        "01",       "-",
                                       "1.",      "1e",       "tru",
                                       "{\"a\"}", "{\"a\":}", "{1:2}",
                                       "[1,]",    "[1 2]",    "{\"a\":1 \"b\":2}",
                                       "+1",      "nan",      "[[[[[[[[[]]]]]]]]]",
                                       "1 1",     "\x80",     "{\"a\":1,}",
                                       "[1}",     ".5",       "1.e5",
                                       "1e+",     "-x",       "1.5x",
                                       "01.5",    "-.5" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(!skip(good[i]), "%s: %s", good[i], skip(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ck_assert_msg(skip(bad[i]) != NULL, "%s", bad[i]);
}
END_TEST

START_TEST(counts)
{
    static const struct row {
        const char *text;
        bool good;
        size_t value;
    } rows[] = {
        { "0", true, 0 },
        { "17", true, 17 },
        { "9223372036854775807", true, INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "18446744073709551616", false, 0 },
        { "90000000000000000000", false, 0 },
        { "-1", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "\"1\"", false, 0 },
        { "[1]", false, 0 },
        { "", false, 0 },
        { "012", false, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tonnx__json_in in = tonnx__json_read(rows[i].text, strlen(rows[i].text));
        size_t value = 7;
        ck_assert_msg(tonnx__json_count(&in, &value) == rows[i].good && value == rows[i].value, "%s", rows[i].text);
    }
}
END_TEST

START_TEST(strings_without_memory)
{
    for (size_t nth = 1;; nth++) {
        char **strings = NULL;
        size_t count = 0;
        tonnx__mem_fault(nth, false);
        const tonnx_status status = tonnx_json_strings(&strings, &count, "[\"a\",\"b\",\"c\"]");
        const size_t made = tonnx__mem_fault(0, false);
        ck_assert(status == (made >= nth ? TONNX_NO_MEMORY : TONNX_OK) && count == (status ? 0 : 3));
        tonnx_json_strings_free(strings);
        if (made < nth) break;
    }
}
END_TEST

static Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *building = tcase_create("building");
    tcase_add_test(building, values_become_one_line);
    tcase_add_test(building, values_are_indented);
    tcase_add_test(building, text_that_is_not_utf8_is_shown_as_far_as_it_goes);
    tcase_add_test(building, failures_are_kept_until_the_text_is_asked_for);
    tcase_add_test(building, every_failed_allocation_ends_in_no_text);
    suite_add_tcase(suite, building);
    TCase *reading = tcase_create("reading");
    tcase_add_test(reading, strings_are_read);
    tcase_add_test(reading, what_is_no_array_of_strings_gives_none);
    tcase_add_test(reading, values_of_every_kind_are_passed_over);
    tcase_add_test(reading, counts);
    tcase_add_test(reading, strings_without_memory);
    suite_add_tcase(suite, reading);
    return suite;
}

int main(void)
{
    return run_suite(json_suite());
}
