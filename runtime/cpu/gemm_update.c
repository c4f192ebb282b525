/* G[M,N] = alpha·op(A)·op(B) steps P[M,N], and the row sums of op(A) step bP[1,M]: a panel of G at a time, small enough
 * for the first cache, so that the gradient is used while it is there and never reaches memory. */
#include "runtime/cpu/cpu_impl.h"

/* 24 KiB. Long products take tall panels, as what they read of op(B) comes from afar and serves all of a panel's rows. */
enum { PANEL = 6144, PANEL_ROWS = 32, TALLEST = 128 };

/* `rows` rows of n elements of outputs first … first + 2 from `at`, by gradient g. */
static void take_step(const tonnx__cpu_task *task, const tonnx__cpu_step *step, int first, size_t at, size_t rows,
                      size_t n, const float *g)
{
    float *p = task->out[first].at, *m = task->out[first + 1].at, *v = task->out[first + 2].at;
    const tonnx__step_rows s = { p + at, m ? m + at : NULL, v ? v + at : NULL, g, rows, n, task->out[first].cols, n };
    task->kernels->update->update[task->code->op](&s, step->record->rate, step->record->c, task->code->h);
}

static void panel(const tonnx__cpu_task *task, const tonnx__cpu_step *step, tonnx__span rows, tonnx__span cols)
{
    float g[PANEL];
    const size_t wide = cols.to - cols.from;
    tonnx__gemm_product(task, rows, cols, g, wide);
    take_step(task, step, 0, rows.from * task->out[0].cols + cols.from, rows.to - rows.from, wide, g);
}

static size_t panel_rows(const tonnx__cpu_task *task)
{
    size_t tall = PANEL_ROWS;
    while (tall < TALLEST && 2 * tall <= task->tall) tall *= 2;
    return tall;
}

static void gemm_update_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__cpu_operand *p = &task->out[0];
    const tonnx__span rows = tonnx__tile_rows(task, index, p->rows), cols = tonnx__tile_columns(task, index, p->cols);
    const size_t tall = panel_rows(task), wide = PANEL / tall;
    float sums[PANEL_ROWS];
    for (size_t c = cols.from; c < cols.to; c += wide)
        for (size_t r = rows.from; r < rows.to; r += tall)
            panel(task, step, tonnx__part(r, tall, rows.to), tonnx__part(c, wide, cols.to));
    for (size_t r = rows.from; r < rows.to && cols.from == 0 && task->out[3].at; r += PANEL_ROWS) {
        const tonnx__span some = tonnx__part(r, PANEL_ROWS, rows.to);
        tonnx__gemm_row_sums(task, some, sums);
        take_step(task, step, 3, r, 1, some.to - r, sums);
    }
}

void tonnx__cpu_cut_GEMM_UPDATE(tonnx__cpu_task task[2])
{
    tonnx__gemm_cut(task, gemm_update_tile);
}
