/* Mutates a checkpoint and mends its length and checksums, so that what stands behind them is reached; one in eight is
 * left as it is. */
#include "format/checkpoint_impl.h"
#include "tests/fuzz/mutate.h"

static void sum_up(uint8_t *bytes, size_t size)
{
    mutate_put(bytes + size, 4, crc32_z(0, bytes, size));
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed)
{
    uint32_t state = seed;
    size = LLVMFuzzerMutate(bytes, size, most);
    if (size < TONNX__CHECKPOINT_HEAD || !mutate_pick(&state, 8)) return size;
    mutate_put(bytes + 16, 8, size);
    sum_up(bytes, TONNX__CHECKPOINT_HEAD - 4);
    for (size_t at = TONNX__CHECKPOINT_HEAD; at + TONNX__CHECKPOINT_PART + 4 <= size;) {
        const size_t left = size - at - TONNX__CHECKPOINT_PART - 4;
        const uint64_t length = mutate_get(bytes + at + TONNX__CHECKPOINT_TAG, 8);
        sum_up(bytes + at, TONNX__CHECKPOINT_PART - 4);
        if (length > left) break;
        sum_up(bytes + at + TONNX__CHECKPOINT_PART, (size_t)length);
        at += TONNX__CHECKPOINT_PART + (size_t)length + 4;
    }
    return size;
}
