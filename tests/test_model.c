#include <string.h>

#include "runtime/model_impl.h"
#include "support.h"

/* 16-bit patterns ↔ numbers, from IEEE 754 by hand. */
START_TEST(halves_round_to_nearest_even)
{
    ck_assert_uint_eq(tonnx__double_to_half(1.0), 0x3c00);
    ck_assert_uint_eq(tonnx__double_to_half(-2.0), 0xc000);
    ck_assert_uint_eq(tonnx__double_to_half(0.1), 0x2e66);
    ck_assert_uint_eq(tonnx__double_to_half(-0.0), 0x8000);
    ck_assert_uint_eq(tonnx__double_to_half(65504.0), 0x7bff);
    ck_assert_uint_eq(tonnx__double_to_half(65519.99), 0x7bff);
    ck_assert_uint_eq(tonnx__double_to_half(65520.0), 0x7c00);
    ck_assert_uint_eq(tonnx__double_to_half(1e300), 0x7c00);
    ck_assert_uint_eq(tonnx__double_to_half(-(double)INFINITY), 0xfc00);
    ck_assert_uint_eq(tonnx__double_to_half(1 + 0x1p-11), 0x3c00);           /* a tie: the even one */
    ck_assert_uint_eq(tonnx__double_to_half(1 + 0x3p-11), 0x3c02);           /* a tie: the even one */
    ck_assert_uint_eq(tonnx__double_to_half(1 + 0x1p-11 + 0x1p-40), 0x3c01); /* by way of a float it would be a tie */
    ck_assert_uint_eq(tonnx__double_to_half(0x1p-24), 0x0001);
    ck_assert_uint_eq(tonnx__double_to_half(0x1p-25), 0x0000);
    ck_assert_uint_eq(tonnx__double_to_half(0x1.8p-25), 0x0001);
    ck_assert_uint_eq(tonnx__double_to_half(0x1p-14 - 0x1p-26), 0x0400); /* a subnormal that rounds up to a normal */
    ck_assert(tonnx__double_to_half((double)NAN) == 0x7e00);
}
END_TEST

START_TEST(every_half_survives_the_way_there_and_back)
{
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        const double half = tonnx__half_to_double((uint16_t)bits), bfloat = tonnx__bfloat_to_double((uint16_t)bits);
        if (!isnan(half)) ck_assert_uint_eq(tonnx__double_to_half(half), bits);
        if (!isnan(bfloat)) ck_assert_uint_eq(tonnx__double_to_bfloat(bfloat), bits);
        const uint32_t wide = bits << 16;
        float upper;
        memcpy(&upper, &wide, sizeof upper);
        ck_assert(isnan(upper) ? isnan(bfloat) : (double)upper == bfloat);
    }
    ck_assert_uint_eq(tonnx__double_to_bfloat(1 + 0x1p-8), 0x3f80);
    ck_assert_uint_eq(tonnx__double_to_bfloat(1 + 0x3p-8), 0x3f82);
    ck_assert_uint_eq(tonnx__double_to_bfloat(1e39), 0x7f80);
}
END_TEST

static const struct set_get {
    tonnx_dtype dtype;
    double set, get;
} set_gets[] = {
    { TONNX_FLOAT, 0.1, (double)0.1f },
    { TONNX_DOUBLE, 0.1, 0.1 },
    { TONNX_FLOAT16, 0.1, 0x1.998p-4 },
    { TONNX_BFLOAT16, 0.1, 0x1.9ap-4 },
    { TONNX_UINT8, 300, 255 },
    { TONNX_UINT8, -3, 0 },
    { TONNX_INT8, -300, -128 },
    { TONNX_INT8, 2.5, 2 },
    { TONNX_UINT16, 65535, 65535 },
    { TONNX_INT16, -7.6, -8 },
    { TONNX_INT32, 3e9, 2147483647 },
    { TONNX_UINT32, 4e9, 4e9 },
    { TONNX_INT64, -0x1p40, -0x1p40 },
    { TONNX_INT64, 1e30, 0x1p63 },
    { TONNX_UINT64, 0x1.8p63, 0x1.8p63 },
    { TONNX_UINT64, -1, 0 },
    { TONNX_BOOL, 7, 1 },
    { TONNX_INT32, (double)NAN, 0 },
};

START_TEST(elements_are_set_in_their_own_type)
{
    const struct set_get *row = &set_gets[_i];
    tonnx__tensor tensor = { 0 };
    ck_ok(tonnx__tensor_make(&tensor, "t", row->dtype, 2, (int64_t[]){ 2, 3 }));
    ck_assert_uint_eq(tensor.count, 6);
    ck_ok(tonnx__tensor_touch(&tensor));
    tonnx__tensor_set(&tensor, 4, row->set);
    ck_assert_msg(tonnx__tensor_get(&tensor, 4) == row->get, "%s: %.17g", tonnx_dtype_name(row->dtype),
                  tonnx__tensor_get(&tensor, 4));
    ck_assert(tonnx__tensor_get(&tensor, 3) == 0 && tonnx__tensor_get(&tensor, 5) == 0);
    tonnx__tensor_clear(&tensor);
}
END_TEST

START_TEST(types_have_names_and_sizes)
{
    ck_assert_str_eq(tonnx_dtype_name(TONNX_FLOAT), "float32");
    ck_assert_str_eq(tonnx_dtype_name(TONNX_BFLOAT16), "bfloat16");
    ck_assert_str_eq(tonnx_dtype_name((tonnx_dtype)999), "unknown");
    ck_assert_str_eq(tonnx_dtype_name(TONNX_DTYPE_NONE), "unknown");
    ck_assert_uint_eq(tonnx_dtype_size(TONNX_DOUBLE), 8);
    ck_assert_uint_eq(tonnx_dtype_size(TONNX_STRING), 0);
    ck_assert_uint_eq(tonnx_dtype_size((tonnx_dtype)-1), 0);
}
END_TEST

/* input → Gemm(fc.weight) → Relu → output */
static tonnx_model *small_model(void)
{
    tonnx_model *model = NULL;
    size_t at = 0;
    ck_ok(tonnx__model_new(&model, 17, 3, 2));
    ck_ok(tonnx__model_add_tensor(model, "fc.weight", TONNX_FLOAT, 2, (int64_t[]){ 2, 3 }, &at));
    ck_assert_uint_eq(at, 0);
    ck_ok(tonnx__model_add_node(model, false, "Gemm", "fc", (const char *[]){ "input", "fc.weight" }, 2, "h", &at));
    ck_ok(tonnx__node_add_int(&model->nodes[at], "transB", 1));
    ck_ok(tonnx__node_add_float(&model->nodes[at], "alpha", 0.5f));
    ck_ok(tonnx__model_add_node(model, false, "Relu", "", (const char *[]){ "h" }, 1, "output", &at));
    ck_assert_uint_eq(at, 1);
    return model;
}

START_TEST(a_model_made_in_memory_describes_itself)
{
    tonnx_model *model = small_model();
    tonnx_model_info info;
    tonnx_value_info value;
    tonnx_tensor_info tensor;
    tonnx_model_describe(model, &info);
    ck_assert(info.ir_version == 8 && info.opset == 17 && info.node_count == 2 && info.tensor_count == 1);
    ck_assert(info.input_count == 1 && info.output_count == 1 && info.bytes == 0);
    ck_assert_str_eq(info.path, "");
    ck_assert_str_eq(info.producer, "tonnx");
    tonnx_model_input(model, 0, &value);
    ck_assert_str_eq(value.name, "input");
    ck_assert(value.has_shape && value.rank == 2 && value.dims[0] == -1 && value.dims[1] == 3);
    ck_assert_str_eq(value.dim_params[0], "N");
    tonnx_model_output(model, 0, &value);
    ck_assert(value.dims[1] == 2);
    tonnx_model_tensor(model, 0, &tensor);
    ck_assert(tensor.count == 6 && tensor.changed && tensor.dims[1] == 3);
    tonnx_model_free(model);
    tonnx_model_free(NULL);
}
END_TEST

START_TEST(tensors_are_found_read_and_written)
{
    tonnx_model *model = small_model();
    const double values[6] = { 1, -2, 0.1, 4, 5, 6 };
    double back[6];
    size_t at = 9;
    ck_ok(tonnx_model_find(model, "fc.weight", &at));
    ck_assert_uint_eq(at, 0);
    ck_fails(tonnx_model_find(model, "fc.bias", &at), TONNX_BAD_MODEL, "fc.bias");
    ck_ok(tonnx_model_write(model, 0, values));
    ck_ok(tonnx_model_read(model, 0, back));
    ck_assert(back[1] == -2 && back[2] == (double)0.1f);
    model->tensors[0].removed = true;
    ck_assert_int_eq(tonnx__model_find_tensor(model, "fc.weight"), -1);
    tonnx_model_free(model);
}
END_TEST

START_TEST(metadata_is_added_and_replaced)
{
    tonnx_model *model = small_model();
    const char *key, *value;
    char name[16];
    ck_assert_ptr_null(tonnx_model_metadata(model, "classes"));
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "k%d", i);
        ck_ok(tonnx_model_set_metadata(model, name, "v"));
    }
    ck_ok(tonnx_model_set_metadata(model, "k3", "w"));
    ck_assert_uint_eq(model->metadata_count, 20);
    ck_assert_str_eq(tonnx_model_metadata(model, "k3"), "w");
    tonnx_model_metadata_at(model, 19, &key, &value);
    ck_assert_str_eq(key, "k19");
    ck_assert_str_eq(value, "v");
    tonnx_model_free(model);
}
END_TEST

START_TEST(nodes_are_added_in_front_and_renamed)
{
    tonnx_model *model = small_model();
    char label[64], tiny[12];
    size_t at = 9;
    ck_ok(tonnx__model_add_node(model, true, "Sub", "s", (const char *[]){ "input", "mean" }, 2, "x1", &at));
    ck_assert_uint_eq(at, 0);
    ck_ok(tonnx__model_add_node(model, true, "Div", "d", (const char *[]){ "x1", "std" }, 2, "x2", &at));
    ck_assert_uint_eq(at, 1);
    ck_assert_str_eq(model->nodes[2].op_type, "Gemm");
    ck_ok(tonnx__model_rename_input(model, 2, 0, "x2"));
    ck_ok(tonnx__model_rename_input(model, 2, 2, "fc.bias"));
    ck_assert_str_eq(tonnx__node_label(&model->nodes[2], label, sizeof label),
                     "Gemm node 'fc' (x2, fc.weight, fc.bias → h)");
    ck_assert_str_eq(tonnx__node_label(&model->nodes[2], tiny, sizeof tiny), "Gemm node '");
    ck_assert_str_eq(tonnx__node_input(&model->nodes[2], 7), "");
    ck_assert(tonnx__node_int(&model->nodes[2], "transB", 0) == 1 &&
              tonnx__node_int(&model->nodes[2], "transA", 4) == 4);
    ck_assert(tonnx__node_float(&model->nodes[2], "alpha", 1) == 0.5);
    ck_assert(tonnx__node_float(&model->nodes[2], "transB", 2) == 2); /* an int is not a float */
    tonnx_model_free(model);
}
END_TEST

/* Whichever allocation fails, the call says so and nothing is lost or freed twice (the sanitizer looks on). */
START_TEST(running_out_of_memory_is_survived)
{
    for (size_t nth = 1; nth < 100; nth++) {
        tonnx_model *model = NULL;
        tonnx_status status;
        size_t at;
        tonnx__mem_fault(nth, true);
        status = tonnx__model_new(&model, 17, 3, 2);
        if (!status) status = tonnx__model_add_tensor(model, "w", TONNX_FLOAT, 2, (int64_t[]){ 2, 3 }, &at);
        if (!status) status = tonnx__model_add_node(model, true, "Relu", "r", (const char *[]){ "w" }, 1, "o", &at);
        if (!status) status = tonnx__node_add_float(&model->nodes[0], "alpha", 1);
        if (!status) status = tonnx__model_rename_input(model, 0, 1, "x");
        if (!status) status = tonnx_model_set_metadata(model, "key", "value");
        tonnx__mem_fault(0, false);
        tonnx_model_free(model);
        if (!status) return;
        ck_assert_int_eq(status, TONNX_NO_MEMORY);
    }
    ck_abort_msg("never succeeded");
}
END_TEST

static Suite *model_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *tests = tcase_create("model");
    tcase_add_test(tests, halves_round_to_nearest_even);
    tcase_add_test(tests, every_half_survives_the_way_there_and_back);
    tcase_add_loop_test(tests, elements_are_set_in_their_own_type, 0, sizeof set_gets / sizeof *set_gets);
    tcase_add_test(tests, types_have_names_and_sizes);
    tcase_add_test(tests, a_model_made_in_memory_describes_itself);
    tcase_add_test(tests, tensors_are_found_read_and_written);
    tcase_add_test(tests, metadata_is_added_and_replaced);
    tcase_add_test(tests, nodes_are_added_in_front_and_renamed);
    tcase_add_test(tests, running_out_of_memory_is_survived);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(model_suite());
}
