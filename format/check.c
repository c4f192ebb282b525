/* What the ONNX rules ask of a graph as a whole. */
#include <stdlib.h>
#include <string.h>

#include "format/read_impl.h"

/* A name, and from which node on it may be read: 0 for graph inputs and initializers, i + 1 for an output of node i. */
typedef struct made {
    const char *name;
    size_t from;
    bool is_input;
} made;

typedef struct names {
    made *all;
    size_t count;
} names;

static int compare_made(const void *a, const void *b)
{
    const made *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : x->from < y->from ? -1 : x->from > y->from;
}

static void put_name(names *n, const char *name, size_t from, bool is_input)
{
    if (*name) n->all[n->count++] = (made){ name, from, is_input };
}

static tonnx_status collect(const tonnx_model *model, names *n)
{
    size_t room = model->input_count + model->tensor_count;
    for (size_t i = 0; i < model->node_count; i++) room += model->nodes[i].output_count;
    const tonnx_status status = tonnx__alloc(&n->all, room, sizeof *n->all);
    if (status) return status;
    for (size_t i = 0; i < model->input_count; i++) put_name(n, model->inputs[i].name, 0, true);
    for (size_t i = 0; i < model->tensor_count; i++) put_name(n, model->tensors[i].name, 0, false);
    for (size_t i = 0; i < model->node_count; i++)
        for (size_t k = 0; k < model->nodes[i].output_count; k++) put_name(n, model->nodes[i].outputs[k], i + 1, false);
    qsort(n->all, n->count, sizeof *n->all, compare_made);
    return TONNX_OK;
}

/* An initializer may give an input its default (IR 3); nothing else may be made twice. */
static tonnx_status check_once(const names *n)
{
    for (size_t i = 0; i + 1 < n->count; i++) {
        const made *a = &n->all[i], *b = &n->all[i + 1];
        if (strcmp(a->name, b->name)) continue;
        if (!a->from && !b->from && a->is_input != b->is_input) continue;
        return tonnx__fail(TONNX_BAD_MODEL, "graph: the name '%s' is made twice (duplicate %s)", a->name,
                           b->from       ? "node output"
                           : a->is_input ? "input"
                                         : "initializer");
    }
    return TONNX_OK;
}

static const made *find(const names *n, const char *name)
{
    const made key = { name, 0, false };
    size_t low = 0, high = n->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_made(&n->all[middle], &key) < 0) low = middle + 1;
        else high = middle;
    }
    return low < n->count && !strcmp(n->all[low].name, name) ? &n->all[low] : NULL;
}

static tonnx_status check_node(const tonnx_model *model, const names *n, size_t i)
{
    const tonnx__node *node = &model->nodes[i];
    char label[256];
    tonnx__node_label(node, label, sizeof label);
    if (!*node->op_type) return tonnx__fail(TONNX_BAD_MODEL, "graph.node %zu: %s has no op_type", i, label);
    for (size_t k = 0; k < node->input_count; k++) {
        if (!*node->inputs[k]) continue;
        const made *at = find(n, node->inputs[k]);
        if (!at)
            return tonnx__fail(TONNX_BAD_MODEL,
                               "%s: its input '%s' is made by no node, input or initializer; mend that name", label,
                               node->inputs[k]);
        if (at->from > i)
            return tonnx__fail(
                TONNX_BAD_MODEL,
                "%s: its input '%s' is made only later: the nodes are out of order or form a cycle: sort them", label,
                node->inputs[k]);
    }
    return TONNX_OK;
}

tonnx_status tonnx__onnx_check_graph(const tonnx_model *model)
{
    names n = { 0 };
    if (!model->output_count) return tonnx__fail(TONNX_BAD_MODEL, "graph: has no output; export it with one");
    tonnx_status status = collect(model, &n);
    if (!status) status = check_once(&n);
    for (size_t i = 0; !status && i < model->node_count; i++) status = check_node(model, &n, i);
    for (size_t i = 0; !status && i < model->output_count; i++)
        if (!find(&n, model->outputs[i].name))
            status = tonnx__fail(TONNX_BAD_MODEL,
                                 "graph.output '%s': is made by no node, input or initializer; mend that name",
                                 model->outputs[i].name);
    tonnx__free(n.all);
    return status;
}
