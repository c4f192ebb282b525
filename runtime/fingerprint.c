#include "runtime/fingerprint_impl.h"

#include <string.h>

/* Odd 64-bit constants of MurmurHash3 and xxHash: any with their bits well spread would do. */
static const uint64_t k1 = UINT64_C(0x9E3779B185EBCA87), k2 = UINT64_C(0xC2B2AE3D27D4EB4F);

static uint64_t step(uint64_t h, uint64_t word)
{
    h ^= word * k1;
    return (h << 29 | h >> 35) * k2;
}

static uint64_t finish(uint64_t h)
{
    h = (h ^ h >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    h = (h ^ h >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return h ^ h >> 33;
}

uint64_t tonnx__fingerprint(uint64_t so_far, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    uint64_t h = so_far;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, from + i, size - i < 8 ? size - i : 8);
        h = step(h, word);
    }
    return finish(h ^ size);
}

static uint64_t add_number(uint64_t h, uint64_t number)
{
    return tonnx__fingerprint(h, &number, sizeof number);
}

static uint64_t add_text(uint64_t h, const char *text)
{
    return tonnx__fingerprint(h, text ? text : "", text ? strlen(text) : 0);
}

static uint64_t add_tensor(uint64_t h, const tonnx__tensor *tensor)
{
    const unsigned char *bytes = tensor->fresh ? tensor->fresh : tensor->bytes;
    h = add_text(h, tensor->name);
    h = add_number(add_number(h, (uint64_t)tensor->dtype), tensor->removed);
    if (tensor->rank) h = tonnx__fingerprint(h, tensor->dims, tensor->rank * sizeof *tensor->dims);
    return bytes ? tonnx__fingerprint(h, bytes, tensor->count * tonnx_dtype_size(tensor->dtype)) : h;
}

static uint64_t add_node(uint64_t h, const tonnx__node *node)
{
    h = add_text(add_text(h, node->op_type), node->domain);
    h = add_number(h, node->removed);
    for (size_t i = 0; i < node->input_count; i++) h = add_text(h, node->inputs[i]);
    for (size_t i = 0; i < node->output_count; i++) h = add_text(h, node->outputs[i]);
    return h;
}

uint64_t tonnx__fingerprint_model(const tonnx_model *model)
{
    uint64_t h = tonnx__fingerprint(0, model->source, model->source_size);
    for (size_t t = 0; t < model->tensor_count; t++) h = add_tensor(h, &model->tensors[t]);
    for (size_t n = 0; n < model->node_count; n++) h = add_node(h, &model->nodes[n]);
    return h;
}

uint64_t tonnx__fingerprint_data(const tonnx_dataset *data)
{
    if (!data) return 0;
    const size_t values = data->samples * data->features; /* fits: they are in memory */
    const size_t targets = data->samples * data->target_width;
    uint64_t h = add_number(add_number(1, data->samples), data->features);
    h = tonnx__fingerprint(h, &data->scale, sizeof data->scale);
    if (data->x) h = tonnx__fingerprint(h, data->x, values * sizeof *data->x);
    if (data->x_bytes) h = tonnx__fingerprint(h, data->x_bytes, values);
    if (data->classes) h = tonnx__fingerprint(h, data->classes, data->samples * sizeof *data->classes);
    if (data->targets) h = tonnx__fingerprint(h, data->targets, targets * sizeof *data->targets);
    return h;
}
