/* C[m,n] = act(alpha·Σₖ op(A)[m,k]·op(B)[k,n] + beta·bias[n]). Where a matrix is larger than a binding, M, N or K is done
 * in parts: rows of what is stored row by row are what a window can show. */
#include <string.h>

#include "vulkan/exec_impl.h"

/* A product's sizes and how it lies. */
typedef struct product {
    size_t m, n, k;
    bool trans_a, trans_b;
} product;

/* A part of it. */
typedef struct part {
    size_t m, n, k; /* from where */
    size_t rows, cols, depth;
} part;

typedef struct tile {
    uint32_t bm, bn, bk, tm, tn;
} tile;

static uint32_t invocations(const tile *t)
{
    return t->bm / t->tm * (t->bn / t->tn);
}

/* What gemm.comp takes for granted. */
static bool is_lawful(const tile *t, const tonnx__vk_limits *limits)
{
    return t->bm % t->tm == 0 && t->bn % t->tn == 0 && invocations(t) <= limits->invocations &&
           (size_t)(t->bm + t->bn) * t->bk * sizeof(float) <= limits->shared;
}

/* By the shape alone. */
static tile choose_tile(const product *p)
{
    static const tile large = { 64, 64, 16, 8, 4 }, small = { 32, 32, 16, 4, 2 }, thin = { 8, 64, 16, 1, 4 };
    if (p->m <= 8) return thin;
    return p->m >= 256 && p->n >= 256 ? large : small;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How much of M, N and K one dispatch may take. */
static part choose_part(tonnx__vk_cut *cut, const product *p, const tile *t)
{
    part at_once = { 0, 0, 0, tonnx__vk_span(cut, p->m, p->n, t->bm), p->n, p->k };
    if (p->trans_a) at_once.depth = tonnx__vk_span(cut, p->k, p->m, t->bk);
    else at_once.rows = least(at_once.rows, tonnx__vk_span(cut, p->m, p->k, t->bm));
    if (p->trans_b) at_once.cols = tonnx__vk_span(cut, p->n, p->k, t->bn);
    else at_once.depth = least(at_once.depth, tonnx__vk_span(cut, p->k, p->n, t->bk));
    at_once.rows = least(at_once.rows, (size_t)cut->vk->limits.groups * t->bm);
    at_once.cols = least(at_once.cols, (size_t)cut->vk->limits.groups * t->bn);
    return at_once;
}

/* `rows` by `cols` elements of a matrix as stored, from (r, c) on. */
static tonnx__vk_operand block(tonnx__vk_operand x, size_t r, size_t c, size_t rows, size_t cols)
{
    if (!x.buffer) return x;
    x.at += r * x.cols + c;
    x.rows = (rows - 1) * x.cols + cols;
    x.cols = 1;
    return x;
}

/* Columns of a row that may be one number for all. */
static tonnx__vk_operand columns(tonnx__vk_operand row, size_t c, size_t cols)
{
    if (!row.buffer || row.cols == 1) return row;
    row.at += c;
    row.cols = cols;
    return row;
}

static void take_operands(const tonnx__vk_cut *cut, tonnx__vk_dispatch *d, const product *p, const part *at)
{
    const tonnx__vk_operand none = { 0 }, kept = cut->in[3].buffer ? cut->in[3] : cut->in[4];
    const tonnx__vk_operand *a = &cut->in[0], *b = &cut->in[1];
    const bool last = at->k + at->depth == p->k, sums = at->n == 0;
    tonnx__vk_takes(d, p->trans_a ? block(*a, at->k, at->m, at->depth, at->rows)
                                  : block(*a, at->m, at->k, at->rows, at->depth));
    tonnx__vk_takes(d, p->trans_b ? block(*b, at->n, at->k, at->cols, at->depth)
                                  : block(*b, at->k, at->n, at->depth, at->cols));
    tonnx__vk_takes(d, columns(cut->in[2], at->n, at->cols));
    tonnx__vk_takes(d, last ? block(kept, at->m, at->n, at->rows, at->cols) : none);
    tonnx__vk_takes(d, columns(cut->in[5], at->n, at->cols));
    tonnx__vk_gives(d, block(cut->out[0], at->m, at->n, at->rows, at->cols));
    tonnx__vk_gives(d, last ? block(cut->out[1], at->m, at->n, at->rows, at->cols) : none);
    tonnx__vk_gives(d, sums ? columns(cut->out[2], at->m, at->rows) : none);
}

static void emit_part(tonnx__vk_cut *cut, const product *p, const tile *t, const part *at)
{
    enum { CONTINUED = 1 << 2, UNFINISHED = 1 << 3 };
    const tonnx__instruction *code = cut->code;
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_gemm);
    const uint32_t how = (p->trans_a ? 1u : 0u) | (p->trans_b ? 2u : 0u) | (code->flags & TONNX__EPILOGUE_BACK ? 4u : 0u);
    const uint32_t specs[TONNX__VK_SPECS] = { invocations(t), tonnx__vk_act(code->op), how, t->bm, t->bn, t->bk, t->tm,
                                              t->tn };
    memcpy(d.specs, specs, sizeof specs);
    take_operands(cut, &d, p, at);
    if (at->k) d.push.flags |= CONTINUED;
    if (at->k + at->depth < p->k) d.push.flags |= UNFINISHED;
    d.push.n = (uint32_t)at->rows;
    d.push.f = (uint32_t)at->cols;
    d.push.k = (uint32_t)at->depth;
    d.push.u[0] = (uint32_t)cut->in[0].cols;
    d.push.u[1] = (uint32_t)cut->in[1].cols;
    d.push.u[2] = (uint32_t)p->n;
    const double numbers[] = { code->alpha, code->beta, code->a, code->b };
    for (int i = 0; i < 4; i++) d.push.x[i] = (float)numbers[i];
    tonnx__vk_emit(cut, &d, (at->cols + t->bn - 1) / t->bn, (at->rows + t->bm - 1) / t->bm);
}

void tonnx__vk_cut_GEMM(tonnx__vk_cut *cut)
{
    const unsigned flags = cut->code->flags;
    const tonnx__vk_operand *a = &cut->in[0], *c = &cut->out[0];
    const product p = { c->rows, c->cols, flags & TONNX__TRANS_A ? a->rows : a->cols, (flags & TONNX__TRANS_A) != 0,
                        (flags & TONNX__TRANS_B) != 0 };
    const tile t = choose_tile(&p);
    const part most = choose_part(cut, &p, &t);
    part at = { 0 };
    if (!is_lawful(&t, &cut->vk->limits) && !cut->status)
        cut->status = tonnx__fail(TONNX_BAD_DEVICE, "vulkan: a tile of %u by %u by %u breaks %s's limits", t.bm, t.bn, t.bk,
                                  cut->vk->card.properties.deviceName);
    for (at.m = 0; at.m < p.m && !cut->status; at.m += most.rows)
        for (at.n = 0; at.n < p.n && !cut->status; at.n += most.cols)
            for (at.k = 0; at.k < p.k && !cut->status; at.k += most.depth) {
                at.rows = least(most.rows, p.m - at.m);
                at.cols = least(most.cols, p.n - at.n);
                at.depth = least(most.depth, p.k - at.k);
                emit_part(cut, &p, &t, &at);
            }
}
