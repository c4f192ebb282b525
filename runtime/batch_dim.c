/* A fixed batch in a file's declarations, opened: what the net computes is the same for any. */
#include "runtime/batch_dim_impl.h"

#include <string.h>

static bool gives_shape(const tonnx__node *node)
{
    return !strcmp(node->op_type, "Reshape") || !strcmp(node->op_type, "Expand");
}

const char *tonnx__batch_held(const tonnx__builder *builder, int64_t batch)
{
    for (size_t n = 0; n < builder->node_count; n++) {
        const tonnx__node *node = builder->nodes[n];
        if (!gives_shape(node) || tonnx__constant_input(builder, node, 0)) continue;
        const tonnx__fact *shape = tonnx__constant_input(builder, node, 1);
        if (shape && shape->rank == 1 && shape->dims[0] && tonnx__fact_get(builder, shape, 0) == (double)batch)
            return *node->name ? node->name : node->outputs[0];
    }
    return NULL;
}

static const tonnx__value *input_of(const tonnx_net *net)
{
    const char *name = net->values[net->input].name;
    for (size_t i = 0; i < net->model->input_count; i++)
        if (!strcmp(net->model->inputs[i].name, name)) return &net->model->inputs[i];
    return NULL;
}

static tonnx_status open_value(tonnx__value *value, int64_t batch)
{
    char *symbol = NULL;
    if (value->is_initializer || !value->has_shape || !value->rank || value->dims[0] != batch) return TONNX_OK;
    const tonnx_status status = tonnx__strdup(&symbol, TONNX__BATCH);
    if (status) return status;
    tonnx__free(value->dim_params[0]);
    value->dim_params[0] = symbol;
    value->dims[0] = -1;
    return TONNX_OK;
}

tonnx_status tonnx__batch_open(tonnx_net *net)
{
    tonnx_model *model = net->model;
    const tonnx__value *input = input_of(net);
    const int64_t batch = input && input->has_shape && input->rank ? input->dims[0] : -1;
    tonnx_status status = TONNX_OK;
    if (batch < 1) {
        tonnx__say(&net->log, TONNX_LOG_INFO, "the batch is open already: --dynamic-batch changes nothing");
        return TONNX_OK;
    }
    if (net->held_batch)
        return tonnx__fail(TONNX_BAD_MODEL,
                           "%s: node '%s' has a batch of %lld in its own shape, which --dynamic-batch cannot open: export the model "
                           "with a dynamic batch",
                           model->path, net->held_batch, (long long)batch);
    for (size_t i = 0; i < model->input_count && !status; i++) status = open_value(&model->inputs[i], batch);
    for (size_t i = 0; i < model->output_count && !status; i++) status = open_value(&model->outputs[i], batch);
    if (!status) model->opened_batch = batch;
    return status;
}
