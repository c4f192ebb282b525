/* Arithmetic of constants with constants, element by element, in double: what an exporter left to be computed when the
 * model runs. Whole numbers stay whole; of those that depend on the batch's size N only what stays linear in N. */
#include "runtime/fold_impl.h"

#include <math.h>
#include <string.h>

enum { OPERANDS_MOST = 8 };

/* Operands of one element; `whole` where the type is one of whole numbers. False where the result is no number that can
 * be held (N·N, a division by zero). */
typedef bool formula(const tonnx__number *x, size_t count, bool whole, tonnx__number *y);

static bool sum(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)whole;
    *y = x[0];
    for (size_t i = 1; i < count; i++) y->constant += x[i].constant, y->per_row += x[i].per_row;
    return true;
}

static bool sub(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)count, (void)whole;
    *y = (tonnx__number){ x[0].constant - x[1].constant, x[0].per_row - x[1].per_row };
    return true;
}

/* (a + bN)(c + dN) where b·d = 0 */
static bool mul(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)count, (void)whole;
    *y = (tonnx__number){ x[0].constant * x[1].constant, x[0].constant * x[1].per_row + x[0].per_row * x[1].constant };
    return x[0].per_row == 0 || x[1].per_row == 0;
}

/* Whole numbers are divided towards zero; with an N in them only where nothing is left over. */
static bool divide(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)count;
    const double by = x[1].constant;
    *y = (tonnx__number){ x[0].constant / by, x[0].per_row / by };
    if (!whole) return true;
    if (x[1].per_row != 0 || by == 0) return false;
    if (x[0].per_row != 0) return y->constant == rint(y->constant) && y->per_row == rint(y->per_row);
    y->constant = trunc(y->constant);
    return true;
}

static bool power(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)count, (void)whole;
    y->constant = pow(x[0].constant, x[1].constant);
    return true;
}

static bool greatest(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)whole;
    *y = x[0];
    for (size_t i = 1; i < count; i++)
        if (isnan(x[i].constant) || x[i].constant > y->constant) *y = x[i];
    return true;
}

static bool least(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)whole;
    *y = x[0];
    for (size_t i = 1; i < count; i++)
        if (isnan(x[i].constant) || x[i].constant < y->constant) *y = x[i];
    return true;
}

static bool choose(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)count, (void)whole;
    *y = x[0].constant != 0 ? x[1] : x[2];
    return x[0].per_row == 0;
}

/* A formula of one or two plain numbers. */
#define PLAIN(name, expression)                                                                                        \
    static bool name(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)                               \
    {                                                                                                                  \
        const double a = x[0].constant, b = count > 1 ? x[1].constant : 0;                                             \
        (void)a, (void)b, (void)whole;                                                                                 \
        y->constant = (expression);                                                                                    \
        return true;                                                                                                   \
    }

PLAIN(equal, a == b)
PLAIN(greater, a > b)
PLAIN(less, a < b)
PLAIN(at_least, a >= b)
PLAIN(at_most, a <= b)
PLAIN(both, a != 0 && b != 0)
PLAIN(either, a != 0 || b != 0)
PLAIN(not_so, a == 0)
PLAIN(absolute, fabs(a))
PLAIN(square_root, sqrt(a))
PLAIN(reciprocal, 1 / a)
PLAIN(exponential, exp(a))
PLAIN(logarithm, log(a))
PLAIN(error_function, erf(a))
PLAIN(round_down, floor(a))
PLAIN(round_up, ceil(a))

static bool negative(const tonnx__number *x, size_t count, bool whole, tonnx__number *y)
{
    (void)count, (void)whole;
    *y = (tonnx__number){ -x[0].constant, -x[0].per_row };
    return true;
}

static const struct row {
    const char *op_type;
    formula *of;
    size_t least, most; /* operands */
    bool linear;        /* may hold an N */
    bool truth;         /* the result is a bool */
} rows[] = {
    { "Add", sum, 2, 2, true, false },
    { "Sum", sum, 1, OPERANDS_MOST, true, false },
    { "Sub", sub, 2, 2, true, false },
    { "Mul", mul, 2, 2, true, false },
    { "Div", divide, 2, 2, true, false },
    { "Pow", power, 2, 2, false, false },
    { "Max", greatest, 1, OPERANDS_MOST, false, false },
    { "Min", least, 1, OPERANDS_MOST, false, false },
    { "Where", choose, 3, 3, true, false },
    { "Neg", negative, 1, 1, true, false },
    { "Abs", absolute, 1, 1, false, false },
    { "Sqrt", square_root, 1, 1, false, false },
    { "Reciprocal", reciprocal, 1, 1, false, false },
    { "Exp", exponential, 1, 1, false, false },
    { "Log", logarithm, 1, 1, false, false },
    { "Erf", error_function, 1, 1, false, false },
    { "Floor", round_down, 1, 1, false, false },
    { "Ceil", round_up, 1, 1, false, false },
    { "Equal", equal, 2, 2, false, true },
    { "Greater", greater, 2, 2, false, true },
    { "Less", less, 2, 2, false, true },
    { "GreaterOrEqual", at_least, 2, 2, false, true },
    { "LessOrEqual", at_most, 2, 2, false, true },
    { "And", both, 2, 2, false, true },
    { "Or", either, 2, 2, false, true },
    { "Not", not_so, 1, 1, false, true },
};

/* The shape that all operands broadcast to (ONNX: as NumPy does); false where they do not fit one another. */
static bool broadcast(const tonnx__fact *x, size_t count, size_t *rank, size_t *dims)
{
    *rank = 0;
    for (size_t k = 0; k < count; k++)
        if (x[k].rank > *rank) *rank = x[k].rank;
    for (size_t i = 0; i < *rank; i++) {
        dims[i] = 1;
        for (size_t k = 0; k < count; k++) {
            const size_t d = i + x[k].rank >= *rank ? x[k].dims[i + x[k].rank - *rank] : 1;
            if (d != 1 && dims[i] != 1 && d != dims[i]) return false;
            if (d != 1) dims[i] = d;
        }
    }
    return true;
}

/* All operands, where all are constants, or shapes that the formula allows. */
static bool operands(const tonnx__builder *builder, const tonnx__node *node, const struct row *row, tonnx__fact *x)
{
    if (node->input_count < row->least || node->input_count > row->most) return false;
    for (size_t i = 0; i < node->input_count; i++) {
        const tonnx__fact *in = tonnx__shape_input(builder, node, i);
        if (!in || (in->kind == TONNX__FACT_SHAPE && !row->linear)) return false;
        x[i] = *in;
    }
    return true;
}

static tonnx_status compute(tonnx__builder *builder, const tonnx__node *node, const struct row *row,
                            const tonnx__fact *x, bool *known)
{
    const size_t count = node->input_count;
    const tonnx_dtype dtype = tonnx__fact_dtype(builder, &x[row->least == 3 ? 1 : 0]);
    size_t rank = 0, dims[TONNX__MAX_RANK];
    tonnx__derivation d;
    if (!broadcast(x, count, &rank, dims)) return TONNX_OK;
    tonnx_status status = tonnx__derive_start(&d, builder, node, row->truth ? TONNX_BOOL : dtype, rank, dims);
    for (size_t i = 0; !status && i < d.count; i++) {
        tonnx__number in[OPERANDS_MOST], out = { 0 };
        for (size_t k = 0; k < count; k++) in[k] = tonnx__number_at(builder, &x[k], rank, dims, i);
        if (!row->of(in, count, !tonnx__is_float(dtype), &out)) return TONNX_OK;
        status = tonnx__derive_put(&d, i, out);
    }
    return status ? status : tonnx__derive_finish(&d, known);
}

tonnx_status tonnx__fold_math(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    tonnx__fact x[OPERANDS_MOST] = { 0 };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        if (!strcmp(node->op_type, rows[r].op_type))
            return operands(builder, node, &rows[r], x) ? compute(builder, node, &rows[r], x, known) : TONNX_OK;
    return TONNX_OK;
}

/* Expand that repeats elements. */
tonnx_status tonnx__fold_broadcast(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *in = tonnx__constant_input(builder, node, 0), *shape = tonnx__constant_input(builder, node, 1);
    size_t rank = 0, dims[TONNX__MAX_RANK];
    tonnx__fact x[2];
    tonnx__derivation d;
    if (!in || !shape || shape->rank != 1 || shape->dims[0] > TONNX__MAX_RANK) return TONNX_OK;
    x[0] = *in;
    x[1] = (tonnx__fact){ .rank = shape->dims[0] };
    for (size_t i = 0; i < x[1].rank; i++) {
        const int64_t wanted = tonnx__fact_get_int(builder, shape, i);
        if (wanted < 0) return TONNX_OK;
        x[1].dims[i] = (size_t)wanted;
    }
    if (!broadcast(x, 2, &rank, dims)) return TONNX_OK;
    tonnx_status status = tonnx__derive_start(&d, builder, node, tonnx__fact_dtype(builder, &x[0]), rank, dims);
    for (size_t i = 0; !status && i < d.count; i++)
        status = tonnx__derive_put(&d, i, tonnx__number_at(builder, &x[0], rank, dims, i));
    return status ? status : tonnx__derive_finish(&d, known);
}

/* Cast between floats and whole numbers: towards zero, and anything but 0 is true. */
tonnx_status tonnx__fold_converted(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *found = tonnx__constant_input(builder, node, 0);
    const tonnx_dtype to = tonnx__cast_type(builder, node);
    tonnx__derivation d;
    if (!found || !tonnx_dtype_size(to)) return TONNX_OK;
    const tonnx__fact in = *found;
    tonnx_status status = tonnx__derive_start(&d, builder, node, to, in.rank, in.dims);
    for (size_t i = 0; !status && i < d.count; i++) {
        const double value = tonnx__fact_get(builder, &in, i);
        const double kept = to == TONNX_BOOL ? value != 0 : tonnx__is_float(to) ? value : trunc(value);
        status = tonnx__derive_put(&d, i, (tonnx__number){ .constant = kept });
    }
    return status ? status : tonnx__derive_finish(&d, known);
}
