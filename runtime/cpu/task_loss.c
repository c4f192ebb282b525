/* Losses: what a row costs, and the gradient with which backward begins. */
#include "runtime/cpu/cpu_impl.h"

#include <math.h>

enum { PIECE = 256 }; /* columns whose targets are made on the stack */

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
    if (task->out[2].at) task->out[2].at[n] = NAN;
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
    if (dx) task->kernels->rows->excess(dx, dx, t, (float)(weight / sum), (float)(1.0 / rows), cols);
}

/* Columns c … c + n of row r's weighted and smoothed target into `room`. */
static void weighted_targets(const tonnx__cpu_task *task, size_t r, size_t c, size_t n, size_t class, float *room)
{
    const size_t cols = task->in[0].cols;
    const bool classes = task->code->flags & TONNX__CLASSES;
    const float *t = classes ? NULL : task->in[1].at + r * cols + c, *w = task->in[2].at ? task->in[2].at + c : NULL;
    const float e = (float)task->code->b, one = 1.0f;
    task->kernels->rows->weigh(room, t, w, e, (float)cols, n);
    if (classes && class >= c && class < c + n)
        task->kernels->rows->weigh(room + (class - c), &one, w ? w + (class - c) : NULL, e, (float)cols, 1);
}

/* Cross-entropy with class weights or label smoothing: u = W·((1 − e)·t + e/C), L = Σu·log Σ exp x − Σ u·x,
 * dX = (softmax(x)·Σu − u)/N, R = W at the class. The targets are made twice, a piece of the row at a time. */
static void weighted_cross_entropy(const tonnx__cpu_task *task, size_t n)
{
    const size_t cols = task->in[0].cols;
    const float *x = task->in[0].at + n * cols, top = task->kernels->sums->largest(x, cols);
    float *dx = task->out[1].at ? task->out[1].at + n * cols : NULL, room[PIECE];
    const double rows = (double)task->in[0].rows, sum = task->kernels->rows->exp_sum(dx, x, top, cols);
    double weight = 0.0, dot = 0.0;
    size_t class = 0;
    if ((task->code->flags & TONNX__CLASSES) && !class_of(task, n, &class)) {
        spoil_row(task, n);
        return;
    }
    for (size_t c = 0; c < cols; c += PIECE) {
        const size_t count = cols - c < PIECE ? cols - c : PIECE;
        weighted_targets(task, n, c, count, class, room);
        weight += task->kernels->sums->sum(room, count);
        dot += task->kernels->sums->dot(room, x + c, count);
    }
    task->out[0].at[n] = (float)(weight * (log(sum) + (double)top) - dot);
    if (task->out[2].at) task->out[2].at[n] = task->in[2].at[class];
    for (size_t c = 0; dx && c < cols; c += PIECE) {
        const size_t count = cols - c < PIECE ? cols - c : PIECE;
        weighted_targets(task, n, c, count, class, room);
        task->kernels->rows->excess(dx + c, dx + c, room, (float)(weight / sum), (float)(1.0 / rows), count);
    }
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
    const bool classes = task->code->flags & TONNX__CLASSES, weighted = task->in[2].at || task->code->b != 0.0;
    for (size_t n = rows.from; n < rows.to; n++)
        if (task->kernels->rows->loss[task->code->op]) element_loss(task, n);
        else if (task->code->op == TONNX_NLL) nll(task, n);
        else if (weighted) weighted_cross_entropy(task, n);
        else if (classes) class_cross_entropy(task, n);
        else soft_cross_entropy(task, n);
}

/* L[n,1] = each row's loss; dX = ∂(mean over rows)/∂X */
void tonnx__cpu_cut_LOSS(tonnx__cpu_task task[2])
{
    task->reach = TONNX__REACH_PLACE;
    tonnx__cut_batch(task, loss_tile, task->in[0].rows, task->in[0].cols);
}
