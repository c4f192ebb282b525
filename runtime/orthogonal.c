#include "runtime/orthogonal_impl.h"

#include <math.h>
#include <string.h>

#include "runtime/mem_impl.h"

/* Vectors that are reflected together, so that a reflector is read once for all of them. */
enum { PANEL = 8, LANES = 8 };

/* n vectors of m numbers each, n ≤ m: the columns of the matrix that is decomposed, one after another. Householder vector k
 * takes column k's place below the diagonal, with 1 on it; R's diagonal is kept aside. */
typedef struct columns {
    double *x; /* [n, m] */
    double *tau, *diagonal;
    size_t m, n;
} columns;

/* a · b over `count` numbers, in eight sums that are added in a fixed order. */
static double dot(const double *restrict a, const double *restrict b, size_t count)
{
    double sum[LANES] = { 0 }, rest = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++) sum[k] += a[i + k] * b[i + k];
    for (; i < count; i++) rest += a[i] * b[i];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7])) + rest;
}

/* x[from … m) becomes (I − tau·v·vᵀ)·x, with v = 1 and then what stands below the diagonal of column k. */
static void reflect(const columns *c, size_t k, double *restrict x)
{
    const double *restrict v = c->x + k * c->m;
    const double scale = c->tau[k] * (x[k] + dot(v + k + 1, x + k + 1, c->m - k - 1));
    x[k] -= scale;
    for (size_t i = k + 1; i < c->m; i++) x[i] -= scale * v[i];
}

/* The reflector that takes column k to R's diagonal, as LAPACK's larfg: beta has the other sign than the element. */
static void make_reflector(columns *c, size_t k)
{
    double *x = c->x + k * c->m;
    const double below = dot(x + k + 1, x + k + 1, c->m - k - 1), alpha = x[k];
    const double beta = -copysign(sqrt(alpha * alpha + below), alpha);
    c->tau[k] = below > 0.0 ? (beta - alpha) / beta : 0.0;
    c->diagonal[k] = below > 0.0 ? beta : alpha;
    for (size_t i = k + 1; i < c->m && below > 0.0; i++) x[i] /= alpha - beta;
}

/* Columns first … end become reflectors: those before them are applied to all, then each new one to those after it. */
static void factor_panel(columns *c, size_t first, size_t end)
{
    for (size_t k = 0; k < first; k++)
        for (size_t j = first; j < end; j++) reflect(c, k, c->x + j * c->m);
    for (size_t k = first; k < end; k++) {
        make_reflector(c, k);
        for (size_t j = k + 1; j < end; j++) reflect(c, k, c->x + j * c->m);
    }
}

/* Columns first … end of Q = H₀·H₁ ⋯ applied to unit vectors, into q; the reflectors beyond a column leave it alone. */
static void form_panel(const columns *c, double *q, size_t first, size_t end)
{
    memset(q + first * c->m, 0, (end - first) * c->m * sizeof *q);
    for (size_t j = first; j < end; j++) q[j * c->m + j] = c->diagonal[j] < 0.0 ? -1.0 : 1.0;
    for (size_t k = end; k-- > 0;)
        for (size_t j = k > first ? k : first; j < end; j++) reflect(c, k, q + j * c->m);
}

static void transpose(double *to, const double *from, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < cols; k++) to[k * rows + r] = from[r * cols + k];
}

tonnx_status tonnx__orthogonal(double *w, size_t rows, size_t cols)
{
    const size_t count = rows * cols; /* fits: w has as many */
    const bool wide = rows < cols;
    columns c = { .m = wide ? cols : rows, .n = wide ? rows : cols };
    double *q = NULL;
    tonnx_status status = tonnx__alloc(&c.x, count, sizeof *c.x);
    if (!status) status = tonnx__alloc(&q, count, sizeof *q);
    if (!status) status = tonnx__alloc(&c.tau, c.n, sizeof *c.tau);
    if (!status) status = tonnx__alloc(&c.diagonal, c.n, sizeof *c.diagonal);
    if (status) goto out;
    if (wide) memcpy(c.x, w, count * sizeof *w); /* its rows are the columns of Wᵀ */
    else transpose(c.x, w, rows, cols);
    for (size_t k = 0; k < c.n; k += PANEL) factor_panel(&c, k, k + PANEL < c.n ? k + PANEL : c.n);
    for (size_t k = 0; k < c.n; k += PANEL) form_panel(&c, q, k, k + PANEL < c.n ? k + PANEL : c.n);
    if (wide) memcpy(w, q, count * sizeof *w);
    else transpose(w, q, cols, rows);
out:
    tonnx__free(c.x);
    tonnx__free(q);
    tonnx__free(c.tau);
    tonnx__free(c.diagonal);
    return status;
}
