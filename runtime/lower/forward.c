/* Forward: layers in order, values into WORK buffers. */
#include <string.h>

#include "runtime/lower/lower_impl.h"

static size_t features(const tonnx__lowering *lowering, int value)
{
    return lowering->net->values[value].features;
}

/* The operand's buffer: a value that an earlier layer made, or a parameter. */
static tonnx_status operand(tonnx__lowering *lowering, const tonnx__operand *in, int *out)
{
    if (in->value < 0) return tonnx__param_buffer(lowering, in->param, out);
    *out = lowering->value[in->value];
    return TONNX_OK;
}

/* One instruction that reads in[0] and makes the layer's value: what most layers are. */
static tonnx_status emit(tonnx__lowering *lowering, const tonnx__layer *layer, tonnx__kind kind,
                         tonnx__instruction **out)
{
    int x = -1;
    tonnx_status status = operand(lowering, &layer->in[0], &x);
    if (!status)
        status = tonnx__work(lowering, &lowering->value[layer->out], lowering->net->values[layer->out].name, "",
                             lowering->goal->rows, features(lowering, layer->out));
    if (!status) status = tonnx__program_add(lowering->program, out, kind);
    if (status) return status;
    (*out)->in[0] = x;
    (*out)->out[0] = lowering->value[layer->out];
    (*out)->a = layer->a;
    (*out)->b = layer->b;
    return TONNX_OK;
}

/* y[N,out] = alpha·x[N,in]·W[out,in]ᵀ + beta·b[out]; transposed: W[in,out] */
static tonnx_status forward_dense(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    tonnx__instruction *gemm = NULL;
    int weight = -1, bias = -1;
    tonnx_status status = tonnx__param_buffer(lowering, layer->weight, &weight);
    if (!status) status = tonnx__param_buffer(lowering, layer->bias, &bias);
    if (!status) status = emit(lowering, layer, TONNX__GEMM, &gemm);
    if (status) return status;
    gemm->in[1] = weight;
    gemm->in[2] = bias;
    gemm->flags = layer->transposed ? 0 : TONNX__TRANS_B;
    gemm->alpha = layer->alpha;
    gemm->beta = layer->beta;
    gemm->a = gemm->b = 0;
    return TONNX_OK;
}

/* y = f(x); RReLU draws its slope in training and has the mean slope else. */
static tonnx_status forward_activation(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    tonnx__instruction *act = NULL;
    int slope = -1;
    const bool random = tonnx__draws_slope(lowering, layer);
    tonnx_status status = tonnx__param_buffer(lowering, layer->weight, &slope);
    if (!status) status = emit(lowering, layer, random ? TONNX__RANDOM_SLOPE : TONNX__ACT, &act);
    if (status) return status;
    act->in[1] = random ? act->in[0] : slope;
    act->op = random ? -1 : layer->act;
    act->stream = (uint32_t)(layer - lowering->net->layers);
    return TONNX_OK;
}

/* Batch norm: the batch's own statistics, kept for backward, and the running ones moved; or the running ones as given.
 */
static tonnx_status forward_batch_norm(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    const size_t l = (size_t)(layer - lowering->net->layers), width = features(lowering, layer->out);
    const bool batch = tonnx__uses_batch_statistics(lowering, layer);
    const int params[4] = { layer->weight, layer->bias, layer->mean, layer->variance };
    int buffers[4] = { -1, -1, -1, -1 };
    tonnx__instruction *norm = NULL;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < 4 && !status; i++) status = tonnx__param_buffer(lowering, params[i], &buffers[i]);
    if (!status && batch) status = tonnx__work(lowering, &lowering->saved[0][l], layer->name, "mean ", 1, width);
    if (!status && batch) status = tonnx__work(lowering, &lowering->saved[1][l], layer->name, "rstd ", 1, width);
    if (!status) status = emit(lowering, layer, batch ? TONNX__BATCH_NORM : TONNX__FIXED_NORM, &norm);
    if (status) return status;
    norm->epsilon = layer->epsilon;
    norm->momentum = layer->momentum;
    norm->in[1] = buffers[0];
    norm->in[2] = buffers[1];
    if (!batch) {
        norm->in[3] = buffers[2];
        norm->in[4] = buffers[3];
        return TONNX_OK;
    }
    norm->flags = lowering->goal->unbiased ? TONNX__UNBIASED : 0;
    norm->out[1] = lowering->saved[0][l];
    norm->out[2] = lowering->saved[1][l];
    norm->out[3] = buffers[2];
    norm->out[4] = buffers[3];
    return TONNX_OK;
}

static tonnx_status forward_row_norm(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    const size_t l = (size_t)(layer - lowering->net->layers);
    const bool rms = layer->kind == TONNX__LAYER_RMS_NORM;
    int scale = -1, shift = -1;
    tonnx__instruction *norm = NULL;
    tonnx_status status = tonnx__param_buffer(lowering, layer->weight, &scale);
    if (!status) status = tonnx__param_buffer(lowering, layer->bias, &shift);
    if (!status && !rms)
        status = tonnx__work(lowering, &lowering->saved[0][l], layer->name, "mean ", lowering->goal->rows, 1);
    if (!status) status = tonnx__work(lowering, &lowering->saved[1][l], layer->name, "rstd ", lowering->goal->rows, 1);
    if (!status) status = emit(lowering, layer, TONNX__ROW_NORM, &norm);
    if (status) return status;
    norm->in[1] = scale;
    norm->in[2] = shift;
    norm->out[1] = lowering->saved[0][l];
    norm->out[2] = lowering->saved[1][l];
    norm->flags = rms ? TONNX__RMS : 0;
    norm->epsilon = layer->epsilon;
    return TONNX_OK;
}

/* Inference, --dropout off and a ratio of 0 leave the value as it is. */
static tonnx_status forward_dropout(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    tonnx__instruction *dropout = NULL;
    if (!lowering->goal->train || !lowering->goal->dropout || layer->a == 0 || lowering->goal->collect) {
        lowering->value[layer->out] = lowering->value[layer->in[0].value];
        return TONNX_OK;
    }
    const tonnx_status status = emit(lowering, layer, TONNX__DROPOUT, &dropout);
    if (!status) dropout->stream = (uint32_t)(layer - lowering->net->layers);
    return status;
}

static tonnx_status forward_binary(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    tonnx__instruction *binary = NULL;
    int b = -1;
    tonnx_status status = operand(lowering, &layer->in[1], &b);
    if (!status) status = emit(lowering, layer, TONNX__BINARY, &binary);
    if (status) return status;
    binary->in[1] = b;
    binary->op = (int)layer->binary;
    return TONNX_OK;
}

static tonnx_status forward_concat(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    size_t at = 0;
    tonnx_status status = tonnx__work(lowering, &lowering->value[layer->out], lowering->net->values[layer->out].name,
                                      "", lowering->goal->rows, features(lowering, layer->out));
    for (size_t i = 0; i < layer->in_count && !status; i++) {
        const int value = layer->in[i].value;
        const size_t width = features(lowering, value);
        status = tonnx__emit_copy(lowering, lowering->value[value], 0, lowering->value[layer->out], at, width, 0);
        at += width;
    }
    return status;
}

static tonnx_status forward_slice(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    tonnx__instruction *copy = NULL;
    const tonnx_status status = emit(lowering, layer, TONNX__COPY, &copy);
    if (status) return status;
    copy->from = layer->from;
    copy->width = layer->width;
    return TONNX_OK;
}

static tonnx_status forward_softmax(tonnx__lowering *lowering, const tonnx__layer *layer)
{
    tonnx__instruction *softmax = NULL;
    const tonnx_status status = emit(lowering, layer, TONNX__SOFTMAX, &softmax);
    if (!status && layer->log) softmax->flags = TONNX__LOG;
    return status;
}

typedef tonnx_status (*forward_layer)(tonnx__lowering *lowering, const tonnx__layer *layer);

static const forward_layer forward[TONNX__LAYER_KINDS] = {
    [TONNX__LAYER_DENSE] = forward_dense,           [TONNX__LAYER_ACTIVATION] = forward_activation,
    [TONNX__LAYER_BATCH_NORM] = forward_batch_norm, [TONNX__LAYER_LAYER_NORM] = forward_row_norm,
    [TONNX__LAYER_RMS_NORM] = forward_row_norm,     [TONNX__LAYER_DROPOUT] = forward_dropout,
    [TONNX__LAYER_BINARY] = forward_binary,         [TONNX__LAYER_CONCAT] = forward_concat,
    [TONNX__LAYER_SLICE] = forward_slice,           [TONNX__LAYER_SOFTMAX] = forward_softmax,
};

/* The batch: x, and the targets where there is a loss. */
static tonnx_status gather(tonnx__lowering *lowering)
{
    tonnx__instruction *gather = NULL;
    const tonnx__goal *goal = lowering->goal;
    const int input = lowering->net->input;
    tonnx_status status = tonnx__work(lowering, &lowering->value[input], lowering->net->values[input].name, "",
                                      goal->rows, features(lowering, input));
    if (!status && goal->loss_value >= 0)
        status = tonnx__work(lowering, &lowering->target, "target", "", goal->rows, goal->target_width);
    if (!status) status = tonnx__program_add(lowering->program, &gather, TONNX__GATHER);
    if (status) return status;
    gather->out[0] = lowering->value[input];
    gather->out[1] = lowering->target;
    return TONNX_OK;
}

tonnx_status tonnx__lower_forward(tonnx__lowering *lowering)
{
    const tonnx_net *net = lowering->net;
    tonnx_status status = gather(lowering);
    for (size_t l = 0; l < net->layer_count && !status; l++)
        status = forward[net->layers[l].kind](lowering, &net->layers[l]);
    if (status || !lowering->goal->keep_output) return status;
    lowering->program->output = lowering->value[net->output];
    lowering->program->buffers[lowering->program->output].keep = true;
    return TONNX_OK;
}
