/* Sums and products of constants: reductions along axes (a weight norm that an exporter left standing), matrix products
 * (a low-rank update of a weight), and activations (a scale that is kept positive by Exp or Softplus). */
#include "runtime/fold_impl.h"

#include <string.h>

#include "runtime/recognise/step_impl.h"

/* Multiplications that a product of constants may take: about a second. */
enum { PRODUCTS_MOST = 1 << 30 };

/* The output's element that an element of the input falls into. */
static size_t falls_into(const tonnx__fact *in, const bool *chosen, size_t index)
{
    size_t at = 0, stride = 1;
    for (size_t i = in->rank; i-- > 0; index /= in->dims[i]) {
        if (chosen[i]) continue;
        at += index % in->dims[i] * stride;
        stride *= in->dims[i];
    }
    return at;
}

/* y[o] = end(fold(… fold(start, x) …)), x the elements that fall into o. */
static tonnx_status reduce(tonnx__derivation *d, const tonnx__fact *in, const bool *chosen, const tonnx__step_op *op)
{
    const size_t count = tonnx__fact_count(in);
    double *sums = NULL;
    tonnx_status status = tonnx__alloc(&sums, d->count, sizeof *sums);
    for (size_t o = 0; !status && o < d->count; o++) sums[o] = op->start;
    for (size_t i = 0; !status && i < count; i++) {
        double *sum = &sums[falls_into(in, chosen, i)];
        *sum = op->fold(*sum, tonnx__fact_get(d->builder, in, i));
    }
    for (size_t o = 0; !status && o < d->count; o++)
        status = tonnx__derive_put(d, o, (tonnx__number){ .constant = op->end(sums[o], count / d->count) });
    tonnx__free(sums);
    return status;
}

tonnx_status tonnx__fold_reduced(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *found = tonnx__constant_input(builder, node, 0);
    const tonnx__step_op *op = tonnx__step_op_of(node);
    const tonnx__fact *axes = tonnx__constant_input(builder, node, 1);
    const bool keep = tonnx__node_int(node, "keepdims", 1) != 0, none = axes && !tonnx__fact_count(axes);
    bool chosen[TONNX__MAX_RANK] = { false };
    size_t rank = 0, dims[TONNX__MAX_RANK];
    tonnx__derivation d;
    if (!found || !op || op->class != TONNX__STEP_REDUCES || !tonnx__fact_count(found)) return TONNX_OK;
    const tonnx__fact in = *found;
    if (!none && !tonnx__node_axes(builder, node, in.rank, chosen)) return TONNX_OK;
    const bool all = !tonnx__node_axis_count(builder, node) && !tonnx__node_int(node, "noop_with_empty_axes", 0);
    for (size_t i = 0; i < in.rank; i++) {
        chosen[i] |= all;
        if (!chosen[i] || keep) dims[rank++] = chosen[i] ? 1 : in.dims[i];
    }
    tonnx_status status = tonnx__derive_start(&d, builder, node, tonnx__fact_dtype(builder, &in), rank, dims);
    if (!status) status = reduce(&d, &in, chosen, op);
    return status ? status : tonnx__derive_finish(&d, known);
}

/* A matrix as doubles, row-major, transposed where asked for. */
typedef struct matrix {
    size_t rows, cols;
    double *values;
} matrix;

static tonnx_status matrix_read(matrix *out, const tonnx__builder *builder, const tonnx__fact *fact, bool transpose)
{
    const size_t count = tonnx__fact_count(fact);
    out->rows = fact->dims[transpose];
    out->cols = fact->dims[!transpose];
    const tonnx_status status = tonnx__alloc(&out->values, count, sizeof *out->values);
    for (size_t i = 0; !status && i < count; i++) {
        const size_t r = i / fact->dims[1], c = i % fact->dims[1];
        out->values[transpose ? c * out->cols + r : i] = tonnx__fact_get(builder, fact, i);
    }
    return status;
}

/* y[m,n] = alpha·a[m,k]·b[k,n] + beta·c, c broadcast; c NULL: none. */
static tonnx_status put_product(tonnx__derivation *d, const matrix *a, const matrix *b, const tonnx__fact *c)
{
    const double alpha = tonnx__node_float(d->node, "alpha", 1), beta = tonnx__node_float(d->node, "beta", 1);
    const size_t dims[2] = { a->rows, b->cols };
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < d->count && !status; i++) {
        const double *row = a->values + i / b->cols * a->cols, *col = b->values + i % b->cols;
        double sum = 0;
        for (size_t k = 0; k < a->cols; k++) sum += row[k] * col[k * b->cols];
        if (c) sum = alpha * sum + beta * tonnx__number_at(d->builder, c, 2, dims, i).constant;
        else sum *= alpha;
        status = tonnx__derive_put(d, i, (tonnx__number){ .constant = sum });
    }
    return status;
}

/* True where c can be broadcast to [rows, cols]. */
static bool fits(const tonnx__fact *c, size_t rows, size_t cols)
{
    const size_t wanted[2] = { rows, cols };
    for (size_t i = 0; i < c->rank && c->rank <= 2; i++) {
        const size_t want = wanted[i + 2 - c->rank];
        if (c->dims[i] != 1 && c->dims[i] != want) return false;
    }
    return c->rank <= 2;
}

static bool is_cheap(const matrix *a, const matrix *b)
{
    size_t products = 0;
    return tonnx__mul(&products, a->rows, a->cols) && tonnx__mul(&products, products, b->cols) &&
           products <= PRODUCTS_MOST;
}

/* MatMul of two matrices, and Gemm. */
tonnx_status tonnx__fold_product(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *a = tonnx__constant_input(builder, node, 0), *b = tonnx__constant_input(builder, node, 1);
    const tonnx__fact *c = tonnx__constant_input(builder, node, 2);
    matrix left = { 0 }, right = { 0 };
    tonnx__derivation d;
    if (!a || !b || a->rank != 2 || b->rank != 2 || (!c && *tonnx__node_input(node, 2))) return TONNX_OK;
    const tonnx__fact bias = c ? *c : (tonnx__fact){ .rank = 0 };
    const tonnx_dtype dtype = tonnx__fact_dtype(builder, a);
    tonnx_status status = matrix_read(&left, builder, a, tonnx__node_int(node, "transA", 0) != 0);
    if (!status) status = matrix_read(&right, builder, b, tonnx__node_int(node, "transB", 0) != 0);
    if (!status && left.cols == right.rows && fits(&bias, left.rows, right.cols) && is_cheap(&left, &right)) {
        const size_t dims[2] = { left.rows, right.cols };
        status = tonnx__derive_start(&d, builder, node, dtype, 2, dims);
        if (!status) status = put_product(&d, &left, &right, c ? &bias : NULL);
        if (!status) status = tonnx__derive_finish(&d, known);
    }
    tonnx__free(left.values);
    tonnx__free(right.values);
    return status;
}

/* An activation of the op book, by its op. */
tonnx_status tonnx__fold_activation(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *found = tonnx__constant_input(builder, node, 0);
    tonnx_activation act;
    tonnx__derivation d;
    double a, b;
    if (!found || !tonnx__node_activation(node, &act, &a, &b)) return TONNX_OK;
    const tonnx__fact in = *found;
    tonnx_status status = tonnx__derive_start(&d, builder, node, tonnx__fact_dtype(builder, &in), in.rank, in.dims);
    for (size_t i = 0; i < d.count && !status; i++) {
        const double y = tonnx__activation_f(act, tonnx__fact_get(builder, &in, i), a, b);
        status = tonnx__derive_put(&d, i, (tonnx__number){ .constant = y });
    }
    return status ? status : tonnx__derive_finish(&d, known);
}
