/* C[m,n] = act(alpha·Σₖ op(A)[m,k]·op(B)[k,n] + beta·bias[n]). Where a matrix is larger than a binding, M, N or K is
 * done in parts: rows of what is stored row by row are what a window can show. Where there is little of C and much of K,
 * K comes in slices side by side, which the dispatch after them adds up; it has the epilogue. */
#include <string.h>

#include "vulkan/variant_impl.h"

/* Adds up slices. */
static const tonnx__vk_variant join = { "join", TONNX__VK_JOIN, 4, 64, 4, 1, 4 };
enum { WIDEST_LOSS = 64 }; /* rows that one workgroup makes whole; by the shape alone, as it shows in the bits */

/* A part of a product: from where, how much. */
typedef struct part {
    size_t m, n, k; /* from where */
    size_t rows, cols, depth;
} part;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How much of M, N and K one dispatch may take. */
static part choose_part(tonnx__vk_cut *cut, const tonnx__vk_product *p, const tonnx__vk_variant *v)
{
    part at_once = { 0, 0, 0, tonnx__vk_span(cut, p->m, p->n, v->bm), p->n, p->k };
    if (p->lie & TONNX__VK_TRANS_A) at_once.depth = tonnx__vk_span(cut, p->k, p->m, v->bk);
    else at_once.rows = least(at_once.rows, tonnx__vk_span(cut, p->m, p->k, v->bm));
    if (p->lie & TONNX__VK_TRANS_B) at_once.cols = tonnx__vk_span(cut, p->n, p->k, v->bn);
    else at_once.depth = least(at_once.depth, tonnx__vk_span(cut, p->k, p->n, v->bk));
    at_once.rows = least(at_once.rows, (size_t)cut->vk->limits.groups * v->bm);
    at_once.cols = least(at_once.cols, (size_t)cut->vk->limits.groups * v->bn);
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

/* What a join has in their place: the slices' products, and their sums. */
static void take_slices(const tonnx__vk_cut *cut, tonnx__vk_dispatch *d)
{
    for (int k = 0; k < 2; k++) tonnx__vk_takes(d, cut->in[k]);
}

static void take_factors(const tonnx__vk_cut *cut, tonnx__vk_dispatch *d, const tonnx__vk_product *p, const part *at)
{
    const tonnx__vk_operand *a = &cut->in[0], *b = &cut->in[1];
    tonnx__vk_takes(d, p->lie & TONNX__VK_TRANS_A ? block(*a, at->k, at->m, at->depth, at->rows)
                                  : block(*a, at->m, at->k, at->rows, at->depth));
    tonnx__vk_takes(d, p->lie & TONNX__VK_TRANS_B ? block(*b, at->n, at->k, at->cols, at->depth)
                                  : block(*b, at->k, at->n, at->depth, at->cols));
}

/* What gemm.comp has besides. */
static void take_epilogue(const tonnx__vk_cut *cut, tonnx__vk_dispatch *d, const tonnx__vk_product *p, const part *at)
{
    enum { CONTINUED = 1 << 2, UNFINISHED = 1 << 3 };
    const tonnx__vk_operand none = { 0 }, kept = cut->in[3].buffer ? cut->in[3] : cut->in[4];
    const tonnx__instruction *code = cut->code;
    const bool last = at->k + at->depth == p->k, sums = at->n == 0;
    const double numbers[] = { code->alpha, code->beta, code->a, code->b };
    tonnx__vk_takes(d, columns(cut->in[2], at->n, at->cols));
    tonnx__vk_takes(d, last ? block(kept, at->m, at->n, at->rows, at->cols) : none);
    tonnx__vk_takes(d, columns(cut->in[5], at->n, at->cols));
    tonnx__vk_gives(d, block(cut->out[0], at->m, at->n, at->rows, at->cols));
    tonnx__vk_gives(d, last ? block(cut->out[1], at->m, at->n, at->rows, at->cols) : none);
    tonnx__vk_gives(d, sums ? columns(cut->out[2], at->m, at->rows) : none);
    d->specs[1] = tonnx__vk_act(code->op);
    if (at->k) d->push.flags |= CONTINUED;
    if (!last) d->push.flags |= UNFINISHED;
    for (int i = 0; i < 4; i++) d->push.x[i] = (float)numbers[i];
}

/* What gemm_update.comp has. */
static void take_update(tonnx__vk_cut *cut, tonnx__vk_dispatch *d, const part *at)
{
    const tonnx__vk_operand none = { 0 };
    for (int k = 0; k < 3; k++) tonnx__vk_gives(d, block(cut->out[k], at->m, at->n, at->rows, at->cols));
    for (int k = 3; k < 6; k++) tonnx__vk_gives(d, at->n ? none : columns(cut->out[k], at->m, at->rows));
    tonnx__vk_takes_clock(cut, d);
    d->specs[1] = tonnx__vk_optimizer(cut->code->op);
    tonnx__vk_hyper(cut->code, d->push.x);
    d->push.x[7] = (float)cut->code->alpha;
}

/* Whether four of the operand's numbers may be read at once: `along` of them lie side by side. */
static bool is_wide(const tonnx__vk_operand *x, size_t k, size_t along)
{
    return x->cols % 4 == 0 && x->at % 4 == 0 && along % 4 == 0 && k % 4 == 0;
}

static tonnx__vk_product product_of(const tonnx__vk_cut *cut)
{
    const tonnx__vk_operand *a = &cut->in[0], *b = &cut->in[1], *c = &cut->out[0];
    const bool trans_a = cut->code->flags & TONNX__TRANS_A, trans_b = cut->code->flags & TONNX__TRANS_B;
    tonnx__vk_product p = { c->rows, c->cols, trans_a ? a->rows : a->cols, 0, false, 0, 0 };
    p.lie = (trans_a ? TONNX__VK_TRANS_A : 0u) | (trans_b ? TONNX__VK_TRANS_B : 0u) |
            (is_wide(a, p.k, trans_a ? p.m : p.k) ? TONNX__VK_WIDE_A : 0u) |
            (is_wide(b, p.k, trans_b ? p.k : p.n) ? TONNX__VK_WIDE_B : 0u);
    tonnx__vk_slice(&p);
    return p;
}

/* Whether four numbers of all that has C's shape may be read and written at once. */
static bool makes_fours(const tonnx__vk_cut *cut, int sums)
{
    bool wide = cut->out[0].cols % 4 == 0;
    for (int k = 0; k < sums; k++) wide &= !cut->out[k].buffer || cut->out[k].at % 4 == 0;
    for (int k = 3; k < 5; k++) wide &= !cut->in[k].buffer || cut->in[k].at % 4 == 0;
    return wide;
}

/* Constant 2 of the shaders. */
static uint32_t how(const tonnx__vk_cut *cut, const tonnx__vk_product *p)
{
    enum { BACK = 16, SUMS = 32, WIDE_C = 64 };
    const int sums = cut->code->kind == TONNX__GEMM_UPDATE ? 3 : 2;
    return p->lie | (cut->code->flags & TONNX__EPILOGUE_BACK ? BACK : 0u) | (cut->out[sums].buffer ? SUMS : 0u) |
           (makes_fours(cut, sums) ? WIDE_C : 0u);
}

/* The module that reads as the variant does. */
static tonnx__vk_shader module_of(tonnx__vk_shader shader, const tonnx__vk_variant *v)
{
    static const tonnx__vk_shader texels[TONNX__VK_SHADERS] = { [TONNX__VK_gemm] = TONNX__VK_gemm_texels,
                                                                [TONNX__VK_gemm_update] = TONNX__VK_gemm_update_texels,
                                                                [TONNX__VK_gemm_loss] = TONNX__VK_gemm_loss_texels };
    return v->way == TONNX__VK_TEXELS ? texels[shader] : shader;
}

static tonnx__vk_dispatch begin_part(const tonnx__vk_cut *cut, tonnx__vk_shader shader, const tonnx__vk_product *p,
                                     const tonnx__vk_variant *v, const part *at)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, module_of(shader, v));
    const uint32_t specs[TONNX__VK_SPECS] = {
        tonnx__vk_variant_invocations(v), 0, how(cut, p), v->bm, v->bn, v->bk, v->tm, v->tn, v->way
    };
    const bool faulty = cut->vk->faulty && v == tonnx__vk_variant_row(cut->vk->faulty - 1);
    memcpy(d.specs, specs, sizeof specs);
    d.push.n = (uint32_t)at->rows;
    d.push.f = (uint32_t)at->cols;
    d.push.k = (uint32_t)at->depth - faulty;
    d.push.u[0] = (uint32_t)cut->in[0].cols;
    d.push.u[1] = (uint32_t)cut->in[1].cols;
    d.push.u[2] = (uint32_t)p->n;
    if (v->way == TONNX__VK_JOIN) take_slices(cut, &d);
    else take_factors(cut, &d, p, at);
    return d;
}

/* Which operands there are is constant in these shaders. */
static void emit_groups(tonnx__vk_cut *cut, tonnx__vk_dispatch *d, size_t across, size_t down)
{
    d->specs[2] |= d->push.flags & ((1u << TONNX__VK_ONE_COL) - (1u << TONNX__VK_HAS));
    tonnx__vk_emit(cut, d, across, down);
}

static void emit_part(tonnx__vk_cut *cut, const tonnx__vk_product *p, const tonnx__vk_variant *v, const part *at)
{
    const bool update = cut->code->kind == TONNX__GEMM_UPDATE;
    tonnx__vk_dispatch d = begin_part(cut, update ? TONNX__VK_gemm_update : TONNX__VK_gemm, p, v, at);
    if (update) take_update(cut, &d, at);
    else take_epilogue(cut, &d, p, at);
    emit_groups(cut, &d, (at->cols + v->bn - 1) / v->bn, (at->rows + v->bm - 1) / v->bm);
}

static void emit_parts(tonnx__vk_cut *cut, const tonnx__vk_product *p, const tonnx__vk_variant *v, const part *most)
{
    part at = { 0 };
    for (at.m = 0; at.m < p->m && !cut->status; at.m += most->rows)
        for (at.n = 0; at.n < p->n && !cut->status; at.n += most->cols)
            for (at.k = 0; at.k < p->k && !cut->status; at.k += most->depth) {
                at.rows = least(most->rows, p->m - at.m);
                at.cols = least(most->cols, p->n - at.n);
                at.depth = least(most->depth, p->k - at.k);
                emit_part(cut, p, v, &at);
            }
}

static bool is_whole(const part *most, const tonnx__vk_product *p)
{
    return most->rows >= p->m && most->cols >= p->n && most->depth >= p->k;
}

/* The slices' products and sums, all in one dispatch, into scratch room. What is left to do is to join them. */
static void cut_slices(tonnx__vk_cut *cut, tonnx__vk_product *p, const tonnx__vk_variant **v)
{
    enum { SLICED = 128 };
    const part whole = { 0, 0, 0, p->m, p->n, p->k };
    const tonnx__instruction bare = { .kind = TONNX__GEMM };
    const tonnx__vk_operand none = { 0 }, products = tonnx__vk_scratch(cut, p->slices * p->m, p->n);
    const bool has_sums = cut->out[cut->code->kind == TONNX__GEMM_UPDATE ? 3 : 2].buffer;
    const tonnx__vk_operand sums = has_sums ? tonnx__vk_scratch(cut, p->slices, p->m) : none;
    const tonnx__vk_cut inner = { .vk = cut->vk, .exec = cut->exec, .code = &bare, .index = cut->index,
                                  .in = { cut->in[0], cut->in[1] }, .out = { products, none, sums } };
    tonnx__vk_dispatch d = begin_part(&inner, TONNX__VK_gemm, p, *v, &whole);
    d.specs[2] |= SLICED;
    d.push.u[3] = (uint32_t)p->depth;
    d.push.x[0] = 1.0f;
    for (int k = 2; k < 5; k++) tonnx__vk_takes(&d, none);
    for (int k = 0; k < 3; k++) tonnx__vk_gives(&d, inner.out[k]);
    emit_groups(cut, &d, (p->n + (*v)->bn - 1) / (*v)->bn, p->slices * ((p->m + (*v)->bm - 1) / (*v)->bm));
    cut->in[0] = products;
    cut->in[1] = sums;
    *p = (tonnx__vk_product){ p->m, p->n, p->slices, 0, false, 1, 0 };
    *v = &join;
}

/* NULL where the cut failed. */
static const tonnx__vk_variant *choose(tonnx__vk_cut *cut, const tonnx__vk_product *p)
{
    const tonnx__vk_variant *v = NULL;
    if (!cut->status) cut->status = tonnx__vk_variant_choose(cut->vk, p, &v);
    return cut->status ? NULL : v;
}

void tonnx__vk_cut_GEMM(tonnx__vk_cut *cut)
{
    tonnx__vk_product p = product_of(cut);
    const tonnx__vk_variant *v = choose(cut, &p);
    if (!v) return;
    const part most = choose_part(cut, &p, v);
    if (p.slices > 1 && is_whole(&most, &p)) cut_slices(cut, &p, &v);
    emit_parts(cut, &p, v, &most);
}

/* A gradient that is summed up in parts has to be whole before it steps: it is made in scratch room. */
static void cut_apart(tonnx__vk_cut *cut, const tonnx__vk_product *p)
{
    const tonnx__instruction *code = cut->code;
    const tonnx__vk_operand g = tonnx__vk_scratch(cut, p->m, p->n), s = tonnx__vk_scratch(cut, 1, p->m);
    tonnx__instruction gemm = *code, update = *code;
    tonnx__vk_cut inner = *cut;
    gemm.kind = TONNX__GEMM;
    gemm.op = -1;
    gemm.beta = 0;
    inner.code = &gemm;
    memset(inner.out, 0, sizeof inner.out);
    inner.out[0] = g;
    if (cut->out[3].buffer) inner.out[2] = s;
    tonnx__vk_cut_GEMM(&inner);
    update.kind = TONNX__UPDATE;
    inner.code = &update;
    inner.in[0] = g;
    memcpy(inner.out, cut->out, sizeof inner.out);
    tonnx__vk_cut_UPDATE(&inner);
    inner.in[0] = s;
    memcpy(inner.out, cut->out + 3, 3 * sizeof *inner.out);
    if (cut->out[3].buffer) tonnx__vk_cut_UPDATE(&inner);
    cut->status = inner.status;
}

/* G[m,n] = alpha·Σₖ op(A)[m,k]·op(B)[k,n] steps P, M, V; g[m] = Σₖ op(A)[m,k] steps the bias' */
void tonnx__vk_cut_GEMM_UPDATE(tonnx__vk_cut *cut)
{
    const tonnx__vk_product p = product_of(cut);
    const tonnx__vk_variant *v = choose(cut, &p);
    if (!v) return;
    if (choose_part(cut, &p, v).depth < p.k) cut_apart(cut, &p);
    else tonnx__vk_cut_GEMM(cut);
}

/* A product with no epilogue of its own, and the loss of what it makes right after it. */
static bool is_before_loss(const tonnx__vk_cut *cut)
{
    const tonnx__program *program = cut->exec->base.program;
    const tonnx__instruction *code = cut->code, *next = code + 1;
    return cut->index + 1 < program->code_count && code->kind == TONNX__GEMM && next->kind == TONNX__LOSS &&
           next->in[0] == code->out[0] && code->op < 0 && !(code->flags & (TONNX__ACC0 | TONNX__EPILOGUE_BACK)) &&
           code->out[1] < 0 && code->out[2] < 0;
}

static void take_loss(const tonnx__vk_cut *gemm, const tonnx__vk_cut *of, tonnx__vk_dispatch *d)
{
    const tonnx__vk_loss loss = tonnx__vk_loss_of(of->code, of->in[0].rows);
    const uint32_t specs[] = { loss.classes, loss.by_rows, loss.logits };
    const float x[] = { loss.a, loss.smoothing, loss.share, 0, (float)gemm->code->alpha, (float)gemm->code->beta };
    d->specs[1] = loss.line;
    memcpy(d->specs + 9, specs, sizeof specs);
    memcpy(d->push.x, x, sizeof x);
    tonnx__vk_takes(d, gemm->in[2]);
    tonnx__vk_takes(d, of->in[1]);
    tonnx__vk_takes(d, of->in[2]);
    tonnx__vk_gives(d, gemm->out[0]);
    for (int k = 0; k < 3; k++) tonnx__vk_gives(d, of->out[k]);
}

bool tonnx__vk_cut_with_loss(tonnx__vk_cut *cut)
{
    if (!is_before_loss(cut)) return false;
    tonnx__vk_product p = product_of(cut);
    p.loss = true;
    if (p.n > WIDEST_LOSS || p.slices > 1) return false;
    const tonnx__vk_variant *v = choose(cut, &p);
    if (!v) return false;
    const part most = choose_part(cut, &p, v), whole = { 0, 0, 0, p.m, p.n, p.k };
    if (!is_whole(&most, &p)) return false;
    tonnx__vk_cut loss = *cut;
    loss.index++;
    tonnx__vk_cut_open(&loss);
    tonnx__vk_dispatch d = begin_part(cut, TONNX__VK_gemm_loss, &p, v, &whole);
    take_loss(cut, &loss, &d);
    emit_groups(cut, &d, 1, (p.m + v->bm - 1) / v->bm);
    return true;
}
