/* Operands of products as they lie in memory, what is asked for meanwhile, and what the blocks of a packed product are told. */
#ifndef TONNX_RUNTIME_CPU_PACKED_IMPL_H
#define TONNX_RUNTIME_CPU_PACKED_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t tonnx__least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t tonnx__parts(size_t size, size_t part)
{
    return (size + part - 1) / part;
}

/* A matrix as it lies: rows `stride` apart; `transposed` says that it is read as its transpose. */
typedef struct tonnx__lying {
    const float *at;
    size_t stride;
    bool transposed;
} tonnx__lying;

/* op(M) from row `m` and column `n` on. */
static inline tonnx__lying tonnx__lying_from(tonnx__lying x, size_t m, size_t n)
{
    x.at += x.transposed ? n * x.stride + m : m * x.stride + n;
    return x;
}

/* Rows of memory that will be read, and the next line to be asked for: of row 0, `line` bytes from its start. */
typedef struct tonnx__errand {
    const char *at;
    size_t rows, bytes, stride; /* of a row; bytes from row to row */
    size_t line;
} tonnx__errand;

/* Asks for the next lines, if there are any, up to so many; returns how many of these are left. */
static inline size_t tonnx__ask(tonnx__errand *e, size_t lines, size_t most)
{
    enum { LINE = 64 };
    const size_t count = tonnx__least(lines, most);
    for (size_t i = 0; i < count && e->rows; i++) {
        __builtin_prefetch(e->at + e->line, 0, 2);
        e->line += LINE;
        if (e->line < e->bytes) continue;
        e->line = 0;
        e->rows--;
        e->at += e->stride;
    }
    return lines - count;
}

/* ahead.c: the samples of a later batch that one thread will gather, and how far they have been asked for. */
typedef struct tonnx__ahead {
    const char *data;
    const uint32_t *order;
    size_t bytes; /* of a sample */
    size_t position, end, at;
    size_t left; /* lines to ask for within the tile at hand */
} tonnx__ahead;

/* Asks for so many lines, or what is left. */
void tonnx__ahead_some(tonnx__ahead *ahead, size_t lines);

/* The same behind a block of a tile's product: a core keeps a dozen lines on their way, and waits with those beyond. */
static inline void tonnx__ahead_few(tonnx__ahead *ahead)
{
    enum { LINES = 8 };
    if (ahead && ahead->left) tonnx__ahead_some(ahead, LINES);
}

/* Where a whole block of sums goes, added to what is there where `add`; of columns behind `cols` anything may be left. */
typedef struct tonnx__packed_target {
    float *at;
    size_t stride, cols;
    bool add, turned; /* A came transposed */
    tonnx__errand *ahead;
    size_t lines; /* of it, to be asked for between the multiply-adds */
} tonnx__packed_target;

/* How deep strips are, as far as k goes within so many bytes; how many rows of A are packed in one go, a multiple of every block's;
 * and the most columns of B in a strip. */
enum { TONNX__PACKED_BYTES = 512, TONNX__PACKED_ROWS = 32, TONNX__PACKED_COLS = 48 };

/* Large products, for packed.c: operands are copied into strips, as wide as a block of C is high (or wide). What
 * is beyond their rows and columns is 0, and so is what is beyond their depth up to a multiple of `grain`. */
typedef struct tonnx__packed_kernels {
    const char *name;
    size_t unit, grain, rows, cols; /* bytes of an element in a strip; of k; a block's sides */
    void (*left)(void *to, tonnx__lying a, size_t rows, size_t depth);
    void (*right)(void *to, tonnx__lying b, size_t cols, size_t depth);
    void (*block)(const void *a, const void *b, size_t depth, const tonnx__packed_target *c);
    void (*begin)(void), (*end)(void); /* around a product */
} tonnx__packed_kernels;

#endif
