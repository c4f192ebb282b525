/* Element by element: activations, binary operators, dropout, copies, clipping, and the optimizer's step. */
#include "runtime/cpu/cpu_impl.h"

#include <math.h>

/* Elements of a scalar spread out on the stack, where an operand is [1,1]. */
enum { SPREAD = 256 };

static size_t count_of(const tonnx__cpu_operand *x)
{
    return x->rows * x->cols;
}

/* A trained slope takes the place of `a`: one for all, or one per column, of which `col` is the first. */
static tonnx__act_args act_args(const tonnx__instruction *code, const tonnx__cpu_operand *slope, size_t col)
{
    tonnx__act_args args = { NULL, (float)code->a, (float)code->b };
    if (slope->at && slope->cols == 1) args.a = slope->at[0];
    if (slope->at && slope->cols > 1) args.slope = slope->at + col;
    return args;
}

/* An activation that rides on no product follows a norm by columns as a rule: strips of columns, so that features stay
 * with their owners; where they are few, the norm's own. What is not by columns then is cut by rows under slopes by column, else by
 * elements. */
static void cut_act(tonnx__cpu_task *task, tonnx__cpu_tile *tile, const tonnx__cpu_operand *slope)
{
    enum { STRIP = 2 * TONNX__COLUMNS, STRIPS = 16, FEW = 2 * STRIP };
    const tonnx__cpu_operand *x = &task->out[0];
    const size_t wide = tonnx__parts(tonnx__parts(x->cols, STRIP), STRIPS) * STRIP;
    const bool few = x->cols <= FEW;
    if (!few || task->by_columns) task->reach = TONNX__REACH_PLACE;
    if (!few) tonnx__cut_grid(task, tile, x->rows, x->cols, x->rows, wide);
    else if (task->by_columns) tonnx__cut_grid(task, tile, x->rows, x->cols, x->rows, TONNX__COLUMNS);
    else if (slope->at && slope->cols > 1) tonnx__cut_grid(task, tile, x->rows, x->cols, 1, x->cols);
    else tonnx__cut_flat(task, tile, count_of(x));
}

/* What a tile of the task's grid is of operands that have its rows and columns: its first element, and its panel. */
static size_t place_of(const tonnx__cpu_task *task, size_t index, tonnx__panel *panel)
{
    const tonnx__span rows = tonnx__tile_rows(task, index, task->rows);
    const tonnx__span cols = tonnx__tile_columns(task, index, task->cols);
    *panel = (tonnx__panel){ tonnx__length(rows), tonnx__length(cols), task->cols };
    return rows.from * task->cols + cols.from;
}

static void act_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    tonnx__panel panel;
    const size_t at = place_of(task, index, &panel);
    const tonnx__act_args args = act_args(task->code, &task->in[1], at % task->cols);
    task->kernels->act->forward[task->code->op](task->out[0].at + at, task->in[0].at + at, &panel, &args);
}

/* Y = f(X; a, b) */
void tonnx__cpu_cut_ACT(tonnx__cpu_task task[2])
{
    cut_act(task, act_tile, &task->in[1]);
}

static void act_back_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    tonnx__panel panel;
    const size_t at = place_of(task, index, &panel);
    const tonnx__act_args args = act_args(task->code, &task->in[3], at % task->cols);
    const tonnx__cpu_operand *x = &task->in[1], *y = &task->in[2];
    task->kernels->act->back[task->code->op](task->out[0].at + at, task->in[0].at + at, x->at ? x->at + at : NULL,
                                             y->at ? y->at + at : NULL, &panel, &args, task->code->flags & TONNX__ACC0);
}

/* dX = dY ∘ f'(X, Y; a, b) */
void tonnx__cpu_cut_ACT_BACK(tonnx__cpu_task task[2])
{
    cut_act(task, act_back_tile, &task->in[3]);
}

static void slope_back_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *dy = &task->in[0], *x = &task->in[1];
    const tonnx__span cols = tonnx__tile_columns(task, index, x->cols);
    double sums[TONNX__COLUMNS] = { 0.0 };
    for (size_t n = 0; n < x->rows; n++) {
        const size_t at = n * x->cols + cols.from;
        task->kernels->act->slope(sums, dy->at + at, x->at + at, cols.to - cols.from);
    }
    for (size_t c = cols.from; c < cols.to; c++) task->out[0].at[c] = (float)sums[c - cols.from];
}

/* dA[f] = Σₙ dY[n,f] · ∂f/∂a(X[n,f]) */
void tonnx__cpu_cut_SLOPE_BACK(tonnx__cpu_task task[2])
{
    tonnx__cut_columns(task, slope_back_tile, task->in[1].cols);
}

/* `n` elements of an operand from (row, col): its own, its only row's, or its only element spread out. */
static const float *spread(const tonnx__cpu_task *task, const tonnx__cpu_operand *x, size_t row, size_t col, size_t n,
                           float *room)
{
    if (x->cols > 1 || n == 1) return x->at + (x->rows > 1 ? row * x->cols : 0) + (x->cols > 1 ? col : 0);
    task->kernels->elementwise->fill(room, x->at[x->rows > 1 ? row : 0], n);
    return room;
}

static void binary_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *y = &task->out[0];
    const tonnx__span rows = tonnx__tile_rows(task, index, y->rows);
    float room_a[SPREAD], room_b[SPREAD];
    for (size_t r = rows.from; r < rows.to; r++)
        for (size_t c = 0; c < y->cols; c += SPREAD) {
            const size_t n = tonnx__least(SPREAD, y->cols - c);
            task->kernels->elementwise->binary[task->code->op](y->at + r * y->cols + c,
                                                               spread(task, &task->in[0], r, c, n, room_a),
                                                               spread(task, &task->in[1], r, c, n, room_b), n);
        }
}

/* Y = A op B, broadcast */
void tonnx__cpu_cut_BINARY(tonnx__cpu_task task[2])
{
    tonnx__cut_rows(task, binary_tile, task->out[0].rows, task->out[0].cols);
}

static void binary_back_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *dy = &task->in[0];
    const tonnx__elementwise_kernels *kernels = task->kernels->elementwise;
    const tonnx__span rows = tonnx__tile_rows(task, index, dy->rows);
    const int op = task->code->op;
    float room_a[SPREAD], room_b[SPREAD];
    for (size_t r = rows.from; r < rows.to; r++)
        for (size_t c = 0; c < dy->cols; c += SPREAD) {
            const size_t n = tonnx__least(SPREAD, dy->cols - c), at = r * dy->cols + c;
            const float *a = spread(task, &task->in[1], r, c, n, room_a);
            const float *b = spread(task, &task->in[2], r, c, n, room_b);
            if (task->out[0].at)
                kernels->by_a[op](task->out[0].at + at, dy->at + at, a, b, n, task->code->flags & TONNX__ACC0);
            if (task->out[1].at)
                kernels->by_b[op](task->out[1].at + at, dy->at + at, a, b, n, task->code->flags & TONNX__ACC1);
        }
}

/* dA = dY ∘ ∂Y/∂A, then dB = dY ∘ ∂Y/∂B */
void tonnx__cpu_cut_BINARY_BACK(tonnx__cpu_task task[2])
{
    tonnx__cut_rows(task, binary_back_tile, task->in[0].rows, task->in[0].cols);
}

static tonnx__draw draw_of(const tonnx__cpu_task *task, const tonnx__cpu_step *step)
{
    return (tonnx__draw){ task->seed, step->record->step, task->code->stream };
}

static void dropout_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__draw draw = draw_of(task, step);
    const tonnx__span at = tonnx__tile_flat(task, index, count_of(&task->in[0]));
    task->kernels->elementwise->dropout(task->out[0].at + at.from, task->in[0].at + at.from, at.from, at.to - at.from,
                                        &draw, task->code->a, task->code->flags & TONNX__ACC0);
}

/* Y = V ∘ mask/(1 − a) */
void tonnx__cpu_cut_DROPOUT(tonnx__cpu_task task[2])
{
    tonnx__cut_flat(task, dropout_tile, count_of(&task->in[0]));
}

static void random_slope_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__draw draw = draw_of(task, step);
    const tonnx__instruction *code = task->code;
    const tonnx__span at = tonnx__tile_flat(task, index, count_of(&task->in[0]));
    task->kernels->elementwise->random_slope(task->out[0].at + at.from, task->in[0].at + at.from,
                                             task->in[1].at + at.from, at.from, at.to - at.from, &draw, code->a,
                                             code->b, code->flags & TONNX__ACC0);
}

/* Y = V where X ≥ 0, else V·s */
void tonnx__cpu_cut_RANDOM_SLOPE(tonnx__cpu_task task[2])
{
    tonnx__cut_flat(task, random_slope_tile, count_of(&task->in[0]));
}

static void copy_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__instruction *code = task->code;
    const tonnx__cpu_operand *x = &task->in[0], *y = &task->out[0];
    const tonnx__span rows = tonnx__tile_rows(task, index, x->rows);
    for (size_t n = rows.from; n < rows.to; n++)
        task->kernels->elementwise->copy(y->at + n * y->cols + code->to, x->at + n * x->cols + code->from, code->width,
                                         code->flags & TONNX__ACC0);
}

/* Y[:, to..to+width) = X[:, from..from+width) */
void tonnx__cpu_cut_COPY(tonnx__cpu_task task[2])
{
    tonnx__cut_rows(task, copy_tile, task->in[0].rows, task->code->width);
}

static void fill_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__span at = tonnx__tile_flat(task, index, count_of(&task->out[0]));
    task->kernels->elementwise->fill(task->out[0].at + at.from, (float)task->code->a, at.to - at.from);
}

/* X = a */
void tonnx__cpu_cut_FILL(tonnx__cpu_task task[2])
{
    tonnx__cut_flat(task, fill_tile, count_of(&task->out[0]));
}

static void clip_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const double limit = task->code->a;
    const tonnx__span at = tonnx__tile_flat(task, index, count_of(&task->out[0]));
    float *g = task->out[0].at + at.from;
    if (!(task->code->flags & TONNX__SQUARE)) {
        task->kernels->elementwise->clamp(g, (float)limit, at.to - at.from);
        return;
    }
    const double factor = limit / (sqrt((double)task->in[0].at[0]) + 1e-6);
    if (!(factor >= 1.0)) task->kernels->elementwise->scale(g, g, factor, at.to - at.from);
}

/* G ·= min(1, a/(√square + 1e-6)), or G = max(−a, min(a, G)) */
void tonnx__cpu_cut_CLIP(tonnx__cpu_task task[2])
{
    tonnx__cut_flat(task, clip_tile, count_of(&task->out[0]));
}

static void update_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__span at = tonnx__tile_flat(task, index, count_of(&task->in[0]));
    float *m = task->out[1].at, *v = task->out[2].at;
    const tonnx__step_rows s = { .p = task->out[0].at + at.from,
                                 .m = m ? m + at.from : NULL,
                                 .v = v ? v + at.from : NULL,
                                 .g = task->in[0].at + at.from,
                                 .rows = 1,
                                 .cols = at.to - at.from };
    task->kernels->update->update[task->code->op](&s, step->record->rate, step->record->c, task->code->h);
}

/* P, M, V ← one optimizer step by G */
void tonnx__cpu_cut_UPDATE(tonnx__cpu_task task[2])
{
    tonnx__cut_flat(task, update_tile, count_of(&task->in[0]));
}
