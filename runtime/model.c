#include "runtime/model_impl.h"

#include <stdio.h>
#include <string.h>

static void strings_free(char **strings, size_t count)
{
    for (size_t i = 0; strings && i < count; i++) tonnx__free(strings[i]);
    tonnx__free(strings);
}

static void attribute_clear(tonnx__attribute *attribute)
{
    tonnx__free(attribute->name);
    tonnx__free(attribute->stands_for);
    tonnx__free(attribute->s);
    tonnx__free(attribute->floats);
    tonnx__free(attribute->ints);
    if (attribute->tensor) tonnx__tensor_clear(attribute->tensor);
    tonnx__free(attribute->tensor);
}

void tonnx__node_clear(tonnx__node *node)
{
    for (size_t i = 0; node->attributes && i < node->attribute_count; i++) attribute_clear(&node->attributes[i]);
    tonnx__free(node->attributes);
    strings_free(node->inputs, node->input_count);
    strings_free(node->outputs, node->output_count);
    tonnx__free(node->name);
    tonnx__free(node->op_type);
    tonnx__free(node->domain);
    tonnx__free(node->overload);
    tonnx__free(node->renamed);
    *node = (tonnx__node){ 0 };
}

static void function_clear(tonnx__function *function)
{
    for (size_t i = 0; i < function->node_count; i++) tonnx__node_clear(&function->nodes[i]);
    for (size_t i = 0; i < function->default_count; i++) attribute_clear(&function->defaults[i]);
    strings_free(function->inputs, function->input_count);
    strings_free(function->outputs, function->output_count);
    tonnx__free(function->nodes);
    tonnx__free(function->defaults);
    tonnx__free(function->name);
    tonnx__free(function->domain);
    tonnx__free(function->overload);
}

static void values_free(tonnx__value *values, size_t count)
{
    for (size_t i = 0; values && i < count; i++) {
        strings_free(values[i].dim_params, values[i].rank);
        tonnx__free(values[i].dims);
        tonnx__free(values[i].name);
    }
    tonnx__free(values);
}

static void metadata_clear(tonnx__metadata *entry)
{
    tonnx__free(entry->key);
    tonnx__free(entry->value);
    *entry = (tonnx__metadata){ 0 };
}

void tonnx_model_free(tonnx_model *model)
{
    if (!model) return;
    for (size_t i = 0; i < model->node_count; i++) tonnx__node_clear(&model->nodes[i]);
    for (size_t i = 0; i < model->tensor_count; i++) tonnx__tensor_clear(&model->tensors[i]);
    for (size_t i = 0; i < model->function_count; i++) function_clear(&model->functions[i]);
    tonnx__free(model->functions);
    for (size_t i = 0; i < model->metadata_count; i++) metadata_clear(&model->metadata[i]);
    for (size_t i = 0; i < model->opset_count; i++) tonnx__free(model->opsets[i].domain);
    values_free(model->inputs, model->input_count);
    values_free(model->outputs, model->output_count);
    tonnx__free(model->nodes);
    tonnx__free(model->tensors);
    tonnx__free(model->metadata);
    tonnx__free(model->opsets);
    for (size_t i = 0; i < model->data_file_count; i++) {
        tonnx__free(model->data_files[i].location);
        tonnx__free(model->data_files[i].path);
        tonnx__free(model->data_files[i].bytes);
    }
    tonnx__free(model->data_files);
    tonnx__free(model->folder);
    tonnx__free(model->path);
    tonnx__free(model->source);
    tonnx__free(model->producer);
    tonnx__free(model->producer_version);
    tonnx__free(model->graph_name);
    tonnx__free(model);
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

tonnx_status tonnx__constant_numbers(const tonnx__node *node, tonnx__tensor **out)
{
    *out = NULL;
    if (strcmp(node->op_type, "Constant") != 0 || node->output_count != 1) return TONNX_OK;
    for (size_t i = 0; i < node->attribute_count && !*out; i++) {
        tonnx__attribute *attribute = &node->attributes[i];
        if (strncmp(attribute->name, "value", 5) != 0) continue;
        const tonnx_status status = tonnx__attribute_numbers(attribute);
        if (status) return status;
        *out = attribute->tensor;
    }
    return TONNX_OK;
}

/* The same of elements that are read as numbers; NULL too where memory fails. */
static const tonnx__tensor *constant_tensor(const tonnx__node *node)
{
    tonnx__tensor *tensor = NULL;
    if (tonnx__constant_numbers(node, &tensor) || !tensor) return NULL;
    return tonnx_dtype_size(tensor->dtype) ? tensor : NULL;
}

static size_t constant_count(const tonnx_model *model)
{
    size_t count = 0;
    for (size_t n = 0; n < model->node_count; n++) count += constant_tensor(&model->nodes[n]) != NULL;
    return count;
}

/* Initializer i, or Constant i − tensor_count; and the name under which the graph has it. */
static const tonnx__tensor *tensor_at(const tonnx_model *model, size_t i, const char **name)
{
    const tonnx__tensor *tensor = i < model->tensor_count ? &model->tensors[i] : NULL;
    *name = tensor ? tensor->name : NULL;
    for (size_t n = 0, left = i - model->tensor_count + 1; !tensor && n < model->node_count; n++) {
        const tonnx__tensor *constant = constant_tensor(&model->nodes[n]);
        if (!constant || --left) continue;
        tensor = constant;
        *name = model->nodes[n].outputs[0];
    }
    return tensor;
}

void tonnx_model_describe(const tonnx_model *model, tonnx_model_info *out)
{
    *out = (tonnx_model_info){ .path = text_or_empty(model->path),
                               .ir_version = model->ir_version,
                               .opset = tonnx__model_opset(model),
                               .producer = text_or_empty(model->producer),
                               .producer_version = text_or_empty(model->producer_version),
                               .graph_name = text_or_empty(model->graph_name),
                               .node_count = model->node_count,
                               .tensor_count = model->tensor_count,
                               .constant_count = constant_count(model),
                               .output_count = model->output_count,
                               .metadata_count = model->metadata_count,
                               .bytes = model->source_size };
    for (size_t i = 0; i < model->input_count; i++) out->input_count += !model->inputs[i].is_initializer;
}

static void describe_value(const tonnx__value *value, tonnx_value_info *out)
{
    *out = (tonnx_value_info){ .name = value->name,
                               .dtype = value->dtype,
                               .has_shape = value->has_shape,
                               .rank = value->rank,
                               .dims = value->dims,
                               .dim_params = (const char *const *)value->dim_params };
}

void tonnx_model_input(const tonnx_model *model, size_t i, tonnx_value_info *out)
{
    const tonnx__value *value = model->inputs;
    while (value->is_initializer || i--) value++;
    describe_value(value, out);
}

void tonnx_model_output(const tonnx_model *model, size_t i, tonnx_value_info *out)
{
    describe_value(&model->outputs[i], out);
}

static tonnx__metadata *find_metadata(const tonnx_model *model, const char *key)
{
    for (size_t i = 0; i < model->metadata_count; i++)
        if (!strcmp(model->metadata[i].key, key)) return &model->metadata[i];
    return NULL;
}

const char *tonnx_model_metadata(const tonnx_model *model, const char *key)
{
    const tonnx__metadata *entry = find_metadata(model, key);
    return entry ? entry->value : NULL;
}

void tonnx_model_metadata_at(const tonnx_model *model, size_t i, const char **key, const char **value)
{
    *key = model->metadata[i].key;
    *value = model->metadata[i].value;
}

static tonnx_status replace_metadata(tonnx__metadata *entry, const char *value)
{
    char *copy = NULL;
    if (!strcmp(entry->value, value)) return TONNX_OK;
    const tonnx_status status = tonnx__strdup(&copy, value);
    if (status) return status;
    tonnx__free(entry->value);
    entry->value = copy;
    entry->changed = true;
    return TONNX_OK;
}

tonnx_status tonnx_model_set_metadata(tonnx_model *model, const char *key, const char *value)
{
    tonnx__metadata *entry = find_metadata(model, key);
    if (entry) return replace_metadata(entry, value);
    tonnx_status status =
        tonnx__grow(&model->metadata, &model->metadata_room, model->metadata_count + 1, sizeof *model->metadata);
    if (status) return status;
    tonnx__metadata fresh = { .source_at = TONNX__NOT_IN_SOURCE, .changed = true };
    status = tonnx__strdup(&fresh.key, key);
    if (!status) status = tonnx__strdup(&fresh.value, value);
    if (status) metadata_clear(&fresh);
    else model->metadata[model->metadata_count++] = fresh;
    return status;
}

void tonnx_model_tensor(const tonnx_model *model, size_t i, tonnx_tensor_info *out)
{
    const char *name = NULL;
    const tonnx__tensor *tensor = tensor_at(model, i, &name);
    *out = (tonnx_tensor_info){ .name = name,
                                .dtype = tensor->dtype,
                                .rank = tensor->rank,
                                .dims = tensor->dims,
                                .count = tensor->count,
                                .changed = tensor->source_at == TONNX__NOT_IN_SOURCE || tonnx__tensor_differs(tensor) };
}

tonnx_status tonnx_model_find(const tonnx_model *model, const char *name, size_t *out)
{
    const ptrdiff_t i = tonnx__model_find_tensor(model, name);
    *out = i < 0 ? 0 : (size_t)i;
    if (i >= 0) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_MODEL, "%s: there is no initializer '%s'", text_or_empty(model->path), name);
}

static tonnx_status need_numbers(const tonnx__tensor *tensor)
{
    if (tonnx_dtype_size(tensor->dtype)) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': elements of type %s are not read as numbers", tensor->name,
                       tonnx_dtype_name(tensor->dtype));
}

tonnx_status tonnx_model_read(const tonnx_model *model, size_t i, double *out)
{
    const char *name = NULL;
    const tonnx__tensor *tensor = tensor_at(model, i, &name);
    const tonnx_status status = need_numbers(tensor);
    for (size_t k = 0; !status && k < tensor->count; k++) out[k] = tonnx__tensor_get(tensor, k);
    return status;
}

tonnx_status tonnx_model_write(tonnx_model *model, size_t i, const double *values)
{
    tonnx__tensor *tensor = &model->tensors[i];
    const tonnx_status status = tonnx__tensor_touch(tensor);
    for (size_t k = 0; !status && k < tensor->count; k++)
        if (tonnx__tensor_get(tensor, k) != values[k]) tonnx__tensor_set(tensor, k, values[k]);
    return status;
}

int64_t tonnx__model_opset(const tonnx_model *model)
{
    for (size_t i = 0; i < model->opset_count; i++)
        if (!*model->opsets[i].domain) return model->opsets[i].version;
    return 0;
}

ptrdiff_t tonnx__model_find_tensor(const tonnx_model *model, const char *name)
{
    for (size_t i = 0; i < model->tensor_count; i++)
        if (!model->tensors[i].removed && !strcmp(model->tensors[i].name, name)) return (ptrdiff_t)i;
    return -1;
}

const tonnx__attribute *tonnx__node_attribute(const tonnx__node *node, const char *name)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (!strcmp(node->attributes[i].name, name)) return &node->attributes[i];
    return NULL;
}

static void list_tensors(const tonnx__node *node, tonnx__tensor **out, size_t *count)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (node->attributes[i].tensor) out[(*count)++] = node->attributes[i].tensor;
}

tonnx_status tonnx__model_each_tensor(const tonnx_model *model, tonnx__tensor ***out, size_t *count)
{
    size_t room = 3 * model->tensor_count;
    for (size_t n = 0; n < model->node_count; n++) room += model->nodes[n].attribute_count;
    for (size_t f = 0; f < model->function_count; f++)
        for (size_t n = 0; n < model->functions[f].node_count; n++)
            room += model->functions[f].nodes[n].attribute_count;
    const tonnx_status status = tonnx__alloc(out, room, sizeof **out);
    *count = 0;
    if (status) return status;
    for (size_t i = 0; i < model->tensor_count; i++) {
        tonnx__tensor *tensor = &model->tensors[i];
        (*out)[(*count)++] = tensor;
        if (tensor->sparse) (*out)[(*count)++] = &tensor->sparse->values;
        if (tensor->sparse) (*out)[(*count)++] = &tensor->sparse->indices;
    }
    for (size_t n = 0; n < model->node_count; n++) list_tensors(&model->nodes[n], *out, count);
    for (size_t f = 0; f < model->function_count; f++)
        for (size_t n = 0; n < model->functions[f].node_count; n++)
            list_tensors(&model->functions[f].nodes[n], *out, count);
    return TONNX_OK;
}

/* Where an attribute keeps its number or numbers; NULL for other types. */
static const void *numbers_of(const tonnx__attribute *attribute)
{
    switch (attribute->type) {
    case TONNX__ATTRIBUTE_FLOAT:
        return &attribute->f;
    case TONNX__ATTRIBUTE_INT:
        return &attribute->i;
    case TONNX__ATTRIBUTE_FLOATS:
        return attribute->floats;
    case TONNX__ATTRIBUTE_INTS:
        return attribute->ints;
    default:
        return NULL;
    }
}

tonnx_status tonnx__attribute_numbers(tonnx__attribute *attribute)
{
    const void *numbers = numbers_of(attribute);
    const bool floats = attribute->type == TONNX__ATTRIBUTE_FLOAT || attribute->type == TONNX__ATTRIBUTE_FLOATS;
    const bool list = attribute->type == TONNX__ATTRIBUTE_FLOATS || attribute->type == TONNX__ATTRIBUTE_INTS;
    const int64_t dims[1] = { (int64_t)attribute->count };
    if (attribute->tensor || !numbers) return TONNX_OK;
    tonnx_status status = tonnx__alloc(&attribute->tensor, 1, sizeof *attribute->tensor);
    if (!status) status = tonnx__tensor_make(attribute->tensor, "", floats ? TONNX_FLOAT : TONNX_INT64, list, dims);
    if (!status && attribute->tensor->count)
        memcpy(attribute->tensor->owned, numbers,
               attribute->tensor->count * tonnx_dtype_size(attribute->tensor->dtype));
    return status;
}

double tonnx__node_float(const tonnx__node *node, const char *name, double otherwise)
{
    const tonnx__attribute *attribute = tonnx__node_attribute(node, name);
    return attribute && attribute->type == TONNX__ATTRIBUTE_FLOAT ? (double)attribute->f : otherwise;
}

int64_t tonnx__node_int(const tonnx__node *node, const char *name, int64_t otherwise)
{
    const tonnx__attribute *attribute = tonnx__node_attribute(node, name);
    return attribute && attribute->type == TONNX__ATTRIBUTE_INT ? attribute->i : otherwise;
}

const char *tonnx__node_input(const tonnx__node *node, size_t i)
{
    return i < node->input_count ? node->inputs[i] : "";
}

/* Appends `part` to `text` as far as there is room. */
static void append(char *text, size_t size, const char *part)
{
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", part);
}

static void append_list(char *text, size_t size, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i) append(text, size, ", ");
        append(text, size, names[i]);
    }
}

const char *tonnx__node_label(const tonnx__node *node, char *text, size_t size)
{
    snprintf(text, size, "%s node", node->op_type);
    if (*node->name) {
        append(text, size, " '");
        append(text, size, node->name);
        append(text, size, "'");
    }
    append(text, size, " (");
    append_list(text, size, node->inputs, node->input_count);
    append(text, size, " \xe2\x86\x92 ");
    append_list(text, size, node->outputs, node->output_count);
    append(text, size, ")");
    return text;
}
