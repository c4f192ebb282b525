/* Values back into the model, where uses of one tensor may have parted. */
#include "runtime/ties_impl.h"

#include <stdio.h>
#include <string.h>

/* A name that no initializer has: NAME, or NAME.2 and so on. */
static void free_name(const tonnx_model *model, const char *name, char *text, size_t size)
{
    snprintf(text, size, "%s", name);
    for (size_t i = 2; tonnx__model_find_tensor(model, text) >= 0; i++) snprintf(text, size, "%s.%zu", name, i);
}

/* An initializer of the parameter's own, a copy of the merged one, read where the merged one was read by this use. */
static tonnx_status materialise(tonnx_net *net, tonnx__param *param)
{
    tonnx_model *model = net->model;
    char name[560];
    size_t fresh = 0;
    tonnx__tensor *from = tonnx__param_tensor(param, model);
    free_name(model, param->name, name, sizeof name);
    tonnx_status status = tonnx__model_add_tensor(model, name, from->dtype, from->rank, from->dims, &fresh);
    if (status) return status;
    from = tonnx__param_tensor(param, model); /* adding may have moved it */
    status = tonnx__tensor_touch(&model->tensors[fresh]);
    for (size_t i = 0; i < from->count && !status; i++)
        tonnx__tensor_set(&model->tensors[fresh], i, tonnx__tensor_get(from, i));
    if (status) return status;
    if (param->merged_input < 0) model->nodes[param->merged_node].removed = true;
    else status = tonnx__model_rename_input(model, (size_t)param->merged_node, (size_t)param->merged_input, name);
    param->tensor = (ptrdiff_t)fresh;
    param->constant = NULL;
    param->merged = false;
    return status;
}

/* True where some parameter over the same tensor as p would change it. */
static bool tensor_changes(const tonnx_net *net, const tonnx__param *p, const double *const *values)
{
    for (size_t i = 0; i < net->param_count; i++)
        if (values[i] && tonnx__same_tensor(&net->params[i], p) &&
            !tonnx__param_equals(&net->params[i], net->model, values[i]))
            return true;
    return false;
}

/* A copy gets its original's numbers, transposed: copy[r,c] = original[c,r]. */
static tonnx_status push_copy(const tonnx_net *net, const tonnx__copy *copy, const double *values)
{
    const size_t rows = copy->param.rows, cols = copy->param.cols;
    double *turned = NULL;
    tonnx_status status = tonnx__alloc(&turned, rows * cols, sizeof *turned);
    for (size_t r = 0; r < rows && !status; r++)
        for (size_t c = 0; c < cols; c++) turned[r * cols + c] = values[c * rows + r];
    if (!status) status = tonnx__param_push(&copy->param, net->model, turned);
    tonnx__free(turned);
    return status;
}

tonnx_status tonnx__net_push(tonnx_net *net, const double *const *values)
{
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < net->param_count && !status; i++)
        if (net->params[i].merged && tensor_changes(net, &net->params[i], values))
            status = materialise(net, &net->params[i]);
    for (size_t i = 0; i < net->param_count && !status; i++)
        if (values[i]) status = tonnx__param_push(&net->params[i], net->model, values[i]);
    for (size_t i = 0; i < net->copy_count && !status; i++)
        if (values[net->copies[i].original]) status = push_copy(net, &net->copies[i], values[net->copies[i].original]);
    return status;
}
