/* Hugging Face's safetensors: a tensor per name. */
#include "converters/weights_impl.h"

static bool sniff(const unsigned char *head, size_t size)
{
    return tonnx__safetensors_bundle.sniff(head, size);
}

const tonnx__weights_format tonnx__safetensors_weights = { ".safetensors", sniff, tonnx__tensors_read,
                                                           tonnx__safetensors_write };
