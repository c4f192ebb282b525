/* What works on whole rows: gathering a batch, softmax, losses; and sums. */
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

/* Shuffled samples lie anywhere in memory: the ones of the next batch are asked for while this one is computed with. */
static void fetch_ahead(const tonnx__feed *feed, const tonnx__cpu_step *step, size_t position, size_t cols)
{
    enum { LINE = 64 };
    if (position >= feed->samples) return;
    const size_t width = feed->x_bytes ? 1 : sizeof *feed->x, at = sample_at(step, position) * cols * width;
    const char *data = feed->x_bytes ? (const char *)feed->x_bytes : (const char *)feed->x;
    for (size_t i = 0; i < cols * width; i += LINE) __builtin_prefetch(data + at + i, 0, 2);
}

static void gather_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__cpu_operand *x = &task->out[0], *t = &task->out[1];
    const tonnx__feed *feed = step->feed;
    const tonnx__elementwise_kernels *kernels = task->kernels->elementwise;
    const tonnx__span rows = tonnx__tile_rows(task, index, x->rows);
    for (size_t n = rows.from; n < rows.to; n++) {
        const size_t position = step->record->first + n;
        const size_t sample = sample_at(step, position);
        float *to = x->at + n * x->cols;
        fetch_ahead(feed, step, position + x->rows, x->cols);
        if (feed->x_bytes) kernels->scale_bytes(to, feed->x_bytes + sample * x->cols, feed->scale, x->cols);
        else if (feed->scale == 1.0) kernels->copy(to, feed->x + sample * x->cols, x->cols, false);
        else kernels->scale(to, feed->x + sample * x->cols, feed->scale, x->cols);
        if (t->at) gather_target(feed, sample, t->at + n * t->cols, t->cols);
    }
}

/* X[n] = data[order[first + n]]·scale; T[n] = the targets of the same sample */
void tonnx__cpu_cut_GATHER(tonnx__cpu_task task[2])
{
    tonnx__cut_rows(task, gather_tile, task->out[0].rows, task->out[0].cols);
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
    tonnx__cut_rows(task, softmax_back_tile, task->in[1].rows, task->in[1].cols);
}

/* The class of row n; false where it is none of X's columns. */
static bool class_of(const tonnx__cpu_task *task, size_t n, size_t *class)
{
    const float t = task->in[1].at[n];
    *class = 0;
    if (!(t >= 0.0f && t < (float)task->in[0].cols)) return false;
    *class = (size_t)t;
    return *class < task->in[0].cols;
}

/* A class that is no column: nothing of the row means anything. */
static void spoil_row(const tonnx__cpu_task *task, size_t n)
{
    const size_t cols = task->in[0].cols;
    task->out[0].at[n] = NAN;
    if (task->out[1].at) task->kernels->elementwise->fill(task->out[1].at + n * cols, NAN, cols);
}

/* Cross-entropy of classes: L = log Σ exp x − x[t], dX = (softmax(x) − [c = t])/N */
static void class_cross_entropy(const tonnx__cpu_task *task, size_t n)
{
    const size_t cols = task->in[0].cols;
    const float *x = task->in[0].at + n * cols, top = task->kernels->sums->largest(x, cols);
    float *dx = task->out[1].at ? task->out[1].at + n * cols : NULL;
    const double rows = (double)task->in[0].rows;
    size_t class = 0;
    if (!class_of(task, n, &class)) {
        spoil_row(task, n);
        return;
    }
    const double at_class = (double)x[class];
    const double sum = task->kernels->rows->exp_sum(dx, x, top, cols);
    task->out[0].at[n] = (float)(log(sum) + ((double)top - at_class));
    if (!dx) return;
    task->kernels->elementwise->scale(dx, dx, 1.0 / (sum * rows), cols);
    dx[class] -= (float)(1.0 / rows);
}

/* Cross-entropy of distributions: L = Σt·log Σ exp x − Σ t·x, dX = (softmax(x)·Σt − t)/N */
static void soft_cross_entropy(const tonnx__cpu_task *task, size_t n)
{
    const size_t cols = task->in[0].cols;
    const float *x = task->in[0].at + n * cols, *t = task->in[1].at + n * cols;
    const float top = task->kernels->sums->largest(x, cols);
    float *dx = task->out[1].at ? task->out[1].at + n * cols : NULL;
    const double rows = (double)task->in[0].rows, weight = task->kernels->sums->sum(t, cols);
    const double dot = task->kernels->sums->dot(t, x, cols);
    const double sum = task->kernels->rows->exp_sum(dx, x, top, cols);
    task->out[0].at[n] = (float)(weight * (log(sum) + (double)top) - dot);
    if (dx) task->kernels->rows->blend(dx, dx, t, (float)(weight / (sum * rows)), (float)(-1.0 / rows), cols);
}

/* NLL reads log-probabilities: L = −Σ t·x, dX = −t/N; of classes, t is 1 at the class */
static void nll(const tonnx__cpu_task *task, size_t n)
{
    const size_t cols = task->in[0].cols;
    const float *x = task->in[0].at + n * cols;
    float *dx = task->out[1].at ? task->out[1].at + n * cols : NULL;
    const double rows = (double)task->in[0].rows;
    size_t class = 0;
    if (!(task->code->flags & TONNX__CLASSES)) {
        const float *t = task->in[1].at + n * cols;
        task->out[0].at[n] = -(float)task->kernels->sums->dot(t, x, cols);
        if (dx) task->kernels->elementwise->scale(dx, t, -1.0 / rows, cols);
    } else if (class_of(task, n, &class)) {
        task->out[0].at[n] = -x[class];
        if (dx) task->kernels->elementwise->fill(dx, 0.0f, cols);
        if (dx) dx[class] = (float)(-1.0 / rows);
    } else {
        spoil_row(task, n);
    }
}

enum { PIECE = 256 }; /* columns whose targets are made on the stack */

/* Targets of columns c … c + n of row r: numbers, or 1 at the class; a single output's class is its number. */
static const float *targets_of(const tonnx__cpu_task *task, size_t r, size_t c, size_t n, float *room)
{
    const size_t cols = task->in[0].cols;
    size_t class = 0;
    if (!(task->code->flags & TONNX__CLASSES) || cols == 1) return task->in[1].at + r * cols + c;
    const bool known = class_of(task, r, &class);
    task->kernels->elementwise->fill(room, known ? 0.0f : NAN, n);
    if (known && class >= c && class < c + n) room[class - c] = 1.0f;
    return room;
}

/* L[n] = Σ_c l(x, t)/C, dX = l'(x, t)/(N·C) */
static void element_loss(const tonnx__cpu_task *task, size_t r)
{
    const tonnx__cpu_operand *x = &task->in[0], *dx = &task->out[1];
    const tonnx__row_kernels *kernels = task->kernels->rows;
    const float a = (float)task->code->a, factor = (float)(1.0 / ((double)x->rows * (double)x->cols));
    const int op = task->code->op;
    double loss = 0.0;
    float room[PIECE], terms[PIECE];
    for (size_t c = 0; c < x->cols; c += PIECE) {
        const size_t n = x->cols - c < PIECE ? x->cols - c : PIECE, at = r * x->cols + c;
        const float *t = targets_of(task, r, c, n, room);
        kernels->loss[op](terms, x->at + at, t, n, a);
        loss += task->kernels->sums->sum(terms, n);
        if (dx->at) kernels->loss_back[op](dx->at + at, x->at + at, t, n, a, factor);
    }
    task->out[0].at[r] = (float)(loss / (double)x->cols);
}

static void loss_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    (void)step;
    const tonnx__span rows = tonnx__tile_rows(task, index, task->in[0].rows);
    const bool classes = task->code->flags & TONNX__CLASSES;
    for (size_t n = rows.from; n < rows.to; n++)
        if (task->kernels->rows->loss[task->code->op]) element_loss(task, n);
        else if (task->code->op == TONNX_NLL) nll(task, n);
        else if (classes) class_cross_entropy(task, n);
        else soft_cross_entropy(task, n);
}

/* L[n,1] = each row's loss; dX = ∂(mean over rows)/∂X */
void tonnx__cpu_cut_LOSS(tonnx__cpu_task task[2])
{
    tonnx__cut_rows(task, loss_tile, task->in[0].rows, task->in[0].cols);
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
