/* PyTorch's CPU generator: the numbers that torch.manual_seed(seed) and the calls of torch.nn.init draw, bit for bit, as
 * its x86 builds compute them with AVX2. Unlike the library's own generator (rng_impl.h) it is a sequence: what is drawn
 * depends on all that was drawn before. */
#ifndef TONNX_RUNTIME_RNG_TORCH_IMPL_H
#define TONNX_RUNTIME_RNG_TORCH_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/status_impl.h"

enum { TONNX__TORCH_WORDS = 624 };

/* The Mersenne Twister's state, and the second number of a pair of normals that is kept for the next call. */
typedef struct tonnx__torch_rng {
    uint32_t state[TONNX__TORCH_WORDS];
    size_t next; /* word of `state` to hand out */
    bool has_spare;
    double spare;
} tonnx__torch_rng;

/* torch.manual_seed(seed): the low 32 bits count. */
void tonnx__torch_seed(tonnx__torch_rng *rng, uint64_t seed);

/* The calls of torch.Tensor on a contiguous float tensor of `count` elements. */
void tonnx__torch_uniform(tonnx__torch_rng *rng, float *values, size_t count, double from, double to);
void tonnx__torch_normal(tonnx__torch_rng *rng, float *values, size_t count, double mean, double std);

/* torch.nn.init.trunc_normal_(tensor, mean=0, std, a, b): cut at a < 0 and b > 0, absolute. */
tonnx_status tonnx__torch_trunc_normal(tonnx__torch_rng *rng, float *values, size_t count, double std, double a,
                                       double b);

#endif
