/* Statistics. */
#include "vulkan/cut_impl.h"

enum { LOCAL = 64, PART = 16384, MOST = 1 << 24, SUMS = 6 }; /* MOST elements of X in a part: any binding spans them */

/* How X is cut: panels of columns, and parts of rows with about PART elements of a panel each. By the shape alone. */
typedef struct panels {
    size_t block, count, rows, parts;
} panels;

static panels cut_panels(const tonnx__vk_cut *cut)
{
    const tonnx__vk_operand x = cut->in[0];
    panels p = { .block = cut->code->block, .count = cut->out[0].cols };
    p.rows = p.block < PART ? PART / p.block : 1;
    if (p.rows > MOST / x.cols) p.rows = MOST / x.cols ? MOST / x.cols : 1;
    p.parts = (x.rows - 1) / p.rows + 1;
    return p;
}

/* W[part, panel, ·] of all parts; as many at once as a binding shows. */
static void emit_parts(tonnx__vk_cut *cut, const panels *p, bool centred, tonnx__vk_operand w)
{
    const tonnx__vk_operand x = cut->in[0];
    const size_t at_once = tonnx__vk_span(cut, x.rows, x.cols, p->rows);
    for (size_t from = 0; from < x.rows && !cut->status; from += at_once) {
        const size_t here = x.rows - from < at_once ? x.rows - from : at_once;
        tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_moments);
        d.specs[1] = centred;
        d.specs[2] = LOCAL;
        d.push.n = (uint32_t)here;
        d.push.f = (uint32_t)x.cols;
        d.push.u[0] = (uint32_t)p->block;
        d.push.u[1] = (uint32_t)p->rows;
        d.push.u[2] = (uint32_t)(from / p->rows);
        d.push.x[0] = (float)cut->code->a;
        d.push.x[1] = (float)cut->code->b;
        tonnx__vk_takes(&d, tonnx__vk_rows_of(x, from, here));
        tonnx__vk_takes(&d, centred ? cut->out[0] : (tonnx__vk_operand){ 0 });
        tonnx__vk_gives(&d, w);
        tonnx__vk_emit(cut, &d, p->count, (here - 1) / p->rows + 1);
    }
}

static void emit_join(tonnx__vk_cut *cut, const panels *p, bool centred, tonnx__vk_operand w)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_moments_join);
    d.specs[1] = centred;
    d.push.f = (uint32_t)p->count;
    d.push.k = (uint32_t)p->parts;
    d.push.u[0] = (uint32_t)cut->in[0].cols;
    d.push.u[1] = (uint32_t)p->block;
    d.push.x[0] = (float)cut->in[0].rows;
    tonnx__vk_takes(&d, w);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_emit(cut, &d, (p->count + LOCAL - 1) / LOCAL, 1);
}

/* S[·,p] = the moments of columns [p·block, (p + 1)·block) of X[N,F]: sums and the mean, then powers about the mean */
void tonnx__vk_cut_MOMENTS(tonnx__vk_cut *cut)
{
    const panels p = cut_panels(cut);
    const tonnx__vk_operand w = tonnx__vk_scratch(cut, p.parts * p.count, SUMS);
    for (int centred = 0; centred < 2; centred++) {
        emit_parts(cut, &p, centred, w);
        emit_join(cut, &p, centred, w);
    }
}

/* Elements [from, from + count) of X, whole runs or a part of one. */
static void emit_histogram(tonnx__vk_cut *cut, size_t from, size_t count)
{
    const size_t block = cut->code->block, runs = (count - 1) / block + 1, most = cut->vk->limits.groups;
    const tonnx__vk_operand h = cut->out[0];
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_histogram);
    d.push.n = (uint32_t)runs;
    d.push.f = (uint32_t)h.cols;
    d.push.k = (uint32_t)(block < count ? block : count);
    d.push.u[0] = (uint32_t)count;
    d.push.flags = from % block ? TONNX__VK_ACC0 : 0;
    tonnx__vk_takes(&d, tonnx__vk_rows_of(tonnx__vk_flat(cut->in[0]), from, count));
    tonnx__vk_takes(&d, cut->in[1]);
    tonnx__vk_gives(&d, tonnx__vk_rows_of(h, from / block, runs));
    tonnx__vk_emit(cut, &d, runs < most ? runs : most, (runs - 1) / most + 1);
}

/* H[i,·] = how many elements of the i-th run of `block` elements of X fall into each bin */
void tonnx__vk_cut_HISTOGRAM(tonnx__vk_cut *cut)
{
    const size_t all = cut->in[0].rows * cut->in[0].cols, block = cut->code->block;
    const size_t room = tonnx__vk_span(cut, all, 1, 1), whole = room / block * block;
    for (size_t from = 0; from < all && !cut->status;) {
        const size_t left = block - from % block, least = left < room ? left : room;
        size_t count = whole && left == block ? whole : least;
        if (count > all - from) count = all - from;
        emit_histogram(cut, from, count);
        from += count;
    }
}
