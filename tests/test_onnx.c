#include <glob.h>
#include <unistd.h>

#include "format/file.h"
#include "format/onnx.h"
#include "runtime/model_impl.h"
#include "wire.h"

/* Real models whose weights lie inside. */
static glob_t found;
static char *files[1000];
static size_t file_count;

static void find_files(void)
{
    glob(TONNX_TEST_DATA "/exports/*/model.onnx", 0, NULL, &found);
    glob(TONNX_TEST_DATA "/models/*.onnx", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && file_count < sizeof files / sizeof *files; i++) {
        char data[1000];
        snprintf(data, sizeof data, "%s.data", found.gl_pathv[i]);
        if (access(data, F_OK)) files[file_count++] = found.gl_pathv[i];
    }
    ck_assert_uint_gt(file_count, 100);
}

static void free_files(void)
{
    globfree(&found);
}

static tonnx_model *reread(const tonnx_model *model)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    tonnx_model *out = NULL;
    ck_ok(tonnx_onnx_write(model, &bytes, &size));
    ck_ok(tonnx_onnx_read(&out, bytes, size, "again", NULL));
    tonnx_file_free(bytes);
    return out;
}

static tonnx_model *read_wire(const wire *w)
{
    tonnx_model *model = NULL;
    ck_ok(tonnx_onnx_read(&model, w->bytes, w->size, "wire", NULL));
    return model;
}

/* Writing `model` gives exactly these bytes. */
static void writes(const tonnx_model *model, const void *wanted, size_t wanted_size)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    ck_ok(tonnx_onnx_write(model, &bytes, &size));
    ck_assert_uint_eq(size, wanted_size);
    ck_assert_msg(!memcmp(bytes, wanted, size), "%s: written otherwise", model->path);
    tonnx_file_free(bytes);
}

START_TEST(an_unchanged_model_is_written_byte_for_byte)
{
    for (size_t i = 0; i < file_count; i++) {
        tonnx_model *model = NULL;
        ck_ok(tonnx_onnx_load(&model, files[i], NULL));
        writes(model, model->source, model->source_size);
        tonnx_model_free(model);
    }
}
END_TEST

/* Every tensor of the model and its Constant nodes that has elements to change. */
static void change_all(tonnx_model *model)
{
    for (size_t i = 0; i < model->tensor_count; i++) {
        tonnx__tensor *tensor = &model->tensors[i];
        if (tensor->dtype != TONNX_FLOAT && tensor->dtype != TONNX_DOUBLE) continue;
        ck_ok(tonnx__tensor_touch(tensor));
        for (size_t k = 0; k < tensor->count; k++) tonnx__tensor_set(tensor, k, tonnx__tensor_get(tensor, k) * 2 + 1);
    }
}

/* Bytes of the source that lie in a payload are marked. */
static unsigned char *mark_payloads(const tonnx_model *model)
{
    unsigned char *marks = calloc(model->source_size, 1);
    for (size_t i = 0; i < model->tensor_count; i++) {
        const tonnx__tensor *tensor = &model->tensors[i];
        if (tensor->fresh && !tensor->owned)
            memset(marks + (tensor->bytes - model->source), 1, tensor->count * tonnx_dtype_size(tensor->dtype));
    }
    return marks;
}

START_TEST(a_change_touches_only_payload_bytes)
{
    size_t touched = 0;
    for (size_t i = 0; i < file_count; i++) {
        tonnx_model *model = NULL;
        unsigned char *bytes = NULL;
        size_t size = 0;
        ck_ok(tonnx_onnx_load(&model, files[i], NULL));
        change_all(model);
        ck_ok(tonnx_onnx_write(model, &bytes, &size));
        ck_assert_uint_eq(size, model->source_size);
        unsigned char *marks = mark_payloads(model);
        for (size_t k = 0; k < size; k++) {
            ck_assert_msg(marks[k] || bytes[k] == model->source[k], "%s: byte %zu", model->path, k);
            touched += bytes[k] != model->source[k];
        }
        free(marks);
        tonnx_file_free(bytes);
        tonnx_model_free(model);
    }
    ck_assert_uint_gt(touched, 10000);
}
END_TEST

START_TEST(changed_values_are_read_back)
{
    for (size_t i = 0; i < file_count; i++) {
        tonnx_model *model = NULL;
        ck_ok(tonnx_onnx_load(&model, files[i], NULL));
        change_all(model);
        tonnx_model *again = reread(model);
        for (size_t t = 0; t < model->tensor_count; t++) {
            const tonnx__tensor *a = &model->tensors[t], *b = &again->tensors[t];
            const void *wanted = a->fresh ? a->fresh : a->bytes;
            if (a->bytes) ck_assert_int_eq(memcmp(wanted, b->bytes, a->count * tonnx_dtype_size(a->dtype)), 0);
        }
        tonnx_model_free(again);
        tonnx_model_free(model);
    }
}
END_TEST

/* The forms in which ONNX may hold the elements 1, −2, 0.5 (as integers: 1, 2, 3). */
enum form { RAW, PACKED, SINGLE, TWO_RUNS };

static const struct form_case {
    tonnx_dtype dtype;
    unsigned field;
    enum form form;
} form_cases[] = {
    { TONNX_FLOAT, 9, RAW },      { TONNX_FLOAT, 4, PACKED },     { TONNX_FLOAT, 4, SINGLE },
    { TONNX_FLOAT, 4, TWO_RUNS }, { TONNX_DOUBLE, 9, RAW },       { TONNX_DOUBLE, 10, PACKED },
    { TONNX_DOUBLE, 10, SINGLE }, { TONNX_FLOAT16, 9, RAW },      { TONNX_FLOAT16, 5, PACKED },
    { TONNX_FLOAT16, 5, SINGLE }, { TONNX_FLOAT16, 5, TWO_RUNS }, { TONNX_BFLOAT16, 5, PACKED },
    { TONNX_BFLOAT16, 9, RAW },   { TONNX_INT64, 7, PACKED },     { TONNX_INT64, 7, SINGLE },
    { TONNX_INT64, 9, RAW },      { TONNX_INT8, 5, PACKED },      { TONNX_INT32, 5, SINGLE },
    { TONNX_UINT64, 11, PACKED }, { TONNX_UINT32, 11, TWO_RUNS }, { TONNX_BOOL, 5, PACKED },
    { TONNX_INT16, 5, PACKED },   { TONNX_UINT8, 5, PACKED },     { TONNX_UINT16, 5, SINGLE },
};

static double form_value(tonnx_dtype dtype, size_t i)
{
    static const double floats[] = { 1, -2, 0.5 };
    const bool is_float =
        dtype == TONNX_FLOAT || dtype == TONNX_DOUBLE || dtype == TONNX_FLOAT16 || dtype == TONNX_BFLOAT16;
    return dtype == TONNX_BOOL ? (double)(i & 1) : is_float ? floats[i] : (double)(i + 1);
}

/* One element as its field spells it. */
static void put_element(wire *w, const struct form_case *c, double value)
{
    tonnx__tensor one = { 0 };
    uint64_t bits = 0;
    ck_ok(tonnx__tensor_make(&one, "", c->dtype, 0, NULL));
    ck_ok(tonnx__tensor_touch(&one));
    tonnx__tensor_set(&one, 0, value);
    memcpy(&bits, one.fresh, tonnx_dtype_size(c->dtype));
    if (c->field == 9 || c->field == 4 || c->field == 10) wire_raw(w, &bits, tonnx_dtype_size(c->dtype));
    else wire_number(w, bits);
    tonnx__tensor_clear(&one);
}

static void put_form(wire *tensor, const struct form_case *c, double shift)
{
    static wire run;
    wire_tensor(tensor, (int)c->dtype, 1, (uint64_t[]){ 3 });
    run.size = 0;
    for (size_t i = 0; i < 3; i++) {
        put_element(&run, c, form_value(c->dtype, i) + shift);
        if (c->form == SINGLE) {
            wire_number(tensor, c->field << 3 | (c->field == 4 ? 5u : c->field == 10 ? 1u : 0u));
            wire_raw(tensor, run.bytes, run.size);
            run.size = 0;
        }
        if (c->form == TWO_RUNS && i == 1) {
            wire_bytes(tensor, c->field, run.bytes, run.size);
            wire_text(tensor, 12, "a doc_string between them");
            run.size = 0;
        }
    }
    if (c->form != SINGLE) wire_bytes(tensor, c->field, run.bytes, run.size);
}

/* Each form is read, and changed values are written in that very form: as if the file had been made with them. */
START_TEST(every_form_of_a_payload_is_kept)
{
    static wire tensor, before, after;
    const struct form_case *c = &form_cases[_i];
    const double shift = c->dtype == TONNX_BOOL ? 0 : c->dtype == TONNX_INT8 ? 100 : 200; /* makes varints longer */
    put_form(&tensor, c, 0);
    wire_model_of(&before, &tensor);
    put_form(&tensor, c, shift);
    wire_model_of(&after, &tensor);
    tonnx_model *model = read_wire(&before);
    double values[3];
    ck_ok(tonnx_model_read(model, 0, values));
    for (size_t i = 0; i < 3; i++) ck_assert(values[i] == form_value(c->dtype, i));
    writes(model, before.bytes, before.size);
    for (size_t i = 0; i < 3; i++) values[i] += shift;
    ck_ok(tonnx_model_write(model, 0, values));
    writes(model, after.bytes, after.size);
    tonnx_model_free(model);
}
END_TEST

START_TEST(equal_elements_keep_even_odd_spellings)
{
    static wire tensor, before, after;
    const double values[3] = { 1, 7, 1 };
    wire_tensor(&tensor, TONNX_INT64, 1, (uint64_t[]){ 3 });
    wire_bytes(&tensor, 7, "\x81\x80\x00\x02\x81\x00", 6); /* 1 in three bytes, 2, 1 in two */
    wire_model_of(&before, &tensor);
    wire_tensor(&tensor, TONNX_INT64, 1, (uint64_t[]){ 3 });
    wire_bytes(&tensor, 7, "\x81\x80\x00\x07\x81\x00", 6);
    wire_model_of(&after, &tensor);
    tonnx_model *model = read_wire(&before);
    ck_ok(tonnx_model_write(model, 0, values));
    writes(model, after.bytes, after.size);
    tonnx_model_free(model);
}
END_TEST

/* Enough elements that grow for the lengths of tensor and graph to need another byte. */
START_TEST(lengths_around_a_grown_payload_are_mended)
{
    static wire tensor, run, model_wire;
    double values[60];
    size_t grown = 0;
    run.size = 0;
    for (int i = 0; i < 60; i++) wire_number(&run, 0);
    wire_tensor(&tensor, TONNX_FLOAT16, 2, (uint64_t[]){ 6, 10 });
    wire_bytes(&tensor, 5, run.bytes, run.size);
    wire_model_of(&model_wire, &tensor);
    tonnx_model *model = read_wire(&model_wire);
    for (int i = 0; i < 60; i++) {
        values[i] = i * 0.25 - 3;
        const unsigned bits = tonnx__double_to_half(values[i]);
        grown += bits >= 0x4000 ? 2 : bits >= 0x80; /* a varint holds 7 bits per byte */
    }
    ck_ok(tonnx_model_write(model, 0, values));
    tonnx_model *again = reread(model);
    ck_assert_uint_eq(again->source_size, model->source_size + grown + 3); /* payload's, tensor's and graph's length */
    for (size_t i = 0; i < 60; i++) ck_assert(tonnx__tensor_get(&again->tensors[0], i) == values[i]);
    ck_assert_str_eq(again->nodes[0].op_type, "Add");
    tonnx_model_free(again);
    tonnx_model_free(model);
}
END_TEST

/* Everything that may be done to a model at once; then once more on what was written. */
static void rebuild(tonnx_model *model, const char *suffix)
{
    char mean[32], shifted[32], bias[32], out[32];
    size_t at = 0;
    snprintf(mean, sizeof mean, "mean%s", suffix);
    snprintf(shifted, sizeof shifted, "shifted%s", suffix);
    snprintf(bias, sizeof bias, "bias%s", suffix);
    snprintf(out, sizeof out, "extra%s", suffix);
    ck_ok(tonnx__model_add_tensor(model, mean, TONNX_FLOAT, 1, (int64_t[]){ 3 }, &at));
    ck_ok(tonnx_model_write(model, at, (double[]){ 1, 2, 3 }));
    ck_ok(tonnx__model_add_tensor(model, bias, TONNX_FLOAT, 0, NULL, &at));
    const char *first = model->nodes[model->front_count].inputs[0];
    ck_ok(tonnx__model_add_node(model, true, "Sub", "shift", (const char *[]){ first, mean }, 2, shifted, &at));
    ck_ok(tonnx__model_rename_input(model, at + 1, 0, shifted));
    ck_ok(tonnx__model_rename_input(model, at + 1, 2, bias));
    ck_ok(tonnx__model_add_node(model, false, "LeakyRelu", "", (const char *[]){ "y" }, 1, out, &at));
    ck_ok(tonnx__node_add_float(&model->nodes[at], "alpha", 0.25f));
    ck_ok(tonnx_model_set_metadata(model, "scale", suffix));
    ck_ok(tonnx_model_set_metadata(model, out, "new"));
}

START_TEST(nodes_tensors_and_metadata_are_added)
{
    static wire tensor, source;
    put_form(&tensor, &form_cases[0], 0);
    wire_model_of(&source, &tensor);
    tonnx_model *model = read_wire(&source);
    rebuild(model, "1");
    tonnx_model *again = reread(model);
    ck_assert(again->node_count == 3 && again->tensor_count == 3 && again->metadata_count == 2);
    ck_assert_str_eq(again->nodes[0].op_type, "Sub");
    ck_assert_str_eq(again->nodes[1].inputs[0], "shifted1");
    ck_assert_str_eq(again->nodes[1].inputs[1], "w");
    ck_assert_str_eq(again->nodes[1].inputs[2], "bias1");
    ck_assert(tonnx__node_float(&again->nodes[2], "alpha", 0) == 0.25);
    ck_assert(again->tensors[1].rank == 1 && tonnx__tensor_get(&again->tensors[1], 2) == 3);
    ck_assert(again->tensors[2].rank == 0 && again->tensors[2].count == 1);
    rebuild(again, "22");
    tonnx_model *third = reread(again);
    ck_assert(third->node_count == 5 && third->tensor_count == 5 && third->metadata_count == 3);
    ck_assert_str_eq(tonnx_model_metadata(third, "scale"), "22");
    ck_assert_str_eq(third->nodes[0].inputs[0], "x");
    ck_assert_str_eq(third->nodes[1].inputs[0], "shifted22");
    tonnx_model_free(third);
    tonnx_model_free(again);
    tonnx_model_free(model);
}
END_TEST

START_TEST(what_is_removed_is_gone)
{
    static wire tensor, source;
    size_t at = 0;
    put_form(&tensor, &form_cases[0], 0);
    wire_model_of(&source, &tensor);
    tonnx_model *model = read_wire(&source);
    ck_ok(tonnx_model_write(model, 0, (double[]){ 4, 5, 6 })); /* a change of what is removed then */
    ck_ok(tonnx__model_rename_input(model, 0, 1, "other"));
    model->tensors[0].removed = model->nodes[0].removed = true;
    ck_ok(tonnx__model_add_node(model, true, "Relu", "r", (const char *[]){ "x" }, 1, "y", &at));
    ck_ok(tonnx__model_add_node(model, false, "Relu", "s", (const char *[]){ "y" }, 1, "z", &at));
    tonnx_model *again = reread(model);
    ck_assert(again->node_count == 2 && again->tensor_count == 0);
    ck_assert_str_eq(again->nodes[0].op_type, "Relu");
    ck_assert_str_eq(again->nodes[1].outputs[0], "z");
    tonnx_model_free(again);
    tonnx_model_free(model);
}
END_TEST

START_TEST(a_constant_node_is_trained_where_it_stands)
{
    tonnx_model *model = NULL;
    size_t changed = 0;
    ck_ok(tonnx_onnx_load(&model, TONNX_TEST_DATA "/exports/hand-constant-nodes/model.onnx", NULL));
    for (size_t i = 0; i < model->node_count; i++) {
        const tonnx__attribute *value = tonnx__node_attribute(&model->nodes[i], "value");
        if (!value || !value->tensor || value->tensor->dtype != TONNX_FLOAT) continue;
        ck_ok(tonnx__tensor_touch(value->tensor));
        tonnx__tensor_set(value->tensor, value->tensor->count - 1, 42);
        changed++;
    }
    ck_assert_uint_gt(changed, 1);
    tonnx_model *again = reread(model);
    ck_assert_uint_eq(again->source_size, model->source_size);
    for (size_t i = 0; i < again->node_count; i++) {
        const tonnx__attribute *value = tonnx__node_attribute(&again->nodes[i], "value");
        if (!value || !value->tensor || value->tensor->dtype != TONNX_FLOAT) continue;
        ck_assert(tonnx__tensor_get(value->tensor, value->tensor->count - 1) == 42);
    }
    tonnx_model_free(again);
    tonnx_model_free(model);
}
END_TEST

/* Constant nodes' numbers, in either form, are told behind the initializers, by their outputs' names; as of these, what
 * they are is no part of the graph. */
START_TEST(constant_nodes_are_described)
{
    tonnx_model *model = NULL, *other = NULL;
    tonnx_model_info info;
    ck_ok(tonnx_onnx_load(&model, TONNX_TEST_DATA "/exports/hand-constant-nodes/model.onnx", NULL));
    ck_ok(tonnx_onnx_load(&other, TONNX_TEST_DATA "/exports/hand-constant-nodes/model.onnx", NULL));
    tonnx_model_describe(model, &info);
    ck_assert_uint_gt(info.constant_count, 1);
    size_t seen = 0;
    for (size_t n = 0; n < model->node_count; n++) {
        tonnx__tensor *constant = NULL;
        tonnx_tensor_info told;
        double numbers[4096];
        ck_ok(tonnx__constant_numbers(&model->nodes[n], &constant));
        ck_assert_int_eq(constant != NULL, !strcmp(model->nodes[n].op_type, "Constant"));
        if (!constant) continue;
        ck_ok(tonnx__tensor_touch(constant));
        tonnx__tensor_set(constant, 0, 7);
        tonnx_model_tensor(model, info.tensor_count + seen, &told);
        ck_assert_str_eq(told.name, model->nodes[n].outputs[0]);
        ck_assert_uint_lt(told.count, sizeof numbers / sizeof *numbers);
        ck_ok(tonnx_model_read(model, info.tensor_count + seen++, numbers));
        ck_assert(numbers[0] == 7);
    }
    ck_assert_uint_eq(seen, info.constant_count);
    ck_assert(tonnx_model_same_graph(model, other));
    tonnx_model_free(other);
    tonnx_model_free(model);
}
END_TEST

START_TEST(a_model_from_nothing_is_written_and_read)
{
    tonnx_model *model = NULL;
    tonnx_value_info value;
    size_t at = 0;
    ck_ok(tonnx__model_new(&model, 17, 3, 2));
    ck_ok(tonnx__model_add_tensor(model, "fc.weight", TONNX_FLOAT, 2, (int64_t[]){ 2, 3 }, &at));
    ck_ok(tonnx_model_write(model, at, (double[]){ 1, 2, 3, 4, 5, 6 }));
    ck_ok(
        tonnx__model_add_node(model, false, "Gemm", "fc", (const char *[]){ "input", "fc.weight" }, 2, "output", &at));
    ck_ok(tonnx__node_add_int(&model->nodes[at], "transB", 1));
    ck_ok(tonnx_model_set_metadata(model, "classes", "a\nb"));
    tonnx_model *again = reread(model);
    ck_assert(again->ir_version == 8 && tonnx__model_opset(again) == 17);
    ck_assert_str_eq(again->producer, "tonnx");
    ck_assert_str_eq(tonnx_model_metadata(again, "classes"), "a\nb");
    ck_assert(tonnx__tensor_get(&again->tensors[0], 4) == 5);
    ck_assert(tonnx__node_int(&again->nodes[0], "transB", 0) == 1);
    tonnx_model_input(again, 0, &value);
    ck_assert(value.rank == 2 && value.dims[0] == -1 && value.dims[1] == 3 && value.dtype == TONNX_FLOAT);
    ck_assert_str_eq(value.dim_params[0], "N");
    tonnx_model_free(again);
    tonnx_model_free(model);
}
END_TEST

START_TEST(inputs_that_are_initializers_are_no_inputs)
{
    tonnx_model *model = NULL;
    tonnx_model_info info;
    tonnx_value_info value;
    ck_ok(tonnx_onnx_load(&model, TONNX_TEST_DATA "/exports/hand-ir3-inits-are-inputs/model.onnx", NULL));
    tonnx_model_describe(model, &info);
    ck_assert(info.ir_version == 3 && info.input_count == 1 && model->input_count > 1);
    tonnx_model_input(model, 0, &value);
    ck_assert_int_lt(tonnx__model_find_tensor(model, value.name), 0);
    tonnx_model_free(model);
}
END_TEST

START_TEST(before_ir_4_initializers_come_and_go_with_an_input)
{
    tonnx_model *model = NULL;
    size_t at = 0;
    ck_ok(tonnx_onnx_load(&model, TONNX_TEST_DATA "/exports/hand-ir3-inits-are-inputs/model.onnx", NULL));
    ck_ok(tonnx__model_add_tensor(model, "added", TONNX_FLOAT, 2, (int64_t[]){ 1, 4 }, &at));
    tonnx_model *again = reread(model);
    const tonnx__value *last = &again->inputs[again->input_count - 1];
    ck_assert_uint_eq(again->input_count, model->input_count + 1);
    ck_assert_str_eq(last->name, "added");
    ck_assert(last->is_initializer && last->rank == 2 && last->dims[1] == 4);
    again->tensors[at].removed = true;
    tonnx_model *third = reread(again);
    ck_assert_uint_eq(third->tensor_count, at);
    ck_assert_uint_eq(third->input_count, model->input_count);
    writes(third, model->source, model->source_size);
    tonnx_model_free(third);
    tonnx_model_free(again);
    tonnx_model_free(model);
}
END_TEST

START_TEST(a_model_is_never_saved_over_its_source)
{
    char folder[] = "/tmp/tonnx-onnx-XXXXXX", source[64], hard[64], soft[64], other[64];
    tonnx_model *model = NULL;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(source, sizeof source, "%s/a.onnx", folder);
    snprintf(hard, sizeof hard, "%s/hard", folder);
    snprintf(soft, sizeof soft, "%s/soft", folder);
    snprintf(other, sizeof other, "%s/b.onnx", folder);
    ck_ok(tonnx__model_new(&model, 17, 1, 1));
    size_t at;
    ck_ok(tonnx__model_add_node(model, false, "Relu", "", (const char *[]){ "input" }, 1, "output", &at));
    ck_ok(tonnx_onnx_save(model, source, NULL));
    tonnx_model_free(model);
    ck_assert(!link(source, hard) && !symlink("a.onnx", soft));
    ck_ok(tonnx_onnx_load(&model, source, NULL));
    ck_fails(tonnx_onnx_save(model, source, NULL), TONNX_BAD_USAGE, "a.onnx");
    ck_fails(tonnx_onnx_save(model, hard, NULL), TONNX_BAD_USAGE, "hard");
    ck_fails(tonnx_onnx_save(model, soft, NULL), TONNX_BAD_USAGE, "soft");
    ck_fails(tonnx_onnx_save(model, folder, NULL), TONNX_IO_FAILED, "folder");
    ck_ok(tonnx_onnx_save(model, other, NULL));
    tonnx_model_free(model);
    ck_ok(tonnx_onnx_load(&model, other, NULL));
    tonnx_model_free(model);
    ck_assert(!unlink(source) && !unlink(hard) && !unlink(soft) && !unlink(other) && !rmdir(folder));
}
END_TEST

/* Loads, changes and writes with the nth allocation failing. */
static tonnx_status load_and_write(const wire *source)
{
    tonnx_model *model = NULL;
    unsigned char *bytes = NULL;
    size_t size = 0, at;
    tonnx_status status = tonnx_onnx_read(&model, source->bytes, source->size, "wire", NULL);
    if (!status) status = tonnx_model_write(model, 0, (double[]){ 4, 5, 6 });
    if (!status) status = tonnx__model_add_node(model, true, "Relu", "r", (const char *[]){ "x" }, 1, "q", &at);
    if (!status) status = tonnx_onnx_write(model, &bytes, &size);
    tonnx_file_free(bytes);
    tonnx_model_free(model);
    return status;
}

START_TEST(running_out_of_memory_is_survived)
{
    static wire tensor, source;
    put_form(&tensor, &form_cases[8], 0);
    wire_model_of(&source, &tensor);
    for (size_t nth = 1; nth < 400; nth++) {
        tonnx__mem_fault(nth, true);
        const tonnx_status status = load_and_write(&source);
        tonnx__mem_fault(0, false);
        if (!status) return;
        ck_assert_msg(status == TONNX_NO_MEMORY, "allocation %zu: %s", nth, tonnx_last_message());
    }
    ck_abort_msg("never succeeded");
}
END_TEST

static Suite *onnx_suite(void)
{
    Suite *suite = suite_create("onnx");
    TCase *tests = tcase_create("onnx");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, find_files, free_files);
    tcase_add_test(tests, an_unchanged_model_is_written_byte_for_byte);
    tcase_add_test(tests, a_change_touches_only_payload_bytes);
    tcase_add_test(tests, changed_values_are_read_back);
    tcase_add_loop_test(tests, every_form_of_a_payload_is_kept, 0, sizeof form_cases / sizeof *form_cases);
    tcase_add_test(tests, equal_elements_keep_even_odd_spellings);
    tcase_add_test(tests, lengths_around_a_grown_payload_are_mended);
    tcase_add_test(tests, nodes_tensors_and_metadata_are_added);
    tcase_add_test(tests, what_is_removed_is_gone);
    tcase_add_test(tests, a_constant_node_is_trained_where_it_stands);
    tcase_add_test(tests, constant_nodes_are_described);
    tcase_add_test(tests, a_model_from_nothing_is_written_and_read);
    tcase_add_test(tests, inputs_that_are_initializers_are_no_inputs);
    tcase_add_test(tests, before_ir_4_initializers_come_and_go_with_an_input);
    tcase_add_test(tests, a_model_is_never_saved_over_its_source);
    tcase_add_test(tests, running_out_of_memory_is_survived);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(onnx_suite());
}
