#include "format/patch_impl.h"

#include <string.h>

#include "format/tensor_data_impl.h"

/* Field numbers of the messages that are patched. */
enum {
    MODEL_GRAPH = 7,
    MODEL_METADATA = 14,
    MODEL_FUNCTION = 25,
    FUNCTION_NODE = 7,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_VALUE_INFO = 13,
    GRAPH_SPARSE = 15,
    SPARSE_VALUES = 1,
    SPARSE_INDICES = 2,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_ATTRIBUTE = 5,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_TENSOR = 5,
    ATTRIBUTE_FLOATS = 7,
    ENTRY_VALUE = 2
};

typedef tonnx__patch patch;

static tonnx__wire_walk children(const patch *p, const tonnx__field *parent, uint32_t number)
{
    return (tonnx__wire_walk){ p->source, parent->content, parent->end, number };
}

static tonnx_status remove_field(const patch *p, const tonnx__field *parent, const tonnx__field *field)
{
    return tonnx__splice_add(p->splice, parent->content, field->at, field->end - field->at, NULL, 0);
}

/* Text field `number` in place of source[at … at + remove) of `parent`. */
static tonnx_status put_text(const patch *p, const tonnx__field *parent, size_t at, size_t remove, uint32_t number,
                             const char *text)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    const tonnx_status status = tonnx__onnx_pack_text(number, text, &bytes, &size);
    return status ? status : tonnx__splice_take(p->splice, parent->content, at, remove, bytes, size);
}

/* Inputs that read another value now; those beyond the source's last follow it. */
static tonnx_status patch_inputs(const patch *p, const tonnx__node *node, const tonnx__field *field)
{
    tonnx__wire_walk walk = children(p, field, NODE_INPUT);
    tonnx__field input;
    tonnx_status status = TONNX_OK;
    size_t i = 0, after = field->content;
    for (; !status && tonnx__wire_each(&walk, &input); i++) {
        after = input.end;
        if (node->renamed[i]) status = put_text(p, field, input.at, input.end - input.at, NODE_INPUT, node->inputs[i]);
    }
    for (; !status && i < node->input_count; i++) status = put_text(p, field, after, 0, NODE_INPUT, node->inputs[i]);
    return status;
}

static tonnx_status patch_output(const patch *p, const tonnx__node *node, const tonnx__field *field)
{
    tonnx__wire_walk walk = children(p, field, NODE_OUTPUT);
    tonnx__field output;
    if (!tonnx__wire_each(&walk, &output)) return TONNX_OK;
    return put_text(p, field, output.at, output.end - output.at, NODE_OUTPUT, node->outputs[0]);
}

/* A tensor's elements, wherever they lie. */
static tonnx_status patch_tensor(const patch *p, const tonnx__tensor *tensor, const tonnx__field *field)
{
    if (tensor->file) return tonnx__patch_external(p, tensor, field);
    if (!tensor->fresh) return TONNX_OK;
    return tonnx__tensor_data_patch(tensor, p->source, field->content, field->end, p->splice);
}

/* value_float and value_floats: four bytes each, alone or in packed runs. */
static tonnx_status patch_floats(const patch *p, const tonnx__tensor *tensor, const tonnx__field *attribute,
                                 uint32_t number)
{
    tonnx__wire_walk walk = children(p, attribute, number);
    tonnx__field field;
    tonnx_status status = TONNX_OK;
    size_t done = 0;
    while (!status && tonnx__wire_each(&walk, &field) && field.end - field.content <= 4 * tensor->count - done) {
        const size_t size = field.end - field.content;
        status = tonnx__splice_add(p->splice, field.type == TONNX__WIRE_BYTES ? field.content : attribute->content,
                                   field.content, size, tensor->fresh + done, size);
        done += size;
    }
    return status;
}

static tonnx_status patch_attribute(const patch *p, const tonnx__attribute *now, const tonnx__field *attribute)
{
    tonnx__wire_walk inner = children(p, attribute, ATTRIBUTE_TENSOR);
    tonnx__field at;
    if (!now->tensor) return TONNX_OK;
    if (now->type == TONNX__ATTRIBUTE_TENSOR)
        return tonnx__wire_each(&inner, &at) ? patch_tensor(p, now->tensor, &at) : TONNX_OK;
    if (!now->tensor->fresh) return TONNX_OK;
    if (now->type == TONNX__ATTRIBUTE_FLOATS) return patch_floats(p, now->tensor, attribute, ATTRIBUTE_FLOATS);
    if (now->type == TONNX__ATTRIBUTE_FLOAT) return patch_floats(p, now->tensor, attribute, ATTRIBUTE_FLOAT);
    return TONNX_OK;
}

/* A Constant's value that was trained. */
static tonnx_status patch_attributes(const patch *p, const tonnx__node *node, const tonnx__field *field)
{
    tonnx__wire_walk walk = children(p, field, NODE_ATTRIBUTE);
    tonnx__field attribute;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; !status && i < node->attribute_count && tonnx__wire_each(&walk, &attribute); i++)
        status = patch_attribute(p, &node->attributes[i], &attribute);
    return status;
}

static tonnx_status patch_node(const patch *p, const tonnx__node *node, const tonnx__field *graph,
                               const tonnx__field *field)
{
    if (node->removed) return remove_field(p, graph, field);
    tonnx_status status = node->renamed ? patch_inputs(p, node, field) : TONNX_OK;
    if (!status && node->output_renamed) status = patch_output(p, node, field);
    return status ? status : patch_attributes(p, node, field);
}

static tonnx_status insert_node(const patch *p, const tonnx__field *graph, size_t at, const tonnx__node *node)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (node->removed) return TONNX_OK;
    const tonnx_status status = tonnx__onnx_pack_node(node, &bytes, &size);
    return status ? status : tonnx__splice_take(p->splice, graph->content, at, 0, bytes, size);
}

/* Nodes that were added go behind the one before them, or before the source's first. */
static tonnx_status patch_nodes(const patch *p, const tonnx__field *graph)
{
    const tonnx_model *model = p->model;
    tonnx__wire_walk walk = children(p, graph, GRAPH_NODE), ahead = walk;
    tonnx__field field;
    size_t at = tonnx__wire_each(&ahead, &field) ? field.at : graph->content;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; !status && i < model->node_count; i++) {
        const tonnx__node *node = &model->nodes[i];
        if (node->source_at == TONNX__NOT_IN_SOURCE) {
            status = insert_node(p, graph, at, node);
        } else if (tonnx__wire_each(&walk, &field)) {
            status = patch_node(p, node, graph, &field);
            at = field.end;
        }
    }
    return status;
}

/* Before IR 4 an initializer has to be an input too. */
static tonnx_status insert_tensor(const patch *p, const tonnx__field *graph, size_t at, const tonnx__tensor *tensor)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    tonnx_status status = tonnx__onnx_pack_tensor(tensor, &bytes, &size);
    if (!status) status = tonnx__splice_take(p->splice, graph->content, at, 0, bytes, size);
    if (status || p->model->ir_version >= 4) return status;
    status = tonnx__onnx_pack_input(tensor, &bytes, &size);
    return status ? status : tonnx__splice_take(p->splice, graph->content, graph->end, 0, bytes, size);
}

/* An input that was an initializer's default goes with it. */
static tonnx_status patch_graph_inputs(const patch *p, const tonnx__field *graph)
{
    const tonnx_model *model = p->model;
    tonnx__wire_walk walk = children(p, graph, GRAPH_INPUT);
    tonnx__field field;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; !status && i < model->input_count && tonnx__wire_each(&walk, &field); i++) {
        const bool gone = model->inputs[i].is_initializer && tonnx__model_find_tensor(model, model->inputs[i].name) < 0;
        status = gone ? remove_field(p, graph, &field) : tonnx__patch_batch(p, &model->inputs[i], &field);
    }
    return status;
}

static tonnx_status patch_graph_outputs(const patch *p, const tonnx__field *graph)
{
    tonnx__wire_walk walk = children(p, graph, GRAPH_OUTPUT);
    tonnx__field field;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; !status && i < p->model->output_count && tonnx__wire_each(&walk, &field); i++)
        status = tonnx__patch_batch(p, &p->model->outputs[i], &field);
    return status;
}

/* What is declared of values within the graph goes where a batch was opened: any may follow from it, in any dimension, and whoever
 * reads the model infers them anew. */
static tonnx_status drop_value_infos(const patch *p, const tonnx__field *graph)
{
    tonnx__wire_walk walk = children(p, graph, GRAPH_VALUE_INFO);
    tonnx__field field;
    tonnx_status status = TONNX_OK;
    bool opened = false;
    for (size_t i = 0; i < p->model->input_count; i++) opened = opened || p->model->inputs[i].opened;
    while (opened && !status && tonnx__wire_each(&walk, &field)) status = remove_field(p, graph, &field);
    return status;
}

/* One of the two tensors of a sparse one. */
static tonnx_status patch_part(const patch *p, const tonnx__tensor *part, const tonnx__field *sparse, uint32_t number)
{
    tonnx__wire_walk walk = children(p, sparse, number);
    tonnx__field field;
    return tonnx__wire_each(&walk, &field) ? patch_tensor(p, part, &field) : TONNX_OK;
}

static tonnx_status patch_sparse(const patch *p, const tonnx__tensor *tensor, const tonnx__field *graph,
                                 const tonnx__field *field)
{
    if (tensor->removed || tensor->sparse->dense) return remove_field(p, graph, field);
    const tonnx_status status = patch_part(p, &tensor->sparse->values, field, SPARSE_VALUES);
    return status ? status : patch_part(p, &tensor->sparse->indices, field, SPARSE_INDICES);
}

/* A tensor that the source has not, at least not as an initializer. */
static bool is_new(const tonnx__tensor *tensor)
{
    return !tensor->removed && (tensor->source_at == TONNX__NOT_IN_SOURCE || (tensor->sparse && tensor->sparse->dense));
}

/* The source's initializers, then its sparse ones; those to be added go behind the initializers. */
static tonnx_status patch_tensors(const patch *p, const tonnx__field *graph)
{
    const tonnx_model *model = p->model;
    tonnx__wire_walk walk = children(p, graph, GRAPH_INITIALIZER), sparse = children(p, graph, GRAPH_SPARSE);
    tonnx__field field;
    tonnx_status status = TONNX_OK;
    size_t i = 0, back = graph->end;
    for (; !status && i < model->tensor_count && tonnx__wire_each(&walk, &field); i++) {
        const tonnx__tensor *tensor = &model->tensors[i];
        back = field.end;
        status = tensor->removed ? remove_field(p, graph, &field) : patch_tensor(p, tensor, &field);
    }
    const size_t dense = i;
    for (; !status && i < model->tensor_count && tonnx__wire_each(&sparse, &field); i++)
        status = patch_sparse(p, &model->tensors[i], graph, &field);
    for (i = dense; !status && i < model->tensor_count; i++)
        if (is_new(&model->tensors[i])) status = insert_tensor(p, graph, back, &model->tensors[i]);
    return status;
}

/* Functions are written as they were, but for the names of data files that their constants lie in. */
static tonnx_status patch_functions(const patch *p, const tonnx__field *whole)
{
    const tonnx_model *model = p->model;
    tonnx__wire_walk walk = children(p, whole, MODEL_FUNCTION);
    tonnx__field function, node;
    tonnx_status status = TONNX_OK;
    for (size_t f = 0; f < model->function_count && !status && tonnx__wire_each(&walk, &function); f++) {
        tonnx__wire_walk nodes = children(p, &function, FUNCTION_NODE);
        for (size_t i = 0; i < model->functions[f].node_count && !status && tonnx__wire_each(&nodes, &node); i++)
            status = patch_attributes(p, &model->functions[f].nodes[i], &node);
    }
    return status;
}

static tonnx_status patch_entry(const patch *p, const tonnx__metadata *entry, const tonnx__field *field)
{
    tonnx__wire_walk walk = children(p, field, ENTRY_VALUE);
    tonnx__field value;
    if (!entry->changed) return TONNX_OK;
    if (!tonnx__wire_each(&walk, &value)) return put_text(p, field, field->end, 0, ENTRY_VALUE, entry->value);
    return put_text(p, field, value.at, value.end - value.at, ENTRY_VALUE, entry->value);
}

static tonnx_status patch_metadata(const patch *p, const tonnx__field *whole)
{
    const tonnx_model *model = p->model;
    tonnx__wire_walk walk = children(p, whole, MODEL_METADATA);
    tonnx__field field;
    tonnx_status status = TONNX_OK;
    size_t i = 0;
    for (; !status && i < model->metadata_count && tonnx__wire_each(&walk, &field); i++)
        status = patch_entry(p, &model->metadata[i], &field);
    for (; !status && i < model->metadata_count; i++) {
        unsigned char *bytes = NULL;
        size_t size = 0;
        status = tonnx__onnx_pack_metadata(&model->metadata[i], &bytes, &size);
        if (!status) status = tonnx__splice_take(p->splice, whole->content, whole->end, 0, bytes, size);
    }
    return status;
}

tonnx_status tonnx__onnx_patch(const tonnx__patch *p, size_t size)
{
    const tonnx__field whole = { .content = 0, .end = size };
    tonnx__wire_walk walk = children(p, &whole, MODEL_GRAPH);
    tonnx__field graph;
    if (!tonnx__wire_each(&walk, &graph)) return tonnx__fail(TONNX_BAD_MODEL, "the model has no graph to write");
    tonnx_status status = patch_nodes(p, &graph);
    if (!status) status = patch_tensors(p, &graph);
    if (!status) status = patch_graph_inputs(p, &graph);
    if (!status) status = patch_graph_outputs(p, &graph);
    if (!status) status = drop_value_infos(p, &graph);
    if (!status && p->model->data_file_count) status = patch_functions(p, &whole);
    return status ? status : patch_metadata(p, &whole);
}
