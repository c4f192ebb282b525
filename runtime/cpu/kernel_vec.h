/* The vector of an instruction set: one float vector type, `vec`, of VEC floats, and the few operations that kernels need
 * beside +, − and ·. VEC_LOAD_OR gives the first n of p, and `other` behind them; VEC_MAX gives b where a is no number.
 * Multiply-adds are written VEC_FMA where one rounding is meant and the set has it; VEC_FMA_AT(p, b, c) is
 * VEC_FMA(VEC_ALL(*p), b, c), in one instruction where VEC_HAS_AT. `wide` is as many bytes of doubles, WIDE of them;
 * WIDE_LOAD makes them of floats in memory, which compilers do in pieces where left alone. */
#ifndef TONNX_RUNTIME_CPU_KERNEL_VEC_H
#define TONNX_RUNTIME_CPU_KERNEL_VEC_H

#include <stddef.h>

#if defined(__AVX512F__)
#include <immintrin.h>
enum { VEC = 16, VEC_REGISTERS = 32 };
typedef __m512 vec;
#define VEC_LOAD(p)         _mm512_loadu_ps(p)
#define VEC_STORE(p, v)     _mm512_storeu_ps(p, v)
#define VEC_ALL(x)          _mm512_set1_ps(x)
#define VEC_FMA(a, b, c)    _mm512_fmadd_ps(a, b, c)
#define VEC_FMA_AT(p, b, c) vec_fma_at(p, b, c)
#define VEC_HAS_AT          1
#define VEC_MASK(n)         ((__mmask16)((1u << (n)) - 1u))
#define VEC_LOAD_N(p, n)    _mm512_maskz_loadu_ps(VEC_MASK(n), p)
#define VEC_LOAD_OR(p, n, other) _mm512_mask_loadu_ps(other, VEC_MASK(n), p)
#define VEC_STORE_N(p, v, n) _mm512_mask_storeu_ps(p, VEC_MASK(n), v)
#define VEC_MAX(a, b)       _mm512_max_ps(a, b)
typedef __m512d wide;
#define WIDE_LOAD(p)        _mm512_cvtps_pd(_mm256_loadu_ps(p))
#define WIDE_ALL(x)         _mm512_set1_pd(x)
#define WIDE_FMA(a, b, c)   _mm512_fmadd_pd(a, b, c)
#define VEC_SQRT(x)         vec_sqrt(x)
#define VEC_RATIO(a, b)     vec_ratio(a, b)
#define VEC_LOW(a, b)                                                                                                  \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define VEC_HIGH(a, b)                                                                                                 \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/* Compilers load a number that is used twice once, which is an instruction more. */
static inline vec vec_fma_at(const float *p, vec b, vec c)
{
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*p));
    return c;
}

/* √x from 14 bits of 1/√x and a Newton step, to an ulp: a third of what the divider takes. 0 and ∞ are their own roots. */
static inline vec vec_sqrt(vec x)
{
    const __mmask16 usual = (__mmask16)~_mm512_fpclass_ps_mask(x, 0x0e);
    const __m512 y = _mm512_rsqrt14_ps(x), root = _mm512_mask_mul_ps(x, usual, x, y), half = _mm512_mul_ps(y, _mm512_set1_ps(0.5f));
    return _mm512_mask3_fmadd_ps(_mm512_fnmadd_ps(root, root, x), half, root, usual);
}

/* a/b in the same way, to an ulp. Where that meets an infinity (b is 0 or ∞, or the quotient overflows) nothing is refined. */
static inline vec vec_ratio(vec a, vec b)
{
    const __m512 r = _mm512_rcp14_ps(b), q = _mm512_mul_ps(a, r), off = _mm512_fnmadd_ps(q, b, a);
    return _mm512_mask3_fmadd_ps(off, r, q, (__mmask16)~_mm512_fpclass_ps_mask(off, 0x99));
}

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { VEC = 8, VEC_REGISTERS = 16 };
typedef __m256 vec;
#define VEC_LOAD(p)         _mm256_loadu_ps(p)
#define VEC_STORE(p, v)     _mm256_storeu_ps(p, v)
#define VEC_ALL(x)          _mm256_set1_ps(x)
#define VEC_FMA(a, b, c)    _mm256_fmadd_ps(a, b, c)
#define VEC_FMA_AT(p, b, c) VEC_FMA(VEC_ALL(*(p)), b, c)
#define VEC_HAS_AT          0
#define VEC_MASK(n)                                                                                                    \
    _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define VEC_LOAD_N(p, n)    _mm256_maskload_ps(p, VEC_MASK(n))
#define VEC_LOAD_OR(p, n, other)                                                                                       \
    _mm256_blendv_ps(other, VEC_LOAD_N(p, n), _mm256_castsi256_ps(VEC_MASK(n)))
#define VEC_STORE_N(p, v, n) _mm256_maskstore_ps(p, VEC_MASK(n), v)
#define VEC_MAX(a, b)       _mm256_max_ps(a, b)
typedef __m256d wide;
#define WIDE_LOAD(p)        _mm256_cvtps_pd(_mm_loadu_ps(p))
#define WIDE_ALL(x)         _mm256_set1_pd(x)
#define WIDE_FMA(a, b, c)   _mm256_fmadd_pd(a, b, c)
#define VEC_SQRT(x)         _mm256_sqrt_ps(x)
#define VEC_RATIO(a, b)     ((a) / (b))
#define VEC_LOW(a, b)       __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define VEC_HIGH(a, b)      __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)

#else
#include <string.h>
enum { VEC = 4, VEC_REGISTERS = 16 };
typedef float vec __attribute__((vector_size(16)));
#define VEC_LOAD(p)         vec_load(p)
#define VEC_STORE(p, v)     vec_store_n(p, v, VEC)
#define VEC_ALL(x)          ((vec){ (x), (x), (x), (x) })
#define VEC_FMA(a, b, c)    ((a) * (b) + (c))
#define VEC_FMA_AT(p, b, c) VEC_FMA(VEC_ALL(*(p)), b, c)
#define VEC_HAS_AT          0
typedef double wide __attribute__((vector_size(16)));
#define WIDE_LOAD(p)        ((wide){ (double)(p)[0], (double)(p)[1] })
#define WIDE_ALL(x)         ((wide){ (x), (x) })
#define WIDE_FMA(a, b, c)   ((a) * (b) + (c))
#define VEC_LOAD_N(p, n)    vec_load_or(p, n, VEC_ALL(0.0f))
#define VEC_LOAD_OR(p, n, other) vec_load_or(p, n, other)
#define VEC_STORE_N(p, v, n) vec_store_n(p, v, n)
#define VEC_MAX(a, b)       VEC_PICK((a) > (b), a, b)
#define VEC_SQRT(x)         vec_sqrt(x)
#define VEC_RATIO(a, b)     ((a) / (b))
#define VEC_LOW(a, b)       __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define VEC_HIGH(a, b)      __builtin_shufflevector(a, b, 2, 6, 3, 7)
static inline vec vec_sqrt(vec x)
{
    for (int i = 0; i < VEC; i++) x[i] = __builtin_sqrtf(x[i]);
    return x;
}
static inline vec vec_load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline vec vec_load_or(const float *p, size_t n, vec v)
{
    memcpy(&v, p, n * sizeof *p);
    return v;
}
static inline void vec_store_n(float *p, vec v, size_t n)
{
    memcpy(p, &v, n * sizeof *p);
}
#endif

enum { WIDE = VEC / 2 };

/* Turns VEC vectors, the rows of a square: each round interleaves the rows of its upper half with those of its lower. */
static inline __attribute__((always_inline)) void vec_turn(vec x[VEC])
{
#pragma GCC unroll 4
    for (int round = 1; round < VEC; round *= 2) {
        vec next[VEC];
#pragma GCC unroll 8
        for (int i = 0; i < VEC / 2; i++) {
            next[2 * i] = VEC_LOW(x[i], x[i + VEC / 2]);
            next[2 * i + 1] = VEC_HIGH(x[i], x[i + VEC / 2]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < VEC; i++) x[i] = next[i];
    }
}

/* Lane i: the sum of x[i]'s lanes. Each round adds the halves of two vectors side by side, until one is left. */
static inline __attribute__((always_inline)) vec vec_sums(vec x[VEC])
{
#pragma GCC unroll 4
    for (int half = VEC / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int i = 0; i < half; i++) x[i] = VEC_LOW(x[i], x[i + half]) + VEC_HIGH(x[i], x[i + half]);
    return x[0];
}

/* a where the comparison holds, else b, lane by lane. */
typedef int vec_mask __attribute__((vector_size(sizeof(vec))));
#define VEC_PICK(c, a, b) ((vec)(((vec_mask)(c) & (vec_mask)(a)) | (~(vec_mask)(c) & (vec_mask)(b))))

#endif
