/* Norms. By columns a tile is a panel of columns, whose statistics and whose elements one thread makes; by rows it is
 * some rows, and what is summed over rows (dscale, dshift) is a second half of the task. */
#include "runtime/cpu/cpu_impl.h"

#include <math.h>

static float *at_or_null(const tonnx__cpu_operand *x, size_t offset)
{
    return x->at ? x->at + offset : NULL;
}

static double value_or(const tonnx__cpu_operand *x, size_t i, double absent)
{
    return x->at ? (double)x->at[i] : absent;
}

/* running = momentum·running + (1 − momentum)·batch·correction */
static void blend(const tonnx__cpu_operand *running, tonnx__span cols, double momentum, const double *batch,
                  double correction)
{
    if (!running->at) return;
    for (size_t f = cols.from; f < cols.to; f++)
        running->at[f] = (float)(momentum * (double)running->at[f] + (1.0 - momentum) * (batch[f - cols.from] * correction));
}

/* Column means and population variances, in double, in one pass by what rows differ from the first: N·variance =
 * Σoff² − (Σoff)²/N. As that row is one of them, it lies at most √N deviations from the mean: Σoff² is at most N times what
 * is left of it, and of a double's 16 digits more remain than the float that this becomes has. */
static void column_statistics(const tonnx__cpu_task *task, tonnx__span cols, const tonnx__panel *panel, double *mean,
                              double *variance)
{
    const float *x = task->in[0].at + cols.from;
    const double each = 1.0 / (double)panel->rows;
    task->kernels->sums->columns_offsets(mean, variance, x, panel);
    for (size_t c = 0; c < panel->cols; c++) {
        const double off = mean[c] * each;
        variance[c] = (variance[c] - mean[c] * off) * each;
        mean[c] = (double)x[c] + off;
    }
}

/* What each column is multiplied by and what is added: k = scale/√(variance + epsilon), shift. Keeps mean and 1/√. */
static void column_factors(const tonnx__cpu_task *task, tonnx__span cols, const double *mean, const double *variance,
                           float *k, float *shift)
{
    const size_t n = cols.to - cols.from;
    const float *scale = at_or_null(&task->in[1], cols.from), *by = at_or_null(&task->in[2], cols.from);
    float *kept_mean = task->out[1].at + cols.from, *kept_rstd = task->out[2].at + cols.from;
    double rstd[TONNX__COLUMNS];
    for (size_t c = 0; c < n; c++) rstd[c] = 1.0 / sqrt(variance[c] + task->code->epsilon);
    for (size_t c = 0; c < n; c++) kept_mean[c] = (float)mean[c];
    for (size_t c = 0; c < n; c++) kept_rstd[c] = (float)rstd[c];
    for (size_t c = 0; c < n; c++) k[c] = (float)(rstd[c] * (scale ? (double)scale[c] : 1.0));
    for (size_t c = 0; c < n; c++) shift[c] = by ? by[c] : 0.0f;
}

static void batch_norm_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *x = &task->in[0];
    const tonnx__span cols = tonnx__tile_columns(task, index, x->cols);
    const tonnx__panel panel = tonnx__panel_of(x, (tonnx__span){ 0, x->rows }, cols);
    const bool unbiased = (task->code->flags & TONNX__UNBIASED) && x->rows > 1;
    const double correction = unbiased ? (double)x->rows / ((double)x->rows - 1.0) : 1.0;
    double mean[TONNX__COLUMNS], variance[TONNX__COLUMNS];
    float k[TONNX__COLUMNS], shift[TONNX__COLUMNS];
    column_statistics(task, cols, &panel, mean, variance);
    column_factors(task, cols, mean, variance, k, shift);
    blend(&task->out[3], cols, task->code->momentum, mean, 1.0);
    blend(&task->out[4], cols, task->code->momentum, variance, correction);
    task->kernels->norm->columns(task->out[0].at + cols.from, x->at + cols.from, task->out[1].at + cols.from, k, shift,
                                 &panel, false);
}

/* Y[n,f] = (X[n,f] − mean[f])·rstd[f]·scale[f] + shift[f] */
void tonnx__cpu_cut_BATCH_NORM(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_columns(task, batch_norm_tile, task->in[0].cols);
}

static void batch_norm_back_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *dy = &task->in[0], *x = &task->in[1], *dx = &task->out[0];
    const tonnx__span cols = tonnx__tile_columns(task, index, x->cols);
    const tonnx__panel panel = tonnx__panel_of(x, (tonnx__span){ 0, x->rows }, cols);
    const float *mean = task->in[3].at + cols.from;
    double sums[TONNX__COLUMNS], dots[TONNX__COLUMNS];
    float k[TONNX__COLUMNS], m1[TONNX__COLUMNS], m2[TONNX__COLUMNS];
    task->kernels->sums->columns_dot(sums, dots, dy->at + cols.from, x->at + cols.from, mean, &panel);
    for (size_t c = 0; c < panel.cols; c++) {
        const size_t f = cols.from + c;
        const double rstd = (double)task->in[4].at[f], rows = (double)panel.rows;
        if (task->out[1].at) task->out[1].at[f] = (float)(dots[c] * rstd);
        if (task->out[2].at) task->out[2].at[f] = (float)sums[c];
        k[c] = (float)(rstd * value_or(&task->in[2], f, 1.0));
        m1[c] = (float)(sums[c] / rows);
        m2[c] = (float)(dots[c] * rstd * rstd / rows);
    }
    const float *const coefficients[4] = { mean, k, m1, m2 };
    if (dx->at)
        task->kernels->norm->columns_back(dx->at + cols.from, dy->at + cols.from, x->at + cols.from, coefficients,
                                          &panel, task->code->flags & TONNX__ACC0);
}

/* dX = scale·rstd·(dY − dshift/N − x̂·dscale/N); dscale = Σ dY·x̂; dshift = Σ dY */
void tonnx__cpu_cut_BATCH_NORM_BACK(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_columns(task, batch_norm_back_tile, task->in[1].cols);
}

enum { FIXED_ROWS = 256 }; /* of a panel, so that its roots and divisions are soon paid for */

static void fixed_norm_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const bool back = task->code->kind == TONNX__FIXED_NORM_BACK;
    const tonnx__cpu_operand *x = &task->in[0], *scale = &task->in[1], none = { 0 };
    const tonnx__cpu_operand *shift = back ? &none : &task->in[2], *mean = back ? &none : &task->in[3];
    const tonnx__cpu_operand *var = back ? &task->in[2] : &task->in[4];
    const tonnx__span rows = tonnx__tile_rows(task, index, x->rows), cols = tonnx__tile_columns(task, index, x->cols);
    const tonnx__panel panel = tonnx__panel_of(x, rows, cols);
    const size_t at = rows.from * x->cols + cols.from;
    float middle[TONNX__COLUMNS], k[TONNX__COLUMNS], b[TONNX__COLUMNS];
    for (size_t c = 0; c < panel.cols; c++) {
        const size_t f = cols.from + c;
        middle[c] = (float)value_or(mean, f, 0.0);
        k[c] = (float)(value_or(scale, f, 1.0) / sqrt((double)var->at[f] + task->code->epsilon));
        b[c] = (float)value_or(shift, f, 0.0);
    }
    task->kernels->norm->columns(task->out[0].at + at, x->at + at, middle, k, b, &panel,
                                 task->code->flags & TONNX__ACC0);
}

/* Y = (X − mean)/√(var + epsilon)·scale + shift */
void tonnx__cpu_cut_FIXED_NORM(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_grid(task, fixed_norm_tile, task->in[0].rows, task->in[0].cols, FIXED_ROWS, TONNX__COLUMNS);
}

/* dX = dY·scale/√(var + epsilon) */
void tonnx__cpu_cut_FIXED_NORM_BACK(tonnx__cpu_task task[2])
{
    tonnx__cpu_cut_FIXED_NORM(task);
}

static void row_norm_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *x = &task->in[0];
    const tonnx__span rows = tonnx__tile_rows(task, index, x->rows);
    const bool rms = task->code->flags & TONNX__RMS;
    for (size_t n = rows.from; n < rows.to; n++) {
        const float *row = x->at + n * x->cols;
        const double cols = (double)x->cols, mean = rms ? 0.0 : task->kernels->sums->sum(row, x->cols) / cols;
        const double variance = task->kernels->sums->sum_centred(row, mean, x->cols) / cols;
        const double rstd = 1.0 / sqrt(variance + task->code->epsilon);
        const float by[2] = { (float)mean, (float)rstd };
        if (task->out[1].at) task->out[1].at[n] = by[0];
        task->out[2].at[n] = by[1];
        task->kernels->norm->row(task->out[0].at + n * x->cols, row, task->in[1].at, task->in[2].at, by, x->cols);
    }
}

/* Y[n] = (X[n] − mean[n])·rstd[n] ∘ scale + shift */
void tonnx__cpu_cut_ROW_NORM(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_rows(task, row_norm_tile, task->in[0].rows, task->in[0].cols);
}

static void row_norm_back_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *dy = &task->in[0], *x = &task->in[1], *scale = &task->in[2];
    const tonnx__span rows = tonnx__tile_rows(task, index, x->rows);
    const bool rms = task->code->flags & TONNX__RMS;
    for (size_t n = rows.from; n < rows.to; n++) {
        const size_t at = n * x->cols;
        const double mean = rms ? 0.0 : (double)task->in[3].at[n], rstd = (double)task->in[4].at[n];
        double sums[2];
        task->kernels->norm->row_dots(sums, dy->at + at, x->at + at, scale->at, mean, x->cols);
        const float by[4] = { (float)mean, (float)rstd, rms ? 0.0f : (float)(sums[0] / (double)x->cols),
                              (float)(sums[1] * rstd * rstd / (double)x->cols) };
        task->kernels->norm->row_back(task->out[0].at + at, dy->at + at, x->at + at, scale->at, by, x->cols,
                                      task->code->flags & TONNX__ACC0);
    }
}

static void row_norm_sums_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *dy = &task->in[0], *x = &task->in[1];
    const tonnx__span cols = tonnx__tile_columns(task, index, x->cols);
    const tonnx__panel panel = tonnx__panel_of(x, (tonnx__span){ 0, x->rows }, cols);
    const float *mean = (task->code->flags & TONNX__RMS) ? NULL : task->in[3].at;
    float *dscale = at_or_null(&task->out[1], cols.from), *dshift = at_or_null(&task->out[2], cols.from);
    double sums[TONNX__COLUMNS], dots[TONNX__COLUMNS];
    task->kernels->sums->rows_dot(sums, dots, dy->at + cols.from, x->at + cols.from, mean, task->in[4].at, &panel);
    for (size_t c = 0; c < panel.cols; c++) {
        if (dscale) dscale[c] = (float)dots[c];
        if (dshift) dshift[c] = (float)sums[c];
    }
}

/* With g = dY ∘ scale: dX = rstd·(g − mean(g) − x̂·mean(g·x̂)); dscale = Σₙ dY·x̂; dshift = Σₙ dY. The sums come first:
 * dX may take dY's place. */
void tonnx__cpu_cut_ROW_NORM_BACK(tonnx__cpu_task task[2])
{
    const tonnx__cpu_operand none = { 0 };
    if (task[0].out[1].at || task[0].out[2].at) tonnx__cut_columns(&task[0], row_norm_sums_tile, task[0].in[1].cols);
    if (task[1].out[0].at) tonnx__cut_rows(&task[1], row_norm_back_tile, task[1].in[1].rows, task[1].in[1].cols);
    task[0].out[0] = none;
    task[1].out[1] = task[1].out[2] = none;
}
