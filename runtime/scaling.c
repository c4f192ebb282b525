/* Standardisation as part of the model: Sub and Div in front of its input. */
#include <stdio.h>
#include <string.h>

#include "runtime/model_impl.h"

static const tonnx__value *find_input(const tonnx_model *model, const char *name)
{
    for (size_t i = 0; i < model->input_count; i++)
        if (!model->inputs[i].is_initializer && (!name || !strcmp(model->inputs[i].name, name)))
            return &model->inputs[i];
    return NULL;
}

/* A name that no tensor and no node's output has. */
static void fresh_name(const tonnx_model *model, const char *stem, const char *input, char *name, size_t size)
{
    bool taken = true;
    for (size_t i = 1; taken; i++) {
        if (i == 1) snprintf(name, size, "%s_%.200s", stem, input);
        else snprintf(name, size, "%s_%.200s_%zu", stem, input, i);
        taken = tonnx__model_find_tensor(model, name) >= 0;
        for (size_t n = 0; n < model->node_count && !taken; n++)
            for (size_t k = 0; k < model->nodes[n].output_count; k++)
                taken |= !strcmp(model->nodes[n].outputs[k], name);
    }
}

/* A constant shaped like one sample of the input, so that it broadcasts over the batch. */
static tonnx_status add_constant(tonnx_model *model, const tonnx__value *input, const char *name, const double *numbers,
                                 size_t count)
{
    size_t tensor = 0;
    tonnx_status status = tonnx__model_add_tensor(model, name, TONNX_FLOAT, input->rank - 1, input->dims + 1, &tensor);
    if (!status && model->tensors[tensor].count != count)
        status = tonnx__fail(TONNX_BAD_DATA, "%s: input '%s' takes %zu features, the data has %zu", model->path,
                             input->name, model->tensors[tensor].count, count);
    if (!status) status = tonnx__tensor_touch(&model->tensors[tensor]);
    for (size_t i = 0; i < count && !status; i++) tonnx__tensor_set(&model->tensors[tensor], i, numbers[i]);
    return status;
}

/* Everyone who read `from` reads `to`, but for the first `front` nodes, which make it. */
static tonnx_status reroute(tonnx_model *model, size_t front, const char *from, const char *to)
{
    tonnx_status status = TONNX_OK;
    for (size_t n = front; n < model->node_count; n++)
        for (size_t i = 0; i < model->nodes[n].input_count && !status; i++)
            if (!strcmp(model->nodes[n].inputs[i], from)) status = tonnx__model_rename_input(model, n, i, to);
    return status;
}

tonnx_status tonnx_model_prepend_scaling(tonnx_model *model, const char *input, const double *subtract,
                                         const double *divide, size_t features)
{
    const tonnx__value *value = find_input(model, input);
    char names[4][256];
    static const char *const stems[4] = { "scale_subtract", "scale_divide", "centred", "scaled" };
    size_t node = 0;
    if (!value || !value->has_shape || value->rank < 2)
        return tonnx__fail(TONNX_BAD_MODEL, "%s: no input with a shape [N, features] to scale", model->path);
    for (size_t i = 0; i < 4; i++) fresh_name(model, stems[i], value->name, names[i], sizeof names[i]);
    const char *const sub[2] = { value->name, names[0] }, *const div[2] = { names[2], names[1] };
    tonnx_status status = add_constant(model, value, names[0], subtract, features);
    if (!status) status = add_constant(model, value, names[1], divide, features);
    if (!status) status = tonnx__model_add_node(model, true, "Sub", names[2], sub, 2, names[2], &node);
    if (!status) status = tonnx__model_add_node(model, true, "Div", names[3], div, 2, names[3], &node);
    return status ? status : reroute(model, node + 1, value->name, names[3]);
}
