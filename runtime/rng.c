#include "runtime/rng_impl.h"

#include <math.h>
#include <stdbool.h>

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

/* ln x for 0 < x ≤ 1 by additions, multiplications and divisions alone: libm's differ from machine to machine in the
 * last bit, and the same seed is to give the same weights on all. x = m·2ᵏ, ln m = 2·artanh((m − 1)/(m + 1)). */
static double plain_log(double x)
{
    int k;
    double m = frexp(x, &k), sum = 0.0;
    if (m < 0.7071067811865476) {
        m *= 2.0;
        k -= 1;
    }
    const double s = (m - 1.0) / (m + 1.0), square = s * s;
    for (int i = 23; i >= 1; i -= 2) sum = sum * square + 1.0 / i;
    return k * 0.6931471805599453 + 2.0 * s * sum;
}

/* cos 2πv for 0 ≤ v < 1, likewise: v is folded onto the first eighth of the circle, where a few terms of a Taylor
 * series (Σ ±θⁿ/n!, n even for the cosine, odd for the sine) are exact to the last bits. */
static double plain_cos_turns(double v)
{
    const double half = v < 0.5 ? v : 1.0 - v;
    const double quarter = half < 0.25 ? half : 0.5 - half;
    const bool sine = quarter > 0.125;
    const double angle = 6.283185307179586 * (sine ? 0.25 - quarter : quarter), square = angle * angle;
    double sum = 1.0;
    for (int n = sine ? 17 : 16; n >= 2; n -= 2) sum = 1.0 - sum * square / (n * (n - 1));
    const double value = sine ? angle * sum : sum;
    return half < 0.25 ? value : -value;
}

/* Box–Muller: √(−2 ln u)·cos(2πv), with u moved from [0, 1) to (0, 1] so that its logarithm is finite. */
double tonnx__rng_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    const tonnx_philox r = block(seed, stream, index);
    const double u = 1.0 - uniform(r.w0, r.w1), v = uniform(r.w2, r.w3);
    return sqrt(-2.0 * plain_log(u)) * plain_cos_turns(v);
}
