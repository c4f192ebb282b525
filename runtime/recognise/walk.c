/* The walk: from the chosen output back to the input, then over the nodes in between, inputs first. */
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

/* The families, in the order in which they are asked. */
static const tonnx__family families[] = {
    tonnx__fold,           tonnx__recognise_dense,     tonnx__recognise_activation,
    tonnx__recognise_norm, tonnx__recognise_shape,     tonnx__recognise_axes,
    tonnx__recognise_part, tonnx__recognise_arithmetic
};

static tonnx_status index_makers(tonnx__builder *builder)
{
    for (size_t n = 0; n < builder->node_count; n++) {
        const tonnx__node *node = builder->nodes[n];
        for (size_t i = 0; i < node->output_count; i++) {
            if (!*node->outputs[i]) continue;
            const tonnx_status status = tonnx__map_set(&builder->maker, node->outputs[i], (ptrdiff_t)n);
            if (status) return status;
        }
    }
    return TONNX_OK;
}

/* Initializers are constants, also where they are listed as inputs (IR 3). */
static tonnx_status add_initializers(tonnx__builder *builder)
{
    for (size_t t = 0; t < builder->model->tensor_count; t++) {
        const tonnx__tensor *tensor = &builder->model->tensors[t];
        tonnx__fact fact;
        if (tensor->removed || !tonnx__fact_whole(&fact, tensor)) continue;
        fact.tensor = (ptrdiff_t)t;
        fact.name = tensor->name;
        const tonnx_status status = tonnx__fact_set(builder, tensor->name, &fact);
        if (status) return status;
    }
    return TONNX_OK;
}

/* One node of the walk's stack: the next input to look at. */
typedef struct frame {
    size_t node, input;
} frame;

typedef struct walk {
    frame *stack;
    size_t depth, room;
    unsigned char *state; /* per node: 0 not seen, 1 on the stack, 2 in the order, 3 missing */
    size_t *order, count;
} walk;

static tonnx_status push(const tonnx__builder *builder, walk *w, size_t node)
{
    if (w->state[node] == 2) return TONNX_OK;
    if (w->state[node] == 1)
        return tonnx__node_fail(builder, builder->nodes[node],
                                "the graph has a cycle through this node; mend the file, ONNX allows none");
    const tonnx_status status = tonnx__grow(&w->stack, &w->room, w->depth + 1, sizeof *w->stack);
    if (status) return status;
    w->state[node] = 1;
    w->stack[w->depth++] = (frame){ node, 0 };
    return TONNX_OK;
}

/* Depth first, without recursion: a file may hold a chain of a million nodes. */
static tonnx_status order_nodes(const tonnx__builder *builder, walk *w, const char *output)
{
    const ptrdiff_t last = tonnx__map_get(&builder->maker, output);
    tonnx_status status = last < 0 ? TONNX_OK : push(builder, w, (size_t)last);
    while (w->depth && !status) {
        frame *top = &w->stack[w->depth - 1];
        const tonnx__node *node = builder->nodes[top->node];
        if (top->input < node->input_count) {
            const char *name = node->inputs[top->input++];
            const ptrdiff_t maker = *name ? tonnx__map_get(&builder->maker, name) : -1;
            if (maker >= 0) status = push(builder, w, (size_t)maker);
        } else {
            w->state[top->node] = 2;
            w->order[w->count++] = top->node;
            w->depth--;
        }
    }
    return status;
}

/* Below opset 7 an operand may be laid along an axis of the node's choice (`axis`); only the last one is what later
 * opsets mean. Any other stays unknown. */
static bool is_laid_askew(const tonnx__builder *builder, const tonnx__node *node)
{
    const tonnx__attribute *axis = tonnx__node_attribute(node, "axis");
    static const char *const ops[] = { "Add", "Sub", "Mul", "Div", "Pow" };
    size_t op = 0;
    if (builder->opset >= 7 || !axis) return false;
    while (op < sizeof ops / sizeof *ops && strcmp(node->op_type, ops[op]) != 0) op++;
    const tonnx__fact *a = tonnx__fact_of(builder, tonnx__node_input(node, 0));
    const tonnx__fact *b = tonnx__fact_of(builder, tonnx__node_input(node, 1));
    if (op == sizeof ops / sizeof *ops || b->kind != TONNX__FACT_CONSTANT || tonnx__fact_count(b) == 1) return false;
    const int64_t at = axis->i < 0 ? axis->i + (int64_t)a->rank : axis->i;
    return at + (int64_t)b->rank != (int64_t)a->rank;
}

static tonnx_status recognise_node(tonnx__builder *builder, const tonnx__node *node)
{
    bool known = false;
    tonnx_status status = TONNX_OK;
    if (!strcmp(node->domain, "ai.onnx.ml")) return tonnx__recognise_scaler(builder, node, &known);
    if (*node->domain && strcmp(node->domain, "ai.onnx") != 0) return TONNX_OK;
    status = tonnx__check_attributes(builder, node);
    if (is_laid_askew(builder, node)) return TONNX_OK;
    for (size_t f = 0; f < sizeof families / sizeof *families && !known && !status; f++)
        status = families[f](builder, node, &known);
    return status;
}

/* Leaves state 3 at the nodes that the output misses: unknown ones, and behind them only what such a one reads. A node
 * that is unknown by itself but part of a spelling that is known is none of them. */
static void mark_missing(const tonnx__builder *builder, walk *w, const char *output)
{
    const ptrdiff_t last = tonnx__map_get(&builder->maker, output);
    if (last >= 0) w->state[last] = 3;
    for (size_t k = w->count; k-- > 0;) {
        const tonnx__node *node = builder->nodes[w->order[k]];
        for (size_t i = 0; i < node->input_count && w->state[w->order[k]] == 3; i++) {
            const char *name = node->inputs[i];
            const ptrdiff_t maker = *name ? tonnx__map_get(&builder->maker, name) : -1;
            if (maker >= 0 && tonnx__fact_of(builder, name)->kind == TONNX__FACT_UNKNOWN) w->state[maker] = 3;
        }
    }
}

/* The first operand that is there and yet is none: its elements are of a type that is not computed with. */
static const tonnx__tensor *unread_operand(const tonnx__builder *builder, const tonnx__node *node)
{
    for (size_t i = 0; i < node->input_count; i++) {
        const ptrdiff_t t = tonnx__model_find_tensor(builder->model, node->inputs[i]);
        if (t >= 0 && !builder->model->tensors[t].bytes) return &builder->model->tensors[t];
    }
    return NULL;
}

static tonnx_status refuse_node(const tonnx__builder *builder, const tonnx__node *node)
{
    char shape[128];
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    if (*node->domain && strcmp(node->domain, "ai.onnx") != 0)
        return tonnx__node_fail(builder, node,
                                "operator domain '%s' is not one that tonnx reads; export with operators of ONNX, or "
                                "choose an output before it (--output)",
                                node->domain);
    const tonnx__tensor *unread = unread_operand(builder, node);
    if (unread)
        return tonnx__node_fail(builder, node,
                                "'%s' has elements of type %s (data_type %d), which tonnx does not read: export it as "
                                "float32",
                                unread->name, tonnx_dtype_name(unread->dtype), (int)unread->dtype);
    return tonnx__node_fail(builder, node,
                            "tonnx does not read this operator here%s%s; export the model with what `tonnx ops` lists, "
                            "or choose an output before it (--output)",
                            x ? ", on data " : "", x ? tonnx__fact_shape(x, shape, sizeof shape) : "");
}

/* The first node that no family knew although all it reads is known: what stands between the user and training. */
static tonnx_status refuse(const tonnx__builder *builder, walk *w, const char *output)
{
    mark_missing(builder, w, output);
    for (size_t k = 0; k < w->count; k++) {
        const tonnx__node *node = builder->nodes[w->order[k]];
        if (w->state[w->order[k]] == 3 && tonnx__fact_of(builder, node->outputs[0])->kind == TONNX__FACT_UNKNOWN)
            return refuse_node(builder, node);
    }
    return TONNX_OK;
}

tonnx_status tonnx__walk(tonnx__builder *builder, const char *output, int *end)
{
    walk w = { 0 };
    tonnx_status status = tonnx__inline_functions(builder);
    if (!status) status = index_makers(builder);
    if (!status) status = add_initializers(builder);
    if (!status) status = tonnx__alloc(&w.state, builder->node_count, 1);
    if (!status) status = tonnx__alloc(&w.order, builder->node_count, sizeof *w.order);
    if (!status) status = order_nodes(builder, &w, output);
    for (size_t k = 0; k < w.count && !status; k++) status = recognise_node(builder, builder->nodes[w.order[k]]);
    const char *last = status ? NULL : tonnx__before_tail(builder, output);
    if (last) *end = tonnx__fact_of(builder, last)->value;
    else if (!status) status = refuse(builder, &w, output);
    if (!status && !last)
        status = tonnx__fail(TONNX_BAD_MODEL,
                             "%s: output '%s' does not depend on input '%s'; choose others with --output and --input",
                             builder->path, output, builder->net->values[0].name);
    if (last && strcmp(last, output) != 0)
        tonnx__say(&builder->net->log, TONNX_LOG_INFO,
                   "what follows '%s' only decides and is not trained: the net ends there, the file keeps the rest",
                   last);
    tonnx__free(w.stack);
    tonnx__free(w.state);
    tonnx__free(w.order);
    return status;
}
