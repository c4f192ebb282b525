/* A fixed batch, opened: what the source says of it goes. */
#include "format/patch_impl.h"

/* Field numbers of the messages down to a dimension. */
enum { INFO_TYPE = 2, TYPE_TENSOR = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 1, DIM_VALUE = 1, DIM_PARAM = 2 };

/* Field `number` of `parent`, the first one. */
static bool find(const tonnx__patch *p, const tonnx__field *parent, uint32_t number, tonnx__field *out)
{
    tonnx__wire_walk walk = { p->source, parent->content, parent->end, number };
    return tonnx__wire_each(&walk, out);
}

/* The first dimension of a ValueInfoProto, and its dim_value; false unless that is the batch. */
static bool is_of_batch(const tonnx__patch *p, const tonnx__field *info, tonnx__field *dim, tonnx__field *value)
{
    tonnx__field type, tensor, shape;
    uint64_t size = 0;
    if (!find(p, info, INFO_TYPE, &type) || !find(p, &type, TYPE_TENSOR, &tensor) || !find(p, &tensor, TENSOR_SHAPE, &shape) ||
        !find(p, &shape, SHAPE_DIM, dim) || !find(p, dim, DIM_VALUE, value))
        return false;
    size_t at = value->content;
    return tonnx__wire_varint(p->source, value->end, &at, TONNX__VARINT_MOST, &size) && size == (uint64_t)p->model->opened_batch;
}

tonnx_status tonnx__patch_batch(const tonnx__patch *p, const tonnx__field *info)
{
    tonnx__field dim, value;
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (!is_of_batch(p, info, &dim, &value)) return TONNX_OK;
    const tonnx_status status = tonnx__onnx_pack_text(DIM_PARAM, TONNX__BATCH, &bytes, &size);
    return status ? status : tonnx__splice_take(p->splice, dim.content, value.at, value.end - value.at, bytes, size);
}

tonnx_status tonnx__patch_drop_batch(const tonnx__patch *p, const tonnx__field *graph, uint32_t number)
{
    tonnx__wire_walk walk = { p->source, graph->content, graph->end, number };
    tonnx__field info, dim, value;
    tonnx_status status = TONNX_OK;
    while (!status && tonnx__wire_each(&walk, &info))
        if (is_of_batch(p, &info, &dim, &value))
            status = tonnx__splice_add(p->splice, graph->content, info.at, info.end - info.at, NULL, 0);
    return status;
}
