/* Gates: GLU, SwiGLU and their kin, y = f(a)·b, where a and b are the two halves of one layer's output or the outputs
 * of two layers. The net computes the parts, which are layers of their own; what people call the whole is noted here.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

/* What the net's values are made by and how often they are read. */
typedef struct values {
    ptrdiff_t *maker; /* the layer; -1 for the input */
    size_t *readers;
} values;

static tonnx_status index_values(const tonnx_net *net, values *v)
{
    tonnx_status status = tonnx__alloc(&v->maker, net->value_count, sizeof *v->maker);
    if (!status) status = tonnx__alloc(&v->readers, net->value_count, sizeof *v->readers);
    for (size_t i = 0; i < net->value_count && !status; i++) v->maker[i] = -1;
    for (size_t l = 0; l < net->layer_count && !status; l++) {
        const tonnx__layer *layer = &net->layers[l];
        v->maker[layer->out] = (ptrdiff_t)l;
        for (size_t i = 0; i < layer->in_count; i++)
            if (layer->in[i].value >= 0) v->readers[layer->in[i].value]++;
    }
    return status;
}

static const char *name_of(int act)
{
    switch (act) {
    case TONNX_ACT_sigmoid:
        return "glu";
    case TONNX_ACT_silu:
        return "swiglu";
    case TONNX_ACT_gelu:
    case TONNX_ACT_gelu_tanh:
        return "geglu";
    case TONNX_ACT_relu:
        return "reglu";
    default:
        return NULL;
    }
}

/* The layer of that kind that makes a value which nothing else reads; NULL where there is none. */
static tonnx__layer *alone(const tonnx_net *net, const values *v, int value, tonnx__layer_kind kind)
{
    tonnx__layer *layer = v->maker[value] < 0 ? NULL : &net->layers[v->maker[value]];
    return layer && layer->kind == kind && v->readers[value] == 1 && value != net->output ? layer : NULL;
}

/* True where the slices are the two halves of one value. */
static bool are_halves(const tonnx_net *net, const tonnx__layer *one, const tonnx__layer *other)
{
    return one->in[0].value == other->in[0].value && one->width == other->width &&
           one->from + other->from == one->width && one->from != other->from &&
           net->values[one->in[0].value].features == 2 * one->width;
}

/* "Split+Sigmoid+Mul". */
static tonnx_status join_ops(tonnx__layer *product, const tonnx__layer *one, const tonnx__layer *other,
                             const tonnx__layer *act)
{
    char text[256];
    const bool same_node = !strcmp(one->name, other->name);
    snprintf(text, sizeof text, "%s%s%s+%s+%s", one->op, same_node ? "" : "+", same_node ? "" : other->op, act->op,
             product->op);
    tonnx__free(product->op);
    return tonnx__strdup(&product->op, text);
}

/* f(a)·b, with f(a) the product's operand `side`. */
static tonnx_status name_gate(const tonnx_net *net, const values *v, tonnx__layer *product, size_t side)
{
    tonnx__layer *act = alone(net, v, product->in[side].value, TONNX__LAYER_ACTIVATION);
    const char *name = act ? name_of(act->act) : NULL;
    const int other = product->in[1 - side].value;
    if (!name) return TONNX_OK;
    tonnx__layer *a = alone(net, v, act->in[0].value, TONNX__LAYER_SLICE);
    tonnx__layer *b = alone(net, v, other, TONNX__LAYER_SLICE);
    if (a && b && are_halves(net, a, b)) {
        const ptrdiff_t whole = v->maker[a->in[0].value];
        a->part = b->part = act->part = true;
        product->gate = name;
        product->gated = a->in[0].value;
        if (whole >= 0 && net->layers[whole].kind == TONNX__LAYER_DENSE && v->readers[product->gated] == 2)
            net->layers[whole].gate = name;
        return join_ops(product, a, b, act);
    }
    a = alone(net, v, act->in[0].value, TONNX__LAYER_DENSE);
    b = alone(net, v, other, TONNX__LAYER_DENSE);
    if (a && b && a->in[0].value == b->in[0].value) product->gate = name;
    return TONNX_OK;
}

tonnx_status tonnx__gates_name(tonnx_net *net)
{
    values v = { 0 };
    tonnx_status status = index_values(net, &v);
    for (size_t l = 0; l < net->layer_count && !status; l++) {
        tonnx__layer *layer = &net->layers[l];
        const bool product = layer->kind == TONNX__LAYER_BINARY && layer->binary == TONNX__MUL;
        if (!product || layer->in[0].value < 0 || layer->in[1].value < 0) continue;
        for (size_t side = 0; side < 2 && !layer->gate && !status; side++) status = name_gate(net, &v, layer, side);
    }
    tonnx__free(v.maker);
    tonnx__free(v.readers);
    return status;
}
