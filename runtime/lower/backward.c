/* Backward: layers in reverse, each turning the gradient of its value into those of its inputs and parameters. A value
 * that several layers read, and a parameter that several use, gets its gradient by adding: the first one to come sets.
 */
#include "runtime/lower/lower_impl.h"

/* Where the gradient of a value goes: its buffer, and ACC0 where something is there already; -1 where none is needed.
 */
static tonnx_status value_target(tonnx__lowering *lowering, int value, int *out, unsigned *flags)
{
    *out = -1;
    *flags = 0;
    if (value < 0 || !lowering->needs[value]) return TONNX_OK;
    *flags = lowering->value_grad[value] >= 0 ? TONNX__ACC0 : 0;
    tonnx_status status = TONNX_OK;
    if (!*flags)
        status = tonnx__work(lowering, &lowering->value_grad[value], lowering->net->values[value].name, "d",
                             lowering->goal->rows, lowering->net->values[value].features);
    *out = lowering->value_grad[value];
    return status;
}

/* The same for kinds that can only set: where something is there already, they make a part that add_part adds. */
static tonnx_status part_target(tonnx__lowering *lowering, int value, int *out, unsigned *flags, int *part)
{
    tonnx_status status = value_target(lowering, value, out, flags);
    *part = *out;
    if (!status && *flags)
        status = tonnx__work(lowering, part, lowering->net->values[value].name, "part d", lowering->goal->rows,
                             lowering->net->values[value].features);
    return status;
}

static tonnx_status add_part(tonnx__lowering *lowering, int part, int to)
{
    return part == to ? TONNX_OK
                      : tonnx__emit_copy(lowering, part, 0, to, 0, lowering->program->buffers[to].cols, TONNX__ACC0);
}

/* A parameter's gradient buffer; *flags as above. */
static tonnx_status param_target(tonnx__lowering *lowering, int param, int *out, unsigned *flags)
{
    *out = -1;
    *flags = 0;
    if (param < 0 || lowering->layout->places[param].arena != TONNX__ARENA_PARAM) return TONNX_OK;
    *flags = lowering->param_grad[param] >= 0 ? TONNX__ACC0 : 0;
    tonnx_status status = TONNX_OK;
    if (!*flags) {
        int buffer = -1;
        status = tonnx__param_buffer(lowering, param, &buffer);
        if (!status) {
            const tonnx__buffer of = lowering->program->buffers[buffer];
            status = tonnx__program_buffer(lowering->program, &lowering->param_grad[param], of.name, TONNX__ARENA_GRAD,
                                           of.rows, of.cols);
            if (!status) lowering->program->buffers[lowering->param_grad[param]].offset = of.offset;
        }
    }
    *out = lowering->param_grad[param];
    return status;
}

/* A row vector [1, F] becomes (part of) a parameter's gradient: summed up where the parameter is one number, added
 * where the parameter is used more than once. */
static tonnx_status finish_row(tonnx__lowering *lowering, int row, int param)
{
    tonnx__program *program = lowering->program;
    int to = -1, part = row;
    unsigned flags = 0;
    tonnx_status status = param_target(lowering, param, &to, &flags);
    if (status || to < 0) return status;
    if (program->buffers[to].cols == 1 && program->buffers[row].cols > 1) {
        status = tonnx__work(lowering, &part, program->buffers[to].name, "sum d", 1, 1);
        if (!status) status = tonnx__emit_sum(lowering, row, 1, 0, part);
    }
    return status ? status : tonnx__emit_copy(lowering, part, 0, to, 0, program->buffers[to].cols, flags);
}

/* Where a kind writes a row gradient: straight into the parameter's buffer where it can, else into a row of its own
 * that finish_row carries on. *direct says which. */
static tonnx_status row_target(tonnx__lowering *lowering, int param, size_t width, int *out, bool *direct)
{
    unsigned flags = 0;
    *out = -1;
    *direct = true;
    if (param < 0 || lowering->layout->places[param].arena != TONNX__ARENA_PARAM) return TONNX_OK;
    const tonnx__param *p = &lowering->net->params[param];
    *direct = lowering->param_grad[param] < 0 && p->cols == width;
    return *direct ? param_target(lowering, param, out, &flags)
                   : tonnx__work(lowering, out, p->name, "row d", 1, width);
}

/* db[out] = beta·Σₙ dY[n] */
static tonnx_status backward_bias(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    tonnx__instruction *sum = NULL;
    int row = -1;
    bool direct = true;
    tonnx_status status = row_target(lowering, layer->bias, lowering->net->values[layer->out].features, &row, &direct);
    if (status || row < 0) return status;
    status = tonnx__program_add(lowering->program, &sum, TONNX__COLUMN_SUM);
    if (status) return status;
    sum->in[0] = dy;
    sum->out[0] = row;
    sum->alpha = layer->beta;
    return direct ? TONNX_OK : finish_row(lowering, row, layer->bias);
}

/* dX[N,in] = alpha·dY[N,out]·W[out,in]; dW[out,in] = alpha·dY[N,out]ᵀ·X[N,in];
 * transposed: dX[N,in] = alpha·dY[N,out]·W[in,out]ᵀ; dW[in,out] = alpha·X[N,in]ᵀ·dY[N,out] */
static tonnx_status backward_dense(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    tonnx__instruction *gemm = NULL;
    const int x = lowering->value[layer->in[0].value];
    int dx = -1, dw = -1, weight = -1;
    unsigned flags = 0;
    tonnx_status status = value_target(lowering, layer->in[0].value, &dx, &flags);
    if (!status) status = tonnx__param_buffer(lowering, layer->weight, &weight);
    if (!status && dx >= 0) {
        status = tonnx__program_add(lowering->program, &gemm, TONNX__GEMM);
        if (status) return status;
        gemm->in[0] = dy;
        gemm->in[1] = weight;
        gemm->out[0] = dx;
        gemm->alpha = layer->alpha;
        gemm->flags = flags | (layer->transposed ? TONNX__TRANS_B : 0);
    }
    if (!status) status = param_target(lowering, layer->weight, &dw, &flags);
    if (!status && dw >= 0) {
        status = tonnx__program_add(lowering->program, &gemm, TONNX__GEMM);
        if (status) return status;
        gemm->in[0] = layer->transposed ? x : dy;
        gemm->in[1] = layer->transposed ? dy : x;
        gemm->out[0] = dw;
        gemm->alpha = layer->alpha;
        gemm->flags = flags | TONNX__TRANS_A;
    }
    return status ? status : backward_bias(lowering, layer, dy);
}

/* da[F] = Σₙ dY ∘ ∂f/∂a */
static tonnx_status backward_slope(tonnx__lowering *lowering, const tonnx__layer *layer, int dy, int slope)
{
    tonnx__instruction *back = NULL;
    int row = -1;
    bool direct = true;
    tonnx_status status =
        row_target(lowering, layer->weight, lowering->net->values[layer->out].features, &row, &direct);
    if (status || row < 0) return status;
    status = tonnx__program_add(lowering->program, &back, TONNX__SLOPE_BACK);
    if (status) return status;
    back->in[0] = dy;
    back->in[1] = lowering->value[layer->in[0].value];
    back->in[2] = slope;
    back->out[0] = row;
    back->op = layer->act;
    return direct ? TONNX_OK : finish_row(lowering, row, layer->weight);
}

static tonnx_status backward_activation(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    const bool random = tonnx__draws_slope(lowering, layer);
    const int x = lowering->value[layer->in[0].value];
    tonnx_activation_info row;
    tonnx__instruction *back = NULL;
    int dx = -1, slope = -1;
    unsigned flags = 0;
    tonnx_activation_describe((tonnx_activation)layer->act, &row);
    tonnx_status status = tonnx__param_buffer(lowering, layer->weight, &slope);
    if (!status && slope >= 0) status = backward_slope(lowering, layer, dy, slope);
    if (!status) status = value_target(lowering, layer->in[0].value, &dx, &flags);
    if (status || dx < 0) return status;
    status = tonnx__program_add(lowering->program, &back, random ? TONNX__RANDOM_SLOPE : TONNX__ACT_BACK);
    if (status) return status;
    back->in[0] = dy;
    back->in[1] = random || !row.keeps_output ? x : -1;
    back->in[2] = !random && row.keeps_output ? lowering->value[layer->out] : -1;
    back->in[3] = slope;
    back->out[0] = dx;
    back->op = random ? -1 : layer->act;
    back->a = layer->a;
    back->b = layer->b;
    back->stream = (uint32_t)(layer - lowering->net->layers);
    back->flags = flags;
    return TONNX_OK;
}

/* 1/√(var + ε), which inference has not at hand: a row of ones, normalised. */
static tonnx_status emit_rstd(tonnx__lowering *lowering, const tonnx__layer *layer, int variance, int *rstd)
{
    tonnx__instruction *code = NULL;
    const size_t width = lowering->net->values[layer->out].features;
    int rows[2] = { -1, -1 }; /* of zeros, of ones */
    tonnx_status status = TONNX_OK;
    for (int i = 0; i < 2 && !status; i++) {
        status = tonnx__work(lowering, &rows[i], layer->name, i ? "ones " : "zeros ", 1, width);
        if (!status) status = tonnx__program_add(lowering->program, &code, TONNX__FILL);
        if (status) return status;
        code->out[0] = rows[i];
        code->a = i;
    }
    status = tonnx__work(lowering, rstd, layer->name, "rstd ", 1, width);
    if (!status) status = tonnx__program_add(lowering->program, &code, TONNX__FIXED_NORM);
    if (status) return status;
    code->in[0] = rows[1];
    code->in[3] = rows[0];
    code->in[4] = variance;
    code->out[0] = *rstd;
    code->epsilon = layer->epsilon;
    return TONNX_OK;
}

/* dscale[F] = Σₙ dY·x̂, dshift[F] = Σₙ dY with statistics as given; training leaves both alone, statistics want them. */
static tonnx_status backward_fixed_scale(tonnx__lowering *lowering, const tonnx__layer *layer, int dy, int variance)
{
    const size_t width = lowering->net->values[layer->out].features;
    tonnx__instruction *back = NULL;
    int rows[2] = { -1, -1 }, rstd = -1, mean = -1;
    bool direct[2] = { true, true };
    tonnx_status status = row_target(lowering, layer->weight, width, &rows[0], &direct[0]);
    if (!status) status = row_target(lowering, layer->bias, width, &rows[1], &direct[1]);
    if (status || (rows[0] < 0 && rows[1] < 0)) return status;
    status = tonnx__param_buffer(lowering, layer->mean, &mean);
    if (!status) status = emit_rstd(lowering, layer, variance, &rstd);
    if (!status) status = tonnx__program_add(lowering->program, &back, TONNX__BATCH_NORM_BACK);
    if (status) return status;
    back->in[0] = dy;
    back->in[1] = lowering->value[layer->in[0].value];
    back->in[3] = mean;
    back->in[4] = rstd;
    back->out[1] = rows[0];
    back->out[2] = rows[1];
    back->epsilon = layer->epsilon;
    if (!direct[0]) status = finish_row(lowering, rows[0], layer->weight);
    return status || direct[1] ? status : finish_row(lowering, rows[1], layer->bias);
}

/* Running statistics as given (--freeze-bn): dX = dY·scale/√(var + ε). */
static tonnx_status backward_fixed_norm(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    tonnx__instruction *back = NULL;
    int dx = -1, scale = -1, variance = -1;
    unsigned flags = 0;
    tonnx_status status = tonnx__param_buffer(lowering, layer->variance, &variance);
    if (!status) status = backward_fixed_scale(lowering, layer, dy, variance);
    if (!status) status = value_target(lowering, layer->in[0].value, &dx, &flags);
    if (status || dx < 0) return status;
    status = tonnx__param_buffer(lowering, layer->weight, &scale);
    if (!status) status = tonnx__program_add(lowering->program, &back, TONNX__FIXED_NORM_BACK);
    if (status) return status;
    back->in[0] = dy;
    back->in[1] = scale;
    back->in[2] = variance;
    back->out[0] = dx;
    back->epsilon = layer->epsilon;
    back->flags = flags;
    return TONNX_OK;
}

/* Batch norm through its statistics, layer norm and RMS norm: dX, dscale and dshift at once. */
static tonnx_status backward_norm(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    const size_t l = (size_t)(layer - lowering->net->layers), width = lowering->net->values[layer->out].features;
    const bool batch = layer->kind == TONNX__LAYER_BATCH_NORM;
    tonnx__instruction *back = NULL;
    int dx = -1, part = -1, scale = -1, rows[2] = { -1, -1 };
    bool direct[2] = { true, true };
    unsigned flags = 0;
    tonnx_status status = part_target(lowering, layer->in[0].value, &dx, &flags, &part);
    if (!status) status = tonnx__param_buffer(lowering, layer->weight, &scale);
    if (!status) status = row_target(lowering, layer->weight, width, &rows[0], &direct[0]);
    if (!status) status = row_target(lowering, layer->bias, width, &rows[1], &direct[1]);
    if (!status)
        status = tonnx__program_add(lowering->program, &back, batch ? TONNX__BATCH_NORM_BACK : TONNX__ROW_NORM_BACK);
    if (status) return status;
    back->in[0] = dy;
    back->in[1] = lowering->value[layer->in[0].value];
    back->in[2] = scale;
    back->in[3] = lowering->saved[0][l];
    back->in[4] = lowering->saved[1][l];
    back->out[0] = part;
    back->out[1] = rows[0];
    back->out[2] = rows[1];
    back->epsilon = layer->epsilon;
    back->flags = layer->kind == TONNX__LAYER_RMS_NORM ? TONNX__RMS : 0;
    if (dx >= 0) status = add_part(lowering, part, dx);
    if (!status && !direct[0]) status = finish_row(lowering, rows[0], layer->weight);
    return status || direct[1] ? status : finish_row(lowering, rows[1], layer->bias);
}

static tonnx_status backward_batch_norm(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    return tonnx__uses_batch_statistics(lowering, layer) ? backward_norm(lowering, layer, dy)
                                                         : backward_fixed_norm(lowering, layer, dy);
}

/* The same mask again, on dY. */
static tonnx_status backward_dropout(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    tonnx__instruction *back = NULL;
    int dx = -1;
    unsigned flags = 0;
    const bool passes = lowering->value[layer->out] == lowering->value[layer->in[0].value];
    tonnx_status status = value_target(lowering, layer->in[0].value, &dx, &flags);
    if (status || dx < 0) return status;
    if (passes) return tonnx__emit_copy(lowering, dy, 0, dx, 0, lowering->net->values[layer->out].features, flags);
    status = tonnx__program_add(lowering->program, &back, TONNX__DROPOUT);
    if (status) return status;
    back->in[0] = dy;
    back->out[0] = dx;
    back->a = layer->a;
    back->stream = (uint32_t)(layer - lowering->net->layers);
    back->flags = flags;
    return TONNX_OK;
}

/* The gradient of a parameter operand: N rows of it, summed. */
static tonnx_status sum_operand(tonnx__lowering *lowering, int full, int param)
{
    tonnx__instruction *sum = NULL;
    int row = -1;
    bool direct = true;
    tonnx_status status = row_target(lowering, param, lowering->program->buffers[full].cols, &row, &direct);
    if (status || row < 0) return status;
    status = tonnx__program_add(lowering->program, &sum, TONNX__COLUMN_SUM);
    if (status) return status;
    sum->in[0] = full;
    sum->out[0] = row;
    return direct ? TONNX_OK : finish_row(lowering, row, param);
}

static tonnx_status backward_binary(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    tonnx__instruction *back = NULL;
    int operands[2] = { -1, -1 }, gradients[2] = { -1, -1 };
    unsigned flags[2] = { 0, 0 };
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < 2 && !status; i++) {
        const tonnx__operand *in = &layer->in[i];
        operands[i] = in->value >= 0 ? lowering->value[in->value] : lowering->param[in->param];
        if (in->value >= 0) status = value_target(lowering, in->value, &gradients[i], &flags[i]);
        else if (lowering->layout->places[in->param].arena == TONNX__ARENA_PARAM)
            status = tonnx__work(lowering, &gradients[i], lowering->net->params[in->param].name, "rows d",
                                 lowering->goal->rows, lowering->net->values[layer->out].features);
    }
    if (status || (gradients[0] < 0 && gradients[1] < 0)) return status;
    status = tonnx__program_add(lowering->program, &back, TONNX__BINARY_BACK);
    if (status) return status;
    back->in[0] = dy;
    back->in[1] = operands[0];
    back->in[2] = operands[1];
    back->out[0] = gradients[0];
    back->out[1] = gradients[1];
    back->op = (int)layer->binary;
    back->flags = (flags[0] ? TONNX__ACC0 : 0) | (flags[1] ? TONNX__ACC1 : 0);
    for (size_t i = 0; i < 2 && !status; i++)
        if (layer->in[i].param >= 0 && gradients[i] >= 0)
            status = sum_operand(lowering, gradients[i], layer->in[i].param);
    return status;
}

static tonnx_status backward_concat(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    size_t at = 0;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < layer->in_count && !status; i++) {
        const size_t width = lowering->net->values[layer->in[i].value].features;
        unsigned flags = 0;
        int dx = -1;
        status = value_target(lowering, layer->in[i].value, &dx, &flags);
        if (!status && dx >= 0) status = tonnx__emit_copy(lowering, dy, at, dx, 0, width, flags);
        at += width;
    }
    return status;
}

/* Into its columns; the first slice of a value clears the others. */
static tonnx_status backward_slice(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    tonnx__instruction *fill = NULL;
    unsigned flags = 0;
    int dx = -1;
    tonnx_status status = value_target(lowering, layer->in[0].value, &dx, &flags);
    if (status || dx < 0) return status;
    if (!flags) {
        status = tonnx__program_add(lowering->program, &fill, TONNX__FILL);
        if (status) return status;
        fill->out[0] = dx;
    }
    return tonnx__emit_copy(lowering, dy, 0, dx, layer->from, layer->width, TONNX__ACC0);
}

static tonnx_status backward_softmax(tonnx__lowering *lowering, const tonnx__layer *layer, int dy)
{
    tonnx__instruction *back = NULL;
    unsigned flags = 0;
    int dx = -1, part = -1;
    tonnx_status status = part_target(lowering, layer->in[0].value, &dx, &flags, &part);
    if (status || dx < 0) return status;
    status = tonnx__program_add(lowering->program, &back, TONNX__SOFTMAX_BACK);
    if (status) return status;
    back->in[0] = dy;
    back->in[1] = lowering->value[layer->out];
    back->out[0] = part;
    back->flags = layer->log ? TONNX__LOG : 0;
    return add_part(lowering, part, dx);
}

typedef tonnx_status (*backward_layer)(tonnx__lowering *lowering, const tonnx__layer *layer, int dy);

static const backward_layer backward[TONNX__LAYER_KINDS] = {
    [TONNX__LAYER_DENSE] = backward_dense,           [TONNX__LAYER_ACTIVATION] = backward_activation,
    [TONNX__LAYER_BATCH_NORM] = backward_batch_norm, [TONNX__LAYER_LAYER_NORM] = backward_norm,
    [TONNX__LAYER_RMS_NORM] = backward_norm,         [TONNX__LAYER_DROPOUT] = backward_dropout,
    [TONNX__LAYER_BINARY] = backward_binary,         [TONNX__LAYER_CONCAT] = backward_concat,
    [TONNX__LAYER_SLICE] = backward_slice,           [TONNX__LAYER_SOFTMAX] = backward_softmax,
};

/* A layer whose value has no gradient (the head behind the logits) has nothing to hand on. */
tonnx_status tonnx__lower_backward(tonnx__lowering *lowering)
{
    const tonnx_net *net = lowering->net;
    tonnx_status status = TONNX_OK;
    for (size_t l = net->layer_count; l-- > 0 && !status;) {
        const tonnx__layer *layer = &net->layers[l];
        const int dy = lowering->value_grad[layer->out];
        if (dy >= 0 && lowering->needs[layer->out]) status = backward[layer->kind](lowering, layer, dy);
    }
    return status;
}
