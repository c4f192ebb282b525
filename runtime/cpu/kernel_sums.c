/* Sums along rows and columns, in double. */
#include "runtime/cpu/kernel_impl.h"
#include "runtime/cpu/kernel_lanes.h"
#include "runtime/cpu/kernel_vec.h"

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

/* Each round leaves half as many different numbers in `best`. */
static float largest(const float *x, size_t n)
{
    vec best = VEC_ALL(x[0]);
    size_t i = 0;
    for (; i + VEC <= n; i += VEC) best = VEC_MAX(VEC_LOAD(x + i), best);
    if (i < n) best = VEC_MAX(VEC_LOAD_OR(x + i, n - i, best), best);
    for (int left = VEC; left > 1; left /= 2) best = VEC_MAX(VEC_LOW(best, best), VEC_HIGH(best, best));
    return best[0];
}

/* By columns: VEC of them at a time, as two halves in double. Even and odd rows have sums of their own, so that an
 * addition need not wait for the one before. */
#define INLINE static inline __attribute__((always_inline))
typedef struct halves {
    wide of[2];
} halves;

/* A kernel is one body, inlined twice: for VEC columns, and for the panel's last few. */
#define BY_COLUMNS(body, ...)                                                                                          \
    for (size_t c = 0; c < panel->cols; c += VEC) {                                                                    \
        if (panel->cols - c >= VEC) body(__VA_ARGS__, c, VEC, panel);                                                  \
        else body(__VA_ARGS__, c, panel->cols - c, panel);                                                             \
    }

/* The rows of a panel, n + k, k for even and odd. */
#define EACH_ROW(n, k)                                                                                                 \
    for (size_t n = 0; n < panel->rows; n += 2)                                                                        \
        for (size_t k = 0; k < 2 && n + k < panel->rows; k++)

/* `count` floats, VEC at most, as doubles; 0 where there are none. */
INLINE halves widen(const float *x, size_t count)
{
    float room[VEC];
    if (count < VEC) VEC_STORE(room, VEC_LOAD_N(x, count));
    const float *from = count < VEC ? room : x;
    return (halves){ { WIDE_LOAD(from), WIDE_LOAD(from + WIDE) } };
}

/* Even and odd rows' sums together. */
INLINE void store(double *to, const halves sums[2], size_t count)
{
    const halves total = { { sums[0].of[0] + sums[1].of[0], sums[0].of[1] + sums[1].of[1] } };
    memcpy(to, &total, count * sizeof *to);
}

/* sums[c] = Σₙ x[n,c] */
INLINE void columns_body(double *sums, const float *x, size_t c, size_t count, const tonnx__panel *panel)
{
    halves total[2] = { { { WIDE_ALL(0.0) } } };
    EACH_ROW(n, k)
    {
        const halves v = widen(x + (n + k) * panel->stride + c, count);
        for (int h = 0; h < 2; h++) total[k].of[h] += v.of[h];
    }
    store(sums + c, total, count);
}

static void columns(double *sums, const float *x, const tonnx__panel *panel)
{
    BY_COLUMNS(columns_body, sums, x);
}

/* sums[c] = Σₙ off, squares[c] = Σₙ off², off = x[n,c] − x[0,c] */
INLINE void offsets_body(double *sums, double *squares, const float *x, size_t c, size_t count,
                         const tonnx__panel *panel)
{
    halves total[2] = { { { WIDE_ALL(0.0) } } }, square[2] = { total[0] };
    const halves first = widen(x + c, count);
    EACH_ROW(n, k)
    {
        const halves v = widen(x + (n + k) * panel->stride + c, count);
        for (int h = 0; h < 2; h++) {
            const wide off = v.of[h] - first.of[h];
            total[k].of[h] += off;
            square[k].of[h] = WIDE_FMA(off, off, square[k].of[h]);
        }
    }
    store(sums + c, total, count);
    store(squares + c, square, count);
}

static void columns_offsets(double *sums, double *squares, const float *x, const tonnx__panel *panel)
{
    BY_COLUMNS(offsets_body, sums, squares, x);
}

/* sums[c] = Σₙ dy[n,c]; dots[c] = Σₙ dy[n,c]·(x[n,c] − centre[c]) */
INLINE void dot_body(double *sums, double *dots, const float *dy, const float *x, const float *centre, size_t c,
                     size_t count, const tonnx__panel *panel)
{
    halves total[2] = { { { WIDE_ALL(0.0) } } }, dot[2] = { total[0] };
    const halves middle = widen(centre + c, count);
    EACH_ROW(n, k)
    {
        const size_t at = (n + k) * panel->stride + c;
        const halves d = widen(dy + at, count), v = widen(x + at, count);
        for (int h = 0; h < 2; h++) {
            total[k].of[h] += d.of[h];
            dot[k].of[h] = WIDE_FMA(d.of[h], v.of[h] - middle.of[h], dot[k].of[h]);
        }
    }
    store(sums + c, total, count);
    store(dots + c, dot, count);
}

static void columns_dot(double *sums, double *dots, const float *dy, const float *x, const float *centre,
                        const tonnx__panel *panel)
{
    BY_COLUMNS(dot_body, sums, dots, dy, x, centre);
}

/* sums[c] = Σₙ dy[n,c]; dots[c] = Σₙ dy[n,c]·(x[n,c] − centre[n])·weight[n] */
INLINE void rows_dot_body(double *sums, double *dots, const float *dy, const float *x, const float *centre,
                          const float *weight, size_t c, size_t count, const tonnx__panel *panel)
{
    halves total[2] = { { { WIDE_ALL(0.0) } } }, dot[2] = { total[0] };
    EACH_ROW(n, k)
    {
        const size_t at = (n + k) * panel->stride + c;
        const halves d = widen(dy + at, count), v = widen(x + at, count);
        const wide middle = WIDE_ALL(centre ? (double)centre[n + k] : 0.0), w = WIDE_ALL((double)weight[n + k]);
        for (int h = 0; h < 2; h++) {
            total[k].of[h] += d.of[h];
            dot[k].of[h] = WIDE_FMA(d.of[h] * w, v.of[h] - middle, dot[k].of[h]);
        }
    }
    store(sums + c, total, count);
    store(dots + c, dot, count);
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
    .columns_offsets = columns_offsets,
    .columns_dot = columns_dot,
    .rows_dot = rows_dot,
};
