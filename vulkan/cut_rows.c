/* Kinds that work on whole rows: softmax, losses, row norms; and sums of runs, whose rows are the runs. */
#include "vulkan/cut_impl.h"

enum { SHORT = 32, LOCAL = 64 };

/* A short row is one invocation's, a long one a workgroup's: by the shape alone. */
static size_t lanes(size_t cols)
{
    return cols <= SHORT ? 1 : LOCAL;
}

static void emit(tonnx__vk_cut *cut, tonnx__vk_dispatch *d, size_t rows, size_t cols)
{
    d->specs[2] = (uint32_t)lanes(cols);
    tonnx__vk_emit_rows(cut, d, rows, cols, lanes(cols));
}

/* Y[n] = softmax(X[n]), or its logarithm */
void tonnx__vk_cut_SOFTMAX(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_softmax);
    d.specs[1] = (cut->code->flags & TONNX__LOG) != 0;
    tonnx__vk_takes(&d, cut->in[0]);
    tonnx__vk_gives(&d, cut->out[0]);
    emit(cut, &d, cut->out[0].rows, cut->out[0].cols);
}

void tonnx__vk_cut_SOFTMAX_BACK(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_softmax_back);
    d.specs[1] = (cut->code->flags & TONNX__LOG) != 0;
    tonnx__vk_takes(&d, cut->in[0]);
    tonnx__vk_takes(&d, cut->in[1]);
    tonnx__vk_gives(&d, cut->out[0]);
    emit(cut, &d, cut->out[0].rows, cut->out[0].cols);
}

/* Shaders know a loss by the line of its row. */
static uint32_t loss_line(int op)
{
    static const uint32_t lines[] = {
#define TONNX_LOSS(id, name, shape, reads) [TONNX_##id] = __LINE__,
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
    };
    return lines[op];
}

tonnx__vk_loss tonnx__vk_loss_of(const tonnx__instruction *code, size_t rows)
{
    return (tonnx__vk_loss){ .line = loss_line(code->op),
                             .classes = (code->flags & TONNX__CLASSES) != 0,
                             .by_rows = !tonnx__loss_elementwise(code->op),
                             .logits = code->op == TONNX_CROSS_ENTROPY,
                             .a = (float)code->a,
                             .smoothing = (float)code->b,
                             .share = (float)(1.0 / (double)rows) };
}

/* L[n] = the row's loss; dX[n] = ∂(mean over rows)/∂X[n] */
void tonnx__vk_cut_LOSS(tonnx__vk_cut *cut)
{
    const tonnx__vk_operand x = cut->in[0];
    const tonnx__vk_loss loss = tonnx__vk_loss_of(cut->code, x.rows);
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_loss);
    d.specs[1] = loss.line;
    d.specs[3] = loss.classes;
    d.specs[4] = loss.by_rows;
    d.specs[5] = loss.logits;
    d.push.x[0] = loss.a;
    d.push.x[1] = loss.smoothing;
    d.push.x[2] = loss.share;
    for (int k = 0; k < 3; k++) tonnx__vk_takes(&d, cut->in[k]);
    for (int k = 0; k < 3; k++) tonnx__vk_gives(&d, cut->out[k]);
    emit(cut, &d, x.rows, x.cols);
}

/* Y[n] = (X[n] − mean[n])·rstd[n] ∘ scale + shift */
void tonnx__vk_cut_ROW_NORM(tonnx__vk_cut *cut)
{
    const tonnx__vk_operand x = cut->in[0];
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_row_norm);
    d.specs[1] = (cut->code->flags & TONNX__RMS) != 0;
    d.push.x[0] = (float)cut->code->epsilon;
    d.push.x[1] = (float)(1.0 / (double)x.cols);
    for (int k = 0; k < 3; k++) tonnx__vk_takes(&d, cut->in[k]);
    for (int k = 0; k < 3; k++) tonnx__vk_gives(&d, cut->out[k]);
    emit(cut, &d, x.rows, x.cols);
}

/* dscale[f] = Σₙ dY·x̂; dshift[f] = Σₙ dY; dX[n] = rstd[n]·(g − mean(g) − x̂·mean(g·x̂)), g = dY ∘ scale */
void tonnx__vk_cut_ROW_NORM_BACK(tonnx__vk_cut *cut)
{
    const tonnx__vk_operand dy = cut->in[0], x = cut->in[1], none = { 0 };
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_row_norm_back);
    const tonnx__vk_sum dscale = { TONNX__VK_SUM_BY_ROW, x, dy, cut->in[3], cut->in[4], 1.0, false };
    const tonnx__vk_sum dshift = { TONNX__VK_SUM, dy, none, none, none, 1.0, false };
    if (cut->out[1].buffer) tonnx__vk_column_sum(cut, &dscale, cut->out[1]);
    if (cut->out[2].buffer) tonnx__vk_column_sum(cut, &dshift, cut->out[2]);
    if (!cut->out[0].buffer) return;
    d.specs[1] = (cut->code->flags & TONNX__RMS) != 0;
    d.push.x[1] = (float)(1.0 / (double)x.cols);
    for (int k = 0; k < 5; k++) tonnx__vk_takes(&d, cut->in[k]);
    tonnx__vk_gives(&d, cut->out[0]);
    emit(cut, &d, x.rows, x.cols);
}

/* y[i] = alpha·Σ X of the i-th run of `block` elements */
void tonnx__vk_cut_REDUCE(tonnx__vk_cut *cut)
{
    const tonnx__vk_operand x = tonnx__vk_flat(cut->in[0]), y = tonnx__vk_flat(cut->out[0]);
    const size_t block = cut->code->block, at_once = tonnx__vk_span(cut, x.rows, 1, block < x.rows ? block : x.rows);
    for (size_t from = 0; from < x.rows && !cut->status; from += at_once) {
        const size_t here = x.rows - from < at_once ? x.rows - from : at_once, runs = (here - 1) / block + 1;
        tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_reduce);
        d.specs[1] = (cut->code->flags & TONNX__SQUARE) != 0;
        d.specs[2] = (uint32_t)lanes(block);
        d.push.k = (uint32_t)block;
        d.push.u[0] = (uint32_t)here;
        d.push.x[0] = (float)cut->code->alpha;
        tonnx__vk_takes(&d, tonnx__vk_rows_of(x, from, here));
        tonnx__vk_gives(&d, y.result ? y : tonnx__vk_rows_of(y, from / block, runs));
        tonnx__vk_takes_clock(cut, &d);
        tonnx__vk_emit_rows(cut, &d, runs, 1, lanes(block));
    }
}
