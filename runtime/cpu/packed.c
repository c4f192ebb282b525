/* Large products. A piece of op(A) is copied into a room that the second cache holds, strips of op(B) one after the other
 * beside it, and multiplied there a block at a time, which registers hold; their sums stay in the room until all of k is
 * in them. Within a block's multiply-adds a little of what comes next is asked for, and between blocks it is copied, so
 * that memory is read behind the arithmetic. It could not just be asked for: rows that are a power of two apart meet in a
 * few of the cache's sets, which hold a strip's lines and not a piece's. */
#include "runtime/cpu/cpu_impl.h"

/* Room for TALL rows of op(A), TONNX__PACKED_BYTES deep, 128 KiB, twice; for two strips of op(B), each so narrow that the
 * first cache keeps it while all of op(A)'s go by (24 KiB: deeper ones, which it does not, cost a quarter of the speed);
 * and for TALL·WIDE sums, 384 KiB. TALL and WIDE are multiples of every block's sides. Of op(A) TOGETHER rows are packed in
 * one go, several blocks' strips: they are whole lines where it is stored [k,m]. */
enum { TALL = 256, WIDE = 384, TOGETHER = TONNX__PACKED_ROWS, LINE = 64 };
_Static_assert(TALL % TOGETHER == 0, "a piece is packed in whole rounds");

typedef struct room {
    _Alignas(LINE) char left[2][TALL * TONNX__PACKED_BYTES];
    _Alignas(LINE) char right[2][TONNX__PACKED_COLS * TONNX__PACKED_BYTES];
    _Alignas(LINE) float sum[TALL * WIDE];
} room;

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

/* A strip of op(B) against all of a piece's op(A). Pieces and stages take turns in the room's halves. */
typedef struct stage {
    piece at;
    size_t piece_index, strip_index; /* of all pieces; of the piece's strips of op(B) */
    size_t turn;                     /* how many stages came before */
} stage;

/* Rows of op(A), or columns of op(B), on their way into the room. */
typedef struct strip {
    tonnx__lying from;
    size_t count, deep;
    bool left;
    char *to;
} strip;

/* What is packed during a stage: the next stage's strip of op(B), then some of the next piece's strips of op(A). */
typedef struct packing {
    stage now, next;
    bool more;           /* there is a next stage */
    size_t done, strips; /* of `strips` */
    tonnx__errand lines; /* of the strip that is next */
    size_t pace;         /* lines to ask for within a block */
} packing;

static size_t pieces_of(const product *p)
{
    return tonnx__parts(p->mnk[0], TALL) * tonnx__parts(p->mnk[1], WIDE) * tonnx__parts(p->mnk[2], p->deep);
}

static piece piece_at(const product *p, size_t index)
{
    const size_t deep = tonnx__parts(p->mnk[2], p->deep), down = tonnx__parts(p->mnk[0], TALL);
    return (piece){ tonnx__part(index / deep % down * TALL, TALL, p->mnk[0]),
                    tonnx__part(index / deep / down * WIDE, WIDE, p->mnk[1]),
                    tonnx__part(index % deep * p->deep, p->deep, p->mnk[2]) };
}

static size_t strips_across(const product *p, const piece *at)
{
    return tonnx__parts(tonnx__length(at->n), p->kernels->cols);
}

static size_t strips_down(const piece *at)
{
    return tonnx__parts(tonnx__length(at->m), TOGETHER);
}

static strip left_strip(const product *p, const piece *at, size_t index, char *to)
{
    const tonnx__span m = tonnx__part(at->m.from + index * TOGETHER, TOGETHER, at->m.to);
    return (strip){ tonnx__lying_from(p->a, m.from, at->k.from), tonnx__length(m), tonnx__length(at->k), true,
                    to + index * TOGETHER * TONNX__PACKED_BYTES };
}

static strip right_strip(const product *p, const stage *s)
{
    const size_t cols = p->kernels->cols;
    const tonnx__span n = tonnx__part(s->at.n.from + s->strip_index * cols, cols, s->at.n.to);
    return (strip){ tonnx__lying_from(p->b, s->at.k.from, n.from), tonnx__length(n), tonnx__length(s->at.k), false,
                    p->room->right[s->turn % 2] };
}

static void pack(const product *p, strip s)
{
    if (s.left) p->kernels->left(s.to, s.from, s.count, s.deep);
    else p->kernels->right(s.to, s.from, s.count, s.deep);
}

/* Whether there is a stage behind this one: `next`. */
static bool follows(const product *p, const stage *now, stage *next)
{
    *next = *now;
    next->turn++;
    if (++next->strip_index < strips_across(p, &now->at)) return true;
    next->strip_index = 0;
    if (++next->piece_index == pieces_of(p)) return false;
    next->at = piece_at(p, next->piece_index);
    return true;
}

/* The next piece's strips of op(A) that are packed before stage `index` of a piece's `stages`. */
static size_t lefts_before(size_t index, size_t stages, size_t lefts)
{
    return lefts * index / stages;
}

static strip strip_at(const product *p, const packing *w, size_t index)
{
    const size_t after = w->now.piece_index + 1;
    if (index == 0) return right_strip(p, &w->next);
    const piece at = piece_at(p, after);
    const size_t first = lefts_before(w->now.strip_index, strips_across(p, &w->now.at), strips_down(&at));
    return left_strip(p, &at, first + index - 1, p->room->left[after % 2]);
}

static void look_ahead(const product *p, packing *w)
{
    w->lines = (tonnx__errand){ 0 };
    if (w->done == w->strips) return;
    const strip s = strip_at(p, w, w->done);
    const bool across = s.left == s.from.transposed; /* its rows in memory go across k */
    w->lines = (tonnx__errand){ .at = (const char *)s.from.at,
                                .rows = across ? s.deep : s.count,
                                .bytes = (across ? s.count : s.deep) * sizeof(float),
                                .stride = s.from.stride * sizeof(float) };
}

/* Lines within each of the stage's blocks, so that all is packed by its end. */
static size_t pace_of(const product *p, const packing *w)
{
    const size_t lefts = (w->strips - 1) * TOGETHER;
    const size_t lines = (lefts + p->kernels->cols) * p->deep * sizeof(float) / LINE;
    return lines / tonnx__parts(tonnx__length(w->now.at.m), p->kernels->rows) + 2;
}

static packing packing_during(const product *p, const stage *now)
{
    packing w = { .now = *now };
    w.more = follows(p, now, &w.next);
    w.strips = w.more;
    if (now->piece_index + 1 < pieces_of(p)) {
        const piece at = piece_at(p, now->piece_index + 1);
        const size_t lefts = strips_down(&at), stages = strips_across(p, &now->at);
        w.strips += lefts_before(now->strip_index + 1, stages, lefts) - lefts_before(now->strip_index, stages, lefts);
    }
    if (w.more) w.pace = pace_of(p, &w);
    look_ahead(p, &w);
    return w;
}

static void pack_next(const product *p, packing *w)
{
    pack(p, strip_at(p, w, w->done++));
    look_ahead(p, w);
}

/* All blocks of a stage, while what comes next is packed. */
static void multiply(const product *p, packing *w)
{
    const tonnx__packed_kernels *kernels = p->kernels;
    const stage *now = &w->now;
    const char *left = p->room->left[now->piece_index % 2];
    const size_t n = now->strip_index * kernels->cols, rows = tonnx__length(now->at.m);
    const size_t deep = tonnx__parts(tonnx__length(now->at.k), kernels->grain) * kernels->grain;
    tonnx__packed_target to = { .stride = WIDE,
                                .cols = tonnx__least(kernels->cols, tonnx__length(now->at.n) - n),
                                .add = now->at.k.from > 0,
                                .turned = p->a.transposed,
                                .ahead = &w->lines,
                                .lines = w->pace };
    for (size_t m = 0; m < rows; m += kernels->rows) {
        to.at = p->room->sum + m * WIDE + n;
        kernels->block(left + m * TONNX__PACKED_BYTES, p->room->right[now->turn % 2], deep, &to);
        if (w->done < w->strips && w->lines.rows == 0) pack_next(p, w);
    }
    while (w->done < w->strips) pack_next(p, w);
}

static stage first_stage(const product *p)
{
    const stage first = { .at = piece_at(p, 0) };
    for (size_t i = 0; i < strips_down(&first.at); i++) pack(p, left_strip(p, &first.at, i, p->room->left[0]));
    pack(p, right_strip(p, &first));
    return first;
}

void tonnx__packed_pieces(const tonnx__packed_kernels *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b,
                          tonnx__packed_taker *take, void *user)
{
    room r;
    const product p = { kernels, &r, { mnk[0], mnk[1], mnk[2] }, TONNX__PACKED_BYTES / kernels->unit, a, b };
    kernels->begin();
    stage now = first_stage(&p);
    for (bool more = true; more;) {
        packing w = packing_during(&p, &now);
        multiply(&p, &w);
        if (now.strip_index + 1 == strips_across(&p, &now.at) && now.at.k.to == mnk[2])
            take(user, now.at.m, now.at.n, r.sum, WIDE);
        now = w.next;
        more = w.more;
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
