/* Random numbers by counter: value = f(seed, stream, index), so results never depend on threads or order.
 * Philox4x32-10 (Salmon et al., SC11); the formula stands in ops/philox.h, which the GPU includes too. */
#ifndef TONNX_RUNTIME_RNG_IMPL_H
#define TONNX_RUNTIME_RNG_IMPL_H

#include <stdint.h>

/* Word number `index` (0, 1, 2, …) of a stream: word index % 4 of the block with counter {index/4 low, index/4 high,
 * stream low, stream high} and key {seed low, seed high}. */
uint32_t tonnx__rng_word(uint64_t seed, uint64_t stream, uint64_t index);

/* Uniform in [0, 1) with 53 bits, from words 2·index and 2·index + 1. */
double tonnx__rng_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* Standard normal by Box–Muller, from uniforms 2·index and 2·index + 1 (each value has its own pair). */
double tonnx__rng_normal(uint64_t seed, uint64_t stream, uint64_t index);

/* Streams, so that no two uses share numbers. Layers and parameters add their index. */
#define TONNX__STREAM_SHUFFLE (UINT64_C(1) << 32)
#define TONNX__STREAM_SPLIT (UINT64_C(2) << 32)
#define TONNX__STREAM_INIT (UINT64_C(3) << 32)
#define TONNX__STREAM_SAMPLES (UINT64_C(4) << 32)

#endif
