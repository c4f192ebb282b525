/* The vector of an instruction set: one float vector type, `vec`, of VEC floats, and the few operations that kernels need
 * beside +, − and ·. Multiply-adds are written VEC_FMA where one rounding is meant and the set has it. */
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
#define VEC_MASK(n)         ((__mmask16)((1u << (n)) - 1u))
#define VEC_LOAD_N(p, n)    _mm512_maskz_loadu_ps(VEC_MASK(n), p)
#define VEC_STORE_N(p, v, n) _mm512_mask_storeu_ps(p, VEC_MASK(n), v)
#define VEC_SUM(v)          _mm512_reduce_add_ps(v)
#define VEC_SQRT(x)         vec_sqrt(x)
#define VEC_RATIO(a, b)     vec_ratio(a, b)

/* √x from 14 bits of 1/√x and a Newton step, to an ulp: a third of what the divider takes. 0 and ∞ are their own roots. */
static inline vec vec_sqrt(vec x)
{
    const __m512 y = _mm512_rsqrt14_ps(x), root = _mm512_mul_ps(x, y), half = _mm512_mul_ps(y, _mm512_set1_ps(0.5f));
    const __m512 better = _mm512_fmadd_ps(_mm512_fnmadd_ps(root, root, x), half, root);
    return _mm512_mask_mov_ps(better, _mm512_fpclass_ps_mask(x, 0x0e), x);
}

/* a/b in the same way, to an ulp. Where that meets an infinity (b is 0 or ∞, or the quotient overflows) nothing is refined. */
static inline vec vec_ratio(vec a, vec b)
{
    const __m512 rough = _mm512_rcp14_ps(b), plain = _mm512_mul_ps(a, rough);
    const __m512 r = _mm512_fmadd_ps(_mm512_fnmadd_ps(b, rough, _mm512_set1_ps(1.0f)), rough, rough);
    const __m512 q = _mm512_mul_ps(a, r), better = _mm512_fmadd_ps(_mm512_fnmadd_ps(q, b, a), r, q);
    return _mm512_mask_mov_ps(better, _mm512_fpclass_ps_mask(better, 0x99), plain);
}

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { VEC = 8, VEC_REGISTERS = 16 };
typedef __m256 vec;
#define VEC_LOAD(p)         _mm256_loadu_ps(p)
#define VEC_STORE(p, v)     _mm256_storeu_ps(p, v)
#define VEC_ALL(x)          _mm256_set1_ps(x)
#define VEC_FMA(a, b, c)    _mm256_fmadd_ps(a, b, c)
#define VEC_MASK(n)                                                                                                    \
    _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define VEC_LOAD_N(p, n)    _mm256_maskload_ps(p, VEC_MASK(n))
#define VEC_STORE_N(p, v, n) _mm256_maskstore_ps(p, VEC_MASK(n), v)
#define VEC_SUM(v)          vec_sum(v)
#define VEC_SQRT(x)         _mm256_sqrt_ps(x)
#define VEC_RATIO(a, b)     ((a) / (b))
static inline float vec_sum(vec v)
{
    __m128 h = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    h = _mm_add_ps(h, _mm_movehl_ps(h, h));
    return _mm_cvtss_f32(_mm_add_ss(h, _mm_movehdup_ps(h)));
}

#else
#include <string.h>
enum { VEC = 4, VEC_REGISTERS = 16 };
typedef float vec __attribute__((vector_size(16)));
#define VEC_LOAD(p)         vec_load(p)
#define VEC_STORE(p, v)     vec_store_n(p, v, VEC)
#define VEC_ALL(x)          ((vec){ (x), (x), (x), (x) })
#define VEC_FMA(a, b, c)    ((a) * (b) + (c))
#define VEC_LOAD_N(p, n)    vec_load_n(p, n)
#define VEC_STORE_N(p, v, n) vec_store_n(p, v, n)
#define VEC_SUM(v)          (((v)[0] + (v)[2]) + ((v)[1] + (v)[3]))
#define VEC_SQRT(x)         vec_sqrt(x)
#define VEC_RATIO(a, b)     ((a) / (b))
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
static inline vec vec_load_n(const float *p, size_t n)
{
    vec v = { 0 };
    memcpy(&v, p, n * sizeof *p);
    return v;
}
static inline void vec_store_n(float *p, vec v, size_t n)
{
    memcpy(p, &v, n * sizeof *p);
}
#endif

/* a where the comparison holds, else b, lane by lane. */
typedef int vec_mask __attribute__((vector_size(sizeof(vec))));
#define VEC_PICK(c, a, b) ((vec)(((vec_mask)(c) & (vec_mask)(a)) | (~(vec_mask)(c) & (vec_mask)(b))))

#endif
