/* Changing a model: what is added, renamed or made from nothing. */
#include <string.h>

#include "runtime/model_impl.h"

tonnx_status tonnx__model_add_tensor(tonnx_model *model, const char *name, tonnx_dtype dtype, size_t rank,
                                     const int64_t *dims, size_t *out)
{
    *out = 0;
    tonnx_status status =
        tonnx__grow(&model->tensors, &model->tensor_room, model->tensor_count + 1, sizeof *model->tensors);
    if (status) return status;
    tonnx__tensor *tensor = &model->tensors[model->tensor_count];
    *tensor = (tonnx__tensor){ 0 };
    status = tonnx__tensor_make(tensor, name, dtype, rank, dims);
    if (!status) *out = model->tensor_count++;
    return status;
}

/* Copies `count` names into a fresh array; *counted says how many of them are there to be freed. */
static tonnx_status copy_names(char ***out, size_t *counted, const char *const *names, size_t count)
{
    tonnx_status status = tonnx__alloc(out, count, sizeof **out);
    for (*counted = 0; !status && *counted < count; *counted += !status)
        status = tonnx__strdup(&(*out)[*counted], names[*counted]);
    return status;
}

static tonnx_status node_make(tonnx__node *node, const char *op_type, const char *name, const char *const *inputs,
                              size_t input_count, const char *output)
{
    *node = (tonnx__node){ .source_at = TONNX__NOT_IN_SOURCE };
    tonnx_status status = tonnx__strdup(&node->op_type, op_type);
    if (!status) status = tonnx__strdup(&node->name, name);
    if (!status) status = tonnx__strdup(&node->domain, "");
    if (!status) status = copy_names(&node->inputs, &node->input_count, inputs, input_count);
    if (!status) status = copy_names(&node->outputs, &node->output_count, &output, 1);
    if (status) tonnx__node_clear(node);
    return status;
}

tonnx_status tonnx__model_insert_node(tonnx_model *model, size_t at, const char *op_type, const char *name,
                                      const char *const *inputs, size_t input_count, const char *output, size_t *out)
{
    tonnx__node node;
    *out = 0;
    tonnx_status status = tonnx__grow(&model->nodes, &model->node_room, model->node_count + 1, sizeof *model->nodes);
    if (!status) status = node_make(&node, op_type, name, inputs, input_count, output);
    if (status) return status;
    memmove(&model->nodes[at + 1], &model->nodes[at], (model->node_count - at) * sizeof node);
    model->nodes[at] = node;
    model->node_count++;
    *out = at;
    return TONNX_OK;
}

tonnx_status tonnx__model_add_node(tonnx_model *model, bool front, const char *op_type, const char *name,
                                   const char *const *inputs, size_t input_count, const char *output, size_t *out)
{
    const size_t at = front ? model->front_count : model->node_count;
    const tonnx_status status = tonnx__model_insert_node(model, at, op_type, name, inputs, input_count, output, out);
    model->front_count += !status && front;
    return status;
}

tonnx_status tonnx__model_rename_output(tonnx_model *model, size_t node, const char *name)
{
    char *copy = NULL;
    const tonnx_status status = tonnx__strdup(&copy, name);
    if (status) return status;
    tonnx__free(model->nodes[node].outputs[0]);
    model->nodes[node].outputs[0] = copy;
    model->nodes[node].output_renamed = true;
    return TONNX_OK;
}

static tonnx_status add_attribute(tonnx__node *node, const char *name, tonnx__attribute **out)
{
    size_t room = node->attribute_count;
    tonnx_status status = tonnx__grow(&node->attributes, &room, node->attribute_count + 1, sizeof *node->attributes);
    if (status) return status;
    *out = &node->attributes[node->attribute_count];
    **out = (tonnx__attribute){ 0 };
    status = tonnx__strdup(&(*out)->name, name);
    if (!status) node->attribute_count++;
    return status;
}

tonnx_status tonnx__node_add_float(tonnx__node *node, const char *name, float value)
{
    tonnx__attribute *attribute = NULL;
    const tonnx_status status = add_attribute(node, name, &attribute);
    if (status) return status;
    attribute->type = TONNX__ATTRIBUTE_FLOAT;
    attribute->f = value;
    return TONNX_OK;
}

tonnx_status tonnx__node_add_int(tonnx__node *node, const char *name, int64_t value)
{
    tonnx__attribute *attribute = NULL;
    const tonnx_status status = add_attribute(node, name, &attribute);
    if (status) return status;
    attribute->type = TONNX__ATTRIBUTE_INT;
    attribute->i = value;
    return TONNX_OK;
}

tonnx_status tonnx__node_add_string(tonnx__node *node, const char *name, const char *value)
{
    tonnx__attribute *attribute = NULL;
    const tonnx_status status = add_attribute(node, name, &attribute);
    if (status) return status;
    attribute->type = TONNX__ATTRIBUTE_STRING;
    return tonnx__strdup(&attribute->s, value);
}

/* Room for `count` inputs, new ones omitted (""), and a mark for each. */
static tonnx_status widen_inputs(tonnx__node *node, size_t count)
{
    size_t room = node->input_count, marks = node->renamed ? node->input_count : 0;
    if (count < node->input_count) count = node->input_count;
    tonnx_status status = tonnx__grow(&node->inputs, &room, count, sizeof *node->inputs);
    if (!status) status = tonnx__grow(&node->renamed, &marks, count, sizeof *node->renamed);
    while (!status && node->input_count < count) {
        status = tonnx__strdup(&node->inputs[node->input_count], "");
        if (!status) node->renamed[node->input_count++] = true;
    }
    return status;
}

tonnx_status tonnx__model_rename_input(tonnx_model *model, size_t node, size_t input, const char *name)
{
    tonnx__node *at = &model->nodes[node];
    char *copy = NULL;
    tonnx_status status = widen_inputs(at, input + 1);
    if (!status) status = tonnx__strdup(&copy, name);
    if (status) return status;
    tonnx__free(at->inputs[input]);
    at->inputs[input] = copy;
    at->renamed[input] = true;
    return TONNX_OK;
}

/* A float value of shape [N, features]. */
static tonnx_status value_make(tonnx__value **out, size_t *count, const char *name, size_t features)
{
    tonnx_status status = tonnx__alloc(out, 1, sizeof **out);
    if (status) return status;
    tonnx__value *value = *out;
    *count = 1;
    value->dtype = TONNX_FLOAT;
    value->has_shape = true;
    status = tonnx__strdup(&value->name, name);
    if (!status) status = tonnx__alloc(&value->dims, 2, sizeof *value->dims);
    if (!status) status = tonnx__alloc(&value->dim_params, 2, sizeof *value->dim_params);
    if (status) return status;
    value->rank = 2;
    value->dims[0] = -1;
    value->dims[1] = (int64_t)features;
    status = tonnx__strdup(&value->dim_params[0], "N");
    return status ? status : tonnx__strdup(&value->dim_params[1], "");
}

static tonnx_status fill_head(tonnx_model *model, int64_t opset)
{
    tonnx_status status = tonnx__strdup(&model->path, "");
    if (!status) status = tonnx__strdup(&model->producer, "tonnx");
    if (!status) status = tonnx__strdup(&model->producer_version, TONNX_VERSION);
    if (!status) status = tonnx__strdup(&model->graph_name, "mlp");
    if (!status) status = tonnx__alloc(&model->opsets, 1, sizeof *model->opsets);
    if (status) return status;
    model->ir_version = 8;
    model->opset_count = 1;
    model->opsets[0].version = opset;
    return tonnx__strdup(&model->opsets[0].domain, "");
}

tonnx_status tonnx__model_new(tonnx_model **out, int64_t opset, size_t features_in, size_t features_out)
{
    tonnx_status status = tonnx__alloc(out, 1, sizeof **out);
    if (!status) status = fill_head(*out, opset);
    if (!status) status = value_make(&(*out)->inputs, &(*out)->input_count, "input", features_in);
    if (!status) status = value_make(&(*out)->outputs, &(*out)->output_count, "output", features_out);
    if (status) {
        tonnx_model_free(*out);
        *out = NULL;
    }
    return status;
}
