/* The CPU's kernels: plain loops over contiguous floats, one text per family (kernel_*.c) that CMake compiles once per
 * instruction set of isa.def. Each compilation exports one table, its name ending in the set's id. Formulas come from
 * the op book. A kernel's order of summation depends on its arguments alone, so results do not depend on threads. */
#ifndef TONNX_RUNTIME_CPU_KERNEL_IMPL_H
#define TONNX_RUNTIME_CPU_KERNEL_IMPL_H

#include "runtime/cpu/packed_impl.h"
#include "runtime/ops/binary_impl.h"
#include "runtime/ops/book_impl.h"
#include "runtime/program_impl.h"

/* tonnx__act_kernels → tonnx__act_kernels_avx2 */
#define TONNX__ISA_JOIN(stem, isa)  stem##_##isa
#define TONNX__ISA_PASTE(stem, isa) TONNX__ISA_JOIN(stem, isa)
#define TONNX__ISA_NAME(stem)       TONNX__ISA_PASTE(stem, TONNX_ISA)

/* What an activation reads beside its elements: `slope` holds a per column, NULL: a for all. */
typedef struct tonnx__act_args {
    const float *slope;
    float a, b;
} tonnx__act_args;

/* Rows `stride` apart. */
typedef struct tonnx__panel {
    size_t rows, cols, stride;
} tonnx__panel;

/* y[n,c] = f(x[n,c]) */
typedef void tonnx__act_fn(float *y, const float *x, const tonnx__panel *panel, const tonnx__act_args *args);
/* d[n,c] = dy[n,c]·f'(x[n,c], y[n,c]), added to where `add`; the row keeps one of x, y and the other may be NULL. */
typedef void tonnx__act_back_fn(float *d, const float *dy, const float *x, const float *y, const tonnx__panel *panel,
                                const tonnx__act_args *args, bool add);
/* sums[i] += dy[i]·∂f/∂a(x[i]) */
typedef void tonnx__slope_fn(double *sums, const float *dy, const float *x, size_t n);

typedef struct tonnx__act_kernels {
    tonnx__act_fn *forward[TONNX_ACT_COUNT];
    tonnx__act_back_fn *back[TONNX_ACT_COUNT];
    tonnx__slope_fn *slope; /* of the one trained slope, PReLU's */
} tonnx__act_kernels;

/* Where an element's random number comes from; see ops/element_rng.h. */
typedef struct tonnx__draw {
    uint64_t seed, step;
    uint32_t stream;
} tonnx__draw;

typedef void tonnx__binary_back_fn(float *d, const float *dy, const float *a, const float *b, size_t n, bool add);

typedef struct tonnx__elementwise_kernels {
    void (*binary[TONNX__BINARIES])(float *y, const float *a, const float *b, size_t n); /* y = a op b */
    tonnx__binary_back_fn *by_a[TONNX__BINARIES]; /* d = dy·∂(a op b)/∂a, added to where `add` */
    tonnx__binary_back_fn *by_b[TONNX__BINARIES];
    void (*fill)(float *y, float value, size_t n);
    void (*copy)(float *y, const float *x, size_t n, bool add);
    void (*scale)(float *y, const float *x, double factor, size_t n);
    void (*scale_bytes)(float *y, const unsigned char *x, double factor, size_t n);
    void (*axpy)(float *y, const float *x, float factor, const tonnx__panel *panel); /* y[n,c] += factor·x[c] */
    void (*shift)(float *y, float by, const tonnx__panel *panel);                    /* y[n,c] += by */
    void (*clamp)(float *y, float limit, size_t n); /* to [−limit, limit] */
    /* `first`, the index of element 0, is a multiple of 4. */
    void (*dropout)(float *y, const float *v, size_t first, size_t n, const tonnx__draw *draw, double ratio, bool add);
    void (*random_slope)(float *y, const float *v, const float *x, size_t first, size_t n, const tonnx__draw *draw,
                         double low, double high, bool add);
} tonnx__elementwise_kernels;

/* Columns that a panel has at most for a kernel by columns: sums and norms. */
enum { TONNX__COLUMNS = 16 };

/* Sums are in double, lane by lane in a fixed order: exact to about 1e-15, whatever the length. */
typedef struct tonnx__sum_kernels {
    double (*sum)(const float *x, size_t n);
    double (*sum_squares)(const float *x, size_t n);
    double (*sum_centred)(const float *x, double centre, size_t n); /* Σ (x − centre)² */
    double (*dot)(const float *x, const float *y, size_t n);
    float (*largest)(const float *x, size_t n);
    void (*columns)(double *sums, const float *x, const tonnx__panel *panel);
    /* sums[c] = Σₙ off, squares[c] = Σₙ off², off = x[n,c] − x[0,c] */
    void (*columns_offsets)(double *sums, double *squares, const float *x, const tonnx__panel *panel);
    /* sums[c] = Σₙ dy[n,c], dots[c] = Σₙ dy[n,c]·(x[n,c] − centre[c]) */
    void (*columns_dot)(double *sums, double *dots, const float *dy, const float *x, const float *centre,
                        const tonnx__panel *panel);
    /* dots[c] = Σₙ dy[n,c]·(x[n,c] − centre[n])·weight[n]; centre NULL: 0 */
    void (*rows_dot)(double *sums, double *dots, const float *dy, const float *x, const float *centre,
                     const float *weight, const tonnx__panel *panel);
} tonnx__sum_kernels;

typedef struct tonnx__norm_kernels {
    /* y[n,c] = (x[n,c] − mean[c])·k[c] + shift[c], added to where `add` */
    void (*columns)(float *y, const float *x, const float *mean, const float *k, const float *shift,
                    const tonnx__panel *panel, bool add);
    /* dx[n,c] = k[c]·(dy[n,c] − m1[c] − (x[n,c] − mean[c])·m2[c]) */
    void (*columns_back)(float *dx, const float *dy, const float *x, const float *const coefficients[4],
                         const tonnx__panel *panel, bool add);
    /* y = (x − mean)·rstd·scale + shift; scale, shift may be NULL */
    void (*row)(float *y, const float *x, const float *scale, const float *shift, const float by[2], size_t n);
    /* With g = dy·scale: sums[0] = Σ g, sums[1] = Σ g·(x − mean) */
    void (*row_dots)(double sums[2], const float *dy, const float *x, const float *scale, double mean, size_t n);
    /* dx = by[1]·(g − by[2] − (x − by[0])·by[3]) */
    void (*row_back)(float *dx, const float *dy, const float *x, const float *scale, const float by[4], size_t n,
                     bool add);
} tonnx__norm_kernels;

typedef struct tonnx__row_kernels {
    double (*exp_sum)(float *y, const float *x, float top, size_t n); /* y = exp(x − top), y may be NULL; gives Σ y */
    void (*log_softmax)(float *y, const float *x, float top, float log_sum, size_t n);
    void (*softmax_back)(float *dx, const float *dy, const float *y, float sum, size_t n, bool add);
    void (*log_softmax_back)(float *dx, const float *dy, const float *y, float sum, size_t n, bool add);
    void (*excess)(float *y, const float *x, const float *t, float by_x, float by, size_t n); /* y = (x·by_x − t)·by */
    /* y = w·((1 − e)·t + e/count): t NULL is all 0, w NULL all 1 */
    void (*weigh)(float *y, const float *t, const float *w, float e, float count, size_t n);
    /* terms = l(x, t; a), dx = factor·l'(x, t; a); NULL where the loss is by rows. */
    void (*loss[TONNX_LOSS_COUNT])(float *terms, const float *x, const float *t, size_t n, float a);
    void (*loss_back[TONNX_LOSS_COUNT])(float *dx, const float *x, const float *t, size_t n, float a, float factor);
} tonnx__row_kernels;

/* Parameters, their moments (NULL where one is not kept; m before v) and gradients: rows `stride` apart, the gradient's
 * `stride_g`. `ask`: they come from memory, and the row below is asked for. */
typedef struct tonnx__step_rows {
    float *p, *m, *v;
    const float *g;
    size_t rows, cols, stride, stride_g;
    bool ask;
} tonnx__step_rows;

typedef struct tonnx__update_kernels {
    /* One optimizer step. */
    void (*update[TONNX_OPTIMIZER_COUNT])(const tonnx__step_rows *s, double rate, const double *c, const double *h);
} tonnx__update_kernels;

/* Floats from row to row of B from which on rows meet in a few of a cache's sets, and lie pages apart. */
enum { TONNX__FAR = 2048 };

/* Products of operands as they lie, not both of them transposed. */
typedef struct tonnx__gemm_kernels {
    /* C[m,n] (+)= alpha·op(A)·op(B), row-major; `add` adds. A few lines of `ahead`, which may be NULL, are asked for behind
     * each block. */
    void (*product)(const size_t mnk[3], float alpha, tonnx__lying a, tonnx__lying b, bool add, float *c, size_t stride,
                    tonnx__ahead *ahead);
    size_t turns[2]; /* from so many rows of A to so many, a B stored [n,k] of any size is turned strip by strip sooner than packed */
    size_t few; /* rows of A up to which a B stored [k,n] is read as it lies however far apart its rows are */
} tonnx__gemm_kernels;

/* What a panel's columns add up to: sums[k] = Σ (x − shift)ᵏ⁺¹. */
typedef struct tonnx__moment_sums {
    double shift[TONNX__COLUMNS], sums[4][TONNX__COLUMNS];
    float min[TONNX__COLUMNS], max[TONNX__COLUMNS];
    int32_t zeros[TONNX__COLUMNS], below[TONNX__COLUMNS], above[TONNX__COLUMNS];
} tonnx__moment_sums;

typedef struct tonnx__stats_kernels {
    void (*moments)(tonnx__moment_sums *out, const float *x, const tonnx__panel *panel, float below, float above);
    /* counts[b] = elements of x whose bin (x − start)·per_unit is b; at most TONNX__MAX_BINS bins */
    void (*histogram)(float *counts, size_t bins, const float *x, size_t n, float start, float per_unit);
} tonnx__stats_kernels;

/* All of one instruction set. */
typedef struct tonnx__kernels {
    const char *name;
    const tonnx__act_kernels *act;
    const tonnx__elementwise_kernels *elementwise;
    const tonnx__sum_kernels *sums;
    const tonnx__norm_kernels *norm;
    const tonnx__row_kernels *rows;
    const tonnx__update_kernels *update;
    const tonnx__gemm_kernels *gemm; /* NULL: all products are packed */
    const tonnx__packed_kernels *packed;
    const tonnx__stats_kernels *stats;
    size_t second_cache; /* bytes that a core has of it; for orders of work alone: no result may depend on it */
} tonnx__kernels;

/* The instruction sets of this build, worst first: how many, whether this machine runs one, and its kernels. */
int tonnx__isa_count(void);
bool tonnx__isa_runs(int isa);
const tonnx__kernels *tonnx__isa_kernels(int isa);

/* Bytes of a core's second cache, as the system tells, or what is usual. A virtual machine takes tens of microseconds to answer. */
size_t tonnx__second_cache(void);

/* Products in bf16: the `choice`-th of the kernels that this machine runs, best first; NULL: there are no more. */
const tonnx__packed_kernels *tonnx__bf16_kernels(int choice);
extern const tonnx__packed_kernels tonnx__bf16_amx, tonnx__bf16_avx512; /* where the build has bf16.c */

#endif
