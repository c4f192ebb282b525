/* Large C = op(A)·op(B) of a short k, a panel of a few rows at a time, for what is made of C and of matrices that lie as C does, in
 * memory: weights and their moments, which step by their gradient. Such a product takes no longer than these take to come, so
 * a panel's are asked for within its multiply-adds, row by row into the second cache, and are there when its sums are. */
#include "runtime/cpu/cpu_impl.h"

/* A panel is a few rows by WIDE columns: so small that memory, whose prefetchers run ahead along the rows while the panel before
 * steps, is never idle for as long as a product takes. Panels follow each other along the rows, as what they step lies. For that the
 * room has op(B)'s strips of as many columns as a part of the second cache keeps. Of op(A) TOGETHER rows are packed in one go. */
enum { TALL = 8, WIDE = 192, TOGETHER = TONNX__PACKED_ROWS, PARTS = TONNX__FLAT_PARTS, LINE = 64, KEPT = 512 << 10 };
_Static_assert(WIDE % TONNX__PACKED_COLS == 0 && TOGETHER % TALL == 0, "whole strips, which whole blocks are written of");
_Static_assert(WIDE % TOGETHER == 0, "the same for square blocks of the most rows");
_Static_assert(KEPT >= WIDE * PARTS * TONNX__PACKED_BYTES, "a panel's strips have room");

typedef struct room {
    _Alignas(LINE) char left[PARTS][TOGETHER * TONNX__PACKED_BYTES];
    _Alignas(LINE) char right[KEPT];
    _Alignas(LINE) float sum[TOGETHER * WIDE];
} room;

typedef struct product {
    const tonnx__packed_kernels *kernels;
    room *room;
    size_t mnk[3], tall, across; /* rows of a panel; columns whose strips are kept */
    tonnx__lying a, b;
    const tonnx__beside *beside;
} product;

/* A panel, and what is asked for within it: `which` of the matrices beside is on. */
typedef struct panel {
    tonnx__span m, n;
    size_t which;
    tonnx__errand lines;
} panel;

/* Of k, as deep as a strip. */
static tonnx__span part_of_k(const product *p, size_t index)
{
    const size_t deep = TONNX__PACKED_BYTES / p->kernels->unit;
    return tonnx__part(index * deep, deep, p->mnk[2]);
}

static size_t parts_of_k(const product *p)
{
    return tonnx__parts(p->mnk[2], TONNX__PACKED_BYTES / p->kernels->unit);
}

/* Of one part of k, up to whole grains. */
static size_t depth_of(const product *p, size_t part)
{
    return tonnx__parts(tonnx__length(part_of_k(p, part)), p->kernels->grain) * p->kernels->grain;
}

/* Bytes of a column of op(B) in its strips. */
static size_t column_bytes(const product *p)
{
    size_t deep = 0;
    for (size_t i = 0; i < parts_of_k(p); i++) deep += depth_of(p, i);
    return deep * p->kernels->unit;
}

/* The strip of a part of k that begins with the n-th of the columns that are kept. */
static char *right_strip(const product *p, size_t part, size_t n)
{
    const size_t before = part * p->across * depth_of(p, 0); /* parts before the last are as deep as can be */
    return p->room->right + (before + n * depth_of(p, part)) * p->kernels->unit;
}

static void pack_right(const product *p, tonnx__span n)
{
    const size_t cols = p->kernels->cols;
    for (size_t i = 0; i < parts_of_k(p); i++) {
        const tonnx__span k = part_of_k(p, i);
        for (size_t c = n.from; c < n.to; c += cols)
            p->kernels->right(right_strip(p, i, c - n.from), tonnx__lying_from(p->b, k.from, c), tonnx__least(cols, n.to - c),
                              tonnx__length(k));
    }
}

static void pack_left(const product *p, tonnx__span m)
{
    for (size_t i = 0; i < parts_of_k(p); i++) {
        const tonnx__span k = part_of_k(p, i);
        p->kernels->left(p->room->left[i], tonnx__lying_from(p->a, m.from, k.from), tonnx__length(m), tonnx__length(k));
    }
}

/* The next of the matrices beside, where the last one's lines have been asked for. */
static void look_ahead(const product *p, panel *at)
{
    const tonnx__beside *b = p->beside;
    if (at->lines.rows > 0 || at->which == b->count) return;
    at->lines = (tonnx__errand){ .at = (const char *)(b->at[at->which++] + at->m.from * b->stride + at->n.from),
                                 .rows = tonnx__length(at->m),
                                 .bytes = tonnx__length(at->n) * sizeof(float),
                                 .stride = b->stride * sizeof(float) };
}

/* Lines to ask for within each of a panel's blocks: a block asks for those of one matrix at most. */
static size_t pace_of(const product *p, const panel *at)
{
    const size_t down = tonnx__parts(tonnx__length(at->m), p->kernels->rows), across = tonnx__parts(tonnx__length(at->n), p->kernels->cols);
    const size_t blocks = down * across * parts_of_k(p) / (p->beside->count + !p->beside->count);
    return tonnx__parts(tonnx__length(at->m) * tonnx__length(at->n) * sizeof(float) / LINE, blocks + !blocks) + tonnx__length(at->m);
}

/* The panel's blocks over one part of k. `left`: its rows of op(A)'s strips; `first`: its first column, of those kept. */
static void multiply(const product *p, panel *at, const char *left, size_t first, size_t part)
{
    const tonnx__packed_kernels *kernels = p->kernels;
    tonnx__packed_target to = { .stride = WIDE,
                                .add = part > 0,
                                .turned = p->a.transposed,
                                .ahead = &at->lines,
                                .lines = pace_of(p, at) };
    for (size_t m = 0; m < tonnx__length(at->m); m += kernels->rows, left += kernels->rows * TONNX__PACKED_BYTES)
        for (size_t n = 0; n < tonnx__length(at->n); n += kernels->cols) {
            look_ahead(p, at);
            to.at = p->room->sum + m * WIDE + n;
            to.cols = tonnx__least(kernels->cols, tonnx__length(at->n) - n);
            kernels->block(left, right_strip(p, part, first + n), depth_of(p, part), &to);
        }
}

/* Panels of rows whose op(A) is packed together, by columns whose op(B) is kept. */
static void panels(const product *p, tonnx__span m, tonnx__span n, tonnx__packed_taker *take, void *user)
{
    pack_left(p, m);
    for (size_t r = m.from; r < m.to; r += p->tall)
        for (size_t c = n.from; c < n.to; c += WIDE) {
            panel at = { .m = tonnx__part(r, p->tall, m.to), .n = tonnx__part(c, WIDE, n.to) };
            for (size_t i = 0; i < parts_of_k(p); i++)
                multiply(p, &at, p->room->left[i] + (r - m.from) * TONNX__PACKED_BYTES, c - n.from, i);
            take(user, at.m, at.n, p->room->sum, WIDE);
        }
}

void tonnx__flat_pieces(const tonnx__packed_kernels *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b,
                        const tonnx__beside *beside, size_t kept, tonnx__packed_taker *take, void *user)
{
    room r;
    product p = { kernels, &r, { mnk[0], mnk[1], mnk[2] }, 0, 0, a, b, beside };
    p.tall = kernels->rows > TALL ? kernels->rows : (size_t)TALL;
    p.across = tonnx__least(kept, KEPT) / (WIDE * column_bytes(&p)) * WIDE;
    if (p.across == 0) p.across = WIDE;
    kernels->begin();
    for (size_t n = 0; n < mnk[1]; n += p.across) {
        const tonnx__span across = tonnx__part(n, p.across, mnk[1]);
        pack_right(&p, across);
        for (size_t m = 0; m < mnk[0]; m += TOGETHER) panels(&p, tonnx__part(m, TOGETHER, mnk[0]), across, take, user);
    }
    kernels->end();
}
