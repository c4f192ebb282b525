#include "converters/infer_impl.h"
#include "format/data.h"
#include "format/data/bundle_impl.h"
#include "format/onnx.h"
#include "runtime/dataset.h"
#include "scratch.h"

#define NET TONNX_TEST_DATA "/bad/common/net.onnx"

static const char *const extensions[] = { "w.npz", "w.safetensors" };

static const tonnx_dtype every_type[] = { TONNX_FLOAT,  TONNX_DOUBLE, TONNX_FLOAT16, TONNX_BFLOAT16, TONNX_BOOL,
                                          TONNX_INT8,   TONNX_INT16,  TONNX_INT32,   TONNX_INT64,    TONNX_UINT8,
                                          TONNX_UINT16, TONNX_UINT32, TONNX_UINT64 };
enum { TYPES = sizeof every_type / sizeof *every_type };

static tonnx__tensor make(const char *name, tonnx_dtype dtype, size_t rank, const int64_t *dims)
{
    tonnx__tensor tensor = { 0 };
    ck_ok(tonnx__tensor_make(&tensor, name, dtype, rank, dims));
    const size_t size = tensor.count * tonnx_dtype_size(dtype);
    for (size_t i = 0; i < size; i++) tensor.owned[i] = (unsigned char)(i * 37 + 5 + rank);
    return tensor;
}

static tonnx_status write_as(const char *path, const tonnx__tensor *tensors, size_t count)
{
    return strstr(path, ".npz") ? tonnx__npz_write(path, tensors, count)
                                : tonnx__safetensors_write(path, tensors, count);
}

static const tonnx__tensor *named(const tonnx__tensor *tensors, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(tensors[i].name, name)) return &tensors[i];
    ck_abort_msg("no tensor '%s'", name);
    return NULL;
}

START_TEST(every_type_and_shape_keeps_its_bits)
{
    static const int64_t dims[] = { 3, 1, 2, 5 }, none[] = { 2, 0, 7 };
    tonnx__tensor tensors[TYPES + 3];
    for (size_t i = 0; i < TYPES; i++) tensors[i] = make(tonnx_dtype_name(every_type[i]), every_type[i], i % 5, dims);
    tensors[TYPES] = make("/a/b:c é.npy", TONNX_FLOAT, 0, NULL);
    tensors[TYPES + 1] = make("empty", TONNX_DOUBLE, 3, none);
    tensors[TYPES + 2] = make("removed", TONNX_FLOAT, 1, dims);
    tensors[TYPES + 2].removed = true;
    for (size_t e = 0; e < 2; e++) {
        tonnx__tensor *back = NULL;
        size_t count = 0;
        ck_ok(write_as(scratch_path(extensions[e]), tensors, TYPES + 3));
        ck_ok(tonnx__weights_read(&back, &count, scratch_path(extensions[e])));
        ck_assert_uint_eq(count, TYPES + 2);
        for (size_t i = 0; i < count; i++) {
            const tonnx__tensor *one = named(back, count, tensors[i].name);
            ck_assert(one->dtype == tensors[i].dtype && one->rank == tensors[i].rank && one->count == tensors[i].count);
            for (size_t d = 0; d < one->rank; d++) ck_assert_int_eq(one->dims[d], tensors[i].dims[d]);
            ck_assert_mem_eq(one->bytes, tensors[i].bytes, one->count * tonnx_dtype_size(one->dtype));
        }
        tonnx__tensors_free(back, count);
    }
    for (size_t i = 0; i < TYPES + 3; i++) tonnx__tensor_clear(&tensors[i]);
}
END_TEST

START_TEST(remarks_are_no_tensor)
{
    tonnx__tensor tensor = make("__metadata__", TONNX_FLOAT, 0, NULL);
    ck_ok(write_as(scratch_path("w.npz"), &tensor, 1));
    ck_fails(write_as(scratch_path("m.safetensors"), &tensor, 1), TONNX_BAD_MODEL,
             "m.safetensors: tensor '__metadata__' of float32 has no place");
    tonnx__tensor_clear(&tensor);
}
END_TEST

START_TEST(any_byte_order_and_layout_is_read)
{
    static const double wanted[15] = { 3,      -4.25,  -3.25, -2.75, -3.25, 3,     3.625, 0.75,
                                       -4.625, -4.125, -1.75, -0.75, 1.125, -0.25, -2.375 };
    tonnx__tensor *tensors = NULL;
    size_t count = 0;
    ck_ok(tonnx__weights_read(&tensors, &count, TONNX_TEST_DATA "/npz/deflated.npz")); /* >f8, Fortran order */
    const tonnx__tensor *x = named(tensors, count, "x");
    ck_assert(x->dtype == TONNX_DOUBLE && x->rank == 2 && x->dims[0] == 5);
    ck_assert_mem_eq(x->bytes, wanted, sizeof wanted);
    tonnx__tensors_free(tensors, count);
}
END_TEST

static void check_same_file(const char *a, const char *b)
{
    size_t size_a, size_b;
    unsigned char *of_a = scratch_read(a, &size_a), *of_b = scratch_read(b, &size_b);
    ck_assert_uint_eq(size_a, size_b);
    ck_assert_mem_eq(of_a, of_b, size_a);
    free(of_a);
    free(of_b);
}

START_TEST(out_of_a_model_and_back_is_the_same_file)
{
    for (size_t e = 0; e < 2; e++) {
        const char *path = scratch_path(extensions[e]), *copy = scratch_path("copy.safetensors");
        tonnx_model *model = NULL;
        ck_ok(tonnx_onnx_load(&model, NET, NULL));
        ck_ok(tonnx_weights_save(model, path, NULL));
        ck_ok(tonnx_weights_copy(path, copy));
        for (size_t i = 0; i < model->tensor_count; i++) {
            double zeros[64] = { 0 };
            ck_ok(tonnx_model_write(model, i, zeros));
        }
        ck_ok(tonnx_weights_load(model, e ? path : copy, NULL));
        ck_ok(tonnx_onnx_save(model, scratch_path("back.onnx"), NULL));
        check_same_file(NET, scratch_path("back.onnx"));
        tonnx_model_free(model);
    }
}
END_TEST

/* Writes float32 arrays of the shapes that "name RxC name N …" lists; elements count up. */
static const char *arrays(const char *list, tonnx_dtype dtype)
{
    tonnx__tensor tensors[8];
    size_t count = 0;
    char name[64];
    for (int at = 0, length = 0; *list; list += at + length) {
        long long rows = 0, columns = 0;
        ck_assert_int_eq(sscanf(list, "%63s %n", name, &at), 1);
        const int fields = sscanf(list + at, "%lldx%lld %n", &rows, &columns, &length);
        if (fields < 2) sscanf(list + at, "%lld %n", &rows, &length);
        tensors[count++] = make(name, dtype, fields < 2 ? 1 : 2, (int64_t[]){ rows, columns });
    }
    ck_ok(tonnx__npz_write(scratch_path("w.npz"), tensors, count));
    for (size_t i = 0; i < count; i++) tonnx__tensor_clear(&tensors[i]);
    return scratch_path("w.npz");
}

#define ALL "fc1.weight 5x6 fc1.bias 5 fc2.weight 3x5 fc2.bias 3"

START_TEST(what_does_not_fit_a_model_is_named)
{
    static const struct row {
        const char *arrays, *message;
        tonnx_dtype dtype;
    } rows[] = {
        { "fc1.weight 6x5", "'fc1.weight' is [6, 5], the initializer of " NET " is [5, 6]: save it transposed",
          TONNX_FLOAT },
        { "fc1.weight 5x7", "w.npz: array 'fc1.weight' is [5, 7], the initializer of " NET " is [5, 6]", TONNX_FLOAT },
        { "fc1.weight 30", "array 'fc1.weight' is [30], the initializer", TONNX_FLOAT },
        { ALL " fc3.bias 3", "array 'fc3.bias': " NET " has no initializer of that name", TONNX_FLOAT },
        { "fc1.weight 5x6", "w.npz: has no array for the initializer 'fc1.bias'", TONNX_FLOAT },
        { ALL, "array 'fc1.weight' is int32, the initializer of " NET " is float32", TONNX_INT32 },
        { ALL, "is beyond the float32 of", TONNX_DOUBLE },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tonnx_model *model = NULL;
        ck_ok(tonnx_onnx_load(&model, NET, NULL));
        ck_fails(tonnx_weights_load(model, arrays(rows[i].arrays, rows[i].dtype), NULL), TONNX_BAD_MODEL,
                 rows[i].message);
        tonnx_model_free(model);
    }
    tonnx_model *model = NULL;
    ck_ok(tonnx_onnx_load(&model, NET, NULL));
    ck_fails(tonnx_weights_load(model, scratch_path("nowhere.npz"), NULL), TONNX_IO_FAILED, "nowhere.npz");
    ck_fails(tonnx_weights_load(model, NET, NULL), TONNX_BAD_MODEL, "is neither .npz nor .safetensors");
    ck_fails(tonnx_weights_load(model, TONNX_TEST_DATA "/bad/npz-cut/pack.npz", NULL), TONNX_BAD_MODEL,
             "no end record");
    ck_fails(tonnx_weights_save(model, scratch_path("w.pt"), NULL), TONNX_BAD_USAGE, "as .npz or .safetensors");
    tonnx_model_free(model);
}
END_TEST

START_TEST(halves_are_widened_exactly_and_counters_passed_over)
{
    tonnx_model *model = NULL;
    double values[30];
    ck_ok(tonnx_onnx_load(&model, NET, NULL));
    ck_ok(tonnx_weights_load(model, arrays(ALL " bn.num_batches_tracked 1", TONNX_FLOAT16), NULL));
    ck_ok(tonnx_model_read(model, 1, values));
    const unsigned char bits[2] = { (unsigned char)(5 + 1), (unsigned char)(37 + 5 + 1) };
    ck_assert(values[0] == tonnx__half_to_double((uint16_t)(bits[0] | bits[1] << 8)));
    tonnx_model_free(model);
}
END_TEST

START_TEST(partial_leaves_alone_what_one_side_lacks)
{
    tonnx_weights_options options = TONNX_WEIGHTS_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_tensor_info info;
    options.partial = true;
    ck_ok(tonnx_onnx_load(&model, NET, NULL));
    ck_ok(tonnx_weights_load(model, arrays("fc1.bias 5 other 3x3", TONNX_FLOAT), &options));
    for (size_t i = 0; i < 4; i++) {
        tonnx_model_tensor(model, i, &info);
        ck_assert(info.changed == (i == 1));
    }
    ck_fails(tonnx_weights_load(model, arrays("W1 5x6 b1 5", TONNX_FLOAT), &options), TONNX_BAD_MODEL,
             "none of its arrays has the name of an initializer");
    tonnx_model_free(model);
}
END_TEST

START_TEST(layers_are_inferred)
{
    static const struct row {
        const char *arrays, *order;
        bool in_first;
    } rows[] = {
        { "fc1.weight 5x6 fc1.bias 5 fc2.weight 3x5", "fc1.weight fc2.weight ", false },
        { "net.10.weight 2x3 net.2.bias 3 net.2.weight 3x5", "net.2.weight net.10.weight ", false },
        { "W2 4x4 b2 4 W1 6x4 b1 4 W3 4x2", "W1 W2 W3 ", true },
        { "dense/kernel:0 6x5 dense/bias:0 5 dense_1/kernel:0 5x3", "dense/kernel:0 dense_1/kernel:0 ", true },
        { "out_weight 5x6 in_weight 3x5 in_bias 3", "out_weight in_weight ", false },
        { "coefs_0 6x4 intercepts_0 4 coefs_1 4x4 intercepts_1 4", "coefs_0 coefs_1 ", true },
        { "weight 4x4 bias 4", "weight ", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tonnx__tensor *tensors = NULL;
        tonnx__layers layers;
        size_t count = 0;
        char names[200] = "";
        ck_ok(tonnx__weights_read(&tensors, &count, arrays(rows[i].arrays, TONNX_FLOAT)));
        ck_ok(tonnx__infer_layers(&layers, tensors, count, "w.npz"));
        for (size_t k = 0; k < layers.count; k++) {
            strcat(names, layers.dense[k].weight->name);
            strcat(names, " ");
        }
        ck_assert_str_eq(names, rows[i].order);
        ck_assert_msg(layers.in_first == rows[i].in_first, "%s", rows[i].arrays);
        tonnx__layers_clear(&layers);
        tonnx__tensors_free(tensors, count);
    }
}
END_TEST

START_TEST(what_is_no_mlp_is_named)
{
    static const struct row {
        const char *arrays, *message;
        tonnx_dtype dtype;
    } rows[] = {
        { "fc1.weight 5x6 fc2.weight 4x7", "'fc2.weight' [4, 7] cannot follow 'fc1.weight' [5, 6]", TONNX_FLOAT },
        { "fc1.weight 5x6 fc1.bias 4", "'fc1.weight' [5, 6] does not fit its bias", TONNX_FLOAT },
        { "fc1.weight 5x6 fc2.bias 5", "'fc2.bias' [5] is the bias of no weight", TONNX_FLOAT },
        { "fc1.weight 5x6 fc1.bias 5 fc1.b 5", "'fc1.b' [5] is a second bias", TONNX_FLOAT },
        { "fc1.weight 5x6 bn1.weight 5", "'bn1.weight' [5] is neither weight", TONNX_FLOAT },
        { "fc1.weight 5x6 scale 5x1", "'scale' [5, 1] is named like neither weight", TONNX_FLOAT },
        { "arr_0 5x6 arr_1 5", "'arr_0' [5, 6] is named like neither weight (fc1.weight, kernel, W1)", TONNX_FLOAT },
        { "fc1.bias 5", "holds no weights", TONNX_FLOAT },
        { "fc1.weight 5x0", "'fc1.weight' [5, 0] does not fit", TONNX_FLOAT },
        { ALL, "does not hold floats", TONNX_INT64 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tonnx_model *model = NULL;
        ck_fails(tonnx_weights_model(&model, arrays(rows[i].arrays, rows[i].dtype), NULL), TONNX_BAD_MODEL,
                 rows[i].message);
        ck_assert_ptr_null(model);
    }
}
END_TEST

START_TEST(a_new_model_holds_the_weights_in_their_own_type)
{
    static const tonnx_dtype types[] = { TONNX_FLOAT, TONNX_DOUBLE, TONNX_FLOAT16, TONNX_BFLOAT16 };
    for (size_t i = 0; i < 4; i++) {
        tonnx_weights_options options = TONNX_WEIGHTS_OPTIONS_DEFAULT;
        tonnx_model *model = NULL;
        tonnx_value_info input;
        options.activation = "tanh";
        const char *path = arrays("fc1.weight 5x6 fc1.bias 5 fc2.weight 3x5", types[i]);
        ck_ok(tonnx_weights_model(&model, path, &options));
        ck_ok(tonnx_onnx_save(model, scratch_path("new.onnx"), NULL));
        tonnx_model_free(model);
        ck_ok(tonnx_onnx_load(&model, scratch_path("new.onnx"), NULL));
        tonnx_model_input(model, 0, &input);
        ck_assert(input.dtype == types[i] && input.dims[1] == 6 && model->node_count == 3);
        ck_ok(tonnx_weights_save(model, scratch_path("again.npz"), NULL));
        check_same_file(path, scratch_path("again.npz"));
        tonnx_model_free(model);
    }
    tonnx_weights_options options = TONNX_WEIGHTS_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    options.activation = "gelu";
    ck_fails(tonnx_weights_model(&model, arrays("a.weight 5x6 b.weight 3x5", TONNX_DOUBLE), &options), TONNX_BAD_MODEL,
             "the activation has constants of float32");
}
END_TEST

START_TEST(predictions_are_an_npz)
{
    static const float rows[6] = { 1, 2, 3, 4, 5, 6 };
    tonnx_rows_file *file = NULL;
    tonnx_dataset *set = NULL;
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    tonnx_dataset_info info;
    options.x_key = "y";
    ck_ok(tonnx_rows_create(&file, scratch_path("p.npz"), 3));
    ck_ok(tonnx_rows_write(file, rows, 1, 2));
    ck_ok(tonnx_rows_write(file, rows + 2, 2, 2));
    ck_ok(tonnx_rows_finish(file));
    ck_ok(tonnx_dataset_load(&set, scratch_path("p.npz"), NULL, &options));
    tonnx_dataset_describe(set, &info);
    ck_assert(info.samples == 3 && info.features == 2 && info.target_kind == TONNX_TARGET_NONE);
    tonnx_dataset_free(set);
    ck_ok(tonnx_rows_create(&file, scratch_path("q.npz"), 3));
    ck_ok(tonnx_rows_write(file, rows, 1, 2));
    ck_fails(tonnx_rows_finish(file), TONNX_BAD_USAGE, "3 rows were announced");
    ck_assert_int_ne(access(scratch_path("q.npz"), F_OK), 0);
}
END_TEST

START_TEST(damaged_files_are_refused)
{
    for (size_t e = 0; e < 2; e++) {
        tonnx_model *model = NULL;
        size_t size;
        ck_ok(tonnx_onnx_load(&model, NET, NULL));
        ck_ok(tonnx_weights_save(model, scratch_path(extensions[e]), NULL));
        unsigned char *bytes = scratch_read(scratch_path(extensions[e]), &size);
        for (size_t i = 0; i < 2 * size; i++) {
            const bool flip = i < size;
            if (flip) bytes[i] ^= (unsigned char)(1u << i % 8);
            const char *path = scratch_write("hurt", bytes, flip ? size : i - size);
            const tonnx_status status = tonnx_weights_load(model, path, NULL);
            ck_assert_msg(status == TONNX_BAD_MODEL || (flip && !status), "%s", tonnx_last_message());
            if (flip) bytes[i] ^= (unsigned char)(1u << i % 8);
        }
        free(bytes);
        tonnx_model_free(model);
    }
}
END_TEST

/* stored.npz, whose x.npy says something else of its shape. */
static const char *shaped(const char *shape)
{
    size_t size;
    unsigned char *bytes = scratch_read(TONNX_TEST_DATA "/npz/stored.npz", &size);
    char *header = strstr((char *)bytes + 65, "{'descr'"), text[119];
    snprintf(text, sizeof text, "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }", shape);
    memset(header, ' ', 117);
    memcpy(header, text, strlen(text));
    const char *path = scratch_write("w.npz", bytes, size);
    free(bytes);
    return path;
}

START_TEST(shapes_that_lie_are_refused)
{
    static const char *const shapes[] = { "(4294967296, 4294967296, 2)", "(0, 9223372036854775808)", "(61,)" };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        ck_fails(tonnx_weights_copy(shaped(shapes[i]), scratch_path("none.safetensors")), TONNX_BAD_MODEL,
                 "w.npz: array 'x': its shape takes another number of bytes than the 60 there are");
    ck_fails(tonnx_weights_copy(shaped("(60,)"), scratch_path("none.safetensors")), TONNX_BAD_MODEL,
             "w.npz: array 'x': is damaged: its CRC-32");
    ck_assert_int_ne(access(scratch_path("none.safetensors"), F_OK), 0);
}
END_TEST

static const char *fault_path;

static tonnx_status load_and_save(void)
{
    tonnx_model *model = NULL, *fresh = NULL;
    tonnx_dataset *set = NULL;
    tonnx_status status = tonnx_onnx_load(&model, NET, NULL);
    if (!status) status = tonnx_weights_save(model, fault_path, NULL);
    if (!status) status = tonnx_weights_load(model, fault_path, NULL);
    if (!status) status = tonnx_weights_model(&fresh, fault_path, NULL);
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.x_key = "fc1.weight";
    options.y_key = "fc1.bias";
    if (!status) status = tonnx_dataset_load(&set, fault_path, NULL, &options);
    tonnx_dataset_free(set);
    if (!status) status = tonnx_dataset_load(&set, TONNX_TEST_DATA "/bad/twin-svm/data.svm", NULL, NULL);
    if (!status) tonnx_dataset_free(set);
    tonnx_model_free(fresh);
    tonnx_model_free(model);
    return status;
}

START_TEST(no_allocation_may_fail_unnoticed)
{
    for (size_t e = 0; e < 2; e++) {
        size_t nth = 0, made = 0;
        tonnx_status status = TONNX_NO_MEMORY;
        fault_path = scratch_path(extensions[e]);
        while (status) {
            tonnx__mem_fault(++nth, false);
            status = load_and_save();
            made = tonnx__mem_fault(0, false);
            ck_assert_msg(status == TONNX_OK || status == TONNX_NO_MEMORY, "%s", tonnx_last_message());
        }
        ck_assert_msg(nth > 200 && made < nth, "%zu of %zu", nth, made);
    }
}
END_TEST

static Suite *convert_suite(void)
{
    Suite *suite = suite_create("convert");
    TCase *tests = tcase_create("convert");
    tcase_add_unchecked_fixture(tests, scratch_make, scratch_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, every_type_and_shape_keeps_its_bits);
    tcase_add_test(tests, remarks_are_no_tensor);
    tcase_add_test(tests, any_byte_order_and_layout_is_read);
    tcase_add_test(tests, out_of_a_model_and_back_is_the_same_file);
    tcase_add_test(tests, what_does_not_fit_a_model_is_named);
    tcase_add_test(tests, halves_are_widened_exactly_and_counters_passed_over);
    tcase_add_test(tests, partial_leaves_alone_what_one_side_lacks);
    tcase_add_test(tests, layers_are_inferred);
    tcase_add_test(tests, what_is_no_mlp_is_named);
    tcase_add_test(tests, a_new_model_holds_the_weights_in_their_own_type);
    tcase_add_test(tests, predictions_are_an_npz);
    tcase_add_test(tests, shapes_that_lie_are_refused);
    tcase_add_test(tests, damaged_files_are_refused);
    tcase_add_test(tests, no_allocation_may_fail_unnoticed);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(convert_suite());
}
