/* What works on whole rows: gathering a batch, softmax, losses; and sums. */
#include "runtime/ref/ref_impl.h"

#include <math.h>

/* Target c of the sample; a class index counts as its one target. */
static double target(const tonnx__feed *feed, size_t sample, size_t width, size_t c)
{
    return feed->classes ? (double)feed->classes[sample] : (double)feed->targets[sample * width + c];
}

/* X[n] = data[order[first + n]]·scale; T[n] = the targets of the same sample */
void tonnx__ref_GATHER(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->out[0], t = call->out[1];
    const tonnx__feed *feed = call->feed;
    for (size_t n = 0; n < x.rows; n++) {
        const size_t position = call->record->first + n;
        const size_t sample = call->order ? call->order[position] : position;
        for (size_t f = 0; f < x.cols; f++) {
            const size_t i = sample * feed->features + f;
            x.at[n * x.cols + f] = feed->scale * (feed->x ? (double)feed->x[i] : (double)feed->x_bytes[i]);
        }
        for (size_t c = 0; t.at && c < t.cols; c++) t.at[n * t.cols + c] = target(feed, sample, t.cols, c);
    }
}

/* log Σ exp of a row, shifted by its largest element so that nothing overflows. */
static double log_sum_exp(const double *x, size_t cols)
{
    double largest = x[0], sum = 0.0;
    for (size_t c = 1; c < cols; c++) largest = fmax(largest, x[c]);
    for (size_t c = 0; c < cols; c++) sum += exp(x[c] - largest);
    return largest + log(sum);
}

/* Y[n,c] = exp(X[n,c] − log Σ exp X[n]); LOG: without the outer exp */
void tonnx__ref_SOFTMAX(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], y = call->out[0];
    for (size_t n = 0; n < x.rows; n++) {
        const double norm = log_sum_exp(x.at + n * x.cols, x.cols);
        for (size_t c = 0; c < x.cols; c++) {
            const double log_y = x.at[n * x.cols + c] - norm;
            y.at[n * x.cols + c] = (call->code->flags & TONNX__LOG) ? log_y : exp(log_y);
        }
    }
}

/* dX[n,c] = Y·(dY − Σ dY·Y); LOG: dY − exp(Y)·Σ dY */
void tonnx__ref_SOFTMAX_BACK(const tonnx__ref_call *call)
{
    const tonnx__matrix dy = call->in[0], y = call->in[1];
    const bool log = call->code->flags & TONNX__LOG;
    for (size_t n = 0; n < y.rows; n++) {
        const double *row_dy = dy.at + n * y.cols, *row_y = y.at + n * y.cols;
        double sum = 0.0;
        for (size_t c = 0; c < y.cols; c++) sum += log ? row_dy[c] : row_dy[c] * row_y[c];
        for (size_t c = 0; c < y.cols; c++)
            tonnx__ref_put(call, n * y.cols + c, log ? row_dy[c] - exp(row_y[c]) * sum : row_y[c] * (row_dy[c] - sum));
    }
}

/* Target (n, c): a number, or under CLASSES 1 at the class and 0 elsewhere; a single output's class is its number. */
static double target_at(const tonnx__ref_call *call, size_t n, size_t c)
{
    const tonnx__matrix x = call->in[0], t = call->in[1];
    if (!(call->code->flags & TONNX__CLASSES)) return t.at[n * x.cols + c];
    if (x.cols == 1 && tonnx__loss_elementwise(call->code->op)) return t.at[n];
    if (!(t.at[n] >= 0.0 && t.at[n] < (double)x.cols)) return NAN;
    return (size_t)t.at[n] == c ? 1.0 : 0.0;
}

/* What cross-entropy takes for the target: weighted and smoothed. */
static double row_target(const tonnx__ref_call *call, size_t n, size_t c)
{
    const tonnx__matrix w = call->in[2];
    const double t = target_at(call, n, c);
    return tonnx__loss_target(t, w.at ? w.at[c] : 1.0, call->code->b, (double)call->in[0].cols);
}

/* The weight of the row's class. */
static double row_weight(const tonnx__ref_call *call, size_t n)
{
    double sum = 0.0;
    for (size_t c = 0; c < call->in[0].cols; c++) sum += call->in[2].at[c] * target_at(call, n, c);
    return sum;
}

/* Losses by row: cross-entropy L = −Σ u·log softmax(x), dX = (softmax(x)·Σu − u)/N; nll L = −Σ t·x, dX = −t/N */
static void row_loss(const tonnx__ref_call *call, size_t n)
{
    const tonnx__matrix x = call->in[0], dx = call->out[1];
    const bool logits = call->code->op == TONNX_CROSS_ENTROPY;
    const double *row = x.at + n * x.cols;
    const double norm = logits ? log_sum_exp(row, x.cols) : 0.0, rows = (double)x.rows;
    double loss = 0.0, weight = 0.0;
    for (size_t c = 0; c < x.cols; c++) {
        const double t = row_target(call, n, c);
        weight += t;
        loss -= t == 0.0 ? 0.0 : t * (row[c] - norm);
    }
    for (size_t c = 0; dx.at && c < x.cols; c++)
        dx.at[n * x.cols + c] = ((logits ? exp(row[c] - norm) * weight : 0.0) - row_target(call, n, c)) / rows;
    call->out[0].at[n] = loss;
    if (call->out[2].at) call->out[2].at[n] = row_weight(call, n);
}

/* Losses by element: L[n] = Σ_c l(x, t)/C, dX = l'(x, t)/(N·C) */
static void element_loss(const tonnx__ref_call *call, size_t n)
{
    const tonnx__matrix x = call->in[0], dx = call->out[1];
    const tonnx__instruction *code = call->code;
    double loss = 0.0;
    for (size_t c = 0; c < x.cols; c++) {
        const double z = x.at[n * x.cols + c], t = target_at(call, n, c);
        loss += tonnx__loss_f(code->op, z, t, code->a);
        if (dx.at) dx.at[n * x.cols + c] = tonnx__loss_d(code->op, z, t, code->a) / (double)x.rows / (double)x.cols;
    }
    call->out[0].at[n] = loss / (double)x.cols;
}

/* L[n,1] = each row's loss; dX = ∂(mean over rows)/∂X */
void tonnx__ref_LOSS(const tonnx__ref_call *call)
{
    for (size_t n = 0; n < call->in[0].rows; n++)
        if (tonnx__loss_elementwise(call->code->op)) element_loss(call, n);
        else row_loss(call, n);
}

/* y[f] = alpha·Σₙ X[n,f] */
void tonnx__ref_COLUMN_SUM(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0];
    for (size_t f = 0; f < x.cols; f++) {
        double sum = 0.0;
        for (size_t n = 0; n < x.rows; n++) sum += x.at[n * x.cols + f];
        tonnx__ref_put(call, f, call->code->alpha * sum);
    }
}

/* y[i] = alpha·Σ X of the i-th run of `block` elements (the last may be shorter); SQUARE: alpha·Σ X² */
void tonnx__ref_REDUCE(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], y = call->out[0];
    const size_t count = x.rows * x.cols, block = call->code->block;
    for (size_t i = 0; i < y.rows * y.cols; i++) {
        double sum = 0.0;
        for (size_t k = i * block; k < count && k < (i + 1) * block; k++)
            sum += (call->code->flags & TONNX__SQUARE) ? x.at[k] * x.at[k] : x.at[k];
        y.at[i] = call->code->alpha * sum;
    }
}
