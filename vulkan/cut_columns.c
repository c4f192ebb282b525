/* Kinds that sum over the batch, column by column: column sums, slopes' gradients, batch norm. */
#include "vulkan/cut_impl.h"

enum { COLUMNS = 16 }; /* of a workgroup, as column.comp has them */

void tonnx__vk_column_sum(tonnx__vk_cut *cut, const tonnx__vk_sum *sum, tonnx__vk_operand to)
{
    const size_t rows = sum->x.rows, cols = sum->x.cols, at_once = tonnx__vk_span(cut, rows, cols, 1);
    for (size_t from = 0; from < rows && !cut->status; from += at_once) {
        const size_t here = rows - from < at_once ? rows - from : at_once;
        const bool by_row = sum->mode == TONNX__VK_SUM_BY_ROW;
        tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_column);
        d.specs[1] = sum->mode;
        d.push.n = (uint32_t)here;
        d.push.f = (uint32_t)cols;
        d.push.x[0] = (float)sum->alpha;
        d.push.flags = sum->add || from ? TONNX__VK_ACC0 : 0;
        tonnx__vk_takes(&d, tonnx__vk_rows_of(sum->x, from, here));
        tonnx__vk_takes(&d, sum->v.buffer ? tonnx__vk_rows_of(sum->v, from, here) : sum->v);
        tonnx__vk_takes(&d, by_row && sum->mean.buffer ? tonnx__vk_rows_of(sum->mean, from, here) : sum->mean);
        tonnx__vk_takes(&d, by_row ? tonnx__vk_rows_of(sum->rstd, from, here) : sum->rstd);
        tonnx__vk_gives(&d, to);
        tonnx__vk_emit(cut, &d, (cols + COLUMNS - 1) / COLUMNS, 1);
    }
}

/* y[f] = alpha·Σₙ X[n,f] */
void tonnx__vk_cut_COLUMN_SUM(tonnx__vk_cut *cut)
{
    const tonnx__vk_operand none = { 0 };
    const tonnx__vk_sum sum = {
        TONNX__VK_SUM, cut->in[0], none, none, none, cut->code->alpha, (cut->code->flags & TONNX__ACC0) != 0
    };
    tonnx__vk_column_sum(cut, &sum, cut->out[0]);
}

/* dA[f] = Σₙ dY[n,f]·∂f/∂a(X[n,f]) */
void tonnx__vk_cut_SLOPE_BACK(tonnx__vk_cut *cut)
{
    const tonnx__vk_operand none = { 0 };
    const tonnx__vk_sum sum = { TONNX__VK_SUM_SLOPE, cut->in[1], cut->in[0], none, none, 1.0, false };
    tonnx__vk_column_sum(cut, &sum, cut->out[0]);
}

/* Y[n,f] = (X[n,f] − mean[f])·rstd[f]·scale[f] + shift[f] */
static void normalise(tonnx__vk_cut *cut, tonnx__vk_operand mean, tonnx__vk_operand rstd, bool is_variance)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_column_norm);
    d.specs[1] = is_variance;
    d.push.x[0] = (float)cut->code->epsilon;
    for (int k = 0; k < 3; k++) tonnx__vk_takes(&d, cut->in[k]);
    tonnx__vk_takes(&d, mean);
    tonnx__vk_takes(&d, rstd);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_emit_rows(cut, &d, cut->out[0].rows, cut->out[0].cols, cut->out[0].cols);
}

/* The batch's mean, then its variance about that, then what becomes of both, then Y. */
void tonnx__vk_cut_BATCH_NORM(tonnx__vk_cut *cut)
{
    const tonnx__instruction *code = cut->code;
    const tonnx__vk_operand x = cut->in[0], mean = cut->out[1], rstd = cut->out[2], none = { 0 };
    const double rows = (double)x.rows;
    const tonnx__vk_sum first = { TONNX__VK_SUM, x, none, none, none, 1.0 / rows, false };
    const tonnx__vk_sum second = { TONNX__VK_SUM_SQUARE, x, none, mean, none, 1.0 / rows, false };
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_statistics);
    tonnx__vk_column_sum(cut, &first, mean);
    tonnx__vk_column_sum(cut, &second, rstd);
    d.push.x[0] = (float)code->epsilon;
    d.push.x[1] = (float)code->momentum;
    d.push.x[2] = (float)(1.0 - code->momentum);
    d.push.x[3] = (float)((code->flags & TONNX__UNBIASED) && x.rows > 1 ? rows / (rows - 1.0) : 1.0);
    tonnx__vk_takes(&d, mean);
    for (int k = 2; k < 5; k++) tonnx__vk_gives(&d, cut->out[k]);
    tonnx__vk_emit_rows(cut, &d, 1, x.cols, x.cols);
    normalise(cut, mean, rstd, false);
}

/* Y[n,f] = (X[n,f] − mean[f])/√(var[f] + epsilon)·scale[f] + shift[f] */
void tonnx__vk_cut_FIXED_NORM(tonnx__vk_cut *cut)
{
    normalise(cut, cut->in[3], cut->in[4], true);
}

/* dscale[f] = Σₙ dY·x̂; dshift[f] = Σₙ dY; dX = scale·rstd·(dY − dshift/N − x̂·dscale/N) */
void tonnx__vk_cut_BATCH_NORM_BACK(tonnx__vk_cut *cut)
{
    const tonnx__vk_operand dy = cut->in[0], x = cut->in[1], mean = cut->in[3], rstd = cut->in[4], none = { 0 };
    const tonnx__vk_operand dscale = cut->out[1].buffer ? cut->out[1] : tonnx__vk_scratch(cut, 1, x.cols);
    const tonnx__vk_operand dshift = cut->out[2].buffer ? cut->out[2] : tonnx__vk_scratch(cut, 1, x.cols);
    const tonnx__vk_sum of_scale = { TONNX__VK_SUM_BY_COLUMN, x, dy, mean, rstd, 1.0, false };
    const tonnx__vk_sum of_shift = { TONNX__VK_SUM, dy, none, none, none, 1.0, false };
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_column_norm_back);
    tonnx__vk_column_sum(cut, &of_scale, dscale);
    tonnx__vk_column_sum(cut, &of_shift, dshift);
    if (!cut->out[0].buffer) return;
    d.push.x[1] = (float)(1.0 / (double)x.rows);
    for (int k = 0; k < 5; k++) tonnx__vk_takes(&d, cut->in[k]);
    tonnx__vk_takes(&d, dscale);
    tonnx__vk_takes(&d, dshift);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_emit_rows(cut, &d, x.rows, x.cols, x.cols);
}

/* dX[n,f] = dY[n,f]·scale[f]/√(var[f] + epsilon) */
void tonnx__vk_cut_FIXED_NORM_BACK(tonnx__vk_cut *cut)
{
    const tonnx__vk_operand none = { 0 };
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_column_norm_back);
    d.specs[1] = 1;
    d.push.x[0] = (float)cut->code->epsilon;
    tonnx__vk_takes(&d, cut->in[0]);
    tonnx__vk_takes(&d, none);
    tonnx__vk_takes(&d, cut->in[1]);
    tonnx__vk_takes(&d, none);
    tonnx__vk_takes(&d, cut->in[2]);
    tonnx__vk_takes(&d, none);
    tonnx__vk_takes(&d, none);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_emit_rows(cut, &d, cut->out[0].rows, cut->out[0].cols, cut->out[0].cols);
}
