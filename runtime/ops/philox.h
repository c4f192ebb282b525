/* Philox4x32-10, a random number generator by counter: four words out = f(counter, key), no state. After Salmon,
 * Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11. C and GLSL. */
#ifndef TONNX_RUNTIME_OPS_PHILOX_H
#define TONNX_RUNTIME_OPS_PHILOX_H

#ifdef __STDC__
#include <stdint.h>
#define PHILOX_WORD uint32_t
#define PHILOX_FN   static inline
#define PHILOX_MUL(high, low, a, b)                                                                                    \
    high = (uint32_t)(((uint64_t)(a) * (b)) >> 32);                                                                    \
    low = (a) * (b)
#else
#define PHILOX_WORD uint
#define PHILOX_FN
#define PHILOX_MUL(high, low, a, b) umulExtended(a, b, high, low)
#endif

struct tonnx_philox {
    PHILOX_WORD w0, w1, w2, w3;
};
#ifdef __STDC__
typedef struct tonnx_philox tonnx_philox;
#endif

/* One round: two 32×32 → 64 bit products, their halves crossed and keyed. */
PHILOX_FN tonnx_philox tonnx_philox_round(tonnx_philox c, PHILOX_WORD k0, PHILOX_WORD k1)
{
    PHILOX_WORD high0, low0, high1, low1;
    tonnx_philox r;
    PHILOX_MUL(high0, low0, 0xD2511F53u, c.w0);
    PHILOX_MUL(high1, low1, 0xCD9E8D57u, c.w2);
    r.w0 = high1 ^ c.w1 ^ k0;
    r.w1 = low1;
    r.w2 = high0 ^ c.w3 ^ k1;
    r.w3 = low0;
    return r;
}

/* The key grows by the golden ratio and √3 − 1 (in units of 2⁻³²) between rounds. */
PHILOX_FN tonnx_philox tonnx_philox_block(tonnx_philox counter, PHILOX_WORD k0, PHILOX_WORD k1)
{
    tonnx_philox c = counter;
    for (int i = 0; i < 10; i++) {
        c = tonnx_philox_round(c, k0, k1);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

#endif
