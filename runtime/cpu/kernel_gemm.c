/* Products of a size that OpenBLAS spends on packing: nothing is packed here, for a tile's operands fit the caches as
 * they stand. Two shapes of inner loop, by how B is stored:
 *
 *   rows  B[k,n]: a row of B is a vector. An element of A is broadcast and multiplies NV vectors of B (dW, dX).
 *   dots  B[n,k]: rows of A and of B are multiplied along k, and summed at the end (the forward product with
 * W[out,in]).
 *
 * Register budget, AVX-512 (32): rows 8·3 accumulators + 3 of B + 1 of A; dots 4·6 + 4 of A + 1 of B. AVX2 and portable
 * (16): rows 4·3 + 3 + 1; dots 4·2 + 4 + 1. The order of summation over k depends on the shape alone. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_vec.h"

enum { NV = 3, MR = VEC_REGISTERS == 32 ? 8 : 4, DOT_M = 4, DOT_N = VEC_REGISTERS == 32 ? 6 : 2 };

/* A(m, k) = at[m·down + k·along] */
typedef struct left {
    const float *at;
    size_t down, along;
} left;

/* What all blocks of one call share. */
typedef struct call {
    float alpha;
    bool add;
    size_t depth;
    size_t stride_b, stride_c;
} call;

#define BLOCK static inline __attribute__((always_inline)) void

/* C[m,n] (+)= alpha·Σₖ A(m,k)·B[k,n] for `rows` × `vecs` vectors; `rest` > 0: the last of the vectors has that many
 * floats. */
BLOCK block_rows(const call *c, left a, const float *b, float *to, int rows, int vecs, size_t rest)
{
    vec sum[MR][NV];
    for (int m = 0; m < rows; m++)
        for (int v = 0; v < vecs; v++) sum[m][v] = VEC_ALL(0.0f);
    for (size_t k = 0; k < c->depth; k++, a.at += a.along, b += c->stride_b) {
        vec row[NV];
        for (int v = 0; v < vecs; v++) row[v] = rest ? VEC_LOAD_N(b, rest) : VEC_LOAD(b + v * VEC);
        for (int m = 0; m < rows; m++) {
            const vec x = VEC_ALL(a.at[(size_t)m * a.down]);
            for (int v = 0; v < vecs; v++) sum[m][v] = VEC_FMA(x, row[v], sum[m][v]);
        }
    }
    for (int m = 0; m < rows; m++, to += c->stride_c)
        for (int v = 0; v < vecs; v++) {
            const vec old = !c->add ? VEC_ALL(0.0f) : rest ? VEC_LOAD_N(to, rest) : VEC_LOAD(to + v * VEC);
            const vec new = VEC_FMA(VEC_ALL(c->alpha), sum[m][v], old);
            if (rest) VEC_STORE_N(to, new, rest);
            else VEC_STORE(to + v * VEC, new);
        }
}

/* One strip of vectors, all rows of the tile. */
BLOCK strip_rows(const call *c, left a, const float *b, float *to, size_t m, int vecs, size_t rest)
{
    for (; m >= MR; m -= MR, a.at += MR * a.down, to += MR * c->stride_c) block_rows(c, a, b, to, MR, vecs, rest);
    for (; m >= 2; m -= 2, a.at += 2 * a.down, to += 2 * c->stride_c) block_rows(c, a, b, to, 2, vecs, rest);
    if (m) block_rows(c, a, b, to, 1, vecs, rest);
}

static void rows_wide(const call *c, left a, const float *b, float *to, size_t m)
{
    strip_rows(c, a, b, to, m, NV, 0);
}

static void rows_narrow(const call *c, left a, const float *b, float *to, size_t m)
{
    strip_rows(c, a, b, to, m, 1, 0);
}

static void rows_rest(const call *c, left a, const float *b, float *to, size_t m, size_t rest)
{
    strip_rows(c, a, b, to, m, 1, rest);
}

/* C[M,N] (+)= alpha·A·B[K,N] */
static void product_rows(const size_t mnk[3], const call *c, left a, const float *b, float *to)
{
    size_t n = 0;
    for (; n + NV * VEC <= mnk[1]; n += NV * VEC) rows_wide(c, a, b + n, to + n, mnk[0]);
    for (; n + VEC <= mnk[1]; n += VEC) rows_narrow(c, a, b + n, to + n, mnk[0]);
    if (n < mnk[1]) rows_rest(c, a, b + n, to + n, mnk[0], mnk[1] - n);
}

/* sum[m][n] += A[m,k…]·B[n,k…], one vector of k; `rest` > 0: only that many floats of it. */
BLOCK multiply(vec sum[DOT_M][DOT_N], const float *a, size_t down, const float *b, size_t stride_b, int rows, int cols,
               size_t rest)
{
    vec x[DOT_M];
    for (int m = 0; m < rows; m++) {
        const float *at = a + (size_t)m * down;
        x[m] = rest ? VEC_LOAD_N(at, rest) : VEC_LOAD(at);
    }
    for (int n = 0; n < cols; n++) {
        const float *at = b + (size_t)n * stride_b;
        const vec y = rest ? VEC_LOAD_N(at, rest) : VEC_LOAD(at);
        for (int m = 0; m < rows; m++) sum[m][n] = VEC_FMA(x[m], y, sum[m][n]);
    }
}

/* C[m,n] (+)= alpha·Σₖ A[m,k]·B[n,k] for `rows` × `cols` elements. */
BLOCK block_dots(const call *c, const float *a, size_t down, const float *b, float *to, int rows, int cols)
{
    vec sum[DOT_M][DOT_N];
    size_t k = 0;
    for (int m = 0; m < rows; m++)
        for (int n = 0; n < cols; n++) sum[m][n] = VEC_ALL(0.0f);
    for (; k + VEC <= c->depth; k += VEC) multiply(sum, a + k, down, b + k, c->stride_b, rows, cols, 0);
    if (k < c->depth) multiply(sum, a + k, down, b + k, c->stride_b, rows, cols, c->depth - k);
    for (int m = 0; m < rows; m++)
        for (int n = 0; n < cols; n++) {
            float *at = to + (size_t)m * c->stride_c + n;
            *at = c->alpha * VEC_SUM(sum[m][n]) + (c->add ? *at : 0.0f);
        }
}

/* One strip of B's rows, all rows of A. */
BLOCK strip_dots(const call *c, left a, const float *b, float *to, size_t m, int cols)
{
    for (; m >= DOT_M; m -= DOT_M, a.at += DOT_M * a.down, to += DOT_M * c->stride_c)
        block_dots(c, a.at, a.down, b, to, DOT_M, cols);
    for (; m; m--, a.at += a.down, to += c->stride_c) block_dots(c, a.at, a.down, b, to, 1, cols);
}

static void dots_wide(const call *c, left a, const float *b, float *to, size_t m)
{
    strip_dots(c, a, b, to, m, DOT_N);
}

static void dots_two(const call *c, left a, const float *b, float *to, size_t m)
{
    strip_dots(c, a, b, to, m, 2);
}

static void dots_one(const call *c, left a, const float *b, float *to, size_t m)
{
    strip_dots(c, a, b, to, m, 1);
}

/* C[M,N] (+)= alpha·A[M,K]·B[N,K]ᵀ */
static void product_dots(const size_t mnk[3], const call *c, left a, const float *b, float *to)
{
    size_t n = 0;
    for (; n + DOT_N <= mnk[1]; n += DOT_N) dots_wide(c, a, b + n * c->stride_b, to + n, mnk[0]);
    for (; n + 2 <= mnk[1]; n += 2) dots_two(c, a, b + n * c->stride_b, to + n, mnk[0]);
    if (n < mnk[1]) dots_one(c, a, b + n * c->stride_b, to + n, mnk[0]);
}

static void product(const size_t mnk[3], float alpha, tonnx__lying a, tonnx__lying b, bool add, float *c, size_t stride)
{
    const call shared = { alpha, add, mnk[2], b.stride, stride };
    const left l = { a.at, a.transposed ? 1 : a.stride, a.transposed ? a.stride : 1 };
    if (b.transposed) product_dots(mnk, &shared, l, b.at, c);
    else product_rows(mnk, &shared, l, b.at, c);
}

/* Where this beats OpenBLAS, measured: dots need a long k to be worth their sums at the end, and both shapes operands
 * that caches hold. A transposed A with a transposed B is nobody's product. */
static bool takes(const size_t mnk[3], bool trans_a, bool trans_b)
{
    const double work = (double)mnk[0] * (double)mnk[1] * (double)mnk[2];
    return trans_b ? !trans_a && mnk[2] >= 256 && work <= 8e6 : work <= 64e6;
}

const tonnx__gemm_kernels TONNX__ISA_NAME(tonnx__gemm_kernels) = { .takes = takes, .product = product };
