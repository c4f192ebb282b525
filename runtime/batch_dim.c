/* A fixed batch in a file's declarations, opened: what the net computes is the same for any. */
#include "runtime/batch_dim_impl.h"

#include <string.h>

static bool is_op(const tonnx__node *node, const char *op)
{
    return !*node->domain && !strcmp(node->op_type, op);
}

/* The constant shape that a node reads, also of nodes that the net does not need, for which there are no facts. */
static bool shape_of(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *out)
{
    const tonnx__fact *known = tonnx__constant_input(builder, node, 1);
    const tonnx__node *maker = known ? NULL : tonnx__maker_of(builder, tonnx__node_input(node, 1), "Constant");
    tonnx__tensor *numbers = NULL;
    if (known) *out = *known;
    else if (!maker || tonnx__constant_numbers(maker, &numbers) || !numbers || !tonnx__fact_whole(out, numbers)) return false;
    if (numbers) out->constant = numbers;
    return out->rank == 1 && out->dims[0];
}

/* A Reshape of what is not constant to a number of rows, or to a number of elements. */
static bool reshapes(const tonnx__builder *builder, const tonnx__fact *shape, int64_t batch)
{
    bool open = false;
    for (size_t i = 0; i < shape->dims[0]; i++) open = open || tonnx__fact_get(builder, shape, i) <= 0;
    return !open || tonnx__fact_get(builder, shape, 0) == (double)batch;
}

/* An Expand to so many rows; a 1 leaves them as they are. */
static bool expands(const tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *shape, int64_t batch)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0);
    return batch > 1 && tonnx__fact_get(builder, shape, 0) == (double)batch && (!x || x->rank <= shape->dims[0]);
}

static bool holds(const tonnx__builder *builder, const tonnx__node *node, int64_t batch)
{
    tonnx__fact shape;
    const bool reshape = is_op(node, "Reshape");
    if ((!reshape && !is_op(node, "Expand")) || tonnx__shape_input(builder, node, 0) || !shape_of(builder, node, &shape)) return false;
    return reshape ? reshapes(builder, &shape, batch) : expands(builder, node, &shape, batch);
}

static bool reads(const tonnx__map *names, const tonnx__node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (*node->inputs[i] && tonnx__map_get(names, node->inputs[i]) >= 0) return true;
    return false;
}

/* Marks the outputs that follow from the input. */
static tonnx_status mark_outputs(const tonnx__builder *builder, const char *input)
{
    tonnx__map names = { 0 };
    tonnx_status status = tonnx__map_set(&names, input, 1);
    for (size_t n = 0; n < builder->node_count && !status; n++) {
        const tonnx__node *node = builder->nodes[n];
        for (size_t o = 0; reads(&names, node) && o < node->output_count && !status; o++)
            if (*node->outputs[o]) status = tonnx__map_set(&names, node->outputs[o], 1);
    }
    for (size_t i = 0; i < builder->model->output_count; i++)
        builder->model->outputs[i].follows = tonnx__map_get(&names, builder->model->outputs[i].name) >= 0;
    tonnx__map_clear(&names);
    return status;
}

tonnx_status tonnx__batch_look(tonnx__builder *builder, const tonnx__value *input, const tonnx__value *output)
{
    tonnx_net *net = builder->net;
    net->declared_batch = input->dims[0];
    net->declared_output = output;
    net->output_turned = tonnx__fact_of(builder, output->name)->transposed;
    for (size_t n = 0; n < builder->node_count && !net->held_batch; n++) {
        const tonnx__node *node = builder->nodes[n];
        if (input->dims[0] > 0 && holds(builder, node, input->dims[0]))
            net->held_batch = *node->name ? node->name : node->outputs[0];
    }
    return mark_outputs(builder, input->name);
}

tonnx_status tonnx__batch_check(const tonnx_net *net)
{
    if (!net->held_batch) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_MODEL,
                       "%s: node '%s' has the batch in its own shape, declared as %lld, which --dynamic-batch cannot open: export the "
                       "model with a dynamic batch",
                       net->model->path, net->held_batch, (long long)net->declared_batch);
}

static tonnx_status open_value(tonnx__value *value, size_t dim, int64_t batch)
{
    char *symbol = NULL;
    if (!value->has_shape || dim >= value->rank || value->dims[dim] != batch) return TONNX_OK;
    const tonnx_status status = tonnx__strdup(&symbol, TONNX__BATCH);
    if (status) return status;
    tonnx__free(value->dim_params[dim]);
    value->dim_params[dim] = symbol;
    value->dims[dim] = -1;
    value->opened = dim + 1;
    return TONNX_OK;
}

tonnx_status tonnx__batch_open(tonnx_net *net)
{
    tonnx_model *model = net->model;
    const char *input = net->values[net->input].name;
    const int64_t batch = net->declared_batch;
    tonnx_status status = TONNX_OK;
    if (batch < 1) {
        tonnx__say(&net->log, TONNX_LOG_INFO, "input '%s' is declared for no fixed batch: --dynamic-batch changes nothing", input);
        return TONNX_OK;
    }
    for (size_t i = 0; i < model->input_count && !status; i++)
        if (!strcmp(model->inputs[i].name, input)) status = open_value(&model->inputs[i], 0, batch);
    for (size_t i = 0; i < model->output_count && !status; i++) {
        tonnx__value *value = &model->outputs[i];
        const bool own = value == net->declared_output;
        if (value->follows) status = open_value(value, own && net->output_turned, batch);
        if (value->opened && !own)
            tonnx__say(&net->log, TONNX_LOG_INFO, "output '%s' is declared for any batch too; it is not the net's, so nobody has checked it",
                       value->name);
    }
    if (!status)
        tonnx__say(&net->log, TONNX_LOG_INFO, "input '%s' is declared for a batch of %lld: the new file is for any", input,
                   (long long)batch);
    return status;
}
