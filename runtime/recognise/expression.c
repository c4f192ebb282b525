/* Reading expressions off the graph, and asking for their values. */
#include "runtime/recognise/expression_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/recognise/step_impl.h"

/* The layer that makes a value of the net; NULL for the input. Layers and their values stand in the same order. */
static const tonnx__layer *layer_of(const tonnx_net *net, int value)
{
    size_t low = 0, high = net->layer_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (net->layers[middle].out < value) low = middle + 1;
        else high = middle;
    }
    return low < net->layer_count && net->layers[low].out == value ? &net->layers[low] : NULL;
}

/* True where a pattern may reach behind a value: an Add that is a dense layer's bias is where patterns begin. */
static bool may_look_behind(const tonnx__builder *builder, const char *name)
{
    const tonnx__fact *fact = tonnx__fact_of(builder, name);
    if (fact->kind != TONNX__FACT_VALUE) return true;
    const tonnx__layer *layer = layer_of(builder->net, fact->value);
    return layer && layer->kind != TONNX__LAYER_DENSE;
}

static tonnx__step *add_step(tonnx__expression *e, tonnx__step_kind kind, const char *name)
{
    if (e->count == TONNX__MAX_STEPS) return NULL;
    tonnx__step *step = &e->steps[e->count++];
    *step = (tonnx__step){ .kind = kind, .name = name, .in = { -1, -1, -1 } };
    return step;
}

static int find_step(const tonnx__expression *e, const char *name)
{
    for (int i = 0; i < e->count; i++)
        if (!strcmp(e->steps[i].name, name)) return i;
    return -1;
}

/* The leaf that is the same value of the net, which a product with 1 or a Reshape may have given another name; -1. */
static int find_value(const tonnx__expression *e, const tonnx__fact *fact)
{
    for (int i = 0; i < e->count && fact->kind == TONNX__FACT_VALUE; i++) {
        const tonnx__fact *other = tonnx__fact_of(e->builder, e->steps[i].name);
        if (e->steps[i].kind == TONNX__STEP_VALUE && other->value == fact->value && other->rank == fact->rank &&
            other->transposed == fact->transposed)
            return i;
    }
    return -1;
}

/* What no node of an expression makes: a number, a row of constants, or a value. */
static int add_leaf(tonnx__expression *e, const char *name, const tonnx__node *user, size_t input)
{
    const tonnx__fact *fact = tonnx__fact_of(e->builder, name);
    const int known = find_value(e, fact);
    double number = 0;
    if (known >= 0) return known;
    const bool is_number = tonnx__fact_scalar(e->builder, fact, &number);
    const tonnx__step_kind kind = is_number                            ? TONNX__STEP_NUMBER
                                  : fact->kind == TONNX__FACT_CONSTANT ? TONNX__STEP_ROW
                                                                       : TONNX__STEP_VALUE;
    tonnx__step *step = add_step(e, kind, name);
    if (!step) return -1;
    step->number = number;
    step->shape = kind == TONNX__STEP_VALUE ? TONNX__SHAPE_FULL : TONNX__SHAPE_CONSTANT;
    step->user = user;
    step->user_input = input;
    return e->count - 1;
}

/* An omitted bound of Clip, which below opset 11 is an attribute. */
static int add_bound(tonnx__expression *e, const tonnx__node *node, size_t input)
{
    tonnx__step *step = add_step(e, TONNX__STEP_NUMBER, "");
    if (!step) return -1;
    step->number = tonnx__node_float(node, input == 1 ? "min" : "max", input == 1 ? -INFINITY : INFINITY);
    return e->count - 1;
}

/* True where a reduction is along the features of [N, F]; its axes are an attribute at first, then input 1. */
static bool reduces_features(const tonnx__expression *e, const tonnx__node *node)
{
    const tonnx__attribute *attribute = tonnx__node_attribute(node, "axes");
    double axis = attribute && attribute->count == 1 ? (double)attribute->ints[0] : 0;
    if (!attribute && !tonnx__fact_scalar(e->builder, tonnx__constant_input(e->builder, node, 1), &axis)) return false;
    return axis == 1 || axis == -1;
}

static bool is_op(const tonnx__node *node, const char *op_type)
{
    return !strcmp(node->op_type, op_type);
}

/* The shape of what a node makes of its steps; false where no pattern goes through it. */
static bool shape_of(const tonnx__expression *e, const tonnx__node *node, const tonnx__step_op *op, const int in[3],
                     tonnx__step_shape *out)
{
    bool flat = false;
    *out = TONNX__SHAPE_CONSTANT;
    for (size_t i = 0; i < op->inputs; i++) {
        const tonnx__step_shape shape = e->steps[in[i]].shape;
        flat |= shape == TONNX__SHAPE_FLAT;
        if (shape > *out) *out = shape;
    }
    const tonnx__step_shape widest = *out;
    if (op->class == TONNX__STEP_REDUCES) {
        *out = tonnx__node_int(node, "keepdims", 1) ? TONNX__SHAPE_COLUMN : TONNX__SHAPE_FLAT;
        return widest == TONNX__SHAPE_FULL && reduces_features(e, node);
    }
    if (is_op(node, "Expand")) return widest != TONNX__SHAPE_FULL;
    if (is_op(node, "Squeeze")) return widest == TONNX__SHAPE_CONSTANT;
    if (is_op(node, "Reshape") || is_op(node, "Unsqueeze")) {
        if (flat) *out = TONNX__SHAPE_COLUMN;
        return widest <= TONNX__SHAPE_FLAT;
    }
    return !flat || widest == TONNX__SHAPE_FLAT;
}

static int add_node(tonnx__expression *e, const tonnx__node *node, const char *name);

/* The step that a node's input is, read now where it is not there yet; -1 where there is no more room. */
static int add_input(tonnx__expression *e, const tonnx__node *node, size_t input)
{
    const char *name = tonnx__source_name(e->builder, tonnx__node_input(node, input));
    const tonnx__node *maker = tonnx__maker_of(e->builder, name, NULL);
    const int known = *name ? find_step(e, name) : -1;
    if (known >= 0) return known;
    if (!*name) return add_bound(e, node, input);
    if (maker && e->depth < e->limit && may_look_behind(e->builder, name) && tonnx__step_op_of(maker))
        return add_node(e, maker, name);
    return add_leaf(e, name, node, input);
}

/* Inputs first, to a depth of e->limit. */
static int add_node(tonnx__expression *e, const tonnx__node *node, const char *name)
{
    const tonnx__step_op *op = tonnx__step_op_of(node);
    int in[3] = { -1, -1, -1 };
    tonnx__step_shape shape = TONNX__SHAPE_FULL;
    e->depth++;
    for (size_t i = 0; i < op->inputs; i++)
        if ((in[i] = add_input(e, node, i)) < 0) return -1;
    e->depth--;
    const bool ends = !shape_of(e, node, op, in, &shape);
    tonnx__step *step = add_step(e, ends ? TONNX__STEP_VALUE : TONNX__STEP_NODE, name);
    if (!step) return -1;
    step->shape = ends ? TONNX__SHAPE_FULL : shape;
    if (ends) return e->count - 1;
    step->node = node;
    step->op = op;
    memcpy(step->in, in, sizeof in);
    return e->count - 1;
}

bool tonnx__expression_read(tonnx__expression *e, const tonnx__builder *builder, const tonnx__node *node)
{
    static const int limits[] = { 40, 20, 12, 8, 5 };
    e->builder = builder;
    if (!tonnx__step_op_of(node)) return false;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        e->count = e->depth = 0;
        e->limit = limits[i];
        if (add_node(e, node, node->outputs[0]) >= 0) return e->steps[e->count - 1].kind == TONNX__STEP_NODE;
    }
    return false;
}

bool tonnx__expression_close(tonnx__expression *e, int x)
{
    e->x = x;
    e->row_count = e->node_count = 0;
    e->reduces = false;
    for (int i = 0; i < e->count; i++) e->steps[i].needed = i == e->count - 1;
    for (int i = e->count; i-- > 0;) {
        const tonnx__step *step = &e->steps[i];
        if (!step->needed || i == x) continue;
        if (step->kind == TONNX__STEP_VALUE) return false;
        if (step->kind == TONNX__STEP_ROW) {
            if (e->row_count == TONNX__MAX_ROWS) return false;
            e->rows[e->row_count++] = i;
        }
        e->node_count += step->kind == TONNX__STEP_NODE;
        e->reduces |= step->kind == TONNX__STEP_NODE && step->op->class == TONNX__STEP_REDUCES;
        for (size_t k = 0; k < 3; k++)
            if (step->in[k] >= 0) e->steps[step->in[k]].needed = true;
    }
    return e->steps[x].needed && x != e->count - 1;
}

/* out[rows, cols]: element by element of up to three steps' values. */
static void run_formula(const tonnx__step *step, const double *const in[3], size_t count, double *out)
{
    for (size_t i = 0; i < count; i++) out[i] = step->op->formula(in[0][i], in[1] ? in[1][i] : 0, in[2] ? in[2][i] : 0);
}

static void run_book(const tonnx__step *step, const double *in, size_t count, double *out)
{
    tonnx_activation act;
    double a, b;
    tonnx__node_activation(step->node, &act, &a, &b);
    for (size_t i = 0; i < count; i++) out[i] = tonnx__activation_f(act, in[i], a, b);
}

/* out[rows, cols]: each row's one number, as often as the row is wide. */
static void run_reduction(const tonnx__step *step, const double *in, const tonnx__probe *probe, double *out)
{
    for (size_t r = 0; r < probe->rows; r++, in += probe->cols, out += probe->cols) {
        double sum = step->op->start;
        for (size_t c = 0; c < probe->cols; c++) sum = step->op->fold(sum, in[c]);
        for (size_t c = 0; c < probe->cols; c++) out[c] = step->op->end(sum, probe->cols);
    }
}

static void run_leaf(const tonnx__expression *e, int i, const tonnx__probe *probe, double *out)
{
    const size_t count = probe->rows * probe->cols;
    const double *row = NULL;
    for (size_t k = 0; k < e->row_count; k++)
        if (e->rows[k] == i) row = probe->row[k];
    for (size_t k = 0; k < count; k++)
        out[k] = i == e->x ? probe->x[k] : row ? row[k % probe->cols] : e->steps[i].number;
}

tonnx_status tonnx__expression_values(const tonnx__expression *e, const tonnx__probe *probe, double *out)
{
    const size_t count = probe->rows * probe->cols;
    double *values = NULL;
    size_t all = 0;
    if (!tonnx__mul(&all, (size_t)e->count, count)) return tonnx__fail(TONNX_NO_MEMORY, "a pattern is too wide");
    const tonnx_status status = tonnx__alloc(&values, all, sizeof *values);
    if (status) return status;
    for (int i = 0; i < e->count; i++) {
        const tonnx__step *step = &e->steps[i];
        const double *in[3] = { NULL, NULL, NULL };
        double *to = i == e->count - 1 ? out : values + (size_t)i * count;
        if (!step->needed) continue;
        for (size_t k = 0; k < 3; k++) in[k] = step->in[k] >= 0 ? values + (size_t)step->in[k] * count : NULL;
        if (i == e->x || step->kind != TONNX__STEP_NODE) run_leaf(e, i, probe, to);
        else if (step->op->class == TONNX__STEP_FORMULA) run_formula(step, in, count, to);
        else if (step->op->class == TONNX__STEP_BOOK) run_book(step, in[0], count, to);
        else if (step->op->class == TONNX__STEP_REDUCES) run_reduction(step, in[0], probe, to);
        else memcpy(to, in[0], count * sizeof *to);
    }
    tonnx__free(values);
    return TONNX_OK;
}

void tonnx__expression_ops(const tonnx__expression *e, char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    for (int i = 0; i < e->count && used < size; i++) {
        const tonnx__step *step = &e->steps[i];
        if (!step->needed || i == e->x || step->kind != TONNX__STEP_NODE || step->op->class == TONNX__STEP_MOVES)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "+" : "", step->node->op_type);
    }
}
