/* NumPy arrays. */
#include "tests/fuzz/fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_data(&tonnx__npy_reader, NULL, bytes, size);
    return 0;
}
