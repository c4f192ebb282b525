/* NumPy's .npz: an array per tensor, under its name. bfloat16, which NumPy has not, is kept as two opaque bytes (V2),
 * as ml_dtypes does. */
#include "converters/weights_impl.h"

static bool sniff(const unsigned char *head, size_t size)
{
    return tonnx__npz_bundle.sniff(head, size);
}

const tonnx__weights_format tonnx__npz_weights = { ".npz", sniff, tonnx__tensors_read, tonnx__npz_write };
