#include "runtime/rng_impl.h"

#include <math.h>

#include "runtime/ops/philox.h"

static uint32_t low(uint64_t value)
{
    return (uint32_t)value;
}

static uint32_t high(uint64_t value)
{
    return (uint32_t)(value >> 32);
}

static tonnx_philox block(uint64_t seed, uint64_t stream, uint64_t number)
{
    const tonnx_philox counter = { low(number), high(number), low(stream), high(stream) };
    return tonnx_philox_block(counter, low(seed), high(seed));
}

uint32_t tonnx__rng_word(uint64_t seed, uint64_t stream, uint64_t index)
{
    const tonnx_philox r = block(seed, stream, index / 4);
    const uint32_t words[4] = { r.w0, r.w1, r.w2, r.w3 };
    return words[index % 4];
}

/* 53 bits of two words as a number in [0, 1). */
static double uniform(uint32_t first, uint32_t second)
{
    return (double)(((uint64_t)first << 32 | second) >> 11) * 0x1p-53;
}

double tonnx__rng_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    const tonnx_philox r = block(seed, stream, index / 2);
    return index % 2 ? uniform(r.w2, r.w3) : uniform(r.w0, r.w1);
}

/* Box–Muller: √(−2 ln u)·cos(2πv), with u moved from [0, 1) to (0, 1] so that its logarithm is finite. */
double tonnx__rng_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    const tonnx_philox r = block(seed, stream, index);
    const double u = 1.0 - uniform(r.w0, r.w1), v = uniform(r.w2, r.w3);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
