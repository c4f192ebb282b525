/* Tables: CSV and TSV. */
#include "tests/fuzz/fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_data(&tonnx__csv_reader, "#1", bytes, size);
    return 0;
}
