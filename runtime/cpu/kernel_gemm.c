/* Products by own kernels. A tile's operands are read as they stand, but for B stored [n,k], which a product of many rows turns
 * strip by strip; one of fewer rows and a long k turns A, and makes Cᵀ. Two shapes of inner loop:
 *
 *   rows  B[k,n]: a row of B is a vector. An element of A is broadcast and multiplies 2 vectors of B, or 3 where registers are many.
 *   dots  B[n,k]: rows of A and of B are multiplied along k, and summed at the end. For few rows or columns, where turning B
 *         would take longer than the sums.
 *
 * Register budget, AVX-512 (32): rows 8·3 accumulators + 3 of B + 1 of A, or 14·2 + 2 + 1; dots 4·4 + 4 of A + 1 of B. AVX2
 * and portable (16): rows 6·2 + 2 + 1; dots 4·3 + 3 of A + 1 of B, the fourth of A an operand in memory. So many chains hide a
 * multiply-add's latency, and a load feeds two or more as a rule. The order of summation over k depends on the shape alone. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_vec.h"

/* Most rows of a block of so many vectors: of rows of A that are far apart, whose lines meet in one set of the first cache, no more
 * than its ways. A strip that is turned: TURNED vectors wide, at most DEPTH deep, which the second cache holds; of A, LEFT_DEPTH. */
enum { HAS_32 = VEC_REGISTERS == 32, MOST = HAS_32 ? 14 : 6, MOST_FAR = HAS_32 ? 8 : MOST, MOST_OF_3 = HAS_32 ? 8 : 4 };
enum { WIDEST = HAS_32 ? 3 : 2, ROWS_AHEAD = 8 };
enum { DOT_M = 4, DOT_N = HAS_32 ? 4 : 3, DOTS = DOT_M * DOT_N, GROUP = 2 * DOT_N, DOT_LONG = 512 };
/* Rows of B at a time where they are far apart, and where few rows of A meet them, for which they come from memory; and where
 * strips are two vectors wide, so that one of B and what it meets of Aᵀ, a line a row each, stay in a first cache of 32 KiB. */
enum { FAR_LONG = 64, FEW_LONG = 32, NEAR_LONG = 128 };
enum { FEW = HAS_32 ? 48 : 0 }; /* rows of A that meet a far B as it lies: with 16 registers it goes by packed strips */
enum { TURNED = 2, STRIP = TURNED * VEC, DEPTH = 1024, LEFT_DEPTH = 512 };

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
    tonnx__ahead *meanwhile; /* asked for */
} call;

#define BLOCK  static inline __attribute__((always_inline)) void
#define UNROLL _Pragma("GCC unroll 16")

/* C[m,n] (+)= alpha·sum[m][n] */
BLOCK put_rows(const call *c, vec sum[MOST][WIDEST], float *to, int rows, int vecs, size_t rest, bool add)
{
    const vec alpha = VEC_ALL(c->alpha);
    const size_t stride = c->stride_c;
    UNROLL for (int m = 0; m < rows; m++, to += stride)
        UNROLL for (int v = 0; v < vecs; v++)
        {
            const vec old = !add ? VEC_ALL(0.0f) : rest ? VEC_LOAD_N(to, rest) : VEC_LOAD(to + v * VEC);
            const vec new = VEC_FMA(alpha, sum[m][v], old);
            if (rest) VEC_STORE_N(to, new, rest);
            else VEC_STORE(to + v * VEC, new);
        }
}

/* C[m,n] (+)= alpha·Σₖ A(m,k)·B[k,n] for `rows` × `vecs` vectors; `rest` > 0: the last of the vectors has that many
 * floats. */
BLOCK block_rows(const call *c, left a, const float *b, float *to, int rows, int vecs, size_t rest)
{
    vec sum[MOST][WIDEST];
    UNROLL for (int m = 0; m < rows; m++)
        UNROLL for (int v = 0; v < vecs; v++) sum[m][v] = VEC_ALL(0.0f);
    for (size_t k = 0; k < c->depth; k++, a.at += a.along, b += c->stride_b) {
        vec row[WIDEST];
        if (vecs > TURNED) /* rows of B as they lie may be pages apart, where no prefetcher looks */
            UNROLL for (int v = 0; v < vecs; v++) __builtin_prefetch(b + ROWS_AHEAD * c->stride_b + v * VEC, 0, 3);
        if (HAS_32 && vecs == TURNED && a.along == 1) /* a line of each row of the next block in VEC steps of k */
            __builtin_prefetch(a.at + ((size_t)rows + k % VEC) * a.down, 0, 2);
        UNROLL for (int v = 0; v < vecs; v++) row[v] = rest ? VEC_LOAD_N(b, rest) : VEC_LOAD(b + v * VEC);
        UNROLL for (int m = 0; m < rows; m++)
        {
            const vec x = VEC_ALL(a.at[(size_t)m * a.down]);
            UNROLL for (int v = 0; v < vecs; v++) sum[m][v] = VEC_FMA(x, row[v], sum[m][v]);
        }
    }
    if (c->add) put_rows(c, sum, to, rows, vecs, rest, true);
    else put_rows(c, sum, to, rows, vecs, rest, false);
    tonnx__ahead_few(c->meanwhile);
}

/* A block of any number of rows up to the most. */
#define ROWS(n)                                                                                                        \
    case n:                                                                                                            \
        if (n <= most) block_rows(c, a, b, to, n <= most ? n : 1, vecs, rest);                                         \
        break;
BLOCK any_rows(const call *c, left a, const float *b, float *to, size_t rows, int vecs, size_t rest, int most)
{
    switch (rows) {
        ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
    }
}

/* One strip of vectors, all rows of the tile, in blocks as equal as may be: a block of few rows would wait for its sums. */
BLOCK blocks_of(const call *c, left a, const float *b, float *to, size_t m, int vecs, size_t rest, int most)
{
    for (size_t blocks = (m + (size_t)most - 1) / (size_t)most; blocks; blocks--) {
        const size_t rows = (m + blocks - 1) / blocks;
        any_rows(c, a, b, to, rows, vecs, rest, most);
        m -= rows;
        a.at += rows * a.down;
        to += rows * c->stride_c;
    }
}

/* Of A's strides one is 1. Which is known where a block is compiled: else its addresses take more registers than there are. */
BLOCK strip_rows(const call *c, left a, const float *b, float *to, size_t m, int vecs, size_t rest, int most)
{
    if (a.down == 1) blocks_of(c, (left){ a.at, 1, a.along }, b, to, m, vecs, rest, most);
    else blocks_of(c, (left){ a.at, a.down, 1 }, b, to, m, vecs, rest, most);
}

static void rows_of_3(const call *c, left a, const float *b, float *to, size_t m)
{
    strip_rows(c, a, b, to, m, WIDEST, 0, MOST_OF_3);
}

static void rows_of_2(const call *c, left a, const float *b, float *to, size_t m)
{
    if (MOST_FAR < MOST && a.down >= TONNX__FAR) strip_rows(c, a, b, to, m, 2, 0, MOST_FAR);
    else strip_rows(c, a, b, to, m, 2, 0, MOST);
}

static void rows_of_1(const call *c, left a, const float *b, float *to, size_t m)
{
    strip_rows(c, a, b, to, m, 1, 0, MOST);
}

static void rows_rest(const call *c, left a, const float *b, float *to, size_t m, size_t rest)
{
    strip_rows(c, a, b, to, m, 1, rest, MOST_OF_3);
}

/* C[M,N] (+)= alpha·A·B[K,N] */
static void product_rows(size_t m, size_t n, const call *c, left a, const float *b, float *to)
{
    for (; WIDEST == 3 && n >= 3 * VEC && n != 4 * VEC; n -= 3 * VEC, b += 3 * VEC, to += 3 * VEC) rows_of_3(c, a, b, to, m);
    for (; n >= 2 * VEC; n -= 2 * VEC, b += 2 * VEC, to += 2 * VEC) rows_of_2(c, a, b, to, m);
    for (; n >= VEC; n -= VEC, b += VEC, to += VEC) rows_of_1(c, a, b, to, m);
    if (n) rows_rest(c, a, b, to, m, n);
}

/* How many rows of B go with each other. Where they are far apart, as many as the second cache keeps for all of A's blocks, so that
 * a tile's part of each row comes from memory in one piece. */
static size_t together(size_t rows, left a, size_t stride_b, size_t depth)
{
    if (stride_b >= TONNX__FAR) return a.along == 1 && rows <= FEW ? FEW_LONG : FAR_LONG;
    return HAS_32 ? depth : NEAR_LONG;
}

/* C[M,N] (+)= alpha·A·B[K,N], a part of k at a time */
static void product_as_it_lies(const size_t mnk[3], const call *c, left a, const float *b, float *to)
{
    const size_t most = together(mnk[0], a, c->stride_b, mnk[2]);
    for (size_t k = 0; k < mnk[2]; k += most) {
        const size_t deep = mnk[2] - k < most ? mnk[2] - k : most;
        const call part = { c->alpha, c->add || k > 0, deep, c->stride_b, c->stride_c, c->meanwhile };
        product_rows(mnk[0], mnk[1], &part, (left){ a.at + k * a.along, a.down, a.along }, b + k * c->stride_b, to);
    }
}

/* panel[k][n] = B[n,k] for a strip's columns and `depth` of its k; columns beyond B's are 0. */
static void turn(float *panel, const float *b, size_t stride, size_t cols, size_t depth)
{
    const float zeros[VEC] = { 0.0f };
    for (size_t n = 0; n < STRIP; n += VEC)
        for (size_t k = 0; k < depth; k += VEC) {
            const size_t count = depth - k < VEC ? depth - k : VEC;
            vec x[VEC];
            UNROLL for (size_t i = 0; i < VEC; i++)
            {
                const float *from = n + i < cols ? b + (n + i) * stride + k : zeros;
                x[i] = count < VEC ? VEC_LOAD_N(from, count) : VEC_LOAD(from);
            }
            vec_turn(x);
            UNROLL for (size_t i = 0; i < VEC; i++)
                if (i < count) VEC_STORE(panel + (k + i) * STRIP + n, x[i]);
        }
}

/* C[M,N] (+)= alpha·A[M,K]·B[N,K]ᵀ, a turned strip at a time */
static void product_turned(const size_t mnk[3], const call *c, left a, const float *b, float *to)
{
    float panel[DEPTH * STRIP] __attribute__((aligned(64)));
    for (size_t n = 0; n < mnk[1]; n += STRIP)
        for (size_t k = 0; k < mnk[2]; k += DEPTH) {
            const size_t cols = mnk[1] - n < STRIP ? mnk[1] - n : STRIP, depth = mnk[2] - k < DEPTH ? mnk[2] - k : DEPTH;
            const call part = { c->alpha, c->add || k > 0, depth, STRIP, c->stride_c, c->meanwhile };
            const left from = { a.at + k * a.along, a.down, a.along };
            turn(panel, b + n * c->stride_b + k, c->stride_b, cols, depth);
            product_rows(mnk[0], cols, &part, from, panel, to + n);
        }
}

/* Aᵀ, a part of k, in strips as a turned B's are; and Cᵀ. */
enum { ROWS_TO_TURN = 48, STRIPS = ROWS_TO_TURN / STRIP, ACROSS = STRIPS * STRIP, TALL = 256, TOGETHER = 48 };
typedef struct turned_left {
    float panel[STRIPS][LEFT_DEPTH * STRIP] __attribute__((aligned(64)));
    float sum[TALL * ACROSS] __attribute__((aligned(64)));
} turned_left;

/* Cᵀ[n,m] (+)= B[n,k…]·Aᵀ[k…,m] for `rows` rows of B, TOGETHER at a time so that all strips find them in the second cache. */
static void part_of_left(turned_left *r, const call *c, const float *b, size_t stride_b, size_t rows, size_t m)
{
    for (size_t n = 0; n < rows; n += TOGETHER)
        for (size_t s = 0; s * STRIP < m; s++)
            rows_of_2(c, (left){ b + n * stride_b, stride_b, 1 }, r->panel[s], r->sum + n * ACROSS + s * STRIP,
                      tonnx__least(TOGETHER, rows - n));
}

/* C[m,n] (+)= alpha·Cᵀ[n,m] */
static void put_left(const turned_left *r, const call *c, float *to, size_t rows, size_t cols)
{
    for (size_t m = 0; m < rows; m++, to += c->stride_c)
        for (size_t n = 0; n < cols; n++) to[n] = c->alpha * r->sum[n * ACROSS + m] + (c->add ? to[n] : 0.0f);
}

/* C[M,N] (+)= alpha·A[M,K]·B[N,K]ᵀ of few rows and a long k, as the transpose of B·Aᵀ: an element of B as it lies multiplies a
 * vector of A's rows, and no sums are left to make. */
static void product_left_turned(const size_t mnk[3], const call *c, left a, const float *b, float *to)
{
    turned_left r;
    for (size_t n = 0; n < mnk[1]; n += TALL) {
        const size_t rows = tonnx__least(TALL, mnk[1] - n);
        for (size_t k = 0; k < mnk[2]; k += LEFT_DEPTH) {
            const call part = { 1.0f, k > 0, tonnx__least(LEFT_DEPTH, mnk[2] - k), STRIP, ACROSS, c->meanwhile };
            for (size_t m = 0, s = 0; m < mnk[0]; m += STRIP, s++)
                turn(r.panel[s], a.at + m * a.down + k, a.down, tonnx__least(STRIP, mnk[0] - m), part.depth);
            part_of_left(&r, &part, b + n * c->stride_b + k, c->stride_b, rows, mnk[0]);
        }
        put_left(&r, c, to + n, mnk[0], rows);
    }
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

/* sums[m·cols + n] = the sum of sum[m][n]'s lanes, VEC of them at a time; those beyond are written, and mean nothing. */
BLOCK totals(float *sums, vec sum[DOT_M][DOT_N], int rows, int cols)
{
    UNROLL for (int first = 0; first < rows * cols; first += VEC)
    {
        vec x[VEC];
        UNROLL for (int i = 0; i < VEC; i++)
        {
            const int at = first + i;
            x[i] = at < rows * cols ? sum[at / cols][at % cols] : VEC_ALL(0.0f);
        }
        VEC_STORE(sums + first, vec_sums(x));
    }
}

/* C[m,n] (+)= alpha·Σₖ A[m,k]·B[n,k] for `rows` × `cols` elements. */
BLOCK block_dots(const call *c, const float *a, size_t down, const float *b, float *to, int rows, int cols)
{
    vec sum[DOT_M][DOT_N];
    float sums[DOTS + VEC];
    size_t k = 0;
    UNROLL for (int m = 0; m < rows; m++)
        UNROLL for (int n = 0; n < cols; n++) sum[m][n] = VEC_ALL(0.0f);
    for (; k + VEC <= c->depth; k += VEC) multiply(sum, a + k, down, b + k, c->stride_b, rows, cols, 0);
    if (k < c->depth) multiply(sum, a + k, down, b + k, c->stride_b, rows, cols, c->depth - k);
    totals(sums, sum, rows, cols);
    UNROLL for (int m = 0; m < rows; m++, to += c->stride_c)
        UNROLL for (int n = 0; n < cols; n++) to[n] = c->alpha * sums[m * cols + n] + (c->add ? to[n] : 0.0f);
    tonnx__ahead_few(c->meanwhile);
}

BLOCK dots_of(const call *c, const float *a, size_t down, const float *b, float *to, int rows, size_t cols)
{
    for (; cols >= DOT_N; cols -= DOT_N, b += DOT_N * c->stride_b, to += DOT_N) block_dots(c, a, down, b, to, rows, DOT_N);
    for (; cols >= 2; cols -= 2, b += 2 * c->stride_b, to += 2) block_dots(c, a, down, b, to, rows, 2);
    if (cols) block_dots(c, a, down, b, to, rows, 1);
}

static void dots_of_most(const call *c, const float *a, size_t down, const float *b, float *to, size_t cols)
{
    dots_of(c, a, down, b, to, DOT_M, cols);
}

static void dots_of_1(const call *c, const float *a, size_t down, const float *b, float *to, size_t cols)
{
    dots_of(c, a, down, b, to, 1, cols);
}

/* Rows of B that are multiplied next, `deep` floats of each; asked for meanwhile. */
typedef struct ahead {
    const float *at;
    size_t rows, deep, stride;
} ahead;

static void ask(const ahead *next, size_t from, size_t end)
{
    enum { LINE = 16 };
    for (size_t n = 0; n < next->rows; n++)
        for (size_t k = from; k < end; k += LINE) __builtin_prefetch(next->at + n * next->stride + k, 0, 2);
}

/* A group of B's rows against all of A's */
static void dots_of_group(size_t rows, const call *c, left a, const float *b, float *to, size_t cols, const ahead *next)
{
    size_t m = 0;
    for (; m + DOT_M <= rows; m += DOT_M) {
        ask(next, next->deep * m / rows, next->deep * (m + DOT_M) / rows);
        dots_of_most(c, a.at + m * a.down, a.down, b, to + m * c->stride_c, cols);
    }
    for (; m < rows; m++) dots_of_1(c, a.at + m * a.down, a.down, b, to + m * c->stride_c, cols);
}

/* How much of what is left of k goes together. */
static size_t dots_together(size_t rest)
{
    return rest < 2 * DOT_LONG ? rest : DOT_LONG;
}

/* From column k on, of a group that begins with row n: the rest of these rows, or the next ones. Those of a short k are not asked
 * for, which was no gain where caches hold them. */
static ahead part_behind(const size_t mnk[3], const float *b, size_t stride, size_t n, size_t k)
{
    if (mnk[2] < 2 * DOT_LONG) return (ahead){ 0 };
    if (k < mnk[2]) return (ahead){ b + n * stride + k, tonnx__least(GROUP, mnk[1] - n), dots_together(mnk[2] - k), stride };
    n += GROUP;
    if (n >= mnk[1]) return (ahead){ 0 };
    return (ahead){ b + n * stride, tonnx__least(GROUP, mnk[1] - n), dots_together(mnk[2]), stride };
}

/* C[M,N] (+)= alpha·A[M,K]·B[N,K]ᵀ. A group of B's rows stays in the first cache while those of A pass, each read once for all of
 * the group; of a long k a part at a time, which that cache can hold. */
static void product_dots(const size_t mnk[3], const call *c, left a, const float *b, float *to)
{
    for (size_t n = 0; n < mnk[1]; n += GROUP)
        for (size_t k = 0, deep; k < mnk[2]; k += deep) {
            deep = dots_together(mnk[2] - k);
            const call part = { c->alpha, c->add || k > 0, deep, c->stride_b, c->stride_c, c->meanwhile };
            const ahead next = part_behind(mnk, b, c->stride_b, n, k + deep);
            dots_of_group(mnk[0], &part, (left){ a.at + k, a.down, 1 }, b + n * c->stride_b + k, to + n, tonnx__least(GROUP, mnk[1] - n),
                          &next);
        }
}

/* Sums at the end of dots cost as much as 16 steps of k. */
static bool turns(const size_t mnk[3])
{
    enum { COLS_TO_TURN = VEC };
    return mnk[0] >= ROWS_TO_TURN && mnk[1] > COLS_TO_TURN;
}

/* Few rows of A that fill their strips but for an eighth, and a k of which dots find little in the first cache. */
static bool turns_left(const size_t mnk[3])
{
    const size_t filled = (mnk[0] + STRIP - 1) / STRIP * STRIP;
    return filled <= ACROSS && 8 * mnk[0] >= 7 * filled && mnk[1] >= TOGETHER && mnk[2] >= 2 * DOT_LONG;
}

static void product(const size_t mnk[3], float alpha, tonnx__lying a, tonnx__lying b, bool add, float *c, size_t stride,
                    tonnx__ahead *meanwhile)
{
    const call shared = { alpha, add, mnk[2], b.stride, stride, meanwhile };
    const left l = { a.at, a.transposed ? 1 : a.stride, a.transposed ? a.stride : 1 };
    if (!b.transposed) product_as_it_lies(mnk, &shared, l, b.at, c);
    else if (turns(mnk)) product_turned(mnk, &shared, l, b.at, c);
    else if (turns_left(mnk)) product_left_turned(mnk, &shared, l, b.at, c);
    else product_dots(mnk, &shared, l, b.at, c);
}

const tonnx__gemm_kernels TONNX__ISA_NAME(tonnx__gemm_kernels) = {
    .product = product,
    .turns = { ROWS_TO_TURN, TALL },
    .few = FEW,
};
