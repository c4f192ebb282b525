/* Parsed messages → the model's structs. The parser saw the file without its payloads, field for field in the same
 * order, so a message's place in the source is found by walking the source alongside. */
#include <string.h>

#include "format/read_impl.h"
#include "format/external_impl.h"
#include "format/scan_impl.h"

typedef tonnx__reader reader;

/* The messages of one field number inside `parent`. */
static tonnx__wire_walk children(const reader *r, const tonnx__field *parent, uint32_t number)
{
    return (tonnx__wire_walk){ r->model->source, parent->content, parent->end, number };
}

tonnx_status tonnx__copy_text(char **out, const char *text)
{
    return tonnx__strdup(out, text ? text : "");
}

static tonnx_status copy_texts(char ***out, size_t *counted, char *const *texts, size_t count)
{
    tonnx_status status = tonnx__alloc(out, count, sizeof **out);
    for (*counted = 0; !status && *counted < count; *counted += !status)
        status = tonnx__copy_text(&(*out)[*counted], texts[*counted]);
    return status;
}

/* "ai.onnx" is the default domain's long name. */
static tonnx_status copy_domain(char **out, const char *domain)
{
    return tonnx__copy_text(out, domain && !strcmp(domain, "ai.onnx") ? "" : domain);
}

/* Files of the first IR versions give no type: then the member that is set says it. */
static tonnx__attribute_type attribute_type(const Tonnx__Onnx__AttributeProto *proto)
{
    if (proto->has_type && proto->type >= TONNX__ATTRIBUTE_FLOAT && proto->type <= TONNX__ATTRIBUTE_INTS)
        return proto->type == 5 ? TONNX__ATTRIBUTE_OTHER : (tonnx__attribute_type)proto->type;
    if (proto->has_type && proto->type) return TONNX__ATTRIBUTE_OTHER;
    if (proto->has_f) return TONNX__ATTRIBUTE_FLOAT;
    if (proto->has_i) return TONNX__ATTRIBUTE_INT;
    if (proto->has_s) return TONNX__ATTRIBUTE_STRING;
    if (proto->t) return TONNX__ATTRIBUTE_TENSOR;
    if (proto->n_floats) return TONNX__ATTRIBUTE_FLOATS;
    return proto->n_ints ? TONNX__ATTRIBUTE_INTS : TONNX__ATTRIBUTE_OTHER;
}

static tonnx_status read_attribute_tensor(const reader *r, tonnx__attribute *attribute,
                                          const Tonnx__Onnx__AttributeProto *proto, const tonnx__field *field)
{
    tonnx__wire_walk walk = children(r, field, 5);
    tonnx__field at;
    if (!proto->t || !tonnx__wire_each(&walk, &at))
        return tonnx__fail(TONNX_BAD_MODEL, "attribute '%s': is said to be a tensor and holds none", attribute->name);
    const tonnx_status status = tonnx__alloc(&attribute->tensor, 1, sizeof *attribute->tensor);
    return status ? status : tonnx__read_tensor(r, attribute->tensor, proto->t, &at);
}

/* Bytes that are no text have no use here; they stay in the source. */
static tonnx_status read_attribute_text(tonnx__attribute *attribute, const ProtobufCBinaryData *s)
{
    if (tonnx__is_text(s->data, s->len)) return tonnx__strndup(&attribute->s, (const char *)s->data, s->len);
    attribute->type = TONNX__ATTRIBUTE_OTHER;
    return TONNX_OK;
}

static tonnx_status read_numbers(tonnx__attribute *attribute, const Tonnx__Onnx__AttributeProto *proto)
{
    const bool floats = attribute->type == TONNX__ATTRIBUTE_FLOATS;
    attribute->count = floats ? proto->n_floats : proto->n_ints;
    const tonnx_status status = floats ? tonnx__alloc(&attribute->floats, attribute->count, sizeof(float))
                                       : tonnx__alloc(&attribute->ints, attribute->count, sizeof(int64_t));
    if (status || !attribute->count) return status;
    if (floats) memcpy(attribute->floats, proto->floats, attribute->count * sizeof(float));
    else memcpy(attribute->ints, proto->ints, attribute->count * sizeof(int64_t));
    return TONNX_OK;
}

static tonnx_status read_attribute(const reader *r, tonnx__attribute *attribute,
                                   const Tonnx__Onnx__AttributeProto *proto, const tonnx__field *field)
{
    const tonnx_status status = tonnx__copy_text(&attribute->name, proto->name);
    if (status) return status;
    attribute->type = attribute_type(proto);
    if (proto->ref_attr_name && *proto->ref_attr_name)
        return tonnx__copy_text(&attribute->stands_for, proto->ref_attr_name);
    attribute->f = proto->f;
    attribute->i = proto->i;
    switch (attribute->type) {
    case TONNX__ATTRIBUTE_STRING:
        return read_attribute_text(attribute, &proto->s);
    case TONNX__ATTRIBUTE_TENSOR:
        return read_attribute_tensor(r, attribute, proto, field);
    case TONNX__ATTRIBUTE_FLOATS:
    case TONNX__ATTRIBUTE_INTS:
        return read_numbers(attribute, proto);
    default:
        return TONNX_OK;
    }
}

enum { MOST_ATTRIBUTES = 256, MOST_OPSETS = 64 }; /* pairs are compared */

/* ONNX: "the names of attributes must be unique". */
static tonnx_status check_unique(const tonnx__attribute *attributes, size_t count)
{
    if (count > MOST_ATTRIBUTES)
        return tonnx__fail(TONNX_BAD_MODEL, "has %zu attributes; at most %d are read", count, MOST_ATTRIBUTES);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (!strcmp(attributes[i].name, attributes[j].name))
                return tonnx__fail(TONNX_BAD_MODEL, "attribute '%s': is there twice", attributes[i].name);
    return TONNX_OK;
}

/* The attributes that stand in `parent` as fields of that number. */
static tonnx_status read_attributes(const reader *r, tonnx__attribute **out, size_t *counted,
                                    Tonnx__Onnx__AttributeProto *const *protos, size_t count, tonnx__wire_walk walk)
{
    tonnx__field at;
    tonnx_status status = tonnx__alloc(out, count, sizeof **out);
    while (!status && *counted < count && tonnx__wire_each(&walk, &at)) {
        const size_t i = (*counted)++;
        status = read_attribute(r, &(*out)[i], protos[i], &at);
    }
    return status ? status : check_unique(*out, *counted);
}

static tonnx_status read_node(const reader *r, tonnx__node *node, const Tonnx__Onnx__NodeProto *proto,
                              const tonnx__field *field)
{
    node->source_at = field->content;
    tonnx_status status = tonnx__copy_text(&node->name, proto->name);
    if (!status) status = tonnx__copy_text(&node->op_type, proto->op_type);
    if (!status) status = copy_domain(&node->domain, proto->domain);
    if (!status) status = copy_texts(&node->inputs, &node->input_count, proto->input, proto->n_input);
    if (!status) status = copy_texts(&node->outputs, &node->output_count, proto->output, proto->n_output);
    if (status) return status;
    if (proto->overload) status = tonnx__copy_text(&node->overload, proto->overload);
    if (!status)
        status = read_attributes(r, &node->attributes, &node->attribute_count, proto->attribute, proto->n_attribute,
                                 children(r, field, 5));
    if (status != TONNX_BAD_MODEL) return status;
    char label[256];
    return tonnx__fail_in(status, tonnx__node_label(node, label, sizeof label));
}

static tonnx_status read_nodes(const reader *r, tonnx__node **out, size_t *counted,
                               Tonnx__Onnx__NodeProto *const *protos, size_t count, tonnx__wire_walk walk)
{
    tonnx__field at;
    tonnx_status status = tonnx__alloc(out, count, sizeof **out);
    while (!status && *counted < count && tonnx__wire_each(&walk, &at)) {
        const size_t i = (*counted)++;
        status = read_node(r, &(*out)[i], protos[i], &at);
    }
    return status;
}

static tonnx_status read_tensors(const reader *r, const Tonnx__Onnx__GraphProto *graph, const tonnx__field *field)
{
    tonnx_model *model = r->model;
    tonnx__wire_walk walk = children(r, field, 5);
    tonnx__field at;
    const size_t count = graph->n_initializer + graph->n_sparse_initializer;
    tonnx_status status = tonnx__alloc(&model->tensors, count, sizeof *model->tensors);
    model->tensor_room = status ? 0 : count;
    while (!status && model->tensor_count < graph->n_initializer && tonnx__wire_each(&walk, &at)) {
        const size_t i = model->tensor_count++;
        status = tonnx__read_tensor(r, &model->tensors[i], graph->initializer[i], &at);
    }
    walk = children(r, field, 15);
    for (size_t i = 0; !status && i < graph->n_sparse_initializer && tonnx__wire_each(&walk, &at); i++)
        status = tonnx__read_sparse(r, &model->tensors[model->tensor_count++], graph->sparse_initializer[i], &at);
    return status;
}

static tonnx_status read_shape(tonnx__value *value, const Tonnx__Onnx__TensorShapeProto *shape)
{
    if (shape->n_dim > TONNX__RANK_MOST)
        return tonnx__fail(TONNX_BAD_MODEL, "graph value '%s': has rank %zu, at most %d is read", value->name,
                           shape->n_dim, TONNX__RANK_MOST);
    tonnx_status status = tonnx__alloc(&value->dims, shape->n_dim, sizeof *value->dims);
    if (!status) status = tonnx__alloc(&value->dim_params, shape->n_dim, sizeof *value->dim_params);
    value->has_shape = true;
    while (!status && value->rank < shape->n_dim) {
        const Tonnx__Onnx__TensorShapeProto__Dimension *dim = shape->dim[value->rank];
        value->dims[value->rank] = dim->has_dim_value && dim->dim_value >= 0 ? dim->dim_value : -1;
        status = tonnx__copy_text(&value->dim_params[value->rank], dim->dim_param);
        if (!status) value->rank++;
    }
    return status;
}

static tonnx_status read_values(tonnx__value **out, size_t *count, Tonnx__Onnx__ValueInfoProto *const *protos,
                                size_t wanted)
{
    tonnx_status status = tonnx__alloc(out, wanted, sizeof **out);
    while (!status && *count < wanted) {
        tonnx__value *value = &(*out)[*count];
        const Tonnx__Onnx__ValueInfoProto *proto = protos[(*count)++];
        const Tonnx__Onnx__TypeProto__Tensor *type = proto->type ? proto->type->tensor_type : NULL;
        status = tonnx__copy_text(&value->name, proto->name);
        value->dtype = type ? (tonnx_dtype)type->elem_type : TONNX_DTYPE_NONE;
        if (!status && type && type->shape) status = read_shape(value, type->shape);
    }
    return status;
}

static tonnx_status read_graph(const reader *r, const Tonnx__Onnx__GraphProto *graph, const tonnx__field *field)
{
    tonnx_model *model = r->model;
    model->graph_at = field->content;
    tonnx_status status = tonnx__copy_text(&model->graph_name, graph->name);
    if (!status) status = read_tensors(r, graph, field);
    model->node_room = graph->n_node;
    if (!status)
        status = read_nodes(r, &model->nodes, &model->node_count, graph->node, graph->n_node, children(r, field, 1));
    if (!status) status = read_values(&model->inputs, &model->input_count, graph->input, graph->n_input);
    if (!status) status = read_values(&model->outputs, &model->output_count, graph->output, graph->n_output);
    for (size_t i = 0; !status && i < model->input_count; i++)
        model->inputs[i].is_initializer = tonnx__model_find_tensor(model, model->inputs[i].name) >= 0;
    return status;
}

static tonnx_status read_function(const reader *r, tonnx__function *f, const Tonnx__Onnx__FunctionProto *proto,
                                  const tonnx__field *field)
{
    tonnx_status status = tonnx__copy_text(&f->name, proto->name);
    if (!status) status = copy_domain(&f->domain, proto->domain);
    if (!status) status = tonnx__copy_text(&f->overload, proto->overload);
    if (!status) status = copy_texts(&f->inputs, &f->input_count, proto->input, proto->n_input);
    if (!status) status = copy_texts(&f->outputs, &f->output_count, proto->output, proto->n_output);
    if (!status) status = read_nodes(r, &f->nodes, &f->node_count, proto->node, proto->n_node, children(r, field, 7));
    if (!status)
        status = read_attributes(r, &f->defaults, &f->default_count, proto->attribute_proto, proto->n_attribute_proto,
                                 children(r, field, 11));
    return status;
}

static tonnx_status read_functions(const reader *r, const Tonnx__Onnx__ModelProto *proto, const tonnx__field *whole)
{
    tonnx_model *model = r->model;
    tonnx__wire_walk walk = children(r, whole, 25);
    tonnx__field at;
    tonnx_status status = tonnx__alloc(&model->functions, proto->n_functions, sizeof *model->functions);
    while (!status && model->function_count < proto->n_functions && tonnx__wire_each(&walk, &at)) {
        const size_t i = model->function_count++;
        status = read_function(r, &model->functions[i], proto->functions[i], &at);
    }
    return status;
}

static tonnx_status read_metadata(const reader *r, const Tonnx__Onnx__ModelProto *proto, const tonnx__field *whole)
{
    tonnx_model *model = r->model;
    tonnx__wire_walk walk = children(r, whole, 14);
    tonnx__field at;
    tonnx_status status = tonnx__alloc(&model->metadata, proto->n_metadata_props, sizeof *model->metadata);
    model->metadata_room = status ? 0 : proto->n_metadata_props;
    while (!status && model->metadata_count < proto->n_metadata_props && tonnx__wire_each(&walk, &at)) {
        const size_t i = model->metadata_count++;
        model->metadata[i].source_at = at.content;
        status = tonnx__copy_text(&model->metadata[i].key, proto->metadata_props[i]->key);
        if (!status) status = tonnx__copy_text(&model->metadata[i].value, proto->metadata_props[i]->value);
    }
    return status;
}

/* ONNX: an operator set is imported once. */
static tonnx_status check_opsets(const tonnx_model *model)
{
    if (model->opset_count > MOST_OPSETS)
        return tonnx__fail(TONNX_BAD_MODEL, "opset_import: %zu entries; at most %d are read", model->opset_count,
                           MOST_OPSETS);
    for (size_t i = 0; i < model->opset_count; i++)
        for (size_t j = 0; j < i; j++)
            if (!strcmp(model->opsets[i].domain, model->opsets[j].domain))
                return tonnx__fail(TONNX_BAD_MODEL, "opset_import: two entries for the domain '%s'",
                                   model->opsets[i].domain);
    return TONNX_OK;
}

static tonnx_status read_opsets(tonnx_model *model, const Tonnx__Onnx__ModelProto *proto)
{
    tonnx_status status = tonnx__alloc(&model->opsets, proto->n_opset_import, sizeof *model->opsets);
    while (!status && model->opset_count < proto->n_opset_import) {
        tonnx__opset *opset = &model->opsets[model->opset_count];
        opset->version = proto->opset_import[model->opset_count]->version;
        status = copy_domain(&opset->domain, proto->opset_import[model->opset_count++]->domain);
    }
    return status ? status : check_opsets(model);
}

tonnx_status tonnx__onnx_fill(tonnx_model *model, const Tonnx__Onnx__ModelProto *proto, tonnx__budget *budget,
                              const tonnx_log *log)
{
    bool said = false;
    const reader r = { model, budget, log, &said };
    const tonnx__field whole = { .content = 0, .end = model->source_size };
    tonnx__wire_walk walk = children(&r, &whole, 7);
    tonnx__field graph;
    model->ir_version = proto->ir_version;
    if (!proto->graph || !tonnx__wire_each(&walk, &graph))
        return tonnx__fail(TONNX_BAD_MODEL, "has no graph; is this an ONNX model? export it again");
    tonnx_status status = tonnx__copy_text(&model->producer, proto->producer_name);
    if (!status) status = tonnx__copy_text(&model->producer_version, proto->producer_version);
    if (!status) status = read_opsets(model, proto);
    if (!status) status = read_metadata(&r, proto, &whole);
    if (!status) status = read_functions(&r, proto, &whole);
    if (!status) status = read_graph(&r, proto->graph, &graph);
    return status ? status : tonnx__external_mark_shared(model);
}
