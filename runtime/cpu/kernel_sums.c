/* Sums along rows and columns, in double. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_lanes.h"

/* Four accumulators, so that additions need not wait for each other, and one by one what is left at the end. TERM(i) is
 * the next LANES terms, LAST(i) a single one. */
#define SUM_LOOP(TERM, LAST)                                                                                           \
    lanes total[4] = { { 0.0 } };                                                                                      \
    double rest = 0.0;                                                                                                 \
    size_t i = 0;                                                                                                      \
    for (; i + 4 * LANES <= n; i += 4 * LANES)                                                                         \
        for (size_t k = 0; k < 4; k++) total[k] += TERM(i + k * LANES);                                                \
    for (; i < n; i++) rest += LAST(i);                                                                                \
    total[0] = (total[0] + total[2]) + (total[1] + total[3]);                                                          \
    return lanes_total(total) + rest

static double sum(const float *x, size_t n)
{
#define TERM(i) LOAD(x + (i))
#define LAST(i) (double)x[i]
    SUM_LOOP(TERM, LAST);
#undef TERM
#undef LAST
}

static double sum_squares(const float *x, size_t n)
{
#define TERM(i) LOAD(x + (i)) * LOAD(x + (i))
#define LAST(i) (double)x[i] * (double)x[i]
    SUM_LOOP(TERM, LAST);
#undef TERM
#undef LAST
}

static double sum_centred(const float *x, double centre, size_t n)
{
#define TERM(i) (LOAD(x + (i)) - centre) * (LOAD(x + (i)) - centre)
#define LAST(i) ((double)x[i] - centre) * ((double)x[i] - centre)
    SUM_LOOP(TERM, LAST);
#undef TERM
#undef LAST
}

static double dot(const float *x, const float *y, size_t n)
{
#define TERM(i) LOAD(x + (i)) * LOAD(y + (i))
#define LAST(i) (double)x[i] * (double)y[i]
    SUM_LOOP(TERM, LAST);
#undef TERM
#undef LAST
}

static float largest(const float *x, size_t n)
{
    float best[16], top = x[0];
    size_t i = 0;
    for (int l = 0; l < 16; l++) best[l] = x[0];
    for (; i + 16 <= n; i += 16)
        for (size_t l = 0; l < 16; l++) best[l] = x[i + l] > best[l] ? x[i + l] : best[l];
    for (; i < n; i++) top = x[i] > top ? x[i] : top;
    for (int l = 0; l < 16; l++) top = best[l] > top ? best[l] : top;
    return top;
}

/* A kernel by columns is one body, inlined twice: for full panels, whose width is then known, and for the rest. */
#define BY_COLUMNS(body, ...)                                                                                          \
    do {                                                                                                               \
        if (panel->cols == TONNX__COLUMNS) body(__VA_ARGS__, panel->rows, TONNX__COLUMNS, panel->stride);              \
        else body(__VA_ARGS__, panel->rows, panel->cols, panel->stride);                                               \
    } while (0)
#define BODY static inline __attribute__((always_inline)) void

/* sums[c] = Σₙ x[n,c] */
BODY columns_body(double *out, const float *x, size_t rows, size_t cols, size_t stride)
{
    double sums[TONNX__COLUMNS] = { 0.0 };
    for (size_t n = 0; n < rows; n++)
        for (size_t c = 0; c < cols; c++) sums[c] += (double)x[n * stride + c];
    memcpy(out, sums, cols * sizeof *out);
}

static void columns(double *sums, const float *x, const tonnx__panel *panel)
{
    BY_COLUMNS(columns_body, sums, x);
}

/* squares[c] = Σₙ (x[n,c] − centre[c])² */
BODY centred_body(double *out, const float *x, const double *centre, size_t rows, size_t cols, size_t stride)
{
    double sums[TONNX__COLUMNS] = { 0.0 };
    for (size_t n = 0; n < rows; n++)
        for (size_t c = 0; c < cols; c++) {
            const double off = (double)x[n * stride + c] - centre[c];
            sums[c] += off * off;
        }
    memcpy(out, sums, cols * sizeof *out);
}

static void columns_centred(double *squares, const float *x, const double *centre, const tonnx__panel *panel)
{
    BY_COLUMNS(centred_body, squares, x, centre);
}

/* sums[c] = Σₙ dy[n,c]; dots[c] = Σₙ dy[n,c]·(x[n,c] − centre[c]) */
BODY dot_body(double *out, double *out_dots, const float *dy, const float *x, const float *centre, size_t rows,
              size_t cols, size_t stride)
{
    double sums[TONNX__COLUMNS] = { 0.0 }, dots[TONNX__COLUMNS] = { 0.0 };
    for (size_t n = 0; n < rows; n++)
        for (size_t c = 0; c < cols; c++) {
            const double d = (double)dy[n * stride + c];
            sums[c] += d;
            dots[c] += d * ((double)x[n * stride + c] - (double)centre[c]);
        }
    memcpy(out, sums, cols * sizeof *out);
    memcpy(out_dots, dots, cols * sizeof *out_dots);
}

static void columns_dot(double *sums, double *dots, const float *dy, const float *x, const float *centre,
                        const tonnx__panel *panel)
{
    BY_COLUMNS(dot_body, sums, dots, dy, x, centre);
}

/* sums[c] = Σₙ dy[n,c]; dots[c] = Σₙ dy[n,c]·(x[n,c] − centre[n])·weight[n] */
BODY rows_dot_body(double *out, double *out_dots, const float *dy, const float *x, const float *centre,
                   const float *weight, size_t rows, size_t cols, size_t stride)
{
    double sums[TONNX__COLUMNS] = { 0.0 }, dots[TONNX__COLUMNS] = { 0.0 };
    for (size_t n = 0; n < rows; n++) {
        const double middle = centre ? (double)centre[n] : 0.0, w = (double)weight[n];
        for (size_t c = 0; c < cols; c++) {
            const double d = (double)dy[n * stride + c];
            sums[c] += d;
            dots[c] += d * ((double)x[n * stride + c] - middle) * w;
        }
    }
    memcpy(out, sums, cols * sizeof *out);
    memcpy(out_dots, dots, cols * sizeof *out_dots);
}

static void rows_dot(double *sums, double *dots, const float *dy, const float *x, const float *centre,
                     const float *weight, const tonnx__panel *panel)
{
    BY_COLUMNS(rows_dot_body, sums, dots, dy, x, centre, weight);
}

const tonnx__sum_kernels TONNX__ISA_NAME(tonnx__sum_kernels) = {
    .sum = sum,
    .sum_squares = sum_squares,
    .sum_centred = sum_centred,
    .dot = dot,
    .largest = largest,
    .columns = columns,
    .columns_centred = columns_centred,
    .columns_dot = columns_dot,
    .rows_dot = rows_dot,
};
