/* Folding: what depends on constants and shapes alone is a constant. One that is only moved, renamed or scaled is a
 * *view* of the same tensor, so that a weight behind Transpose, Reshape, Cast or Identity can be trained and written
 * back; one that is computed belongs to the net and is not trained. Shapes are known but for the size of the batch,
 * which stays a symbol. Data is never folded. */
#include "runtime/fold_impl.h"

#include <string.h>

static tonnx_status fold_constant(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    tonnx__tensor *tensor = NULL;
    tonnx__fact fact;
    const tonnx_status status = tonnx__constant_numbers(node, &tensor);
    if (status || !tensor) return status;
    if (tensor->rank > TONNX__MAX_RANK)
        return tonnx__node_fail(builder, node, "constant of rank %zu; tonnx reads up to %d: reshape it in the file",
                                tensor->rank, TONNX__MAX_RANK);
    if (!tonnx__fact_whole(&fact, tensor)) return TONNX_OK;
    fact.constant = tensor;
    fact.name = node->outputs[0];
    fact.derived = tonnx__node_index(builder, node) < 0; /* in a function's body: every call would share it */
    *known = true;
    return tonnx__fact_set(builder, node->outputs[0], &fact);
}

static const struct row {
    const char *op_type;
    tonnx__fold_view *view;       /* asked first, where input 0 is a constant or a shape */
    tonnx__fold_compute *compute; /* where no view says it */
} rows[] = {
    { "Identity", tonnx__fold_identity, NULL },
    { "Transpose", tonnx__fold_transpose, NULL },
    { "Reshape", tonnx__fold_reshape, NULL },
    { "Flatten", tonnx__fold_flatten, NULL },
    { "Squeeze", tonnx__fold_squeeze, NULL },
    { "Unsqueeze", tonnx__fold_unsqueeze, NULL },
    { "Slice", tonnx__fold_slice, NULL },
    { "Cast", tonnx__fold_cast, tonnx__fold_converted },
    { "CastLike", tonnx__fold_cast, tonnx__fold_converted },
    { "Gather", tonnx__fold_gather, tonnx__fold_gathered },
    { "Expand", tonnx__fold_expand, tonnx__fold_broadcast },
    { "Neg", tonnx__fold_scale, tonnx__fold_math },
    { "Mul", tonnx__fold_scale, tonnx__fold_math },
    { "Div", tonnx__fold_scale, tonnx__fold_math },
    { "Constant", NULL, fold_constant },
    { "Shape", NULL, tonnx__fold_shape },
    { "Size", NULL, tonnx__fold_size },
    { "Concat", NULL, tonnx__fold_concat },
    { "Split", NULL, tonnx__fold_split },
    { "Range", NULL, tonnx__fold_range },
    { "ConstantOfShape", NULL, tonnx__fold_filled },
    { "MatMul", NULL, tonnx__fold_product },
    { "Gemm", NULL, tonnx__fold_product },
};

static const struct row *row_of(const tonnx__node *node)
{
    static const struct row arithmetic = { NULL, NULL, tonnx__fold_math },
                            reduction = { NULL, NULL, tonnx__fold_reduced },
                            activation = { NULL, NULL, tonnx__fold_activation };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(node->op_type, rows[i].op_type)) return &rows[i];
    if (!strncmp(node->op_type, "Reduce", 6)) return &reduction;
    return tonnx__activation_by_op(node->op_type) == TONNX_ACT_NONE ? &arithmetic : &activation;
}

void tonnx__fold_note(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact)
{
    const ptrdiff_t reader = tonnx__node_index(builder, node);
    if (fact->reader == -1) fact->reader = reader < 0 ? -2 : reader;
}

tonnx_status tonnx__fold(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const struct row *row = row_of(node);
    const tonnx__fact *in = tonnx__shape_input(builder, node, 0);
    if (row->view && in) {
        tonnx__fact fact = *in;
        if (row->view(builder, node, &fact)) {
            tonnx__fold_note(builder, node, &fact);
            *known = true;
            return tonnx__fact_set(builder, node->outputs[0], &fact);
        }
    }
    return row->compute ? row->compute(builder, node, known) : TONNX_OK;
}
