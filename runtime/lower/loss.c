/* Loss: a row's loss each, their mean into the step's results, and the gradient with which backward begins. */
#include "runtime/lower/lower_impl.h"

static tonnx_status emit_div(tonnx__lowering *lowering, int a, int b, int to)
{
    tonnx__instruction *div = NULL;
    const tonnx_status status = tonnx__program_add(lowering->program, &div, TONNX__BINARY);
    if (status) return status;
    div->op = TONNX__DIV;
    div->in[0] = a;
    div->in[1] = b;
    div->out[0] = to;
    return TONNX_OK;
}

/* Class weights make the mean a weighted one: Σ L / Σ w rather than Σ L / N, w[n] the weight of the row's class. So
 * what stands for a row, and the gradient, are divided by the mean weight; *rows and *gradient move on to the
 * quotients. */
static tonnx_status lower_weighted_mean(tonnx__lowering *lowering, int weights, int *rows, int *gradient)
{
    const size_t count = lowering->goal->rows, width = lowering->net->values[lowering->goal->loss_value].features;
    int mean = -1, quotient = -1, scaled = -1;
    tonnx_status status = tonnx__work(lowering, &mean, "weight", "mean ", 1, 1);
    if (!status) status = tonnx__emit_sum(lowering, weights, 1.0 / (double)count, 0, mean);
    if (!status) status = tonnx__work(lowering, &quotient, "loss", "weighted rows of ", count, 1);
    if (!status) status = emit_div(lowering, *rows, mean, quotient);
    if (!status && *gradient >= 0) status = tonnx__work(lowering, &scaled, "loss", "weighted d", count, width);
    if (!status && *gradient >= 0) status = emit_div(lowering, *gradient, mean, scaled);
    *rows = quotient;
    *gradient = scaled;
    return status;
}

tonnx_status tonnx__lower_loss(tonnx__lowering *lowering)
{
    const tonnx__goal *goal = lowering->goal;
    const size_t width = lowering->net->values[goal->loss_value].features;
    tonnx__instruction *loss = NULL;
    int rows = -1, gradient = -1, result = -1, weights = -1, row_weights = -1;
    tonnx_status status = tonnx__work(lowering, &rows, "loss", "rows of ", goal->rows, 1);
    if (!status && goal->train)
        status = tonnx__work(lowering, &gradient, lowering->net->values[goal->loss_value].name, "d", goal->rows, width);
    if (!status) status = tonnx__program_buffer(lowering->program, &result, "loss", TONNX__ARENA_RESULT, 1, 1);
    if (!status && goal->class_weights) status = tonnx__work(lowering, &weights, "weights", "class ", 1, width);
    if (!status && goal->class_weights && goal->classes)
        status = tonnx__work(lowering, &row_weights, "weights", "row ", goal->rows, 1);
    if (!status) status = tonnx__program_add(lowering->program, &loss, TONNX__LOSS);
    if (status) return status;
    lowering->program->buffers[result].offset = TONNX__RESULT_LOSS;
    lowering->program->class_weights = weights;
    loss->op = goal->loss;
    loss->a = goal->loss_a;
    loss->b = goal->smoothing;
    loss->flags = goal->classes ? TONNX__CLASSES : 0;
    loss->in[0] = lowering->value[goal->loss_value];
    loss->in[1] = lowering->target;
    loss->in[2] = weights;
    loss->out[0] = rows;
    loss->out[1] = gradient;
    loss->out[2] = row_weights;
    if (row_weights >= 0) status = lower_weighted_mean(lowering, row_weights, &rows, &gradient);
    lowering->value_grad[goal->loss_value] = gradient;
    return status ? status : tonnx__emit_sum(lowering, rows, 1.0 / (double)goal->rows, 0, result);
}
