/* Add, Sub, Mul and Div: of two values (a residual, a gate), or of a value and a constant (a scale, a shift). Neg, and
 * Concat. */
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

static bool binary_of(const char *op_type, tonnx__binary *out)
{
    static const char *const names[] = {
        [TONNX__ADD] = "Add", [TONNX__SUB] = "Sub", [TONNX__MUL] = "Mul", [TONNX__DIV] = "Div"
    };
    for (int i = TONNX__ADD; i <= TONNX__DIV; i++)
        if (!strcmp(names[i], op_type)) {
            *out = (tonnx__binary)i;
            return true;
        }
    return false;
}

/* Two values of equal width. */
static bool values_fit(const tonnx__builder *builder, const tonnx__fact *a, const tonnx__fact *b)
{
    const tonnx__net_value *values = builder->net->values;
    return a->rank == b->rank && a->transposed == b->transposed &&
           values[a->value].features == values[b->value].features;
}

/* True where nothing but constants stands between the input and a value: its standardisation. */
static bool stands_in_front(const tonnx_net *net, int value)
{
    for (size_t l = net->layer_count; l-- > 0 && value != net->input;) {
        const tonnx__layer *layer = &net->layers[l];
        if (layer->out != value) continue;
        if (layer->kind != TONNX__LAYER_BINARY) return false;
        const int constant = layer->in[0].param >= 0 ? layer->in[0].param : layer->in[1].param;
        if (constant < 0 || net->params[constant].role != TONNX__ROLE_CONSTANT) return false;
        value = layer->in[0].value >= 0 ? layer->in[0].value : layer->in[1].value;
    }
    return value == net->input;
}

/* A constant operand: a row of the value's features or one number. What standardises the input, or scales by a single
 * number, is no parameter; a row behind a layer is (a batch norm that an exporter folded; of one feature too, where it
 * has an axis for it), but not one that is subtracted: that is how a spelled-out batch norm takes its running mean, and
 * the Add that follows is its shift. */
static tonnx_status constant_operand(tonnx__builder *builder, const tonnx__node *node, size_t side,
                                     const tonnx__fact *value, tonnx__binary binary, int *out)
{
    const tonnx__fact *constant = tonnx__constant_input(builder, node, side);
    const bool mean = binary == TONNX__SUB && side == 1;
    const bool row =
        tonnx__fact_count(constant) > 1 || (constant->rank && builder->net->values[value->value].features == 1);
    const bool trained = row && !mean && !stands_in_front(builder->net, value->value);
    const tonnx__role role = !trained                                       ? TONNX__ROLE_CONSTANT
                             : binary == TONNX__MUL || binary == TONNX__DIV ? TONNX__ROLE_SCALE
                                                                            : TONNX__ROLE_SHIFT;
    return tonnx__param_vector(builder, out, role, constant, node, side);
}

static tonnx_status recognise_binary(tonnx__builder *builder, const tonnx__node *node, tonnx__binary binary,
                                     bool *known)
{
    tonnx__operand in[2] = { { -1, -1 }, { -1, -1 } };
    const tonnx__fact *value = NULL;
    tonnx__layer *layer = NULL;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < 2; i++) {
        const tonnx__fact *fact = tonnx__value_input(builder, node, i);
        if (fact && value && !values_fit(builder, value, fact)) return TONNX_OK;
        if (fact) value = fact, in[i].value = fact->value;
    }
    if (!value) return TONNX_OK;
    for (size_t i = 0; i < 2 && !status; i++) {
        if (in[i].value >= 0) continue;
        const tonnx__fact *constant = tonnx__constant_input(builder, node, i);
        if (!constant || value->transposed ||
            !tonnx__fact_is_row(constant, builder->net->values[value->value].features) ||
            (value->rank != 2 && tonnx__fact_count(constant) > 1))
            return TONNX_OK;
        status = constant_operand(builder, node, i, value, binary, &in[i].param);
    }
    if (!status)
        status = tonnx__layer_add(builder, &layer, TONNX__LAYER_BINARY, node, in, 2,
                                  builder->net->values[value->value].features, value);
    if (!status) layer->binary = binary;
    *known = !status;
    return status;
}

/* −x = −1·x, to the bit. */
static tonnx_status recognise_neg(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    const float minus = -1;
    if (!x) return TONNX_OK;
    const tonnx__fact like = *x;
    tonnx__operand in[2] = { { x->value, -1 }, { -1, -1 } };
    tonnx__layer *layer = NULL;
    tonnx_status status = tonnx__param_numbers(builder, &in[1].param, node, &minus, 1);
    if (!status)
        status = tonnx__layer_add(builder, &layer, TONNX__LAYER_BINARY, node, in, 2,
                                  builder->net->values[like.value].features, &like);
    if (!status) layer->binary = TONNX__MUL;
    *known = !status;
    return status;
}

static tonnx_status recognise_concat(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const int64_t axis = tonnx__node_int(node, "axis", 1);
    tonnx__operand *in = NULL;
    tonnx__layer *layer = NULL;
    size_t features = 0;
    if (axis != 1 && axis != -1) return TONNX_OK;
    tonnx_status status = tonnx__alloc(&in, node->input_count, sizeof *in);
    for (size_t i = 0; i < node->input_count && !status; i++) {
        const tonnx__fact *fact = tonnx__value_input(builder, node, i);
        if (!fact || fact->rank != 2 || fact->transposed) goto out;
        in[i] = (tonnx__operand){ fact->value, -1 };
        if (!tonnx__add(&features, features, builder->net->values[fact->value].features)) goto out;
    }
    if (!status)
        status = tonnx__layer_add(builder, &layer, TONNX__LAYER_CONCAT, node, in, node->input_count, features, NULL);
    *known = !status;
out:
    tonnx__free(in);
    return status;
}

tonnx_status tonnx__recognise_arithmetic(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    tonnx__binary binary = TONNX__ADD;
    if (!strcmp(node->op_type, "Concat")) return recognise_concat(builder, node, known);
    if (!strcmp(node->op_type, "Neg")) return recognise_neg(builder, node, known);
    return binary_of(node->op_type, &binary) ? recognise_binary(builder, node, binary, known) : TONNX_OK;
}
