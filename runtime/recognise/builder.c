/* What every family works with: facts, and layers and parameters added to the net. */
#include "runtime/fold_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void tonnx__builder_clear(tonnx__builder *builder)
{
    tonnx__map_clear(&builder->facts_by_name);
    tonnx__map_clear(&builder->maker);
    tonnx__free(builder->facts);
    tonnx__free(builder->nodes);
}

const tonnx__fact *tonnx__fact_of(const tonnx__builder *builder, const char *name)
{
    static const tonnx__fact unknown = { .tensor = -1, .identity = -1, .reader = -1, .value = -1 };
    const ptrdiff_t i = *name ? tonnx__map_get(&builder->facts_by_name, name) : -1;
    return i < 0 ? &unknown : &builder->facts[i];
}

tonnx_status tonnx__fact_set(tonnx__builder *builder, const char *name, const tonnx__fact *fact)
{
    const tonnx__fact copy = *fact; /* it may lie in the array that grows */
    const tonnx_status status =
        tonnx__grow(&builder->facts, &builder->fact_room, builder->fact_count + 1, sizeof *builder->facts);
    if (status) return status;
    builder->facts[builder->fact_count] = copy;
    return tonnx__map_set(&builder->facts_by_name, name, (ptrdiff_t)builder->fact_count++);
}

bool tonnx__fact_whole(tonnx__fact *fact, const tonnx__tensor *tensor)
{
    size_t stride = 1;
    if (tensor->rank > TONNX__MAX_RANK || !tensor->bytes) return false;
    *fact = (tonnx__fact){ .kind = TONNX__FACT_CONSTANT,
                           .rank = tensor->rank,
                           .tensor = -1,
                           .factor = 1,
                           .identity = -1,
                           .reader = -1,
                           .value = -1 };
    for (size_t i = tensor->rank; i-- > 0; stride *= fact->dims[i]) {
        fact->dims[i] = (size_t)tensor->dims[i];
        fact->strides[i] = stride;
    }
    return true;
}

static const tonnx__node *any_maker(const tonnx__builder *builder, const char *name)
{
    const ptrdiff_t i = *name ? tonnx__map_get(&builder->maker, name) : -1;
    return i < 0 || *builder->nodes[i]->domain ? NULL : builder->nodes[i];
}

tonnx_dtype tonnx__cast_type(const tonnx__builder *builder, const tonnx__node *node)
{
    const tonnx__fact *like = tonnx__fact_of(builder, tonnx__node_input(node, 1));
    if (strcmp(node->op_type, "CastLike") != 0) return (tonnx_dtype)tonnx__node_int(node, "to", 0);
    if (like->kind == TONNX__FACT_VALUE) return TONNX_FLOAT;
    return like->kind == TONNX__FACT_UNKNOWN ? TONNX_DTYPE_NONE : tonnx__fact_dtype(builder, like);
}

/* Casts between float types are none: all is computed in float. */
bool tonnx__passes_on(const tonnx__builder *builder, const tonnx__node *node)
{
    if (!strcmp(node->op_type, "Identity")) return true;
    return !strncmp(node->op_type, "Cast", 4) && tonnx__is_float(tonnx__cast_type(builder, node));
}

/* The name behind nodes that only pass a value on. The order of the walk has shown that there is no cycle. */
const char *tonnx__source_name(const tonnx__builder *builder, const char *name)
{
    const tonnx__node *node = any_maker(builder, name);
    for (; node && tonnx__passes_on(builder, node); node = any_maker(builder, name)) name = tonnx__node_input(node, 0);
    return name;
}

const tonnx__node *tonnx__maker_of(const tonnx__builder *builder, const char *name, const char *op_type)
{
    const tonnx__node *node = any_maker(builder, tonnx__source_name(builder, name));
    return node && (!op_type || !strcmp(node->op_type, op_type)) ? node : NULL;
}

bool tonnx__same_source(const tonnx__builder *builder, const char *a, const char *b)
{
    return !strcmp(tonnx__source_name(builder, a), tonnx__source_name(builder, b));
}

static const tonnx__fact *input_of_kind(const tonnx__builder *builder, const tonnx__node *node, size_t i,
                                        tonnx__fact_kind kind)
{
    const tonnx__fact *fact = tonnx__fact_of(builder, tonnx__node_input(node, i));
    return fact->kind == kind ? fact : NULL;
}

const tonnx__fact *tonnx__constant_input(const tonnx__builder *builder, const tonnx__node *node, size_t i)
{
    return input_of_kind(builder, node, i, TONNX__FACT_CONSTANT);
}

const tonnx__fact *tonnx__value_input(const tonnx__builder *builder, const tonnx__node *node, size_t i)
{
    return input_of_kind(builder, node, i, TONNX__FACT_VALUE);
}

const tonnx__fact *tonnx__shape_input(const tonnx__builder *builder, const tonnx__node *node, size_t i)
{
    const tonnx__fact *shape = input_of_kind(builder, node, i, TONNX__FACT_SHAPE);
    return shape ? shape : tonnx__constant_input(builder, node, i);
}

size_t tonnx__fact_count(const tonnx__fact *fact)
{
    size_t count = 1;
    for (size_t i = 0; i < fact->rank; i++) count *= fact->dims[i]; /* fits: it did when the tensor was read */
    return count;
}

/* Where the element at a flat row-major index lies in the tensor. */
static size_t element_at(const tonnx__fact *fact, size_t index)
{
    size_t at = fact->offset;
    for (size_t i = fact->rank; i-- > 0; index /= fact->dims[i]) at += index % fact->dims[i] * fact->strides[i];
    return at;
}

double tonnx__fact_get(const tonnx__builder *builder, const tonnx__fact *fact, size_t index)
{
    const tonnx__tensor *tensor = fact->tensor >= 0 ? &builder->model->tensors[fact->tensor] : fact->constant;
    return fact->factor * tonnx__tensor_get(tensor, element_at(fact, index));
}

int64_t tonnx__fact_get_int(const tonnx__builder *builder, const tonnx__fact *fact, size_t index)
{
    const tonnx__tensor *tensor = fact->tensor >= 0 ? &builder->model->tensors[fact->tensor] : fact->constant;
    return tonnx__tensor_get_int(tensor, element_at(fact, index));
}

double tonnx__fact_per_row(const tonnx__fact *fact, size_t index)
{
    return fact->per_row ? fact->factor * tonnx__tensor_get(fact->per_row, element_at(fact, index)) : 0;
}

bool tonnx__fact_scalar(const tonnx__builder *builder, const tonnx__fact *fact, double *out)
{
    if (!fact || fact->kind != TONNX__FACT_CONSTANT || tonnx__fact_count(fact) != 1) return false;
    *out = tonnx__fact_get(builder, fact, 0);
    return true;
}

bool tonnx__fact_is_row(const tonnx__fact *fact, size_t features)
{
    const size_t count = tonnx__fact_count(fact);
    return count == 1 || (count == features && fact->rank && fact->dims[fact->rank - 1] == features);
}

/* Room for one more element of one of the net's arrays. */
#define ROOM_FOR_ONE(net, noun)                                                                                        \
    tonnx__grow(&(net)->noun##s, &(net)->noun##_room, (net)->noun##_count + 1, sizeof *(net)->noun##s)

static tonnx_status add_value(tonnx_net *net, int *out, const char *name, size_t features)
{
    tonnx_status status = ROOM_FOR_ONE(net, value);
    if (!status) status = tonnx__strdup(&net->values[net->value_count].name, name);
    if (status) return status;
    net->values[net->value_count].features = features;
    *out = (int)net->value_count++;
    return TONNX_OK;
}

tonnx_status tonnx__value_add(tonnx__builder *builder, int *out, const char *name, size_t features,
                              const tonnx__fact *like)
{
    tonnx__fact fact = {
        .kind = TONNX__FACT_VALUE, .rank = 2, .dims = { 0, features }, .tensor = -1, .identity = -1, .reader = -1
    };
    *out = -1;
    if (features < 1 || features > INT32_MAX)
        return tonnx__fail(TONNX_BAD_MODEL, "%s: '%s' has %zu features; a value has 1 to %d: export it narrower",
                           builder->path, name, features, INT32_MAX);
    if (like) {
        fact.rank = like->rank;
        fact.transposed = like->transposed;
        memcpy(fact.dims, like->dims, sizeof fact.dims);
    }
    const tonnx_status status = add_value(builder->net, &fact.value, name, features);
    *out = fact.value;
    return status ? status : tonnx__fact_set(builder, name, &fact);
}

tonnx_status tonnx__layer_add(tonnx__builder *builder, tonnx__layer **out, tonnx__layer_kind kind,
                              const tonnx__node *node, const tonnx__operand *in, size_t in_count, size_t features,
                              const tonnx__fact *like)
{
    tonnx_net *net = builder->net;
    tonnx__layer *layer = NULL;
    *out = NULL;
    tonnx_status status = ROOM_FOR_ONE(net, layer);
    if (status) return status;
    layer = &net->layers[net->layer_count++];
    *layer = (tonnx__layer){ .kind = kind,
                             .out = -1,
                             .weight = -1,
                             .bias = -1,
                             .mean = -1,
                             .variance = -1,
                             .act = TONNX_ACT_NONE,
                             .alpha = 1,
                             .beta = 1,
                             .gated = -1,
                             .in_count = in_count };
    status = tonnx__strdup(&layer->name, *node->name ? node->name : node->outputs[0]);
    if (!status) status = tonnx__strdup(&layer->op, node->op_type);
    if (!status) status = tonnx__alloc(&layer->in, in_count, sizeof *layer->in);
    if (status) return status;
    memcpy(layer->in, in, in_count * sizeof *in);
    status = tonnx__value_add(builder, &layer->out, node->outputs[0], features, like);
    *out = status ? NULL : layer;
    return status;
}

/* Training computes in float: what it trains is stored as some float. */
static tonnx_status check_dtype(const tonnx__builder *builder, const tonnx__param *param, const char *name,
                                const tonnx__node *node)
{
    const tonnx_dtype dtype = tonnx__param_tensor(param, builder->model)->dtype;
    if (dtype == TONNX_FLOAT || dtype == TONNX_DOUBLE || dtype == TONNX_FLOAT16 || dtype == TONNX_BFLOAT16)
        return TONNX_OK;
    return tonnx__node_fail(builder, node,
                            "'%s' is %s; tonnx trains float32, float64, float16 and bfloat16: export it as one of them",
                            name, tonnx_dtype_name(dtype));
}

/* A parameter reads each element of its tensor at most once, and none that is not there: whatever the views came from.
 */
static tonnx_status check_view(const tonnx__builder *builder, const tonnx__param *param, const char *name,
                               const tonnx__node *node)
{
    const tonnx__tensor *tensor = tonnx__param_tensor(param, builder->model);
    size_t down = 0, along = 0, last = 0, count = 0;
    const bool fits = param->rows && param->cols && tonnx__mul(&count, param->rows, param->cols) &&
                      tonnx__mul(&down, param->rows - 1, param->view.row_stride) &&
                      tonnx__mul(&along, param->cols - 1, param->view.col_stride) && tonnx__add(&last, down, along) &&
                      tonnx__add(&last, last, param->view.offset);
    if (fits && count <= tensor->count && last < tensor->count) return TONNX_OK;
    return tonnx__node_fail(builder, node,
                            "'%s' read as [%zu, %zu] does not fit its %zu elements; mend its dims or its data", name,
                            param->rows, param->cols, tensor->count);
}

/* Every use gets a parameter; whether uses of one tensor are one parameter is decided when the net is whole (ties.c).
 */
static tonnx_status add_param(tonnx__builder *builder, int *out, tonnx__param *param, const char *name,
                              const tonnx__node *node)
{
    tonnx_net *net = builder->net;
    *out = -1;
    tonnx_status status = check_dtype(builder, param, name, node);
    if (!status) status = check_view(builder, param, name, node);
    if (!status) status = ROOM_FOR_ONE(net, param);
    if (!status) status = tonnx__strdup(&param->name, name);
    if (status) return status;
    param->trained = param->role != TONNX__ROLE_MEAN && param->role != TONNX__ROLE_VARIANCE &&
                     param->role != TONNX__ROLE_CONSTANT && !param->derived;
    net->params[net->param_count] = *param;
    *out = (int)net->param_count++;
    return TONNX_OK;
}

/* Identity of the use: where the tensor's name would be replaced, should the use need a tensor of its own. That is
 * where the file's own tensor is read: by the layer's node, or by the first node that moves it about. */
static void note_use(const tonnx__builder *builder, tonnx__param *param, const tonnx__fact *fact,
                     const tonnx__node *node, size_t input)
{
    param->tensor = fact->tensor;
    param->constant = fact->constant;
    param->derived = fact->derived;
    if (fact->reader == -1) {
        tonnx__node_use(builder, node, input, &param->merged_node, &param->merged_input);
        return;
    }
    param->merged_node = fact->reader; /* below 0: inside a function's body */
    param->merged_input = fact->reader == fact->identity ? -1 : 0;
}

tonnx_status tonnx__param_matrix(tonnx__builder *builder, int *out, tonnx__role role, const tonnx__fact *fact,
                                 bool transpose, const tonnx__node *node, size_t input)
{
    const size_t row = transpose ? 1 : 0, col = 1 - row;
    tonnx__param param = { .role = role,
                           .rows = fact->dims[row],
                           .cols = fact->dims[col],
                           .view = { fact->offset, fact->strides[row], fact->strides[col], fact->factor } };
    note_use(builder, &param, fact, node, input);
    return add_param(builder, out, &param, fact->name, node);
}

tonnx_status tonnx__param_vector(tonnx__builder *builder, int *out, tonnx__role role, const tonnx__fact *fact,
                                 const tonnx__node *node, size_t input)
{
    tonnx__param param = {
        .role = role, .rows = 1, .cols = tonnx__fact_count(fact), .view = { fact->offset, 0, 0, fact->factor }
    };
    for (size_t i = 0; i < fact->rank; i++)
        if (fact->dims[i] != 1) param.view.col_stride = fact->strides[i];
    note_use(builder, &param, fact, node, input);
    return add_param(builder, out, &param, fact->name, node);
}

tonnx_status tonnx__param_numbers(tonnx__builder *builder, int *out, const tonnx__node *node, const float *numbers,
                                  size_t count)
{
    tonnx__derivation d;
    tonnx_status status = tonnx__derive_start(&d, builder, node, TONNX_FLOAT, 1, &count);
    *out = -1;
    for (size_t i = 0; i < count && !status; i++)
        status = tonnx__derive_put(&d, i, (tonnx__number){ (double)numbers[i], 0 });
    return status ? status : tonnx__param_vector(builder, out, TONNX__ROLE_CONSTANT, &d.fact, node, 0);
}

const char *tonnx__fact_shape(const tonnx__fact *fact, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[N");
    for (size_t i = 1; i < fact->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, ", %zu", fact->dims[i]);
    if (used < size) snprintf(text + used, size - used, "]");
    return text;
}

tonnx_status tonnx__node_fail(const tonnx__builder *builder, const tonnx__node *node, const char *format, ...)
{
    char label[256], what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return tonnx__fail(TONNX_BAD_MODEL, "%s: %s: %s", builder->path, tonnx__node_label(node, label, sizeof label),
                       what);
}
