/* Large products. A piece of op(A) and one of op(B) are copied side by side into a room that the second cache holds, and
 * multiplied there a block at a time, which registers hold; their sums stay in the room until all of k is in them. Behind each
 * block a little of the next two pieces is asked for, and strip by strip they are copied into the room's other half, so that
 * memory is read behind the arithmetic. It could not just be asked for: rows that are a power of two apart meet in a few of
 * the cache's sets, which hold a strip's lines and not a piece's. */
#include "runtime/cpu/cpu_impl.h"

/* Room for TALL rows of op(A) and WIDE columns of op(B), TONNX__PACKED_BYTES deep: 128 and 192 KiB, each twice; and for their sums,
 * 384 KiB. TALL and WIDE are multiples of every block's sides, and a strip of op(B), 24 KiB, stays in the first cache while
 * all of A's go by: deeper ones, which do not, cost a quarter of the speed. */
enum { TALL = 256, WIDE = 384, LINE = 64 };

typedef struct room {
    _Alignas(LINE) char left[2][TALL * TONNX__PACKED_BYTES];
    _Alignas(LINE) char right[2][WIDE * TONNX__PACKED_BYTES];
    _Alignas(LINE) float sum[TALL * WIDE];
} room;

/* Rows of memory that will be read, and how far they have been asked for. */
typedef struct errand {
    const char *at;
    size_t rows, bytes, stride; /* of a row; bytes from row to row */
    size_t row, line;
} errand;

/* C[m,n] = op(A)[m,k]·op(B)[k,n], and its pieces: `deep` of k at a time, then TALL rows, then WIDE columns. */
typedef struct product {
    const tonnx__packed_kernels *kernels;
    room *room;
    size_t mnk[3], deep;
    tonnx__lying a, b;
} product;

typedef struct piece {
    tonnx__span m, n, k;
} piece;

/* A piece on its way into a half of the room: strips of op(A), then of op(B). */
typedef struct packing {
    piece piece;
    size_t half;
    size_t strip, lefts, strips; /* the next strip; how many of op(A); of both */
    errand lines;                /* of the next strip */
    size_t pace;                 /* lines behind each block */
} packing;

static size_t parts(size_t size, size_t part)
{
    return (size + part - 1) / part;
}

static size_t length(tonnx__span s)
{
    return s.to - s.from;
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

static size_t pieces_of(const product *p)
{
    return parts(p->mnk[0], TALL) * parts(p->mnk[1], WIDE) * parts(p->mnk[2], p->deep);
}

static piece piece_at(const product *p, size_t index)
{
    const size_t deep = parts(p->mnk[2], p->deep), down = parts(p->mnk[0], TALL);
    return (piece){ tonnx__part(index / deep % down * TALL, TALL, p->mnk[0]),
                    tonnx__part(index / deep / down * WIDE, WIDE, p->mnk[1]),
                    tonnx__part(index % deep * p->deep, p->deep, p->mnk[2]) };
}

static tonnx__span left_strip(const product *p, const packing *w)
{
    return tonnx__part(w->piece.m.from + w->strip * p->kernels->rows, p->kernels->rows, w->piece.m.to);
}

static tonnx__span right_strip(const product *p, const packing *w)
{
    return tonnx__part(w->piece.n.from + (w->strip - w->lefts) * p->kernels->cols, p->kernels->cols, w->piece.n.to);
}

/* The errand to the next strip. */
static void look_ahead(const product *p, packing *w)
{
    const tonnx__span k = w->piece.k;
    if (w->strip < w->lefts) {
        const tonnx__span m = left_strip(p, w);
        w->lines = errand_to(from(p->a, m.from, k.from), length(m), length(k));
    } else if (w->strip < w->strips) {
        const tonnx__span n = right_strip(p, w);
        w->lines = errand_to(from(p->b, k.from, n.from), length(k), length(n));
    }
}

static packing new_packing(const product *p, size_t index)
{
    const piece next = piece_at(p, index);
    packing w = { .piece = next, .half = index % 2, .lefts = parts(length(next.m), p->kernels->rows) };
    w.strips = w.lefts + parts(length(next.n), p->kernels->cols);
    look_ahead(p, &w);
    return w;
}

static void pack_strip(const product *p, packing *w)
{
    const piece *at = &w->piece;
    if (w->strip < w->lefts) {
        const tonnx__span m = left_strip(p, w);
        char *to = p->room->left[w->half] + (m.from - at->m.from) * TONNX__PACKED_BYTES;
        p->kernels->left(to, from(p->a, m.from, at->k.from), length(m), length(at->k));
    } else {
        const tonnx__span n = right_strip(p, w);
        char *to = p->room->right[w->half] + (n.from - at->n.from) * TONNX__PACKED_BYTES;
        p->kernels->right(to, from(p->b, at->k.from, n.from), length(n), length(at->k));
    }
    w->strip++;
    look_ahead(p, w);
}

/* What is done behind a block: the strip that has been asked for is packed, or more of its lines are asked for. */
static void pack_some(const product *p, packing *w)
{
    if (w->strip == w->strips) return;
    if (w->lines.row == w->lines.rows) pack_strip(p, w);
    run_on(&w->lines, w->pace);
}

static void pack_rest(const product *p, packing *w)
{
    while (w->strip < w->strips) pack_strip(p, w);
}

/* All blocks of a pair of pieces, while the next pair is packed. */
static void multiply(const product *p, const packing *now, packing *next)
{
    const tonnx__packed_kernels *kernels = p->kernels;
    const size_t rows = length(now->piece.m), cols = length(now->piece.n);
    const size_t deep = parts(length(now->piece.k), kernels->grain) * kernels->grain;
    for (size_t n = 0; n < cols; n += kernels->cols)
        for (size_t m = 0; m < rows; m += kernels->rows) {
            const tonnx__packed_target here = { .at = p->room->sum + m * WIDE + n,
                                                .stride = WIDE,
                                                .cols = tonnx__least(kernels->cols, cols - n),
                                                .add = now->piece.k.from > 0,
                                                .turned = p->a.transposed };
            kernels->block(p->room->left[now->half] + m * TONNX__PACKED_BYTES,
                           p->room->right[now->half] + n * TONNX__PACKED_BYTES, deep, &here);
            pack_some(p, next);
        }
}

/* Lines behind each block of `now`, so that all of `next` is packed by its end. Where op(A) is stored [k,m], rows of its strips
 * are half a line. */
static size_t pace_of(const product *p, const packing *now, const packing *next)
{
    const size_t blocks = now->lefts * (now->strips - now->lefts);
    const size_t lines = (length(next->piece.m) + length(next->piece.n)) * length(next->piece.k) * sizeof(float) / LINE;
    return lines * (p->a.transposed ? 2 : 1) / blocks + 2;
}

void tonnx__packed_pieces(const tonnx__packed_kernels *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b,
                          tonnx__packed_taker *take, void *user)
{
    room r;
    const product p = { kernels, &r, { mnk[0], mnk[1], mnk[2] }, TONNX__PACKED_BYTES / kernels->unit, a, b };
    const size_t pieces = pieces_of(&p);
    packing now = new_packing(&p, 0);
    kernels->begin();
    pack_rest(&p, &now);
    for (size_t i = 0; i < pieces; i++) {
        packing next = i + 1 < pieces ? new_packing(&p, i + 1) : (packing){ 0 };
        next.pace = i + 1 < pieces ? pace_of(&p, &now, &next) : 0;
        multiply(&p, &now, &next);
        pack_rest(&p, &next);
        if (now.piece.k.to == mnk[2]) take(user, now.piece.m, now.piece.n, r.sum, WIDE);
        now = next;
    }
    kernels->end();
}

/* Where a product goes. */
typedef struct target {
    float *c;
    size_t stride;
    float alpha;
    bool add;
} target;

static void put(void *user, tonnx__span rows, tonnx__span cols, const float *sum, size_t stride)
{
    const target *to = user;
    for (size_t m = rows.from; m < rows.to; m++, sum += stride) {
        float *c = to->c + m * to->stride + cols.from;
        for (size_t n = 0; n < cols.to - cols.from; n++) c[n] = to->alpha * sum[n] + (to->add ? c[n] : 0.0f);
    }
}

void tonnx__packed_product(const tonnx__packed_kernels *kernels, const size_t mnk[3], float alpha, tonnx__lying a,
                           tonnx__lying b, bool add, float *c, size_t stride)
{
    target to = { c, stride, alpha, add };
    tonnx__packed_pieces(kernels, mnk, a, b, put, &to);
}
