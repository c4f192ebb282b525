/* Lanes: a short vector of doubles to sum in, and the floats that fill it. The compiler may not reorder a sum by
 * itself; here the order is written down, and is the same on every instruction set. */
#ifndef TONNX_RUNTIME_CPU_KERNEL_LANES_H
#define TONNX_RUNTIME_CPU_KERNEL_LANES_H

#include <stddef.h>
#include <string.h>

enum { LANES = 4 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef float float_lanes __attribute__((vector_size(LANES * sizeof(float))));

/* x[0 … 3] as doubles. A macro, since vectors as arguments have no stable ABI across instruction sets. */
#ifdef __AVX__
#include <immintrin.h>
#define LOAD(x) ((lanes)_mm256_cvtps_pd(_mm_loadu_ps(x)))
#else
#define LOAD(x) (__builtin_convertvector(*(const float_lanes_unaligned *)(const void *)(x), lanes))
#endif
typedef float float_lanes_unaligned __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

/* The fixed tree in which lanes become one number. */
static inline double lanes_total(const lanes *v)
{
    const double *d = (const double *)v;
    return (d[0] + d[2]) + (d[1] + d[3]);
}

#endif
