/* Blocks of a large product, its operands packed in strips: of A[m,k] strips of MR rows, of B[k,n] strips of NR columns,
 * each as deep as the room. A's elements are broadcast one by one, so that a strip of it keeps the order in which A lies:
 * row by row, or k by k. A strip of B lies k by k.
 *
 * Register budget: AVX-512 (32) 8·3 accumulators + 3 of B + 1 of A; AVX2 and portable (16) 4·3 + 3 + 1. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_vec.h"

#include <string.h>

enum { NV = 3, MR = VEC_REGISTERS == 32 ? 8 : 4, NR = NV * VEC, DEEP = TONNX__PACKED_BYTES / sizeof(float) };
_Static_assert((int)NR <= (int)TONNX__PACKED_COLS, "a strip of B has its room");
_Static_assert((int)TONNX__PACKED_ROWS % (int)MR == 0, "strips of A are packed together");
enum { STEPS = 8 }; /* of k, between two bunches of lines that are asked for */
/* Rows of A whose element is broadcast once for all vectors of B; the others' is each multiply-add's own operand, where the set
 * has that. So a block has fewer instructions, and still no more loads than multiply-adds. */
enum { BROADCAST = VEC_HAS_AT ? 2 : MR };

#define INLINE static inline __attribute__((always_inline)) void
#define UNROLL _Pragma("GCC unroll 16")

/* to[i][k] = x[i][k] for `count` rows; those up to `rows` are 0 */
INLINE lay(float *to, size_t to_stride, const float *x, size_t stride, size_t count, size_t rows, size_t width)
{
    for (size_t i = 0; i < rows; i++, to += to_stride, x += stride) {
        if (i < count) memcpy(to, x, width * sizeof *to);
        else memset(to, 0, width * sizeof *to);
    }
}

/* to[k][n] = x[k][n] for a strip of B of fewer columns than a whole one; up to a whole vector the others are 0. */
INLINE lay_part(float *to, const float *x, size_t stride, size_t count, size_t depth)
{
    for (size_t k = 0; k < depth; k++, to += NR, x += stride)
        for (size_t n = 0; n < count; n += VEC)
            VEC_STORE(to + n, count - n < VEC ? VEC_LOAD_N(x + n, count - n) : VEC_LOAD(x + n));
}

/* to[k][i] = x[i][k] for a strip of B, `count` of its NR columns; the others are 0. */
INLINE turn(float *to, const float *x, size_t stride, size_t count, size_t depth)
{
    const size_t vecs = count / VEC * VEC, whole = depth / VEC * VEC;
    for (size_t k = 0; k < whole; k += VEC)
        for (size_t i = 0; i < vecs; i += VEC) {
            vec square[VEC];
            UNROLL for (size_t r = 0; r < VEC; r++) square[r] = VEC_LOAD(x + (i + r) * stride + k);
            vec_turn(square);
            UNROLL for (size_t r = 0; r < VEC; r++) VEC_STORE(to + (k + r) * NR + i, square[r]);
        }
    for (size_t k = 0; k < depth; k++)
        for (size_t i = k < whole ? vecs : 0; i < NR; i++) to[k * NR + i] = i < count ? x[i * stride + k] : 0.0f;
}

/* to[m / MR][k][m % MR] = x[k][m], as many rows as make whole strips: each line of x is read once, as rows that are a power of
 * two apart push each other out of a cache. */
INLINE lay_across(float *to, const float *x, size_t stride, size_t rows, size_t depth)
{
    for (size_t k = 0; k < depth; k++, to += MR, x += stride)
        for (size_t m = 0; m + MR <= rows; m += MR) memcpy(to + m * DEEP, x + m, MR * sizeof *to);
}

static void left(void *room, tonnx__lying a, size_t rows, size_t depth)
{
    float *to = room;
    if (a.transposed) lay_across(to, a.at, a.stride, rows, depth);
    for (size_t m = a.transposed ? rows / MR * MR : 0; m < rows; m += MR) {
        const size_t count = rows - m < MR ? rows - m : MR;
        if (!a.transposed) lay(to + m * DEEP, DEEP, a.at + m * a.stride, a.stride, count, MR, depth);
        else
            for (size_t k = 0; k < depth; k++)
                for (size_t i = 0; i < MR; i++) to[m * DEEP + k * MR + i] = i < count ? a.at[k * a.stride + m + i] : 0.0f;
    }
}

static void right(void *room, tonnx__lying b, size_t cols, size_t depth)
{
    float *to = room;
    for (size_t n = 0; n < cols; n += NR, to += NR * DEEP) {
        const size_t count = cols - n < NR ? cols - n : NR;
        if (b.transposed) turn(to, b.at + n * b.stride, b.stride, count, depth);
        else if (count == NR) lay(to, NR, b.at + n, b.stride, depth, depth, NR);
        else lay_part(to, b.at + n, b.stride, count, depth);
    }
}

INLINE put(vec sum[MR][NV], const tonnx__packed_target *c, int vecs)
{
    UNROLL for (int m = 0; m < MR; m++)
        UNROLL for (int v = 0; v < vecs; v++)
        {
            float *at = c->at + (size_t)m * c->stride + v * VEC;
            VEC_STORE(at, sum[m][v] + (c->add ? VEC_LOAD(at) : VEC_ALL(0.0f)));
        }
}

/* sum[m][v] += A[m·down]·B[v] */
INLINE step(vec sum[MR][NV], const float *a, size_t down, const float *b, int vecs)
{
    vec row[NV];
    UNROLL for (int v = 0; v < vecs; v++) row[v] = VEC_LOAD(b + v * VEC);
    UNROLL for (int m = 0; m < BROADCAST; m++)
    {
        const vec x = VEC_ALL(a[(size_t)m * down]);
        UNROLL for (int v = 0; v < vecs; v++) sum[m][v] = VEC_FMA(x, row[v], sum[m][v]);
    }
    UNROLL for (int m = BROADCAST; m < MR; m++)
        UNROLL for (int v = 0; v < vecs; v++) sum[m][v] = VEC_FMA_AT(a + (size_t)m * down, row[v], sum[m][v]);
}

/* C[m,n] (+)= Σₖ A[m·down + k·along]·B[k][n] for MR × `vecs` vectors. Lines to come are asked for a few at a time, evenly: a core
 * waits for no more than a dozen or two, and all of them at once would stand in the way of the block's own. */
INLINE block_of(const float *a, size_t down, size_t along, const float *b, size_t depth, const tonnx__packed_target *c,
                int vecs)
{
    vec sum[MR][NV];
    size_t k = 0, lines = c->lines;
    const size_t some = lines * STEPS / depth + 1;
    tonnx__errand ahead = *c->ahead;
    UNROLL for (int m = 0; m < MR; m++)
        UNROLL for (int v = 0; v < vecs; v++) sum[m][v] = VEC_ALL(0.0f);
    for (; k + STEPS <= depth; k += STEPS) {
        lines = tonnx__ask(&ahead, lines, some);
        UNROLL for (int i = 0; i < STEPS; i++, a += along, b += NR) step(sum, a, down, b, vecs);
    }
    for (; k < depth; k++, a += along, b += NR) step(sum, a, down, b, vecs);
    tonnx__ask(&ahead, lines, lines);
    *c->ahead = ahead;
    put(sum, c, vecs);
}

INLINE block_by_width(const float *a, size_t down, size_t along, const float *b, size_t depth,
                      const tonnx__packed_target *c)
{
    if (c->cols > 2 * VEC) block_of(a, down, along, b, depth, c, 3);
    else if (c->cols > VEC) block_of(a, down, along, b, depth, c, 2);
    else block_of(a, down, along, b, depth, c, 1);
}

static void block(const void *a, const void *b, size_t depth, const tonnx__packed_target *c)
{
    if (c->turned) block_by_width(a, 1, MR, b, depth, c);
    else block_by_width(a, DEEP, 1, b, depth, c);
}

static void nothing(void)
{
}

const tonnx__packed_kernels TONNX__ISA_NAME(tonnx__packed_kernels) = {
    .name = "float",
    .unit = sizeof(float),
    .grain = 1,
    .rows = MR,
    .cols = NR,
    .left = left,
    .right = right,
    .block = block,
    .begin = nothing,
    .end = nothing,
};
