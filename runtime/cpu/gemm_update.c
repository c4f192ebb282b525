/* G[M,N] = alpha·op(A)·op(B) steps P[M,N], and the row sums of op(A) step bP[1,M]: a panel of G at a time, small enough
 * for the first cache, or a piece of a large one, for the second, so that the gradient is used while it is there and never
 * reaches memory. Pieces come from packed operands (packed.c, flat.c), panels from operands as they lie. */
#include "runtime/cpu/cpu_impl.h"

#include <string.h>

/* 24 KiB. Long products take tall panels, as what they read of op(B) comes from afar and serves all of a panel's rows. */
enum { PANEL = 6144, PANEL_ROWS = 32, TALLEST = 128 };

/* `rows` rows of n elements of outputs first … first + 2 from `at`, by gradient g. */
static void take_step(const tonnx__cpu_task *task, const tonnx__cpu_step *step, int first, size_t at, size_t rows,
                      size_t n, const float *g, size_t stride_g)
{
    float *p = task->out[first].at, *m = task->out[first + 1].at, *v = task->out[first + 2].at;
    const tonnx__step_rows s = { p + at, m ? m + at : NULL, v ? v + at : NULL, g, rows, n, task->out[first].cols, stride_g,
                                 rows > 1 && tonnx__from_memory(&task->out[first]) };
    task->kernels->update->update[task->code->op](&s, step->record->rate, step->record->c, task->code->h);
}

static void panel(const tonnx__cpu_task *task, const tonnx__cpu_step *step, tonnx__span rows, tonnx__span cols)
{
    float g[PANEL];
    const size_t wide = cols.to - cols.from;
    tonnx__gemm_product(task, rows, cols, tonnx__gemm_depth(task), g, wide, step->ahead);
    take_step(task, step, 0, rows.from * task->out[0].cols + cols.from, rows.to - rows.from, wide, g, wide);
}

/* A tile of a large product, from whose pieces its weights step at once. */
typedef struct large_tile {
    const tonnx__cpu_task *task;
    const tonnx__cpu_step *step;
    tonnx__span rows, cols;
} large_tile;

static void take_piece(void *user, tonnx__span rows, tonnx__span cols, const float *g, size_t stride)
{
    const large_tile *tile = user;
    const size_t at = (tile->rows.from + rows.from) * tile->task->out[0].cols + tile->cols.from + cols.from;
    take_step(tile->task, tile->step, 0, at, rows.to - rows.from, cols.to - cols.from, g, stride);
}

static size_t panel_rows(const tonnx__cpu_task *task)
{
    size_t tall = PANEL_ROWS;
    while (tall < TALLEST && 2 * tall <= task->tall) tall *= 2;
    return tall;
}

static void by_panels(const tonnx__cpu_task *task, const tonnx__cpu_step *step, tonnx__span rows, tonnx__span cols)
{
    const size_t tall = panel_rows(task), wide = PANEL / tall;
    for (size_t c = cols.from; c < cols.to; c += wide)
        for (size_t r = rows.from; r < rows.to; r += tall)
            panel(task, step, tonnx__part(r, tall, rows.to), tonnx__part(c, wide, cols.to));
}

/* The weights from `at` on and what moments they have. */
static tonnx__beside what_steps(const tonnx__cpu_task *task, size_t at)
{
    enum { MOMENTS = 2 };
    tonnx__beside b = { .stride = task->out[0].cols };
    for (int i = 0; i <= MOMENTS; i++)
        if (task->out[i].at) b.at[b.count++] = task->out[i].at + at;
    return b;
}

static void gemm_update_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__cpu_operand *p = &task->out[0];
    const tonnx__span rows = tonnx__tile_rows(task, index, p->rows), cols = tonnx__tile_columns(task, index, p->cols);
    large_tile large = { task, step, rows, cols };
    float sums[PANEL_ROWS];
    const tonnx__beside beside = what_steps(task, rows.from * p->cols + cols.from);
    if (!tonnx__gemm_pieces(task, rows, cols, &beside, take_piece, &large)) by_panels(task, step, rows, cols);
    for (size_t r = rows.from; r < rows.to && cols.from == 0 && task->out[3].at; r += PANEL_ROWS) {
        const tonnx__span some = tonnx__part(r, PANEL_ROWS, rows.to);
        tonnx__gemm_row_sums(task, some, tonnx__gemm_depth(task), sums);
        take_step(task, step, 3, r, 1, some.to - r, sums, some.to - r);
    }
}

/* dW = dYᵀ·X of a long batch, by halves of the batch: who has gathered a half, and made its dY, multiplies it from the own cache,
 * and what crosses is M·N sums instead of the K·N of X. Halves, however many threads there are, so that the sums are the same. */

/* own sums[half·M + m, n] = Σ over the half of op(A)[m,k]·B[k,n], own bias[half, m] = Σ over it of op(A)[m,k] */
static void half_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__cpu_operand *sums = &task->out[0], *bias = &task->out[1];
    const size_t half = index / task->across;
    const tonnx__span features = { 0, task->in[0].cols }, cols = tonnx__tile_columns(task, index, task->cols);
    const tonnx__span deep = tonnx__tile_rows(task, index, task->rows);
    tonnx__gemm_product(task, features, cols, deep, sums->at + half * features.to * sums->cols + cols.from, sums->cols, step->ahead);
    if (cols.from == 0) tonnx__gemm_row_sums(task, features, deep, bias->at + half * features.to);
}

/* The step by the sum of a row's halves, of P as of bP. */
static void step_by_halves(const tonnx__cpu_task *task, const tonnx__cpu_step *step, int first, size_t at, const float *halves,
                           size_t apart, size_t n)
{
    float g[PANEL];
    for (size_t c = 0; c < n; c += PANEL) {
        const size_t some = n - c < PANEL ? n - c : PANEL;
        task->kernels->elementwise->binary[TONNX__ADD](g, halves + c, halves + apart + c, some);
        take_step(task, step, first, at + c, 1, some, g, some);
    }
}

static void halves_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__cpu_operand *p = &task->out[0], *sums = &task->in[0], *bias = &task->in[1];
    const tonnx__span rows = tonnx__tile_rows(task, index, p->rows);
    for (size_t r = rows.from; r < rows.to; r++)
        step_by_halves(task, step, 0, r * p->cols, sums->at + r * p->cols, p->rows * p->cols, p->cols);
    if (task->out[3].at) step_by_halves(task, step, 3, rows.from, bias->at + rows.from, p->rows, rows.to - rows.from);
}

static void cut_halves(tonnx__cpu_task task[2])
{
    enum { TILES = 16 };
    const size_t m = task->out[0].rows, n = task->out[0].cols, k = task->in[0].rows;
    const tonnx__cpu_operand sums = { .rows = 2 * m, .cols = n, .own = true }, bias = { .rows = 2, .cols = m, .own = true };
    memset(task[0].out, 0, sizeof task[0].out);
    memset(task[1].in, 0, sizeof task[1].in);
    task[0].out[0] = task[1].in[0] = sums;
    task[0].out[1] = task[1].in[1] = bias;
    task[0].reach = task[1].reach = TONNX__REACH_PLACE; /* m is less than n and k: none of its sides is taken for another */
    tonnx__cut_grid(&task[0], half_tile, k, n, (k + 1) / 2, TONNX__STRIP);
    tonnx__cut_grid(&task[1], halves_tile, m, n, (m + TILES - 1) / TILES, n);
}

void tonnx__cpu_cut_GEMM_UPDATE(tonnx__cpu_task task[2])
{
    if (task->shared && tonnx__gemm_goes_by_columns(task)) cut_halves(task);
    else tonnx__gemm_cut(task, gemm_update_tile);
}
