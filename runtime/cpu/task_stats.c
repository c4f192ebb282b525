/* Statistics. */
#include "runtime/cpu/cpu_impl.h"
#include "runtime/moments_impl.h"

#include <string.h>

static void take_column(tonnx__moments *out, const tonnx__moment_sums *sums, size_t c, size_t rows)
{
    const double s[4] = { sums->sums[0][c], sums->sums[1][c], sums->sums[2][c], sums->sums[3][c] };
    *out = (tonnx__moments){ .min = (double)sums->min[c],
                             .max = (double)sums->max[c],
                             .zeros = sums->zeros[c],
                             .below = sums->below[c],
                             .above = sums->above[c] };
    tonnx__moments_shifted(out, (double)rows, sums->shift[c], s);
}

/* The columns' moments, one after the other, into `into`: all in into[0] where `join`. */
static void measure(tonnx__moments *into, const tonnx__cpu_task *task, tonnx__span cols, bool join)
{
    const tonnx__cpu_operand *x = &task->in[0];
    tonnx__moment_sums sums;
    for (size_t at = cols.from; at < cols.to; at += TONNX__COLUMNS) {
        const tonnx__span part = { at, at + TONNX__COLUMNS < cols.to ? at + TONNX__COLUMNS : cols.to };
        const tonnx__panel panel = tonnx__panel_of(x, (tonnx__span){ 0, x->rows }, part);
        task->kernels->stats->moments(&sums, x->at + at, &panel, (float)task->code->a, (float)task->code->b);
        for (size_t c = 0; c < panel.cols; c++) {
            tonnx__moments column;
            take_column(&column, &sums, c, x->rows);
            if (join) tonnx__moments_merge(into, &column);
            else into[at - cols.from + c] = column;
        }
    }
}

static void put(const tonnx__cpu_operand *s, size_t panel, const tonnx__moments *m)
{
    double column[TONNX__MOMENTS_ROWS];
    tonnx__moments_put(m, column);
    for (size_t r = 0; r < TONNX__MOMENTS_ROWS; r++) s->at[r * s->cols + panel] = (float)column[r];
}

/* TONNX__COLUMNS panels of one column. */
static void units_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__span cols = tonnx__tile_columns(task, index, task->in[0].cols);
    tonnx__moments m[TONNX__COLUMNS];
    measure(m, task, cols, false);
    for (size_t c = cols.from; c < cols.to; c++) put(&task->out[0], c, &m[c - cols.from]);
}

static void panel_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    tonnx__moments m = { 0 };
    measure(&m, task, tonnx__tile_columns(task, index, task->in[0].cols), true);
    put(&task->out[0], index, &m);
}

/* S[·,p] = the moments of columns [p·block, (p + 1)·block) of X[N,F] */
void tonnx__cpu_cut_MOMENTS(tonnx__cpu_task task[2])
{
    const size_t block = task->code->block;
    if (block == 1) tonnx__cut_columns(task, units_tile, task->in[0].cols);
    else tonnx__cut_grid(task, panel_tile, 1, task->in[0].cols, 1, block);
}

static void histogram_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *x = &task->in[0], *h = &task->out[0];
    const float *range = task->in[1].at;
    const tonnx__span run = tonnx__tile_flat(task, index, x->rows * x->cols);
    task->kernels->stats->histogram(h->at + index * h->cols, h->cols, x->at + run.from, run.to - run.from, range[0],
                                    range[1]);
}

/* H[i,·] = how many elements of the i-th run of `block` elements of X fall into each bin */
void tonnx__cpu_cut_HISTOGRAM(tonnx__cpu_task task[2])
{
    tonnx__cut_grid(task, histogram_tile, 1, task->in[0].rows * task->in[0].cols, 1, task->code->block);
}
