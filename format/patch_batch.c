/* A fixed batch, opened: what the source declares of it. */
#include "format/patch_impl.h"

/* Field numbers of the messages down to a dimension. */
enum { INFO_TYPE = 2, TYPE_TENSOR = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 1, DIM_VALUE = 1, DIM_PARAM = 2 };

/* Field `number` of `parent`, the one behind `skip` others. */
static bool find(const tonnx__patch *p, const tonnx__field *parent, uint32_t number, size_t skip, tonnx__field *out)
{
    tonnx__wire_walk walk = { p->source, parent->content, parent->end, number };
    for (size_t i = 0; i < skip; i++)
        if (!tonnx__wire_each(&walk, out)) return false;
    return tonnx__wire_each(&walk, out);
}

tonnx_status tonnx__patch_batch(const tonnx__patch *p, const tonnx__value *value, const tonnx__field *info)
{
    tonnx__field type, tensor, shape, dim, number;
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (!value->opened || !find(p, info, INFO_TYPE, 0, &type) || !find(p, &type, TYPE_TENSOR, 0, &tensor) ||
        !find(p, &tensor, TENSOR_SHAPE, 0, &shape) || !find(p, &shape, SHAPE_DIM, value->opened - 1, &dim) ||
        !find(p, &dim, DIM_VALUE, 0, &number))
        return TONNX_OK;
    const tonnx_status status = tonnx__onnx_pack_text(DIM_PARAM, TONNX__BATCH, &bytes, &size);
    return status ? status : tonnx__splice_take(p->splice, dim.content, number.at, number.end - number.at, bytes, size);
}
