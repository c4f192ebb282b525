/* Zip archives of NumPy arrays, as data and as weights. */
#include "tests/fuzz/fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!fuzz_data_knows(&tonnx__npz_reader, bytes, size)) return 0;
    fuzz_data(&tonnx__npz_reader, "y", bytes, size);
    fuzz_weights(bytes, size);
    return 0;
}
