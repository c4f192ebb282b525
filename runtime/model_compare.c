/* Whether two models are the same graph. */
#include <string.h>

#include "runtime/model_impl.h"

static bool same_names(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    if (a_count != b_count) return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i], b[i]) != 0) return false;
    return true;
}

static bool same_dims(const int64_t *a, size_t a_rank, const int64_t *b, size_t b_rank)
{
    return a_rank == b_rank && (!a_rank || !memcmp(a, b, a_rank * sizeof *a));
}

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && !strcmp(a, b));
}

static bool same_tensor(const tonnx__tensor *a, const tonnx__tensor *b)
{
    if (!a || !b) return a == b;
    if (a->dtype != b->dtype || !same_dims(a->dims, a->rank, b->dims, b->rank)) return false;
    return !a->bytes || !b->bytes || !memcmp(a->bytes, b->bytes, a->count * tonnx_dtype_size(a->dtype));
}

static bool same_attribute(const tonnx__attribute *a, const tonnx__attribute *b)
{
    if (strcmp(a->name, b->name) != 0 || a->type != b->type || a->count != b->count || a->i != b->i) return false;
    if (memcmp(&a->f, &b->f, sizeof a->f) != 0 || !same_text(a->s, b->s)) return false;
    if (a->floats && b->floats && memcmp(a->floats, b->floats, a->count * sizeof *a->floats) != 0) return false;
    if (a->ints && b->ints && memcmp(a->ints, b->ints, a->count * sizeof *a->ints) != 0) return false;
    return same_tensor(a->tensor, b->tensor);
}

/* A Constant's numbers are compared as tensors are: apart from the graph. */
static bool holds_numbers(const tonnx__node *node)
{
    tonnx__tensor *tensor = NULL;
    return !tonnx__constant_numbers(node, &tensor) && tensor && tonnx_dtype_size(tensor->dtype);
}

static bool same_node(const tonnx__node *a, const tonnx__node *b)
{
    if (strcmp(a->op_type, b->op_type) != 0 || strcmp(a->domain, b->domain) != 0 || strcmp(a->name, b->name) != 0)
        return false;
    if (!same_names(a->inputs, a->input_count, b->inputs, b->input_count)) return false;
    if (!same_names(a->outputs, a->output_count, b->outputs, b->output_count)) return false;
    if (holds_numbers(a) && holds_numbers(b)) return true;
    if (a->attribute_count != b->attribute_count) return false;
    for (size_t i = 0; i < a->attribute_count; i++)
        if (!same_attribute(&a->attributes[i], &b->attributes[i])) return false;
    return true;
}

static bool same_values(const tonnx__value *a, size_t a_count, const tonnx__value *b, size_t b_count)
{
    if (a_count != b_count) return false;
    for (size_t i = 0; i < a_count; i++) {
        if (strcmp(a[i].name, b[i].name) != 0 || a[i].dtype != b[i].dtype || a[i].has_shape != b[i].has_shape)
            return false;
        if (!same_dims(a[i].dims, a[i].rank, b[i].dims, b[i].rank)) return false;
    }
    return true;
}

static bool same_opsets(const tonnx_model *a, const tonnx_model *b)
{
    if (a->opset_count != b->opset_count) return false;
    for (size_t i = 0; i < a->opset_count; i++)
        if (strcmp(a->opsets[i].domain, b->opsets[i].domain) != 0 || a->opsets[i].version != b->opsets[i].version)
            return false;
    return true;
}

bool tonnx_model_same_graph(const tonnx_model *a, const tonnx_model *b)
{
    if (a->node_count != b->node_count || a->ir_version != b->ir_version || !same_opsets(a, b)) return false;
    if (!same_values(a->inputs, a->input_count, b->inputs, b->input_count)) return false;
    if (!same_values(a->outputs, a->output_count, b->outputs, b->output_count)) return false;
    for (size_t i = 0; i < a->node_count; i++)
        if (!same_node(&a->nodes[i], &b->nodes[i])) return false;
    return true;
}
