#include <string.h>

#include "format/json.h"
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
        const size_t made = tonnx__mem_fault(0, false);
        char *text = tonnx_json_text(root, false);
        ck_assert(!text == (made >= nth));
        tonnx_json_text_free(text);
        tonnx_json_free(root);
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
    return suite;
}

int main(void)
{
    return run_suite(json_suite());
}
