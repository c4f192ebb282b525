/* Messages that no file had yet, through protobuf-c. Its structs borrow the model's text and elements. */
#include <string.h>

#include "format/onnx.pb-c.h"
#include "format/patch_impl.h"

/* The message as field `number` of another. */
static tonnx_status pack_field(uint32_t number, const ProtobufCMessage *message, unsigned char **out, size_t *size)
{
    const size_t content = protobuf_c_message_get_packed_size(message);
    const size_t head = tonnx__wire_put_head(NULL, number, content);
    const tonnx_status status = tonnx__alloc(out, head + content, 1);
    *size = status ? 0 : head + content;
    if (status) return status;
    tonnx__wire_put_head(*out, number, content);
    protobuf_c_message_pack(message, *out + head);
    return TONNX_OK;
}

tonnx_status tonnx__onnx_pack_text(uint32_t number, const char *text, unsigned char **out, size_t *size)
{
    const size_t length = strlen(text), head = tonnx__wire_put_head(NULL, number, length);
    const tonnx_status status = tonnx__alloc(out, head + length, 1);
    *size = status ? 0 : head + length;
    if (status) return status;
    tonnx__wire_put_head(*out, number, length);
    if (length) memcpy(*out + head, text, length);
    return TONNX_OK;
}

tonnx_status tonnx__onnx_pack_metadata(const tonnx__metadata *entry, unsigned char **out, size_t *size)
{
    Tonnx__Onnx__StringStringEntryProto proto = TONNX__ONNX__STRING_STRING_ENTRY_PROTO__INIT;
    proto.key = entry->key;
    proto.value = entry->value;
    return pack_field(14, &proto.base, out, size);
}

static void fill_tensor(Tonnx__Onnx__TensorProto *proto, const tonnx__tensor *tensor)
{
    tonnx__onnx__tensor_proto__init(proto);
    proto->n_dims = tensor->rank;
    proto->dims = tensor->dims;
    proto->has_data_type = true;
    proto->data_type = (int32_t)tensor->dtype;
    proto->name = tensor->name;
    proto->has_raw_data = true;
    proto->raw_data.len = tensor->count * tonnx_dtype_size(tensor->dtype);
    proto->raw_data.data = tensor->fresh ? tensor->fresh : tensor->owned;
}

tonnx_status tonnx__onnx_pack_tensor(const tonnx__tensor *tensor, unsigned char **out, size_t *size)
{
    Tonnx__Onnx__TensorProto proto;
    fill_tensor(&proto, tensor);
    return pack_field(5, &proto.base, out, size);
}

/* Attributes of an added node are numbers and text: that is all that tonnx__node_add_… makes. */
static void fill_attribute(Tonnx__Onnx__AttributeProto *proto, const tonnx__attribute *attribute)
{
    tonnx__onnx__attribute_proto__init(proto);
    proto->name = attribute->name;
    proto->has_type = true;
    proto->type = (int32_t)attribute->type;
    proto->has_f = attribute->type == TONNX__ATTRIBUTE_FLOAT;
    proto->f = attribute->f;
    proto->has_i = attribute->type == TONNX__ATTRIBUTE_INT;
    proto->i = attribute->i;
    if (attribute->type != TONNX__ATTRIBUTE_STRING) return;
    proto->has_s = true;
    proto->s.len = strlen(attribute->s);
    proto->s.data = (uint8_t *)attribute->s;
}

tonnx_status tonnx__onnx_pack_node(const tonnx__node *node, unsigned char **out, size_t *size)
{
    const size_t count = node->attribute_count;
    Tonnx__Onnx__NodeProto proto = TONNX__ONNX__NODE_PROTO__INIT;
    Tonnx__Onnx__AttributeProto *attributes = NULL, **pointers = NULL;
    tonnx_status status = tonnx__alloc(&attributes, count, sizeof *attributes);
    if (!status) status = tonnx__alloc(&pointers, count, sizeof *pointers);
    if (status) goto out;
    for (size_t i = 0; i < count; i++) {
        fill_attribute(&attributes[i], &node->attributes[i]);
        pointers[i] = &attributes[i];
    }
    proto.n_input = node->input_count;
    proto.input = node->inputs;
    proto.n_output = node->output_count;
    proto.output = node->outputs;
    proto.name = *node->name ? node->name : NULL;
    proto.op_type = node->op_type;
    proto.domain = *node->domain ? node->domain : NULL;
    proto.n_attribute = count;
    proto.attribute = pointers;
    status = pack_field(1, &proto.base, out, size);
out:
    tonnx__free(attributes);
    tonnx__free(pointers);
    return status;
}

enum { VALUE_RANK_MOST = 8 }; /* inputs and outputs of models made in memory, and tensors added, stay well below */

/* A graph input or output. Points into itself. */
typedef struct value_proto {
    Tonnx__Onnx__ValueInfoProto info, *info_pointer;
    Tonnx__Onnx__TypeProto type;
    Tonnx__Onnx__TypeProto__Tensor tensor;
    Tonnx__Onnx__TensorShapeProto shape;
    Tonnx__Onnx__TensorShapeProto__Dimension dims[VALUE_RANK_MOST], *dim_pointers[VALUE_RANK_MOST];
} value_proto;

static void fill_value(value_proto *to, const tonnx__value *value)
{
    tonnx__onnx__value_info_proto__init(&to->info);
    tonnx__onnx__type_proto__init(&to->type);
    tonnx__onnx__type_proto__tensor__init(&to->tensor);
    tonnx__onnx__tensor_shape_proto__init(&to->shape);
    for (size_t i = 0; i < value->rank; i++) {
        tonnx__onnx__tensor_shape_proto__dimension__init(&to->dims[i]);
        to->dims[i].has_dim_value = value->dims[i] >= 0;
        to->dims[i].dim_value = value->dims[i];
        to->dims[i].dim_param = value->dims[i] < 0 ? value->dim_params[i] : NULL;
        to->dim_pointers[i] = &to->dims[i];
    }
    to->shape.n_dim = value->rank;
    to->shape.dim = to->dim_pointers;
    to->tensor.has_elem_type = true;
    to->tensor.elem_type = (int32_t)value->dtype;
    to->tensor.shape = &to->shape;
    to->type.tensor_type = &to->tensor;
    to->info.name = value->name;
    to->info.type = &to->type;
    to->info_pointer = &to->info;
}

tonnx_status tonnx__onnx_pack_input(const tonnx__tensor *tensor, unsigned char **out, size_t *size)
{
    const tonnx__value value = {
        .name = tensor->name, .dtype = tensor->dtype, .rank = tensor->rank, .dims = tensor->dims
    };
    value_proto proto;
    *out = NULL;
    if (tensor->rank > VALUE_RANK_MOST)
        return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': rank %zu is too high to be added as an input", tensor->name,
                           tensor->rank);
    fill_value(&proto, &value);
    return pack_field(11, &proto.info.base, out, size);
}

tonnx_status tonnx__onnx_pack_head(const tonnx_model *model, unsigned char **out, size_t *size)
{
    Tonnx__Onnx__ModelProto proto = TONNX__ONNX__MODEL_PROTO__INIT;
    Tonnx__Onnx__GraphProto graph = TONNX__ONNX__GRAPH_PROTO__INIT;
    Tonnx__Onnx__OperatorSetIdProto opset = TONNX__ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    value_proto input, output;
    fill_value(&input, &model->inputs[0]);
    fill_value(&output, &model->outputs[0]);
    graph.name = model->graph_name;
    graph.n_input = graph.n_output = 1;
    graph.input = &input.info_pointer;
    graph.output = &output.info_pointer;
    opset.domain = model->opsets[0].domain;
    opset.has_version = true;
    opset.version = model->opsets[0].version;
    proto.has_ir_version = true;
    proto.ir_version = model->ir_version;
    proto.producer_name = model->producer;
    proto.producer_version = model->producer_version;
    proto.n_opset_import = 1;
    proto.opset_import = &opsets;
    proto.graph = &graph;
    const size_t packed = tonnx__onnx__model_proto__get_packed_size(&proto);
    const tonnx_status status = tonnx__alloc(out, packed, 1);
    *size = status ? 0 : tonnx__onnx__model_proto__pack(&proto, *out);
    return status;
}
