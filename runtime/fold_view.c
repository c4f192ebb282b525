/* Views: a constant that is only moved, renamed or scaled is the same tensor of the file seen otherwise, so that a
 * weight behind such nodes is trained and written back where it stands. */
#include "runtime/fold_impl.h"

#include <math.h>
#include <string.h>

bool tonnx__axis(int64_t axis, size_t rank, size_t *out)
{
    if (axis < 0) axis += (int64_t)rank;
    *out = (size_t)axis;
    return axis >= 0 && axis < (int64_t)rank;
}

/* True where the view's elements follow one another, row-major. */
static bool is_plain(const tonnx__fact *fact)
{
    size_t stride = 1;
    for (size_t i = fact->rank; i-- > 0; stride *= fact->dims[i])
        if (fact->dims[i] != 1 && fact->strides[i] != stride) return false;
    return true;
}

/* Strides for dims that hold the same axes, give or take some of 1: what a transposed view allows. */
static bool keep_axes(const tonnx__fact *fact, size_t rank, const size_t *dims, size_t *strides)
{
    size_t from = 0;
    for (size_t i = 0; i < rank; i++) {
        strides[i] = 0;
        if (dims[i] == 1) continue;
        while (from < fact->rank && fact->dims[from] == 1) from++;
        if (from == fact->rank || dims[i] != fact->dims[from]) return false;
        strides[i] = fact->strides[from++];
    }
    return true;
}

bool tonnx__fact_reshape(tonnx__fact *fact, size_t rank, const size_t *dims)
{
    size_t strides[TONNX__MAX_RANK], stride = 1;
    if (is_plain(fact)) {
        for (size_t i = rank; i-- > 0; stride *= dims[i]) strides[i] = stride;
    } else if (!keep_axes(fact, rank, dims, strides)) {
        return false;
    }
    fact->rank = rank;
    memcpy(fact->dims, dims, rank * sizeof *dims);
    memcpy(fact->strides, strides, rank * sizeof *strides);
    return true;
}

/* The target of Reshape: 0 copies, −1 is what is left (ONNX Reshape). */
static bool reshape_dims(const tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *in, size_t *rank,
                         size_t *dims)
{
    const tonnx__fact *shape = tonnx__constant_input(builder, node, 1);
    const bool zero_is_zero = tonnx__node_int(node, "allowzero", 0) != 0;
    const size_t count = tonnx__fact_count(in);
    size_t product = 1;
    ptrdiff_t rest = -1;
    if (!shape || shape->rank != 1 || shape->dims[0] > TONNX__MAX_RANK) return false;
    *rank = shape->dims[0];
    for (size_t i = 0; i < *rank; i++) {
        const double d = tonnx__fact_get(builder, shape, i);
        if (d == -1 && rest < 0) rest = (ptrdiff_t)i;
        else if (d == 0 && !zero_is_zero && i < in->rank) dims[i] = in->dims[i];
        else if (d > 0 && d <= (double)count) dims[i] = (size_t)d;
        else return false;
        if (rest != (ptrdiff_t)i && !tonnx__mul(&product, product, dims[i])) return false;
    }
    if (rest >= 0) dims[rest] = product ? count / product : 0;
    return rest >= 0 ? dims[rest] * product == count : product == count;
}

bool tonnx__fold_reshape(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    size_t rank = 0, dims[TONNX__MAX_RANK] = { 0 };
    return reshape_dims(builder, node, fact, &rank, dims) && tonnx__fact_reshape(fact, rank, dims);
}

/* Transpose: `perm`, or all axes reversed. */
bool tonnx__fold_transpose(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const tonnx__attribute *perm = tonnx__node_attribute(node, "perm");
    const tonnx__fact from = *fact;
    (void)builder;
    if (perm && !tonnx__is_permutation(perm, from.rank)) return false;
    for (size_t i = 0; i < from.rank; i++) {
        const size_t axis = perm ? (size_t)perm->ints[i] : from.rank - 1 - i;
        fact->dims[i] = from.dims[axis];
        fact->strides[i] = from.strides[axis];
    }
    return true;
}

/* Flatten: [d0…da−1, da…]. */
bool tonnx__fold_flatten(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    int64_t axis = tonnx__node_int(node, "axis", 1);
    size_t dims[2] = { 1, 1 };
    (void)builder;
    if (axis < 0) axis += (int64_t)fact->rank;
    if (axis < 0 || axis > (int64_t)fact->rank) return false;
    for (size_t i = 0; i < fact->rank; i++) dims[(int64_t)i >= axis] *= fact->dims[i];
    return tonnx__fact_reshape(fact, 2, dims);
}

bool tonnx__fold_squeeze(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    bool chosen[TONNX__MAX_RANK] = { false };
    const bool all = !tonnx__node_attribute(node, "axes") && !*tonnx__node_input(node, 1);
    size_t kept = 0;
    if (!tonnx__node_axes(builder, node, fact->rank, chosen)) return false;
    for (size_t i = 0; i < fact->rank; i++) {
        if (fact->dims[i] == 1 && (all || chosen[i])) continue;
        if (chosen[i]) return false;
        fact->dims[kept] = fact->dims[i];
        fact->strides[kept++] = fact->strides[i];
    }
    fact->rank = kept;
    return true;
}

bool tonnx__fold_unsqueeze(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const size_t added = tonnx__node_axis_count(builder, node);
    const tonnx__fact from = *fact;
    bool chosen[TONNX__MAX_RANK] = { false };
    if (added > TONNX__MAX_RANK - from.rank) return false;
    fact->rank = from.rank + added;
    if (!tonnx__node_axes(builder, node, fact->rank, chosen)) return false;
    for (size_t i = 0, k = 0; i < fact->rank; i++) {
        if (!chosen[i] && k >= from.rank) return false;
        fact->dims[i] = chosen[i] ? 1 : from.dims[k];
        fact->strides[i] = chosen[i] ? 0 : from.strides[k++];
    }
    return true;
}

/* A cast between float types changes how numbers are stored, not which they are: training computes in float anyway. One
 * between whole numbers keeps what is small enough, as shapes and axes are. */
bool tonnx__fold_cast(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const tonnx_dtype to = tonnx__cast_type(builder, node);
    const bool was_float = tonnx__is_float(tonnx__fact_dtype(builder, fact));
    const bool whole = to == TONNX_INT64 || to == TONNX_INT32;
    if (fact->kind == TONNX__FACT_SHAPE) return whole;
    return was_float ? tonnx__is_float(to) : whole && tonnx__fact_dtype(builder, fact) == TONNX_INT32;
}

bool tonnx__fold_identity(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    fact->identity = tonnx__node_index(builder, node);
    if (fact->identity >= 0) fact->name = node->outputs[0];
    return true;
}

/* One slice of an axis, forwards. */
static bool slice_axis(tonnx__fact *fact, int64_t start, int64_t end, int64_t axis, int64_t step)
{
    size_t a = 0;
    if (!tonnx__axis(axis, fact->rank, &a) || step < 1) return false;
    const int64_t length = (int64_t)fact->dims[a];
    if (start < 0) start = start < -length ? 0 : start + length;
    if (end < 0) end = end < -length ? 0 : end + length;
    if (end > length) end = length;
    if (start >= end) return false;
    fact->offset += (size_t)start * fact->strides[a];
    fact->dims[a] = (size_t)((end - start - 1) / step + 1);
    fact->strides[a] *= (size_t)step;
    return true;
}

/* Slice: bounds are attributes below opset 10 and inputs from there on. */
bool tonnx__fold_slice(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    static const char *const names[4] = { "starts", "ends", "axes", "steps" };
    size_t count = 0;
    int64_t numbers[4][TONNX__MAX_RANK];
    for (size_t k = 0; k < 4; k++) {
        const tonnx__attribute *attribute = tonnx__node_attribute(node, names[k]);
        const tonnx__fact *input = tonnx__constant_input(builder, node, k + 1);
        if (!input && *tonnx__node_input(node, k + 1)) return false;
        const size_t given = attribute ? attribute->count : input ? tonnx__fact_count(input) : 0;
        if (given > TONNX__MAX_RANK || (k == 0 ? !given : given && given != count) || (k == 1 && !given)) return false;
        if (k == 0) count = given;
        for (size_t i = 0; i < count; i++)
            numbers[k][i] = !given      ? (k == 2 ? (int64_t)i : 1)
                            : attribute ? attribute->ints[i]
                                        : tonnx__fact_get_int(builder, input, i);
    }
    for (size_t i = 0; i < count; i++)
        if (!slice_axis(fact, numbers[0][i], numbers[1][i], numbers[2][i], numbers[3][i])) return false;
    return true;
}

/* Gather of one element of an axis: a scalar index drops the axis, [1] keeps it. */
bool tonnx__fold_gather(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const tonnx__fact *index = tonnx__constant_input(builder, node, 1);
    size_t axis = 0, at = 0;
    if (!index || index->rank > 1 || tonnx__fact_count(index) != 1) return false;
    if (!tonnx__axis(tonnx__node_int(node, "axis", 0), fact->rank, &axis) ||
        !tonnx__axis(tonnx__fact_get_int(builder, index, 0), fact->dims[axis], &at))
        return false;
    fact->offset += at * fact->strides[axis];
    fact->dims[axis] = 1;
    if (index->rank) return true;
    fact->rank--;
    memmove(&fact->dims[axis], &fact->dims[axis + 1], (fact->rank - axis) * sizeof *fact->dims);
    memmove(&fact->strides[axis], &fact->strides[axis + 1], (fact->rank - axis) * sizeof *fact->strides);
    return true;
}

/* Expand that repeats nothing: it only adds axes of 1. */
bool tonnx__fold_expand(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const tonnx__fact *shape = tonnx__constant_input(builder, node, 1);
    size_t dims[TONNX__MAX_RANK], rank = 0;
    if (!shape || shape->rank != 1 || shape->dims[0] > TONNX__MAX_RANK) return false;
    rank = shape->dims[0] > fact->rank ? shape->dims[0] : fact->rank;
    for (size_t i = 0; i < rank; i++) {
        const bool ours = i + fact->rank >= rank, theirs = i + shape->dims[0] >= rank;
        const size_t have = ours ? fact->dims[i + fact->rank - rank] : 1;
        const int64_t want = theirs ? tonnx__fact_get_int(builder, shape, i + shape->dims[0] - rank) : 1;
        if (want != 1 && want != (int64_t)have) return false;
        dims[i] = have;
    }
    return tonnx__fact_reshape(fact, rank, dims);
}

/* Neg, and Mul and Div by one number: the same tensor times a factor. */
bool tonnx__fold_scale(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const bool neg = !strcmp(node->op_type, "Neg"), divides = !strcmp(node->op_type, "Div");
    const tonnx__fact *by = neg ? NULL : tonnx__constant_input(builder, node, 1);
    double factor = -1;
    if (fact->kind != TONNX__FACT_CONSTANT || !tonnx__is_float(tonnx__fact_dtype(builder, fact))) return false;
    if (!neg && by && tonnx__fact_count(by) > 1 && tonnx__fact_count(fact) == 1 && !divides) {
        const tonnx__fact *one = tonnx__constant_input(builder, node, 0);
        *fact = *by;
        by = one;
    }
    if (!neg && (!tonnx__fact_scalar(builder, by, &factor) || by->rank > fact->rank)) return false;
    if (divides) factor = 1 / factor;
    fact->factor *= factor;
    return isfinite(fact->factor) && fact->factor != 0;
}

/* Split: every part is a view; an empty one is none. */
tonnx_status tonnx__fold_split(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *found = tonnx__constant_input(builder, node, 0);
    size_t axis = 0;
    int64_t *widths = NULL, from = 0;
    if (!found || !node->output_count || !tonnx__axis(tonnx__node_int(node, "axis", 0), found->rank, &axis))
        return TONNX_OK;
    const tonnx__fact whole = *found;
    tonnx_status status = tonnx__alloc(&widths, node->output_count, sizeof *widths);
    if (!status) status = tonnx__split_widths(builder, node, whole.dims[axis], widths, known);
    for (size_t i = 0; i < node->output_count && *known && !status; from += widths[i++]) {
        tonnx__fact part = whole;
        if (!slice_axis(&part, from, from + widths[i], (int64_t)axis, 1)) continue;
        tonnx__fold_note(builder, node, &part);
        status = tonnx__fact_set(builder, node->outputs[i], &part);
    }
    tonnx__free(widths);
    return status;
}
