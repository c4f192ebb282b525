/* The makers: MAKE(KIND) adds variant `v` of the kind's instruction to a trial, of about its shape; false: no such
 * variant. */
#ifndef TONNX_TESTS_TRIAL_KINDS_H
#define TONNX_TESTS_TRIAL_KINDS_H

#include "trial.h"

#define MAKE(id) static bool make_##id(trial *t, unsigned v)

/* Bit `b` of the variant. */
static inline bool bit(unsigned v, unsigned b)
{
    return v >> b & 1;
}

MAKE(GATHER)
{
    const size_t samples = t->n + 5;
    if (v > 5) return false;
    tonnx__instruction *code = trial_add(t, TONNX__GATHER);
    t->x = calloc(samples * t->f, sizeof *t->x);
    t->bytes = calloc(samples * t->f, 1);
    t->classes = calloc(samples, sizeof *t->classes);
    t->order = calloc(samples, sizeof *t->order);
    for (size_t i = 0; i < samples * t->f; i++) t->x[i] = (float)trial_number(t);
    for (size_t i = 0; i < samples * t->f; i++) t->bytes[i] = (unsigned char)(256.0 * trial_uniform(t));
    for (size_t i = 0; i < samples; i++) t->classes[i] = (int32_t)(i % 7);
    for (size_t i = 0; i < samples; i++) t->order[i] = (uint32_t)(samples - 1 - i);
    t->feed = (tonnx__feed){ .samples = samples, .features = t->f, .scale = bit(v, 0) ? 1.0 / 255.0 : 1.0 };
    t->feed.x = bit(v, 0) ? NULL : t->x;
    t->feed.x_bytes = bit(v, 0) ? t->bytes : NULL;
    if (v < 2) t->feed.classes = t->classes;
    if (v == 2 || v == 3) t->feed.targets = t->x, t->feed.width = t->f;
    if (v == 4) t->feed.scale = 0.3;
    t->record.first = 3;
    code->out[0] = trial_buffer(t, "x", t->n, t->f);
    if (v < 4) code->out[1] = trial_buffer(t, "t", t->n, v < 2 ? 1 : t->f);
    return true;
}

/* Depth that is neither the rows nor the columns. */
static inline size_t gemm_depth(const trial *t)
{
    return t->depth ? t->depth : (t->n * 3 + t->f) % 131 + 1;
}

static inline void gemm_product(trial *t, tonnx__instruction **code, unsigned v)
{
    const size_t k = gemm_depth(t);
    const int a = bit(v, 0) ? trial_buffer(t, "a", k, t->n) : trial_buffer(t, "a", t->n, k);
    const int b = bit(v, 1) ? trial_buffer(t, "b", t->f, k) : trial_buffer(t, "b", k, t->f);
    *code = trial_add(t, TONNX__GEMM);
    (*code)->in[0] = a;
    (*code)->in[1] = b;
    (*code)->flags = (bit(v, 0) ? TONNX__TRANS_A : 0u) | (bit(v, 1) ? TONNX__TRANS_B : 0u);
    (*code)->out[0] = trial_buffer(t, "c", t->n, t->f);
}

/* v = transposes + 4·what follows the product. */
MAKE(GEMM)
{
    const unsigned after = v / 4;
    tonnx__instruction *code = NULL;
    if (after > 6) return false;
    gemm_product(t, &code, v);
    code->alpha = after == 1 ? 0.75 : 1.0;
    if (after == 1) code->flags |= TONNX__ACC0, code->out[2] = trial_buffer(t, "s", 1, t->n);
    if (after == 2) code->in[2] = trial_buffer(t, "bias", 1, t->f), code->beta = 0.5;
    if (after == 3) code->in[2] = trial_buffer(t, "bias", 1, t->f), code->op = TONNX_ACT_tanh;
    if (after == 4) code->in[2] = trial_buffer(t, "bias", 1, 1), code->op = TONNX_ACT_gelu;
    if (after == 4) code->out[1] = trial_buffer(t, "z", t->n, t->f), code->out[2] = trial_buffer(t, "s", 1, t->n);
    if (after == 5) code->flags |= TONNX__EPILOGUE_BACK, code->op = TONNX_ACT_sigmoid;
    if (after == 5) code->in[4] = trial_positive(t, "y", t->n, t->f);
    if (after == 6) code->flags |= TONNX__EPILOGUE_BACK, code->op = TONNX_ACT_prelu;
    if (after == 6) code->in[3] = trial_buffer(t, "x", t->n, t->f), code->in[5] = trial_buffer(t, "slope", 1, t->f);
    return true;
}

/* Attributes that a float holds. */
static inline void act_attributes(tonnx__instruction *code, int act)
{
    tonnx_activation_info row;
    tonnx_activation_describe(act, &row);
    code->op = act;
    code->a = (double)(float)row.a_default;
    code->b = (double)(float)row.b_default;
}

/* Every row, then PReLU with a slope for all and with one per column. */
MAKE(ACT)
{
    const bool sloped = v >= TONNX_ACT_COUNT;
    if (v >= TONNX_ACT_COUNT + 2) return false;
    tonnx__instruction *code = trial_add(t, TONNX__ACT);
    act_attributes(code, sloped ? TONNX_ACT_prelu : (int)v);
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    if (sloped) code->in[1] = trial_buffer(t, "slope", 1, v == TONNX_ACT_COUNT ? 1 : t->f);
    code->out[0] = trial_buffer(t, "y", t->n, t->f);
    return true;
}

MAKE(ACT_BACK)
{
    tonnx_activation_info row;
    const int act = (int)(v / 4);
    if (act >= TONNX_ACT_COUNT) return false;
    tonnx__instruction *code = trial_add(t, TONNX__ACT_BACK);
    act_attributes(code, act);
    tonnx_activation_describe(act, &row);
    code->in[0] = trial_buffer(t, "dy", t->n, t->f);
    const int x = trial_buffer(t, "x", t->n, t->f), y = trial_buffer(t, "y", t->n, t->f);
    for (size_t i = 0; i < t->n * t->f; i++)
        trial_values(t, y)[i] = (double)(float)tonnx__activation_f(act, trial_values(t, x)[i], code->a, code->b);
    if (!row.keeps_output || bit(v, 0)) code->in[1] = x;
    if (row.keeps_output || bit(v, 0)) code->in[2] = y;
    if (bit(v, 0)) code->flags |= TONNX__ACC0;
    if (act == TONNX_ACT_prelu && bit(v, 1)) code->in[3] = trial_buffer(t, "slope", 1, bit(v, 0) ? 1 : t->f);
    code->out[0] = trial_buffer(t, "dx", t->n, t->f);
    return true;
}

MAKE(SLOPE_BACK)
{
    if (v > 1) return false;
    tonnx__instruction *code = trial_add(t, TONNX__SLOPE_BACK);
    act_attributes(code, TONNX_ACT_prelu);
    code->in[0] = trial_buffer(t, "dy", t->n, t->f);
    code->in[1] = trial_buffer(t, "x", t->n, t->f);
    code->in[2] = trial_buffer(t, "slope", 1, v ? 1 : t->f);
    code->out[0] = trial_buffer(t, "da", 1, t->f);
    return true;
}

/* [N,F], [1,F] or [1,1]. */
static inline int broadcast(trial *t, const char *name, unsigned how)
{
    return trial_positive(t, name, how ? 1 : t->n, how < 2 ? t->f : 1);
}

MAKE(BINARY)
{
    if (v >= 4 * 9) return false;
    tonnx__instruction *code = trial_add(t, TONNX__BINARY);
    code->op = (int)(v / 9);
    code->in[0] = broadcast(t, "a", v / 3 % 3);
    code->in[1] = broadcast(t, "b", v % 3);
    code->out[0] = trial_buffer(t, "y", t->n, t->f);
    return true;
}

MAKE(BINARY_BACK)
{
    if (v >= 4 * 9 + 2) return false;
    tonnx__instruction *code = trial_add(t, TONNX__BINARY_BACK);
    code->op = (int)(v / 9 % 4);
    code->in[0] = trial_buffer(t, "dy", t->n, t->f);
    code->in[1] = broadcast(t, "a", v / 3 % 3);
    code->in[2] = broadcast(t, "b", v % 3);
    code->flags = (v % 2 ? TONNX__ACC0 : 0u) | (v % 3 == 1 ? TONNX__ACC1 : 0u);
    code->out[0] = trial_buffer(t, "da", t->n, t->f);
    code->out[1] = trial_buffer(t, "db", t->n, t->f);
    if (v == 36) code->out[0] = -1;
    if (v == 37) code->out[1] = code->out[0], code->flags = TONNX__ACC1; /* x + x and the like */
    return true;
}

MAKE(BATCH_NORM)
{
    if (v > 3) return false;
    tonnx__instruction *code = trial_add(t, TONNX__BATCH_NORM);
    code->epsilon = 1e-5;
    code->momentum = 0.9;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    if (!bit(v, 0)) code->in[1] = trial_buffer(t, "scale", 1, t->f), code->in[2] = trial_buffer(t, "shift", 1, t->f);
    code->out[0] = trial_buffer(t, "y", t->n, t->f);
    code->out[1] = trial_buffer(t, "mean", 1, t->f);
    code->out[2] = trial_buffer(t, "rstd", 1, t->f);
    if (bit(v, 0) == bit(v, 1)) code->out[3] = trial_buffer(t, "running mean", 1, t->f);
    if (bit(v, 0) == bit(v, 1)) code->out[4] = trial_positive(t, "running var", 1, t->f);
    code->flags = bit(v, 1) ? TONNX__UNBIASED : 0;
    return true;
}

MAKE(BATCH_NORM_BACK)
{
    if (v > 3) return false;
    tonnx__instruction *code = trial_add(t, TONNX__BATCH_NORM_BACK);
    code->in[0] = trial_buffer(t, "dy", t->n, t->f);
    code->in[1] = trial_buffer(t, "x", t->n, t->f);
    if (!bit(v, 0)) code->in[2] = trial_buffer(t, "scale", 1, t->f);
    code->in[3] = trial_buffer(t, "mean", 1, t->f);
    code->in[4] = trial_positive(t, "rstd", 1, t->f);
    code->out[0] = trial_buffer(t, "dx", t->n, t->f);
    if (v != 3) code->out[1] = trial_buffer(t, "dscale", 1, t->f);
    if (v != 1) code->out[2] = trial_buffer(t, "dshift", 1, t->f);
    if (v == 2) code->out[0] = -1;
    code->flags = v == 1 ? TONNX__ACC0 : 0;
    return true;
}

MAKE(FIXED_NORM)
{
    if (v > 1) return false;
    tonnx__instruction *code = trial_add(t, TONNX__FIXED_NORM);
    code->epsilon = 1e-5;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    if (v) code->in[1] = trial_buffer(t, "scale", 1, t->f), code->in[2] = trial_buffer(t, "shift", 1, t->f);
    code->in[3] = trial_buffer(t, "mean", 1, t->f);
    code->in[4] = trial_positive(t, "var", 1, t->f);
    code->out[0] = trial_buffer(t, "y", t->n, t->f);
    return true;
}

MAKE(FIXED_NORM_BACK)
{
    if (v > 1) return false;
    tonnx__instruction *code = trial_add(t, TONNX__FIXED_NORM_BACK);
    code->epsilon = 1e-5;
    code->in[0] = trial_buffer(t, "dy", t->n, t->f);
    if (v) code->in[1] = trial_buffer(t, "scale", 1, t->f), code->flags = TONNX__ACC0;
    code->in[2] = trial_positive(t, "var", 1, t->f);
    code->out[0] = trial_buffer(t, "dx", t->n, t->f);
    return true;
}

MAKE(ROW_NORM)
{
    if (v > 7) return false;
    tonnx__instruction *code = trial_add(t, TONNX__ROW_NORM);
    code->epsilon = 1e-5;
    code->flags = bit(v, 0) ? TONNX__RMS : 0;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    if (bit(v, 1)) code->in[1] = trial_buffer(t, "scale", 1, t->f);
    if (bit(v, 2)) code->in[2] = trial_buffer(t, "shift", 1, t->f);
    code->out[0] = trial_buffer(t, "y", t->n, t->f);
    if (!bit(v, 0)) code->out[1] = trial_buffer(t, "mean", t->n, 1);
    code->out[2] = trial_buffer(t, "rstd", t->n, 1);
    return true;
}

MAKE(ROW_NORM_BACK)
{
    if (v > 7) return false;
    tonnx__instruction *code = trial_add(t, TONNX__ROW_NORM_BACK);
    code->flags = (bit(v, 0) ? TONNX__RMS : 0u) | (v == 2 ? TONNX__ACC0 : 0u);
    code->in[0] = trial_buffer(t, "dy", t->n, t->f);
    code->in[1] = trial_buffer(t, "x", t->n, t->f);
    if (bit(v, 1)) code->in[2] = trial_buffer(t, "scale", 1, t->f);
    if (!bit(v, 0)) code->in[3] = trial_buffer(t, "mean", t->n, 1);
    code->in[4] = trial_positive(t, "rstd", t->n, 1);
    if (v != 6) code->out[0] = trial_buffer(t, "dx", t->n, t->f);
    if (!bit(v, 2)) code->out[1] = trial_buffer(t, "dscale", 1, t->f);
    if (v != 7) code->out[2] = trial_buffer(t, "dshift", 1, t->f);
    return true;
}

MAKE(SOFTMAX)
{
    if (v > 1) return false;
    tonnx__instruction *code = trial_add(t, TONNX__SOFTMAX);
    code->flags = v ? TONNX__LOG : 0;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    code->out[0] = trial_buffer(t, "y", t->n, t->f);
    return true;
}

MAKE(SOFTMAX_BACK)
{
    if (v > 3) return false;
    tonnx__instruction *code = trial_add(t, TONNX__SOFTMAX_BACK);
    code->flags = (bit(v, 0) ? TONNX__LOG : 0u) | (bit(v, 1) ? TONNX__ACC0 : 0u);
    code->in[0] = trial_buffer(t, "dy", t->n, t->f);
    code->in[1] = trial_buffer(t, "y", t->n, t->f);
    code->out[0] = trial_buffer(t, "dx", t->n, t->f);
    return true;
}

/* v = loss, classes or numbers, gradient or not; then cross-entropy with class weights, smoothing, row weights too. */
enum { LOSSES = 4 * TONNX_LOSS_COUNT, WEIGHTED_LOSSES = 32 };
MAKE(LOSS)
{
    const unsigned more = v < LOSSES ? 0 : (v - LOSSES) / 4;
    const int loss = v < LOSSES ? (int)(v / 4) : TONNX_CROSS_ENTROPY;
    if (v >= LOSSES + WEIGHTED_LOSSES) return false;
    tonnx__instruction *code = trial_add(t, TONNX__LOSS);
    code->op = loss;
    code->a = 0.75;
    code->flags = bit(v, 0) ? TONNX__CLASSES : 0;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    code->in[1] = trial_positive(t, "t", t->n, bit(v, 0) ? 1 : t->f);
    for (size_t i = 0; bit(v, 0) && i < t->n; i++) trial_values(t, code->in[1])[i] = (double)(i * 5 % t->f);
    if (bit(more, 0) || bit(more, 2)) code->in[2] = trial_positive(t, "w", 1, t->f);
    if (bit(more, 1)) code->b = 0.125;
    code->out[0] = trial_buffer(t, "l", t->n, 1);
    if (bit(more, 2) && bit(v, 0)) code->out[2] = trial_buffer(t, "r", t->n, 1);
    if (!bit(v, 1)) code->out[1] = trial_buffer(t, "dx", t->n, t->f);
    return true;
}

MAKE(COLUMN_SUM)
{
    if (v > 1) return false;
    tonnx__instruction *code = trial_add(t, TONNX__COLUMN_SUM);
    code->alpha = v ? 0.5 : 1.0;
    code->flags = v ? TONNX__ACC0 : 0;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    code->out[0] = trial_buffer(t, "y", 1, t->f);
    return true;
}

MAKE(REDUCE)
{
    const size_t count = t->n * t->f, blocks[] = { 1, 7, 64, count };
    if (v > 7) return false;
    tonnx__instruction *code = trial_add(t, TONNX__REDUCE);
    code->alpha = 0.5;
    code->block = blocks[v / 2];
    code->flags = v % 2 ? TONNX__SQUARE : 0;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    code->out[0] = trial_buffer(t, "y", (count - 1) / code->block + 1, 1);
    return true;
}

MAKE(DROPOUT)
{
    const double ratios[] = { 0.0, 0.1, 0.5, 0.9 };
    if (v > 3) return false;
    tonnx__instruction *code = trial_add(t, TONNX__DROPOUT);
    code->a = ratios[v];
    code->stream = v;
    code->flags = v == 2 ? TONNX__ACC0 : 0;
    code->in[0] = trial_buffer(t, "v", t->n, t->f);
    code->out[0] = trial_buffer(t, "y", t->n, t->f);
    return true;
}

MAKE(RANDOM_SLOPE)
{
    if (v > 1) return false;
    tonnx__instruction *code = trial_add(t, TONNX__RANDOM_SLOPE);
    code->a = 0.125;
    code->b = 1.0 / 3.0;
    code->stream = 3;
    code->flags = v ? TONNX__ACC0 : 0;
    code->in[0] = trial_buffer(t, "v", t->n, t->f);
    code->in[1] = v ? trial_buffer(t, "x", t->n, t->f) : code->in[0];
    code->out[0] = trial_buffer(t, "y", t->n, t->f);
    return true;
}

MAKE(COPY)
{
    if (v > 1) return false;
    tonnx__instruction *code = trial_add(t, TONNX__COPY);
    code->flags = v ? TONNX__ACC0 : 0;
    code->from = t->f / 3;
    code->width = t->f - code->from;
    code->to = 2;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    code->out[0] = trial_buffer(t, "y", t->n, t->f + 5);
    return true;
}

MAKE(FILL)
{
    if (v > 0) return false;
    tonnx__instruction *code = trial_add(t, TONNX__FILL);
    code->a = 0.625;
    code->out[0] = trial_buffer(t, "x", t->n, t->f);
    return true;
}

MAKE(CLIP)
{
    if (v > 2) return false;
    tonnx__instruction *code = trial_add(t, TONNX__CLIP);
    code->a = 0.75;
    code->flags = v ? TONNX__SQUARE : 0;
    if (v) code->in[0] = trial_buffer(t, "square", 1, 1);
    if (v) trial_values(t, code->in[0])[0] = v == 1 ? 10.5 : 0.25; /* beyond the limit, and within it */
    code->out[0] = trial_buffer(t, "g", t->n, t->f);
    return true;
}

MAKE(UPDATE)
{
    const int optimizer = (int)(v / 2);
    tonnx_optimizer_info row;
    if (optimizer >= TONNX_OPTIMIZER_COUNT) return false;
    tonnx__instruction *code = trial_add(t, TONNX__UPDATE);
    tonnx_optimizer_describe(optimizer, &row);
    const bool plain = !isnan(row.momentum) && v % 2;
    const double h[6] = { plain ? 0.0 : 0.9, 0.99, 1e-8, v % 2 ? 0.0 : 0.01, v % 2 ? 0.0 : 1.0, 0.0 };
    memcpy(code->h, h, sizeof h);
    code->op = optimizer;
    code->in[0] = trial_buffer(t, "g", t->n, t->f);
    code->out[0] = trial_buffer(t, "p", t->n, t->f);
    if (row.moments - plain > 0) code->out[1] = trial_positive(t, "m", t->n, t->f);
    if (row.moments - plain > 1) code->out[2] = trial_positive(t, "v", t->n, t->f);
    return true;
}

/* v = plain + 2·bias + 4·optimizer; how A and B lie changes from one to the next. */
MAKE(GEMM_UPDATE)
{
    tonnx__instruction *code = NULL;
    tonnx_optimizer_info row;
    const int optimizer = (int)(v / 4);
    if (optimizer >= TONNX_OPTIMIZER_COUNT) return false;
    tonnx_optimizer_describe(optimizer, &row);
    const bool plain = !isnan(row.momentum) && bit(v, 0);
    const double h[6] = { plain ? 0.0 : 0.9, 0.99, 1e-8, bit(v, 0) ? 0.0 : 0.01, bit(v, 0) ? 0.0 : 1.0, 0.0 };
    gemm_product(t, &code, v + v / 4);
    code->kind = TONNX__GEMM_UPDATE;
    code->alpha = bit(v, 0) ? 1.0 : 0.125;
    memcpy(code->h, h, sizeof h);
    code->op = optimizer;
    if (row.moments - plain > 0) code->out[1] = trial_positive(t, "m", t->n, t->f);
    if (row.moments - plain > 1) code->out[2] = trial_positive(t, "v", t->n, t->f);
    if (!bit(v, 1)) return true;
    code->out[3] = trial_buffer(t, "bp", 1, t->n);
    if (code->out[1] >= 0) code->out[4] = trial_positive(t, "bm", 1, t->n);
    if (code->out[2] >= 0) code->out[5] = trial_positive(t, "bv", 1, t->n);
    return true;
}

/* Panels of one column, of some, of all; numbers of few values, so that zeros and thresholds meet some. */
MAKE(MOMENTS)
{
    const size_t blocks[] = { 1, 5, 64, t->f };
    if (v > 7) return false;
    tonnx__instruction *code = trial_add(t, TONNX__MOMENTS);
    code->block = blocks[v / 2];
    code->a = v % 2 ? -0.99 : -INFINITY;
    code->b = v % 2 ? 0.99 : INFINITY;
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    for (size_t i = 0; v % 2 && i < t->n * t->f; i += 3) trial_values(t, code->in[0])[i] = 0.0;
    for (size_t i = 0; v == 3 && i < t->n * t->f; i++) trial_values(t, code->in[0])[i] = -7.25; /* no deviation */
    code->out[0] = trial_buffer(t, "s", TONNX__MOMENTS_ROWS, (t->f - 1) / code->block + 1);
    return true;
}

MAKE(HISTOGRAM)
{
    const size_t count = t->n * t->f, blocks[] = { 7, 4096, count };
    if (v > 5) return false;
    tonnx__instruction *code = trial_add(t, TONNX__HISTOGRAM);
    code->block = blocks[v / 2];
    code->in[0] = trial_buffer(t, "x", t->n, t->f);
    code->in[1] = trial_buffer(t, "range", 1, 2);
    trial_values(t, code->in[1])[0] = v % 2 ? -1.0 : -3.0; /* some lie outside, or none */
    trial_values(t, code->in[1])[1] = v % 2 ? 11.5 : 64.0 / 6.0;
    trial_values(t, code->in[1])[1] = (double)(float)trial_values(t, code->in[1])[1];
    code->out[0] = trial_buffer(t, "h", (count - 1) / code->block + 1, v % 2 ? 17 : 64);
    return true;
}

static bool (*const makers[TONNX__KINDS])(trial *t, unsigned v) = {
#define TONNX_KIND(id, name, inputs, outputs) make_##id,
#include "runtime/kinds.def"
#undef TONNX_KIND
};

#endif
