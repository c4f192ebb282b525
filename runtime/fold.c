/* Folding: what depends on constants alone stays a constant. A moved or renamed constant is a *view* of the same
 * tensor, so that a weight behind Transpose, Reshape, Cast or Identity can be trained and written back. Data is never
 * folded. */
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

/* A view of the whole of a tensor, row-major. */
static tonnx_status whole(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact,
                          const tonnx__tensor *tensor)
{
    if (tensor->rank > TONNX__MAX_RANK)
        return tonnx__node_fail(builder, node, "constant of rank %zu; tonnx reads up to %d", tensor->rank,
                                TONNX__MAX_RANK);
    fact->kind = TONNX__FACT_CONSTANT;
    fact->rank = tensor->rank;
    size_t stride = 1;
    for (size_t i = tensor->rank; i-- > 0;) {
        fact->dims[i] = (size_t)tensor->dims[i];
        fact->strides[i] = stride;
        stride *= fact->dims[i];
    }
    return TONNX_OK;
}

/* Constant: `value` keeps its tensor, trainable in place; value_float and the like are numbers of the graph. */
static tonnx_status fold_constant(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__attribute *value = tonnx__node_attribute(node, "value");
    if (!value || !value->tensor) return TONNX_OK;
    tonnx__fact fact = {
        .tensor = -1, .identity = -1, .value = -1, .constant = value->tensor, .name = node->outputs[0]
    };
    tonnx_status status = whole(builder, node, &fact, value->tensor);
    *known = !status;
    return status ? status : tonnx__fact_set(builder, node->outputs[0], &fact);
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

/* The same elements in the same order under new dims (their product fits); false where no view can say that. */
static bool reshape(tonnx__fact *fact, size_t rank, const size_t *dims)
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

static bool fold_reshape(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    size_t rank = 0, dims[TONNX__MAX_RANK] = { 0 };
    return reshape_dims(builder, node, fact, &rank, dims) && reshape(fact, rank, dims);
}

/* Transpose: `perm`, or all axes reversed. */
static bool fold_transpose(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const tonnx__attribute *perm = tonnx__node_attribute(node, "perm");
    const tonnx__fact from = *fact;
    (void)builder;
    if (perm && perm->count != from.rank) return false;
    for (size_t i = 0; i < from.rank; i++) {
        const size_t axis = perm ? (size_t)perm->ints[i] : from.rank - 1 - i;
        if (axis >= from.rank) return false;
        fact->dims[i] = from.dims[axis];
        fact->strides[i] = from.strides[axis];
    }
    return true;
}

/* Flatten: [d0…da−1, da…]. */
static bool fold_flatten(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    int64_t axis = tonnx__node_int(node, "axis", 1);
    size_t dims[2] = { 1, 1 };
    (void)builder;
    if (axis < 0) axis += (int64_t)fact->rank;
    if (axis < 0 || axis > (int64_t)fact->rank) return false;
    for (size_t i = 0; i < fact->rank; i++) dims[(int64_t)i >= axis] *= fact->dims[i];
    return reshape(fact, 2, dims);
}

/* Squeeze and Unsqueeze only add and drop axes of 1; the parameter code looks through those, so the last shape matters
 * little: axes come as an attribute below opset 13, as input 1 from there on. */
static bool axes_of(const tonnx__builder *builder, const tonnx__node *node, size_t rank, bool *chosen)
{
    const tonnx__attribute *attribute = tonnx__node_attribute(node, "axes");
    const tonnx__fact *input = tonnx__constant_input(builder, node, 1);
    const size_t count = attribute ? attribute->count : input ? tonnx__fact_count(input) : 0;
    for (size_t i = 0; i < count; i++) {
        int64_t axis = attribute ? attribute->ints[i] : (int64_t)tonnx__fact_get(builder, input, i);
        if (axis < 0) axis += (int64_t)rank;
        if (axis < 0 || axis >= (int64_t)rank) return false;
        chosen[axis] = true;
    }
    return count || !*tonnx__node_input(node, 1);
}

static bool fold_squeeze(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    bool chosen[TONNX__MAX_RANK] = { false };
    const bool all = !tonnx__node_attribute(node, "axes") && !*tonnx__node_input(node, 1);
    size_t kept = 0;
    if (!axes_of(builder, node, fact->rank, chosen)) return false;
    for (size_t i = 0; i < fact->rank; i++) {
        if (fact->dims[i] == 1 && (all || chosen[i])) continue;
        if (chosen[i]) return false;
        fact->dims[kept] = fact->dims[i];
        fact->strides[kept++] = fact->strides[i];
    }
    fact->rank = kept;
    return true;
}

static bool fold_unsqueeze(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const tonnx__attribute *attribute = tonnx__node_attribute(node, "axes");
    const tonnx__fact *input = tonnx__constant_input(builder, node, 1), from = *fact;
    const size_t added = attribute ? attribute->count : input ? tonnx__fact_count(input) : 0;
    bool chosen[TONNX__MAX_RANK] = { false };
    if (from.rank + added > TONNX__MAX_RANK) return false;
    fact->rank = from.rank + added;
    if (!axes_of(builder, node, fact->rank, chosen)) return false;
    for (size_t i = 0, k = 0; i < fact->rank; i++) {
        if (!chosen[i] && k >= from.rank) return false;
        fact->dims[i] = chosen[i] ? 1 : from.dims[k];
        fact->strides[i] = chosen[i] ? 0 : from.strides[k++];
    }
    return true;
}

/* A cast between float types changes how numbers are stored, not which they are: training computes in float anyway. */
static bool fold_cast(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    (void)builder, (void)fact;
    const int64_t to = tonnx__node_int(node, "to", 0);
    return to == TONNX_FLOAT || to == TONNX_DOUBLE || to == TONNX_FLOAT16 || to == TONNX_BFLOAT16;
}

static bool fold_identity(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    fact->identity = node - builder->model->nodes;
    fact->name = node->outputs[0];
    return true;
}

tonnx_status tonnx__fold(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    static const struct {
        const char *op_type;
        bool (*fold)(const tonnx__builder *, const tonnx__node *, tonnx__fact *);
    } folds[] = {
        { "Identity", fold_identity }, { "Transpose", fold_transpose }, { "Reshape", fold_reshape },
        { "Flatten", fold_flatten },   { "Squeeze", fold_squeeze },     { "Unsqueeze", fold_unsqueeze },
        { "Cast", fold_cast },
    };
    if (!strcmp(node->op_type, "Constant")) return fold_constant(builder, node, known);
    const tonnx__fact *in = tonnx__constant_input(builder, node, 0);
    if (!in) return TONNX_OK;
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        tonnx__fact fact = *in;
        if (strcmp(node->op_type, folds[i].op_type) != 0 || !folds[i].fold(builder, node, &fact)) continue;
        *known = true;
        return tonnx__fact_set(builder, node->outputs[0], &fact);
    }
    return TONNX_OK;
}
