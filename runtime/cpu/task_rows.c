/* What works on whole rows: gathering a batch, softmax; and sums. */
#include "runtime/cpu/cpu_impl.h"

#include <math.h>
#include <string.h>

static void gather_target(const tonnx__feed *feed, size_t sample, float *to, size_t width)
{
    if (feed->classes) to[0] = (float)feed->classes[sample];
    else memcpy(to, feed->targets + sample * width, width * sizeof *to);
}

static size_t sample_at(const tonnx__cpu_step *step, size_t position)
{
    return step->order ? step->order[position] : position;
}

/* The samples some rows on are asked for, wherever a shuffle puts them. */
static void fetch_ahead(const tonnx__feed *feed, const tonnx__cpu_step *step, size_t position, size_t cols)
{
    enum { LINE = 64 };
    if (position >= feed->samples) return;
    const size_t width = feed->x_bytes ? 1 : sizeof *feed->x, at = sample_at(step, position) * cols * width;
    const char *data = feed->x_bytes ? (const char *)feed->x_bytes : (const char *)feed->x;
    for (size_t i = 0; i < cols * width; i += LINE) __builtin_prefetch(data + at + i, 0, 2);
}

static void gather_features(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t position, float *to)
{
    enum { ROWS_AHEAD = 3 };
    const size_t cols = task->out[0].cols, sample = sample_at(step, position);
    const tonnx__feed *feed = step->feed;
    const tonnx__elementwise_kernels *kernels = task->kernels->elementwise;
    fetch_ahead(feed, step, position + ROWS_AHEAD, cols);
    if (feed->x_bytes) kernels->scale_bytes(to, feed->x_bytes + sample * cols, feed->scale, cols);
    else if (feed->scale == 1.0) kernels->copy(to, feed->x + sample * cols, cols, false);
    else kernels->scale(to, feed->x + sample * cols, feed->scale, cols);
}

static void gather_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__cpu_operand *x = &task->out[0], *t = &task->out[1];
    const tonnx__span rows = tonnx__tile_rows(task, index, x->rows);
    const bool there = x->batch && tonnx__batch_in_feed(step, x->cols);
    for (size_t n = rows.from; n < rows.to; n++) {
        const size_t position = step->record->first + n;
        if (!there) gather_features(task, step, position, x->at + n * x->cols);
        if (t->at) gather_target(step->feed, sample_at(step, position), t->at + n * t->cols, t->cols);
    }
}

/* X[n] = data[order[first + n]]·scale; T[n] = the targets of the same sample */
void tonnx__cpu_cut_GATHER(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_batch(task, gather_tile, task->out[0].rows, task->out[0].cols);
}

static void softmax_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *x = &task->in[0];
    const tonnx__span rows = tonnx__tile_rows(task, index, x->rows);
    const bool log_too = task->code->flags & TONNX__LOG;
    for (size_t n = rows.from; n < rows.to; n++) {
        const float *from = x->at + n * x->cols, top = task->kernels->sums->largest(from, x->cols);
        float *to = task->out[0].at + n * x->cols;
        const double sum = task->kernels->rows->exp_sum(log_too ? NULL : to, from, top, x->cols);
        if (log_too) task->kernels->rows->log_softmax(to, from, top, (float)log(sum), x->cols);
        else task->kernels->elementwise->scale(to, to, 1.0 / sum, x->cols);
    }
}

/* Y[n,c] = exp(X[n,c] − log Σ exp X[n]); LOG: without the outer exp */
void tonnx__cpu_cut_SOFTMAX(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_rows(task, softmax_tile, task->in[0].rows, task->in[0].cols);
}

static void softmax_back_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *dy = &task->in[0], *y = &task->in[1], *dx = &task->out[0];
    const tonnx__span rows = tonnx__tile_rows(task, index, y->rows);
    const tonnx__kernels *kernels = task->kernels;
    const bool add = task->code->flags & TONNX__ACC0, log_too = task->code->flags & TONNX__LOG;
    for (size_t n = rows.from; n < rows.to; n++) {
        const size_t at = n * y->cols;
        if (log_too)
            kernels->rows->log_softmax_back(dx->at + at, dy->at + at, y->at + at,
                                            (float)kernels->sums->sum(dy->at + at, y->cols), y->cols, add);
        else
            kernels->rows->softmax_back(dx->at + at, dy->at + at, y->at + at,
                                        (float)kernels->sums->dot(dy->at + at, y->at + at, y->cols), y->cols, add);
    }
}

/* dX[n,c] = Y·(dY − Σ dY·Y); LOG: dY − exp(Y)·Σ dY */
void tonnx__cpu_cut_SOFTMAX_BACK(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_rows(task, softmax_back_tile, task->in[1].rows, task->in[1].cols);
}

static void column_sum_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *x = &task->in[0], *y = &task->out[0];
    const tonnx__span cols = tonnx__tile_columns(task, index, x->cols);
    const tonnx__panel panel = tonnx__panel_of(x, (tonnx__span){ 0, x->rows }, cols);
    const bool add = task->code->flags & TONNX__ACC0;
    double sums[TONNX__COLUMNS];
    task->kernels->sums->columns(sums, x->at + cols.from, &panel);
    for (size_t c = 0; c < panel.cols; c++) {
        float *to = &y->at[cols.from + c];
        *to = (float)(task->code->alpha * sums[c] + (add ? (double)*to : 0.0));
    }
}

/* y[f] = alpha·Σₙ X[n,f] */
void tonnx__cpu_cut_COLUMN_SUM(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_columns(task, column_sum_tile, task->in[0].cols);
}

static void reduce_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__cpu_operand *x = &task->in[0], *y = &task->out[0];
    const size_t count = x->rows * x->cols, block = task->code->block;
    const tonnx__span runs = tonnx__tile_rows(task, index, y->rows * y->cols);
    for (size_t i = runs.from; i < runs.to; i++) {
        const size_t from = i * block, n = count - from < block ? count - from : block;
        const double sum = (task->code->flags & TONNX__SQUARE) ? task->kernels->sums->sum_squares(x->at + from, n)
                                                               : task->kernels->sums->sum(x->at + from, n);
        y->at[i] = (float)(task->code->alpha * sum);
    }
}

/* y[i] = alpha·Σ X of the i-th run of `block` elements; SQUARE: alpha·Σ X² */
void tonnx__cpu_cut_REDUCE(tonnx__cpu_task task[2])
{
    tonnx__cut_rows(task, reduce_tile, task->out[0].rows * task->out[0].cols, task->code->block);
}
