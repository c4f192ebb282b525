/* Large products. A piece of op(A) and one of op(B) are copied side by side into a room that the second cache holds, and
 * multiplied there a block at a time, which registers hold. While one piece of op(B) is multiplied, the next is asked
 * for, so that memory is read behind the arithmetic. */
#include "runtime/cpu/cpu_impl.h"

/* Room for TALL rows of op(A) and WIDE columns of op(B), TONNX__PACKED_BYTES deep: 128 and 192 KiB. TALL and WIDE are multiples of
 * every block's sides, and a strip of op(B), 24 KiB, stays in the first cache while all of A's go by: deeper ones, which do
 * not, cost a quarter of the speed. */
enum { TALL = 256, WIDE = 384, LINE = 64 };

typedef struct room {
    _Alignas(LINE) char left[TALL * TONNX__PACKED_BYTES];
    _Alignas(LINE) char right[WIDE * TONNX__PACKED_BYTES];
} room;

/* Rows of memory that will be read, and how far they have been asked for. */
typedef struct errand {
    const char *at;
    size_t rows, bytes, stride; /* of a row; bytes from row to row */
    size_t row, line;
} errand;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* op(M) from row `m` and column `n` on. */
static tonnx__lying from(tonnx__lying x, size_t m, size_t n)
{
    x.at += x.transposed ? n * x.stride + m : m * x.stride + n;
    return x;
}

static errand errand_to(tonnx__lying x, size_t rows, size_t cols)
{
    const size_t down = x.transposed ? cols : rows, along = x.transposed ? rows : cols;
    return (errand){ (const char *)x.at, down, along * sizeof(float), x.stride * sizeof(float), 0, 0 };
}

static void run_on(errand *e, size_t lines)
{
    for (; lines && e->row < e->rows; lines--) {
        __builtin_prefetch(e->at + e->row * e->stride + e->line, 0, 2);
        e->line += LINE;
        if (e->line < e->bytes) continue;
        e->line = 0;
        e->row++;
    }
}

/* All blocks of the left piece by the right one, as they lie in the room. */
static void multiply(const tonnx__packed_kernels *kernels, const room *r, const size_t mnk[3],
                     const tonnx__packed_target *c, errand *next)
{
    const size_t blocks = (mnk[0] / kernels->rows + 1) * (mnk[1] / kernels->cols + 1);
    const size_t lines = next->rows * (next->bytes / LINE + 1) / blocks + 1;
    for (size_t n = 0; n < mnk[1]; n += kernels->cols)
        for (size_t m = 0; m < mnk[0]; m += kernels->rows) {
            tonnx__packed_target here = *c;
            here.at += m * c->stride + n;
            here.rows = least(kernels->rows, mnk[0] - m);
            here.cols = least(kernels->cols, mnk[1] - n);
            kernels->block(r->left + m * TONNX__PACKED_BYTES, r->right + n * TONNX__PACKED_BYTES, mnk[2], &here);
            run_on(next, lines);
        }
}

/* C[m,n] (+)= alpha·op(A)[m,k]·op(B)[k,n], k no deeper and n no wider than the room. */
static void multiply_tall(const tonnx__packed_kernels *kernels, room *r, const size_t mnk[3], tonnx__lying a,
                          tonnx__lying b, const tonnx__packed_target *c, errand next)
{
    const size_t deep = (mnk[2] + kernels->grain - 1) / kernels->grain * kernels->grain;
    kernels->right(r->right, b, mnk[1], mnk[2]);
    for (size_t m = 0; m < mnk[0]; m += TALL) {
        const size_t piece[3] = { least(TALL, mnk[0] - m), mnk[1], deep };
        tonnx__packed_target here = *c;
        here.at += m * c->stride;
        kernels->left(r->left, from(a, m, 0), piece[0], mnk[2]);
        multiply(kernels, r, piece, &here, &next);
    }
}

/* C[M,N] (+)= alpha·op(A)[M,K]·op(B)[K,N] */
void tonnx__packed_product(const tonnx__packed_kernels *kernels, const size_t mnk[3], float alpha, tonnx__lying a,
                           tonnx__lying b, bool add, float *c, size_t stride)
{
    room r;
    kernels->begin();
    const size_t deep = TONNX__PACKED_BYTES / kernels->unit;
    for (size_t n = 0; n < mnk[1]; n += WIDE)
        for (size_t k = 0; k < mnk[2]; k += deep) {
            const size_t piece[3] = { mnk[0], least(WIDE, mnk[1] - n), least(deep, mnk[2] - k) };
            const size_t then = k + deep < mnk[2] ? least(deep, mnk[2] - k - deep) : 0;
            const tonnx__packed_target here = { .at = c + n, .stride = stride, .alpha = alpha, .add = add || k > 0, .turned = a.transposed };
            multiply_tall(kernels, &r, piece, from(a, 0, k), from(b, k, n), &here,
                          then ? errand_to(from(b, k + deep, n), then, piece[1]) : (errand){ 0 });
        }
    kernels->end();
}
