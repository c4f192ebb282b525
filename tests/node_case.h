/* ONNX's official node tests: a model of one operator, whose operands are all graph inputs, and what they give. */
#ifndef TONNX_TESTS_NODE_CASE_H
#define TONNX_TESTS_NODE_CASE_H

#include <string.h>

#include "format/file.h"
#include "format/onnx.h"
#include "format/onnx.pb-c.h"
#include "runtime/model_impl.h"
#include "tests/support.h"

enum { NODE_VALUES_MOST = 8 };

typedef struct node_case {
    const char *name;
    size_t input_count, output_count;
    /* Every operand an initializer: its graph input's name. Every output that is to come: "wanted K". One operand,
     * where it is fed: "data", and the graph input stays without an initializer. */
    Tonnx__Onnx__ModelProto *model;
    Tonnx__Onnx__TensorProto *inputs[NODE_VALUES_MOST], *outputs[NODE_VALUES_MOST];
} node_case;

static inline unsigned char *node_file(const char *name, const char *file, size_t *size)
{
    char path[512];
    unsigned char *bytes = NULL;
    snprintf(path, sizeof path, "%s/onnx-node/%s/%s", TONNX_TEST_DATA, name, file);
    return tonnx_file_read(path, 1 << 20, &bytes, size) ? NULL : bytes;
}

/* test_data_set_0/STEM_K.pb for K = 0, 1, …; each named as `names` says, so that it can be an initializer. */
static inline size_t node_tensors(Tonnx__Onnx__TensorProto **out, const char *name, const char *stem)
{
    size_t count = 0, size = 0;
    for (unsigned char *bytes; count < NODE_VALUES_MOST; count++) {
        char file[64];
        snprintf(file, sizeof file, "test_data_set_0/%s_%zu.pb", stem, count);
        bytes = node_file(name, file, &size);
        if (!bytes) break;
        out[count] = tonnx__onnx__tensor_proto__unpack(NULL, size, bytes);
        ck_assert_msg(out[count], "%s: %s cannot be read", name, file);
        tonnx__free(bytes);
    }
    return count;
}

static inline void node_case_load(node_case *c, const char *name)
{
    size_t size = 0;
    unsigned char *bytes = node_file(name, "model.onnx", &size);
    ck_assert_msg(bytes, "%s: no model", name);
    *c = (node_case){ .name = name, .model = tonnx__onnx__model_proto__unpack(NULL, size, bytes) };
    tonnx__free(bytes);
    ck_assert_msg(c->model && c->model->graph, "%s: model.onnx cannot be read", name);
    c->input_count = node_tensors(c->inputs, name, "input");
    c->output_count = node_tensors(c->outputs, name, "output");
    ck_assert_msg(c->input_count <= c->model->graph->n_input && c->output_count == c->model->graph->n_output,
                  "%s: %zu inputs and %zu outputs do not fit its graph", name, c->input_count, c->output_count);
}

static inline void node_case_clear(node_case *c)
{
    for (size_t i = 0; i < c->input_count; i++) tonnx__onnx__tensor_proto__free_unpacked(c->inputs[i], NULL);
    for (size_t i = 0; i < c->output_count; i++) tonnx__onnx__tensor_proto__free_unpacked(c->outputs[i], NULL);
    tonnx__onnx__model_proto__free_unpacked(c->model, NULL);
}

static inline const char *node_input(const node_case *c, size_t i)
{
    return c->model->graph->input[i]->name;
}

static inline const char *node_output(const node_case *c, size_t i)
{
    return c->model->graph->output[i]->name;
}

/* Borrows the tensor under another name. */
static inline Tonnx__Onnx__TensorProto node_named(const Tonnx__Onnx__TensorProto *tensor, char *name)
{
    Tonnx__Onnx__TensorProto copy = *tensor;
    copy.name = name;
    return copy;
}

/* The model with its operands as initializers, but for operand `data` (SIZE_MAX: none is fed), which stays a graph
 * input and whose numbers stand under "fed data"; what should come out stands under "wanted K". Read as any file is. */
static inline tonnx_status node_case_bind(tonnx_model **out, const node_case *c, size_t data)
{
    Tonnx__Onnx__GraphProto *graph = c->model->graph;
    Tonnx__Onnx__TensorProto extra[2 * NODE_VALUES_MOST], **had = graph->initializer, *all[64];
    char names[NODE_VALUES_MOST][32];
    const size_t count = graph->n_initializer;
    size_t n = count;
    ck_assert_uint_le(count + 2 * NODE_VALUES_MOST, sizeof all / sizeof *all);
    if (count) memcpy(all, had, count * sizeof *all);
    for (size_t i = 0; i < c->input_count; i++, n++)
        extra[n - count] = node_named(c->inputs[i], i == data ? "fed data" : graph->input[i]->name);
    for (size_t i = 0; i < c->output_count; i++, n++) {
        snprintf(names[i], sizeof names[i], "wanted %zu", i);
        extra[n - count] = node_named(c->outputs[i], names[i]);
    }
    for (size_t i = count; i < n; i++) all[i] = &extra[i - count];
    graph->initializer = all;
    graph->n_initializer = n;
    const size_t size = tonnx__onnx__model_proto__get_packed_size(c->model);
    unsigned char *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    tonnx__onnx__model_proto__pack(c->model, bytes);
    graph->initializer = had;
    graph->n_initializer = count;
    const tonnx_status status = tonnx_onnx_read(out, bytes, size, c->name, NULL);
    free(bytes);
    return status;
}

/* One of the tensors that node_case_bind put there. */
static inline const tonnx__tensor *node_tensor(const tonnx_model *model, const char *stem, size_t k)
{
    char name[64];
    snprintf(name, sizeof name, k == SIZE_MAX ? "%s" : "%s %zu", stem, k);
    const ptrdiff_t t = tonnx__model_find_tensor(model, name);
    return t < 0 ? NULL : &model->tensors[t];
}

/* Puts a layer that changes nothing where we predict, Dropout, in front of the model's input `name`, for a net must
 * have one and some operators only move data; *fed is what the input is called now. */
static inline void node_case_precede(tonnx_model *model, const char *name, const char **fed)
{
    size_t node = 0;
    *fed = "fed";
    ck_ok(tonnx__model_add_node(model, true, "Dropout", "as it is", fed, 1, name, &node));
    for (size_t i = 0; i < model->input_count; i++) {
        if (strcmp(model->inputs[i].name, name) != 0) continue;
        tonnx__free(model->inputs[i].name);
        ck_ok(tonnx__strdup(&model->inputs[i].name, *fed));
    }
}

#endif
