/* Files that are damaged or lie: each is refused in one line that names file and field, within time and memory. */
#include <unistd.h>

#include "format/file.h"
#include "format/onnx.h"
#include "format/scan_impl.h"
#include "runtime/model_impl.h"
#include "wire.h"

#define BAD TONNX_TEST_DATA "/bad/"

static const struct bad_file {
    const char *name, *says;
} bad_files[] = {
    { "onnx-empty", "is empty" },
    { "onnx-one-byte", "cut short" },
    { "onnx-wrong-format", "not an ONNX model" },
    { "onnx-cut-00", "has no graph" },
    { "onnx-cut-01", "has no graph" },
    { "onnx-cut-02", "cut short" },
    { "onnx-cut-04", "longer than what is left" },
    { "onnx-cut-08", "longer than what is left" },
    { "onnx-cut-10", "opset_import" },
    { "onnx-cut-11", "longer than what is left" },
    { "onnx-nest-3000", "nested deeper than 64 levels" },
    { "onnx-dims-wrap", "fc1.weight" },
    { "onnx-dims-wrap-bytes", "fc1.weight" },
    { "onnx-dims-negative", "'fc1.weight': dim 0 is -1" },
    { "onnx-rank-1000", "'fc1.weight': has rank 1000" },
    { "onnx-raw-plus", "'fc1.weight': raw_data holds 121 bytes" },
    { "onnx-raw-minus", "'fc1.weight': raw_data holds 119 bytes" },
    { "onnx-float-data-short", "'fc1.weight': float_data holds 29 elements" },
    { "onnx-two-payloads", "'fc1.weight': has both" },
    { "wire-graph-twice", "graph: stands there twice" },
    { "wire-bad-utf8", "graph.node.name" },
    { "wire-zero-tag", "a number that cannot be" },
    { "graph-cycle", "hidden_0_act2" },
    { "graph-undefined-input", "no_such_value" },
    { "graph-duplicate-name", "'fc1.weight' is made twice" },
    { "graph-no-opset", "opset_import" },
    { "graph-opset-9999", "opset 9999" },
    { "graph-empty", "graph.output" },
    { "graph-no-output", "has no output" },
    { "ext-absolute", "'fc1.weight': external_data location" },
    { "ext-in-constant", "Constant node 'make_weight'" },
    { "ext-missing", "gone.bin" },
    { "ext-nul", "external_data.value: is not UTF-8" },
};

START_TEST(a_bad_file_is_refused_by_name_and_field)
{
    const struct bad_file *bad = &bad_files[_i];
    char path[500];
    tonnx_model *model = NULL;
    snprintf(path, sizeof path, BAD "%s/net.onnx", bad->name);
    ck_fails(tonnx_onnx_load(&model, path, NULL), TONNX_BAD_MODEL, bad->says);
    ck_assert_ptr_null(model);
    ck_assert_ptr_nonnull(strstr(tonnx_last_message(), path));
    ck_assert_ptr_null(strchr(tonnx_last_message(), '\n'));
}
END_TEST

/* Beside what is refused: files that look odd and are sound. */
START_TEST(a_good_twin_loads)
{
    static const char *const twins[] = { "common", "twin-float-data", "weight-nonfinite", "graph-int8-weight",
                                         "graph-two-inputs" };
    char path[500];
    tonnx_model *model = NULL;
    snprintf(path, sizeof path, BAD "%s/net.onnx", twins[_i]);
    ck_ok(tonnx_onnx_load(&model, path, NULL));
    tonnx_model_free(model);
}
END_TEST

START_TEST(a_missing_file_is_no_bad_model)
{
    tonnx_model *model = NULL;
    ck_fails(tonnx_onnx_load(&model, BAD "nowhere.onnx", NULL), TONNX_IO_FAILED, "nowhere.onnx");
    ck_fails(tonnx_onnx_load(&model, BAD, NULL), TONNX_IO_FAILED, "a folder");
}
END_TEST

/* A hole of 3 GiB: told by its size, before any of it is read. */
START_TEST(a_file_beyond_what_protobuf_can_hold_is_refused)
{
    char path[] = "/tmp/tonnx-large-XXXXXX";
    tonnx_model *model = NULL;
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)3 << 30), 0);
    const tonnx_status status = tonnx_onnx_load(&model, path, NULL);
    close(fd);
    unlink(path);
    ck_assert_int_eq(status, TONNX_BAD_MODEL);
    ck_assert_ptr_nonnull(strstr(tonnx_last_message(), path));
    ck_fails(tonnx_onnx_read(&model, path, (size_t)3 << 30, "memory.onnx", NULL), TONNX_BAD_MODEL,
             "memory.onnx: is over 2 GiB");
}
END_TEST

/* A sound model of 649 bytes to damage. */
static unsigned char *sound;
static size_t sound_size;

static void read_sound(void)
{
    ck_ok(tonnx_file_read(BAD "common/net.onnx", 1 << 20, &sound, &sound_size));
}

static void free_sound(void)
{
    tonnx_file_free(sound);
}

/* The bytes in an allocation of their own size, so that the sanitizer sees a step too far. */
static tonnx_status read_exactly(const unsigned char *bytes, size_t size)
{
    tonnx_model *model = NULL;
    unsigned char *written = NULL;
    size_t written_size = 0;
    const tonnx_status status = tonnx_onnx_read(&model, bytes, size, "cut.onnx", NULL);
    if (!status) {
        ck_ok(tonnx_onnx_write(model, &written, &written_size));
        ck_assert(written_size == size && !memcmp(written, bytes, size));
        tonnx_file_free(written);
    }
    tonnx_model_free(model);
    return status;
}

START_TEST(no_cut_file_loads)
{
    for (size_t size = 0; size < sound_size; size++) ck_fails(read_exactly(sound, size), TONNX_BAD_MODEL, "cut.onnx: ");
    ck_ok(read_exactly(sound, sound_size));
}
END_TEST

START_TEST(no_flipped_bit_is_more_than_a_refusal)
{
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * sound_size; bit++) {
        sound[bit / 8] ^= (unsigned char)(1 << bit % 8);
        const tonnx_status status = read_exactly(sound, sound_size);
        ck_assert_msg(!status || status == TONNX_BAD_MODEL, "bit %zu: %s", bit, tonnx_last_message());
        refused += status != TONNX_OK;
        sound[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    ck_assert_uint_gt(refused, sound_size); /* most bits outside weights and text matter */
}
END_TEST

START_TEST(no_changed_byte_is_more_than_a_refusal)
{
    static const unsigned char odd[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    for (size_t at = 0; at < sound_size; at++)
        for (size_t k = 0; k < sizeof odd; k++) {
            const unsigned char kept = sound[at];
            sound[at] = odd[k];
            const tonnx_status status = read_exactly(sound, sound_size);
            ck_assert_msg(!status || status == TONNX_BAD_MODEL, "byte %zu: %s", at, tonnx_last_message());
            sound[at] = kept;
        }
}
END_TEST

static void refuses(const wire *model, const char *says)
{
    tonnx_model *out = NULL;
    ck_fails(tonnx_onnx_read(&out, model->bytes, model->size, "wire.onnx", NULL), TONNX_BAD_MODEL, says);
}

/* A sound tensor w of three floats, and what may be wrong with it. */
START_TEST(a_tensor_that_lies_is_refused)
{
    static wire tensor, model;
    static const unsigned char floats[12];
    static const struct lie {
        unsigned field;
        size_t size;
        const char *says;
    } lies[] = {
        { 7, 3, "cannot stand in int64_data" }, /* packed varints */
        { 10, 8, "cannot stand in double_data" },
        { 4, 11, "packed numbers are cut short" },
        { 4, 8, "float_data holds 2 elements" },
        { 9, 0, "has no data" },
        { 3, 0, "has a segment" },
        { 14, 12, "data_location: has the wrong wire type" },
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        wire_tensor(&tensor, TONNX_FLOAT, 1, (uint64_t[]){ 3 });
        wire_bytes(&tensor, lies[i].field, floats, lies[i].size);
        wire_model_of(&model, &tensor);
        refuses(&model, lies[i].says);
    }
}
END_TEST

START_TEST(a_payload_that_does_not_fit_its_tensor_is_refused)
{
    static wire tensor, model;
    wire_tensor(&tensor, TONNX_INT64, 1, (uint64_t[]){ 3 });
    wire_bytes(&tensor, 7, "\1\2", 2);
    wire_model_of(&model, &tensor);
    refuses(&model, "'w': int64_data holds 2 elements, its dims ask for 3 int64 elements");
    wire_tensor(&tensor, 14, 1, (uint64_t[]){ 1 });
    wire_bytes(&tensor, 4, "\0\0\0\0\0\0\0", 8);
    wire_model_of(&model, &tensor);
    refuses(&model, "'w': elements of type complex64 cannot stand in float_data");
    wire_tensor(&tensor, TONNX_FLOAT, 1, (uint64_t[]){ 1 });
    wire_bytes(&tensor, 9, "\0\0\x80\x3f", 4);
    wire_bytes(&tensor, 13, "\x0a\x08location\x12\x05w.bin", 17);
    wire_varint(&tensor, 14, 1);
    wire_model_of(&model, &tensor);
    refuses(&model, "'w': has external_data and raw_data");
}
END_TEST

START_TEST(one_float_by_itself_is_read)
{
    static wire tensor, model;
    tonnx_model *out = NULL;
    wire_tensor(&tensor, TONNX_FLOAT, 1, (uint64_t[]){ 1 });
    wire_raw(&tensor, "\x25\0\0\x80\x3f", 5); /* float_data that is not packed */
    wire_model_of(&model, &tensor);
    ck_ok(tonnx_onnx_read(&out, model.bytes, model.size, "wire.onnx", NULL));
    ck_assert(tonnx__tensor_get(&out->tensors[0], 0) == 1);
    tonnx_model_free(out);
}
END_TEST

START_TEST(a_number_beyond_its_type_is_refused)
{
    static const struct number {
        int dtype;
        unsigned field;
        uint64_t value;
        const char *says;
    } numbers[] = {
        { TONNX_FLOAT16, 5, 131071, "float16" }, { TONNX_BFLOAT16, 5, 1 << 16, "bfloat16" },
        { TONNX_BOOL, 5, 2, "bool" },            { TONNX_UINT8, 5, 256, "uint8" },
        { TONNX_UINT8, 5, UINT64_MAX, "uint8" }, { TONNX_INT8, 5, 128, "int8" },
        { TONNX_INT8, 5, -129ull, "int8" },      { TONNX_UINT16, 5, 1 << 16, "uint16" },
        { TONNX_INT16, 5, 1 << 15, "int16" },    { TONNX_INT16, 5, -32769ull, "int16" },
        { TONNX_UINT32, 11, 1ull << 32, "uint32" },
    };
    static wire tensor, model;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct number *n = &numbers[i];
        char says[100];
        snprintf(says, sizeof says, "'w': %s element 0 is beyond %s", n->field == 5 ? "int32_data" : "uint64_data",
                 n->says);
        wire_tensor(&tensor, n->dtype, 1, (uint64_t[]){ 1 });
        wire_varint(&tensor, n->field, n->value);
        wire_model_of(&model, &tensor);
        refuses(&model, says);
    }
}
END_TEST

START_TEST(a_name_is_made_once)
{
    static wire tensor, graph, model, part;
    wire_tensor(&tensor, TONNX_FLOAT, 1, (uint64_t[]){ 1 });
    wire_bytes(&tensor, 9, "\0\0\0", 4);
    wire_graph(&graph, &tensor);
    wire_message(&graph, 5, &tensor);
    wire_model(&model, &graph);
    refuses(&model, "graph: the name 'w' is made twice (duplicate initializer)");
    wire_graph(&graph, &tensor);
    part.size = 0;
    wire_text(&part, 1, "x");
    wire_message(&graph, 11, &part);
    wire_model(&model, &graph);
    refuses(&model, "graph: the name 'x' is made twice (duplicate input)");
}
END_TEST

START_TEST(wire_forms_that_onnx_never_has_are_refused)
{
    static wire tensor, model;
    static const struct tail {
        const char *bytes;
        size_t size;
        const char *says;
    } tails[] = {
        { "\x0b\x0c", 2, "wire type" },                 /* a group */
        { "\x0e", 1, "wire type" },                     /* type 6 */
        { "\x80", 1, "cut short" },                     /* a tag that goes on */
        { "\x80\x80\x80\x80\x80\x01", 6, "cut short" }, /* a tag of six bytes */
        { "\x02\x00", 2, "a number that cannot be" },   /* field 0 */
        { "\x38\x01", 2, "graph: has the wrong wire type" },
        { "\x08\x09", 2, "ir_version: stands there twice" },
        { "\x12\x02\xc0\x80", 4, "producer_name: is not UTF-8" },     /* an overlong NUL */
        { "\x12\x03\xed\xa0\x80", 5, "producer_name: is not UTF-8" }, /* half a surrogate pair */
        { "\x12\x02"
          "a\x00",
          4, "producer_name: is not UTF-8" },
        { "\x12\x01\xe2", 3, "producer_name: is not UTF-8" },
        { "\x12\x04\xf4\x90\x80\x80", 6, "producer_name: is not UTF-8" }, /* beyond the last code point */
        { "\x20\x01", 2, "domain: has the wrong wire type" },
    };
    wire_tensor(&tensor, TONNX_FLOAT, 1, (uint64_t[]){ 1 });
    wire_bytes(&tensor, 9, "\0\0\0", 4);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        wire_model_of(&model, &tensor);
        wire_raw(&model, tails[i].bytes, tails[i].size);
        refuses(&model, tails[i].says);
    }
    wire_model_of(&model, &tensor);
    wire_raw(&model, "\xf2\x3f\x03unk\x12\x08tür\xf0\x9f\x98\x80", 16); /* an unknown field 1022, and text */
    ck_ok(read_exactly(model.bytes, model.size));
}
END_TEST

/* y = Add(x, w) with what `attributes` holds, fields of the node. */
static void model_with(wire *model, const wire *attributes)
{
    static wire graph, node, tensor;
    wire_tensor(&tensor, TONNX_FLOAT, 1, (uint64_t[]){ 1 });
    wire_bytes(&tensor, 9, "\0\0\0", 4);
    wire_graph(&graph, &tensor);
    node.size = 0;
    wire_text(&node, 1, "x");
    wire_text(&node, 2, "z");
    wire_text(&node, 4, "Relu");
    wire_raw(&node, attributes->bytes, attributes->size);
    wire_message(&graph, 1, &node);
    wire_model(model, &graph);
}

/* The first IR versions gave attributes no type: then the member that is there says it. */
START_TEST(an_attribute_without_a_type_is_what_it_holds)
{
    static const struct form {
        const char *bytes; /* an AttributeProto "a" */
        size_t size;
        tonnx__attribute_type type;
    } forms[] = {
        { "\x0a\x01"
          "a\x15\0\0\x80\x3f",
          8, TONNX__ATTRIBUTE_FLOAT },
        { "\x0a\x01"
          "a\x18\x07",
          5, TONNX__ATTRIBUTE_INT },
        { "\x0a\x01"
          "a\x22\x01s",
          6, TONNX__ATTRIBUTE_STRING },
        { "\x0a\x01"
          "a\x22\x01\xff",
          6, TONNX__ATTRIBUTE_OTHER }, /* bytes that are no text */
        { "\x0a\x01"
          "a\x2a\x0a\x08\x01\x10\x01\x4a\x04\0\0\0\0",
          15, TONNX__ATTRIBUTE_TENSOR },
        { "\x0a\x01"
          "a\x3a\x04\0\0\x80\x3f",
          9, TONNX__ATTRIBUTE_FLOATS },
        { "\x0a\x01"
          "a\x42\x02\x01\x02",
          7, TONNX__ATTRIBUTE_INTS },
        { "\x0a\x01"
          "a",
          3, TONNX__ATTRIBUTE_OTHER },
        { "\x0a\x01"
          "a\xa0\x01\x05",
          6, TONNX__ATTRIBUTE_OTHER }, /* said to be a graph */
        { "\x0a\x01"
          "a\xa0\x01\x09",
          6, TONNX__ATTRIBUTE_OTHER }, /* graphs */
        { "\x0a\x01"
          "a\xa0\x01\x07",
          6, TONNX__ATTRIBUTE_INTS }, /* and none there */
    };
    static wire model, attributes;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        tonnx_model *out = NULL;
        attributes.size = 0;
        wire_bytes(&attributes, 5, forms[i].bytes, forms[i].size);
        model_with(&model, &attributes);
        ck_ok(tonnx_onnx_read(&out, model.bytes, model.size, "wire.onnx", NULL));
        ck_assert_msg(out->nodes[1].attributes[0].type == forms[i].type, "form %zu", i);
        tonnx_model_free(out);
    }
    attributes.size = 0;
    wire_bytes(&attributes, 5,
               "\x0a\x01"
               "a\xa0\x01\x04",
               6);
    model_with(&model, &attributes);
    refuses(&model, "attribute 'a': is said to be a tensor and holds none");
}
END_TEST

START_TEST(overloads_and_long_names_are_read)
{
    static wire model, attributes, part;
    tonnx_model *out = NULL;
    attributes.size = part.size = 0;
    wire_text(&attributes, 8, "v2"); /* the node's overload */
    model_with(&model, &attributes);
    wire_text(&part, 1, "ai.onnx"); /* the default domain by its long name */
    wire_varint(&part, 2, 17);
    wire_message(&model, 8, &part);
    refuses(&model, "opset_import: two entries for the domain ''");
    model_with(&model, &attributes);
    ck_ok(tonnx_onnx_read(&out, model.bytes, model.size, "wire.onnx", NULL));
    ck_assert_str_eq(out->nodes[1].overload, "v2");
    tonnx_model_free(out);
}
END_TEST

/* Some exporters write every member, empty where it says nothing. */
START_TEST(an_empty_reference_refers_to_nothing)
{
    static wire model, attributes;
    tonnx_model *out = NULL;
    attributes.size = 0;
    wire_bytes(&attributes, 5,
               "\x0a\x01"
               "a\x15\0\0\x80\x3f\xa0\x01\x01\xaa\x01\0",
               14);
    model_with(&model, &attributes);
    ck_ok(tonnx_onnx_read(&out, model.bytes, model.size, "wire.onnx", NULL));
    ck_assert(!out->nodes[1].attributes[0].stands_for && out->nodes[1].attributes[0].f == 1.0f);
    tonnx_model_free(out);
}
END_TEST

START_TEST(there_is_an_end_to_everything)
{
    static wire model, part, many;
    char name[16];
    part.size = many.size = 0;
    for (int i = 0; i < 257; i++) {
        part.size = 0;
        snprintf(name, sizeof name, "a%d", i);
        wire_text(&part, 1, name);
        wire_message(&many, 5, &part);
    }
    model_with(&model, &many);
    refuses(&model, "Relu node (x → z): has 257 attributes; at most 256 are read");
    many.size = 0;
    model_with(&model, &many);
    for (int i = 0; i < 64; i++) {
        part.size = 0;
        snprintf(name, sizeof name, "d%d", i);
        wire_text(&part, 1, name);
        wire_varint(&part, 2, 1);
        wire_message(&model, 8, &part);
    }
    refuses(&model, "opset_import: 65 entries; at most 64 are read");
}
END_TEST

START_TEST(a_value_of_many_dimensions_is_refused)
{
    static wire model, graph, tensor, shape, part;
    wire_tensor(&tensor, TONNX_FLOAT, 1, (uint64_t[]){ 1 });
    wire_bytes(&tensor, 9, "\0\0\0", 4);
    wire_graph(&graph, &tensor);
    shape.size = part.size = 0;
    for (int i = 0; i < 65; i++) wire_bytes(&shape, 1, "\x08\x01", 2);
    wire_message(&part, 2, &shape);
    shape = part;
    part.size = 0;
    wire_message(&part, 1, &shape);
    shape.size = 0;
    wire_text(&shape, 1, "v");
    wire_message(&shape, 2, &part);
    wire_message(&graph, 11, &shape);
    wire_model(&model, &graph);
    refuses(&model, "graph value 'v': has rank 65, at most 64 is read");
}
END_TEST

/* SparseTensorProtos that are none: values and indices must be there, of their types, and as many as each other. */
START_TEST(a_sparse_tensor_that_lies_is_refused)
{
    static const int64_t one[2] = { 0 };
    static const struct lie {
        int value_type, index_type;
        size_t values, index_rank, indices; /* 0 values: none at all; index_rank 0: no indices */
        uint64_t rows;
        const char *says;
        size_t value_rank;
    } lies[] = {
        { TONNX_FLOAT, TONNX_INT64, 1, 1, 1, 2, "its indices are no int64 [1] or [1, 1]", 2 },
        { TONNX_FLOAT, TONNX_INT64, 0, 1, 1, 2, "graph.sparse_initializer: has no values", 1 },
        { TONNX_FLOAT, TONNX_INT64, 1, 0, 0, 2, "graph.sparse_initializer: has no indices", 1 },
        { 8, TONNX_INT64, 1, 1, 1, 2, "sparse tensor 'w': values of type string are not read", 1 },
        { TONNX_FLOAT, TONNX_DOUBLE, 1, 1, 1, 2, "its indices are no int64", 1 },
        { TONNX_FLOAT, TONNX_INT64, 1, 1, 2, 2, "its indices are no int64", 1 },
        { TONNX_FLOAT, TONNX_INT64, 1, 3, 1, 2, "its indices are no int64", 1 },
        { TONNX_FLOAT, TONNX_INT64, 1, 2, 2, 2, "its indices are no int64", 1 },
        { TONNX_FLOAT, TONNX_INT64, 1, 1, 1, 1ull << 40, "would go over the memory limit", 1 },
        { TONNX_FLOAT, TONNX_INT64, 1, 1, 1, 1ull << 62, "would go over the memory limit", 1 },
    };
    static wire model, sparse, part;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const struct lie *l = &lies[i];
        uint64_t dims[3] = { l->indices, 1, 1 };
        if (l->index_rank == 2) dims[0] = 1, dims[1] = l->indices;
        sparse.size = 0;
        wire_tensor(&part, l->value_type, l->value_rank, (uint64_t[]){ l->values, 1 });
        if (l->value_type != 8) wire_bytes(&part, 9, "\0\0\x80\x3f", 4);
        else wire_text(&part, 6, "word");
        if (l->values) wire_message(&sparse, 1, &part);
        wire_tensor(&part, l->index_type, l->index_rank, dims);
        wire_bytes(&part, 9, one, 8 * l->indices);
        if (l->index_rank) wire_message(&sparse, 2, &part);
        wire_varint(&sparse, 3, l->rows);
        wire_sparse_model(&model, &sparse);
        refuses(&model, l->says);
    }
}
END_TEST

/* `count` times `unit` as the start of a graph; freed by the caller. */
static unsigned char *bomb(const char *unit, size_t unit_size, size_t count, size_t *size)
{
    const size_t content = unit_size * count;
    unsigned char *bytes = malloc(content + 20);
    bytes[0] = 0x08;
    bytes[1] = 0x08;
    *size = 2 + tonnx__wire_put_head(bytes + 2, 7, content);
    for (size_t i = 0; i < count; i++) memcpy(bytes + *size + i * unit_size, unit, unit_size);
    *size += content;
    return bytes;
}

/* Two bytes of file may cost hundreds of memory: refused by count, before anything is allocated. */
START_TEST(what_would_blow_up_is_refused_first)
{
    static const struct unit {
        const char *bytes;
        size_t size;
    } units[] = { { "\x0a\x00", 2 },         { "\x2a\x00", 2 },         { "\x5a\x00", 2 },
                  { "\x0a\x02\x0a\x00", 4 }, { "\x0a\x02\x2a\x00", 4 }, { "\x82\x01\x00", 3 } };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t size = 0;
        tonnx_model *model = NULL;
        unsigned char *bytes = bomb(units[i].bytes, units[i].size, 1000000, &size);
        ck_fails(tonnx_onnx_read(&model, bytes, size, "bomb.onnx", NULL), TONNX_BAD_MODEL, "memory limit");
        free(bytes);
    }
}
END_TEST

/* A byte of int64_data makes eight of memory. */
START_TEST(decoding_has_a_limit_too)
{
    enum { COUNT = 20000000 };
    static wire head;
    wire_tensor(&head, TONNX_INT64, 1, (uint64_t[]){ COUNT });
    const size_t tensor = head.size + tonnx__wire_put_head(NULL, 7, COUNT) + COUNT;
    unsigned char *bytes = calloc(1, COUNT + 200), *to = bytes;
    memcpy(to, "\x08\x08", 2);
    to += 2;
    to += tonnx__wire_put_head(to, 7, tonnx__wire_put_head(NULL, 5, tensor) + tensor);
    to += tonnx__wire_put_head(to, 5, tensor);
    memcpy(to, head.bytes, head.size);
    to += head.size;
    to += tonnx__wire_put_head(to, 7, COUNT);
    tonnx_model *model = NULL;
    ck_fails(tonnx_onnx_read(&model, bytes, (size_t)(to - bytes) + COUNT, "zeros.onnx", NULL), TONNX_BAD_MODEL,
             "tensor 'w': decoding int64_data would go over the memory limit");
    free(bytes);
}
END_TEST

/* Graph in attribute in node in graph, `levels` times, written from the inside out. */
START_TEST(any_depth_is_refused_without_a_stack)
{
    const size_t room = 1 << 22;
    unsigned char *bytes = malloc(room), *at = bytes + room;
    static const unsigned fields[] = { 6, 5, 1 };
    tonnx_model *model = NULL;
    size_t size = 0;
    for (size_t i = 0; i < 300000; i++) {
        unsigned char head[2 * TONNX__VARINT_MOST];
        const size_t head_size = tonnx__wire_put_head(head, fields[i % 3], size);
        at -= head_size;
        memcpy(at, head, head_size);
        size += head_size;
    }
    unsigned char head[2 * TONNX__VARINT_MOST];
    const size_t head_size = tonnx__wire_put_head(head, 7, size);
    at -= head_size;
    memcpy(at, head, head_size);
    ck_fails(tonnx_onnx_read(&model, at, size + head_size, "deep.onnx", NULL), TONNX_BAD_MODEL, "nested deeper");
    free(bytes);
}
END_TEST

/* Numbers one by one are many fields, yet no bomb: the payload never reaches the parser. */
START_TEST(many_single_floats_are_read)
{
    const size_t count = 2000000;
    unsigned char *field = malloc(5 * count), *bytes = malloc(5 * count + 200), *to = bytes;
    static wire head;
    static const unsigned char one[5] = { 4 << 3 | 5, 0, 0, 0x80, 0x3f };
    for (size_t i = 0; i < count; i++) memcpy(field + 5 * i, one, 5);
    wire_tensor(&head, TONNX_FLOAT, 1, (uint64_t[]){ count });
    static const char tail[] = "\x62\x03\x0a\x01w\x42\x02\x10\x11"; /* output w; opset 17 (of the model) */
    const size_t tensor = head.size + 5 * count, tensor_head = tonnx__wire_put_head(NULL, 5, tensor);
    memcpy(to, "\x08\x08", 2);
    to += 2;
    to += tonnx__wire_put_head(to, 7, tensor_head + tensor + 5);
    to += tonnx__wire_put_head(to, 5, tensor);
    memcpy(to, head.bytes, head.size);
    memcpy(to += head.size, field, 5 * count);
    memcpy(to += 5 * count, tail, 9);
    tonnx_model *model = NULL;
    ck_ok(tonnx_onnx_read(&model, bytes, (size_t)(to - bytes) + 9, "singles.onnx", NULL));
    ck_assert(tonnx__tensor_get(&model->tensors[0], count - 1) == 1);
    tonnx_model_free(model);
    free(field);
    free(bytes);
}
END_TEST

static Suite *onnx_bad_suite(void)
{
    Suite *suite = suite_create("onnx_bad");
    TCase *tests = tcase_create("onnx_bad");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, read_sound, free_sound);
    tcase_add_loop_test(tests, a_bad_file_is_refused_by_name_and_field, 0, sizeof bad_files / sizeof *bad_files);
    tcase_add_loop_test(tests, a_good_twin_loads, 0, 5);
    tcase_add_test(tests, a_missing_file_is_no_bad_model);
    tcase_add_test(tests, a_file_beyond_what_protobuf_can_hold_is_refused);
    tcase_add_test(tests, no_cut_file_loads);
    tcase_add_test(tests, no_flipped_bit_is_more_than_a_refusal);
    tcase_add_test(tests, no_changed_byte_is_more_than_a_refusal);
    tcase_add_test(tests, a_tensor_that_lies_is_refused);
    tcase_add_test(tests, a_payload_that_does_not_fit_its_tensor_is_refused);
    tcase_add_test(tests, one_float_by_itself_is_read);
    tcase_add_test(tests, a_number_beyond_its_type_is_refused);
    tcase_add_test(tests, a_name_is_made_once);
    tcase_add_test(tests, an_empty_reference_refers_to_nothing);
    tcase_add_test(tests, decoding_has_a_limit_too);
    tcase_add_test(tests, wire_forms_that_onnx_never_has_are_refused);
    tcase_add_test(tests, an_attribute_without_a_type_is_what_it_holds);
    tcase_add_test(tests, overloads_and_long_names_are_read);
    tcase_add_test(tests, there_is_an_end_to_everything);
    tcase_add_test(tests, a_value_of_many_dimensions_is_refused);
    tcase_add_test(tests, a_sparse_tensor_that_lies_is_refused);
    tcase_add_test(tests, what_would_blow_up_is_refused_first);
    tcase_add_test(tests, any_depth_is_refused_without_a_stack);
    tcase_add_test(tests, many_single_floats_are_read);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(onnx_bad_suite());
}
