/* Loss: a row's loss each, their mean into the step's results, and the gradient with which backward begins. */
#include "runtime/lower/lower_impl.h"

tonnx_status tonnx__lower_loss(tonnx__lowering *lowering)
{
    const tonnx__goal *goal = lowering->goal;
    const size_t width = lowering->net->values[goal->loss_value].features;
    tonnx__instruction *loss = NULL;
    int rows = -1, gradient = -1, result = -1;
    tonnx_status status = tonnx__work(lowering, &rows, "loss", "rows of ", goal->rows, 1);
    if (!status && goal->train)
        status = tonnx__work(lowering, &gradient, lowering->net->values[goal->loss_value].name, "d", goal->rows, width);
    if (!status) status = tonnx__program_buffer(lowering->program, &result, "loss", TONNX__ARENA_RESULT, 1, 1);
    if (!status) status = tonnx__program_add(lowering->program, &loss, TONNX__LOSS);
    if (status) return status;
    lowering->program->buffers[result].offset = TONNX__RESULT_LOSS;
    loss->op = goal->loss;
    loss->a = goal->loss_a;
    loss->flags = goal->classes ? TONNX__CLASSES : 0;
    loss->in[0] = lowering->value[goal->loss_value];
    loss->in[1] = lowering->target;
    loss->out[0] = rows;
    loss->out[1] = gradient;
    lowering->value_grad[goal->loss_value] = gradient;
    return tonnx__emit_sum(lowering, rows, 1.0 / (double)goal->rows, 0, result);
}
