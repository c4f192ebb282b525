/* Operators of ai.onnx.ml that are part of a net: Scaler, in which scikit-learn's standardisation is written. */
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

/* y = x op c, c a row of numbers from an attribute: a standardisation, which is not trained. */
static tonnx_status add_constant(tonnx__builder *builder, const tonnx__node *node, int *value, tonnx__binary binary,
                                 const tonnx__attribute *numbers)
{
    const size_t features = builder->net->values[*value].features;
    tonnx__operand in[2] = { { *value, -1 }, { -1, -1 } };
    tonnx__layer *layer = NULL;
    tonnx_status status = tonnx__param_numbers(builder, &in[1].param, node, numbers->floats, numbers->count);
    if (!status) status = tonnx__layer_add(builder, &layer, TONNX__LAYER_BINARY, node, in, 2, features, NULL);
    if (status) return status;
    layer->binary = binary;
    *value = layer->out;
    return TONNX_OK;
}

/* Scaler: (x − offset)·scale, each one number or one per feature. */
static tonnx_status recognise_scaler(tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                     bool *known)
{
    const tonnx__attribute *offset = tonnx__node_attribute(node, "offset"),
                           *scale = tonnx__node_attribute(node, "scale");
    const size_t features = builder->net->values[x->value].features;
    int value = x->value;
    if (x->rank != 2 || x->transposed) return TONNX_OK;
    for (size_t i = 0; i < 2; i++) {
        const tonnx__attribute *numbers = i ? scale : offset;
        if (!numbers) continue;
        if (numbers->count != 1 && numbers->count != features)
            return tonnx__node_fail(builder, node,
                                    "%s has %zu elements, the data %zu features; mend the file: 1 or %zu fit",
                                    numbers->name, numbers->count, features, features);
        const tonnx_status status = add_constant(builder, node, &value, i ? TONNX__MUL : TONNX__SUB, numbers);
        if (status) return status;
        *known = true;
    }
    return TONNX_OK;
}

tonnx_status tonnx__recognise_scaler(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    return x && !strcmp(node->op_type, "Scaler") ? recognise_scaler(builder, node, x, known) : TONNX_OK;
}
