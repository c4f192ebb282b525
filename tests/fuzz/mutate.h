/* What custom mutators share: libFuzzer's own mutation, and a small generator seeded by it. */
#ifndef TONNX_TESTS_FUZZ_MUTATE_H
#define TONNX_TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed);

/* A number below `below` (at least 1); moves the state on (xorshift). */
static inline size_t mutate_pick(uint32_t *state, size_t below)
{
    uint32_t x = *state ? *state : 1;
    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    *state = x;
    return x % below;
}

static inline uint64_t mutate_get(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static inline void mutate_put(uint8_t *bytes, size_t size, uint64_t value)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> 8 * i);
}

#endif
