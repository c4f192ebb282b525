/* Mutates a zip archive and mends the checksums of its stored entries, so that what stands behind them is reached; one
 * in eight is left as it is. */
#include "tests/fuzz/mutate.h"

enum { LOCAL = 30, CENTRAL = 46 }; /* the fixed parts of both headers (APPNOTE.TXT 4.3.7, 4.3.12) */

/* The central header at `at` names a local one; both get the checksum of the bytes between. */
static void mend(uint8_t *bytes, size_t size, size_t at)
{
    const uint64_t local = mutate_get(bytes + at + 42, 4), packed = mutate_get(bytes + at + 20, 4);
    if (mutate_get(bytes + at + 10, 2) || local + LOCAL > size || memcmp(bytes + local, "PK\3\4", 4)) return;
    const uint64_t data = local + LOCAL + mutate_get(bytes + local + 26, 2) + mutate_get(bytes + local + 28, 2);
    if (data > size || packed > size - data) return;
    const uint32_t sum = (uint32_t)crc32_z(0, bytes + data, (size_t)packed);
    mutate_put(bytes + at + 16, 4, sum);
    mutate_put(bytes + local + 14, 4, sum);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed)
{
    uint32_t state = seed;
    size = LLVMFuzzerMutate(bytes, size, most);
    if (!mutate_pick(&state, 8)) return size;
    for (size_t at = 0; at + CENTRAL <= size; at++)
        if (!memcmp(bytes + at, "PK\1\2", 4)) mend(bytes, size, at);
    return size;
}
