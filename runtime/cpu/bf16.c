/* Large products in bf16, for packed.c: operands are rounded to 8 bits of mantissa where they are packed, products are exact
 * and summed in float. Sums of pairs are the instruction's, so that results are those of one kind of unit, for any number
 * of threads. Both kinds read the same strips: of A 32 rows, each along k; of B 32 columns, pairs of k side by side.
 *
 * AMX: four accumulator tiles 16×16, two of A, two of B. AVX512-BF16: 8 rows × 2 vectors of accumulators, 2 of B, 1 of A. */
#include "runtime/cpu/cpu_impl.h"

#ifdef TONNX_BF16_UNITS
#include <immintrin.h>
#include <string.h>

#include "runtime/cpu/kernel_vec.h"

enum { SIDE = 32, PAIRS = 16, DEEP = TONNX__PACKED_BYTES / 2 }; /* a block's; pairs in a vector; elements in a strip's row */
_Static_assert((int)SIDE <= (int)TONNX__PACKED_COLS, "a strip of B has its room");
_Static_assert((int)TONNX__PACKED_ROWS % (int)SIDE == 0, "strips of A are packed together");
enum { LINES = 8 }; /* to come, asked for behind four tiles' products at least: they take AMX 64 cycles */

static inline __mmask16 first(size_t count)
{
    return (__mmask16)(count < 16 ? (1u << count) - 1u : 0xffffu);
}

/* Lane i: elements 2i and 2i + 1 of a row, of which `count` are there. */
static inline __m512i along(const float *x, size_t count)
{
    const __m512 low = _mm512_maskz_loadu_ps(first(count), x);
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(first(count > 16 ? count - 16 : 0), x + 16), low);
}

/* Lane i: element i of a row and of the row below, which may be none. */
static inline __m512i across(const float *x, const float *below, __mmask16 there)
{
    const __m512 low = _mm512_maskz_loadu_ps(there, x);
    const __m512 high = below ? _mm512_maskz_loadu_ps(there, below) : _mm512_setzero_ps();
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i order = _mm512_add_epi32(_mm512_mullo_epi32(lanes, _mm512_set1_epi32(0x00010001)),
                                           _mm512_set1_epi32(0x00100000)); /* words 0, 16, 1, 17, … */
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/* Sixteen vectors of pairs from where x[i,k] lies along k: lane i of pairs[p] has k = 2p and 2p + 1 of row i, where `turned`,
 * and lane p of pairs[i] else. */
static inline void square_along(vec pairs[PAIRS], const float *x, size_t stride, size_t rows, size_t depth, bool turned)
{
    for (size_t i = 0; i < PAIRS; i++)
        pairs[i] = i < rows ? (vec)along(x + i * stride, depth) : _mm512_setzero_ps();
    if (turned) vec_turn(pairs);
}

/* The same where x[k,i] lies along i. */
static inline void square_across(vec pairs[PAIRS], const float *x, size_t stride, size_t rows, size_t depth, bool turned)
{
    const __mmask16 there = first(rows);
    for (size_t p = 0; p < PAIRS; p++)
        pairs[p] = 2 * p >= depth ? _mm512_setzero_ps()
                                  : (vec)across(x + 2 * p * stride, 2 * p + 1 < depth ? x + (2 * p + 1) * stride : NULL, there);
    if (turned) vec_turn(pairs);
}

/* Packs op(X)[i,k]: 16 rows by 32 of k at a time, a vector of pairs a line, `down` bytes apart. */
static void pack_square(char *to, size_t down, tonnx__lying x, size_t i, size_t k, const size_t sizes[2], bool by_pairs)
{
    vec pairs[PAIRS];
    const size_t rows = i < sizes[0] ? tonnx__least(PAIRS, sizes[0] - i) : 0, depth = tonnx__least(2 * PAIRS, sizes[1] - k);
    if (x.transposed) square_across(pairs, x.at + (rows ? k * x.stride + i : 0), x.stride, rows, depth, !by_pairs);
    else square_along(pairs, x.at + (rows ? i * x.stride + k : 0), x.stride, rows, depth, by_pairs);
    for (size_t p = 0; p < PAIRS; p++) _mm512_storeu_ps(to + p * down, pairs[p]);
}

static void left(void *room, tonnx__lying a, size_t rows, size_t depth)
{
    const size_t sizes[2] = { rows, depth };
    for (size_t m = 0; m < (rows + SIDE - 1) / SIDE * SIDE; m += PAIRS)
        for (size_t k = 0; k < depth; k += 2 * PAIRS)
            pack_square((char *)room + (m * DEEP + k) * 2, (size_t)DEEP * 2, a, m, k, sizes, false);
}

static void right(void *room, tonnx__lying b, size_t cols, size_t depth)
{
    const size_t sizes[2] = { cols, depth };
    const tonnx__lying turned = { b.at, b.stride, !b.transposed };
    for (size_t n = 0; n < (cols + SIDE - 1) / SIDE * SIDE; n += PAIRS)
        for (size_t k = 0; k < depth; k += 2 * PAIRS)
            pack_square((char *)room + n / SIDE * SIDE * DEEP * 2 + k * SIDE * 2 + n % SIDE * 4, (size_t)SIDE * 4, turned, n, k,
                        sizes, true);
}

/* C (+)= sum */
static void put(const float *sum, const tonnx__packed_target *c)
{
    for (size_t m = 0; m < SIDE; m++, sum += SIDE)
        for (size_t n = 0; n < SIDE; n += 16) {
            float *at = c->at + m * c->stride + n;
            const __m512 old = c->add ? _mm512_loadu_ps(at) : _mm512_setzero_ps();
            _mm512_storeu_ps(at, _mm512_add_ps(old, _mm512_loadu_ps(sum + n)));
        }
}

static void shape_tiles(void)
{
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape __attribute__((aligned(64))) = { .palette = 1 };
    for (int t = 0; t < 8; t++) {
        shape.bytes[t] = 64;
        shape.rows[t] = 16;
    }
    __asm__ volatile("" : : "m"(shape)); /* all of it: gcc 12 takes the intrinsic to read its first 8 bytes */
    _tile_loadconfig(&shape);
}

static void release_tiles(void)
{
    _tile_release();
}

/* C[32,32] (+)= Σₖ A[32,k]·B[k,32] */
static void block_amx(const void *a, const void *b, size_t depth, const tonnx__packed_target *c)
{
    _Alignas(64) float sum[SIDE * SIDE];
    const char *x = a, *y = b;
    const size_t evenly = c->lines * 2 * PAIRS / depth + 1, some = evenly > LINES ? evenly : LINES;
    size_t lines = c->lines;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t k = 0; k < depth; k += 2 * PAIRS, x += 64, y += PAIRS * SIDE * 4) {
        _tile_loadd(4, x, DEEP * 2);
        _tile_loadd(5, x + 16 * DEEP * 2, DEEP * 2);
        _tile_loadd(6, y, SIDE * 4);
        _tile_loadd(7, y + 64, SIDE * 4);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        lines = tonnx__ask(c->ahead, lines, some);
    }
    tonnx__ask(c->ahead, lines, lines);
    _tile_stored(0, sum, SIDE * 4);
    _tile_stored(1, sum + 16, SIDE * 4);
    _tile_stored(2, sum + 16 * SIDE, SIDE * 4);
    _tile_stored(3, sum + 16 * SIDE + 16, SIDE * 4);
    put(sum, c);
}

static void block_vectors(const void *a, const void *b, size_t depth, const tonnx__packed_target *c)
{
    enum { ROWS = 8, SOME = 4 };
    _Alignas(64) float sum[SIDE * SIDE];
    const size_t some = c->lines * ROWS / SIDE * 2 * SOME / depth + 1;
    size_t lines = c->lines;
    for (int m = 0; m < SIDE; m += ROWS) {
        __m512 s[ROWS][2];
        for (int r = 0; r < ROWS; r++) s[r][0] = s[r][1] = _mm512_setzero_ps();
        for (size_t p = 0; p < depth / 2; p++) {
            const char *y = (const char *)b + p * SIDE * 4;
            const __m512i low = _mm512_loadu_si512(y), high = _mm512_loadu_si512(y + 64);
            if (p % SOME == 0) lines = tonnx__ask(c->ahead, lines, some);
            for (int r = 0; r < ROWS; r++) {
                int pair;
                memcpy(&pair, (const char *)a + (size_t)(m + r) * DEEP * 2 + p * 4, sizeof pair);
                const __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
                s[r][0] = _mm512_dpbf16_ps(s[r][0], x, (__m512bh)low);
                s[r][1] = _mm512_dpbf16_ps(s[r][1], x, (__m512bh)high);
            }
        }
        for (int r = 0; r < 2 * ROWS; r++) _mm512_store_ps(sum + (m + r / 2) * SIDE + r % 2 * 16, s[r / 2][r % 2]);
    }
    tonnx__ask(c->ahead, lines, lines);
    put(sum, c);
}

static void nothing(void)
{
}

const tonnx__packed_kernels tonnx__bf16_amx = { "AMX-BF16", 2, 2 * PAIRS, SIDE, SIDE, left, right, block_amx, shape_tiles,
                                                release_tiles };
const tonnx__packed_kernels tonnx__bf16_avx512 = { "AVX512-BF16", 2, 2 * PAIRS, SIDE,    SIDE,
                                                   left,          right, block_vectors, nothing, nothing };
#else
typedef int nothing_here; /* C wants something in a file */
#endif
