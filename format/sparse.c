/* Sparse tensors, writing: as they are stored where only stored elements changed, else dense. */
#include "format/patch_impl.h"

#include <string.h>

/* Brings the stored values up to the dense elements; `dense` where an element that is not stored has changed. */
static tonnx_status gather(tonnx__tensor *tensor)
{
    tonnx__sparse *sparse = tensor->sparse;
    const size_t size = tonnx_dtype_size(tensor->dtype);
    sparse->dense = false;
    if (!tonnx__tensor_differs(tensor)) return TONNX_OK;
    const tonnx_status status = tonnx__tensor_touch(&sparse->values);
    for (size_t i = 0, k = 0; !status && i < tensor->count; i++) {
        const unsigned char *element = tensor->fresh + i * size;
        if (k < sparse->values.count && sparse->at[k] == i) memcpy(sparse->values.fresh + k++ * size, element, size);
        else if (memcmp(element, tensor->bytes + i * size, size) != 0) sparse->dense = true;
    }
    return status;
}

tonnx_status tonnx__sparse_gather(const tonnx_model *model, const tonnx_log *log)
{
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < model->tensor_count && !status; i++) {
        tonnx__tensor *tensor = &model->tensors[i];
        if (!tensor->sparse || tensor->removed) continue;
        status = gather(tensor);
        if (!status && tensor->sparse->dense)
            tonnx__say(log, TONNX_LOG_INFO, "sparse tensor '%s': zeros of it have changed; it is written dense",
                       tensor->name);
    }
    return status;
}
