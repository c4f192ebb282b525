/* Models made in memory, node by node, for suites that need a net of a certain shape. */
#ifndef TONNX_TESTS_GRAPHS_H
#define TONNX_TESTS_GRAPHS_H

#include <string.h>

#include "runtime/model_impl.h"
#include "runtime/rng_impl.h"
#include "tests/support.h"

/* An initializer of random numbers, uniform in [low, high). */
static inline void graph_tensor(tonnx_model *model, const char *name, size_t rows, size_t cols, double low, double high)
{
    const int64_t dims[2] = { (int64_t)rows, (int64_t)cols };
    const size_t rank = rows ? 2 : 1;
    size_t t = 0;
    ck_ok(tonnx__model_add_tensor(model, name, TONNX_FLOAT, rank, rows ? dims : dims + 1, &t));
    ck_ok(tonnx__tensor_touch(&model->tensors[t]));
    for (size_t i = 0; i < model->tensors[t].count; i++)
        tonnx__tensor_set(&model->tensors[t], i, low + (high - low) * tonnx__rng_uniform(7, model->tensor_count, i));
}

/* A node at the end of the graph; `inputs` are names separated by spaces ("-" for an omitted one). */
static inline tonnx__node *graph_node(tonnx_model *model, const char *op, const char *inputs, const char *output)
{
    char text[256];
    const char *names[8];
    size_t count = 0, index = 0;
    snprintf(text, sizeof text, "%s", inputs);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) names[count++] = strcmp(word, "-") ? word : "";
    ck_ok(tonnx__model_add_node(model, false, op, output, names, count, output, &index));
    return &model->nodes[index];
}

/* x·Wᵀ + b as a Gemm, W [out, in] and b random, named after the output. */
static inline void graph_dense(tonnx_model *model, const char *input, const char *output, size_t in, size_t out)
{
    char w[64], b[64], inputs[192];
    snprintf(w, sizeof w, "%s.weight", output);
    snprintf(b, sizeof b, "%s.bias", output);
    snprintf(inputs, sizeof inputs, "%s %s %s", input, w, b);
    graph_tensor(model, w, out, in, -0.8, 0.8);
    graph_tensor(model, b, 0, out, -0.3, 0.3);
    ck_ok(tonnx__node_add_int(graph_node(model, "Gemm", inputs, output), "transB", 1));
}

/* Random samples: x uniform in [−1.5, 1.5), classes below `classes` or (0) `width` numbers in [0, 1). */
static inline tonnx_dataset *graph_data(size_t samples, size_t features, size_t classes, size_t width)
{
    float *x = calloc(samples * features, sizeof *x), *t = calloc(samples * (width + 1), sizeof *t);
    int32_t *c = calloc(samples, sizeof *c);
    tonnx_dataset_arrays arrays = { .size = sizeof arrays, .samples = samples, .features = features, .x = x };
    tonnx_dataset *data = NULL;
    for (size_t i = 0; i < samples * features; i++) x[i] = (float)(3 * tonnx__rng_uniform(1, 1, i) - 1.5);
    for (size_t i = 0; i < samples * width; i++) t[i] = (float)tonnx__rng_uniform(1, 2, i);
    for (size_t i = 0; i < samples && classes; i++) c[i] = (int32_t)(tonnx__rng_word(1, 3, i) % classes);
    if (classes) arrays.classes = c;
    else arrays.targets = t, arrays.target_width = width;
    ck_ok(tonnx_dataset_from_arrays(&data, &arrays));
    free(x);
    free(t);
    free(c);
    return data;
}

#endif
