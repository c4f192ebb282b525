#include "runtime/lower/lower_impl.h"

#include <stdio.h>

tonnx_status tonnx__work(tonnx__lowering *lowering, int *out, const char *name, const char *prefix, size_t rows,
                         size_t cols)
{
    char full[128];
    snprintf(full, sizeof full, "%.24s%.96s", prefix, name);
    return tonnx__program_buffer(lowering->program, out, full, TONNX__ARENA_WORK, rows, cols);
}

/* A buffer over a parameter's place in one of the state's arenas. */
static tonnx_status place_buffer(tonnx__lowering *lowering, int param, tonnx__arena arena, int *out)
{
    const tonnx__param *p = &lowering->net->params[param];
    const tonnx_status status = tonnx__program_buffer(lowering->program, out, p->name, arena, p->rows, p->cols);
    if (!status) lowering->program->buffers[*out].offset = lowering->layout->places[param].offset;
    return status;
}

tonnx_status tonnx__param_buffer(tonnx__lowering *lowering, int param, int *out)
{
    tonnx_status status = TONNX_OK;
    *out = -1;
    if (param < 0) return TONNX_OK;
    if (lowering->param[param] < 0)
        status = place_buffer(lowering, param, lowering->layout->places[param].arena, &lowering->param[param]);
    *out = lowering->param[param];
    return status;
}

tonnx_status tonnx__emit_sum(tonnx__lowering *lowering, int from, double alpha, unsigned flags, int to)
{
    enum { BLOCK = 4096 };
    tonnx__instruction *reduce = NULL;
    const tonnx__buffer *source = &lowering->program->buffers[from];
    const size_t count = source->rows * source->cols, blocks = (count + BLOCK - 1) / BLOCK;
    int partial = from;
    tonnx_status status = TONNX_OK;
    if (blocks > 1) {
        status = tonnx__work(lowering, &partial, source->name, "partial ", 1, blocks);
        if (!status) status = tonnx__program_add(lowering->program, &reduce, TONNX__REDUCE);
        if (status) return status;
        reduce->in[0] = from;
        reduce->out[0] = partial;
        reduce->block = BLOCK;
        reduce->flags = flags;
        flags &= ~(unsigned)TONNX__SQUARE;
    }
    status = tonnx__program_add(lowering->program, &reduce, TONNX__REDUCE);
    if (status) return status;
    reduce->in[0] = partial;
    reduce->out[0] = to;
    reduce->block = blocks > 1 ? blocks : count;
    reduce->alpha = alpha;
    reduce->flags = flags;
    return TONNX_OK;
}

tonnx_status tonnx__emit_copy(tonnx__lowering *lowering, int from, size_t from_col, int to, size_t to_col, size_t width,
                              unsigned flags)
{
    tonnx__instruction *copy = NULL;
    const tonnx_status status = tonnx__program_add(lowering->program, &copy, TONNX__COPY);
    if (status) return status;
    copy->in[0] = from;
    copy->out[0] = to;
    copy->from = from_col;
    copy->to = to_col;
    copy->width = width;
    copy->flags = flags;
    return TONNX_OK;
}

bool tonnx__uses_batch_statistics(const tonnx__lowering *lowering, const tonnx__layer *layer)
{
    return lowering->goal->train && !lowering->goal->freeze_bn && layer->kind == TONNX__LAYER_BATCH_NORM;
}

bool tonnx__draws_slope(const tonnx__lowering *lowering, const tonnx__layer *layer)
{
    return layer->act == TONNX_ACT_rrelu && lowering->goal->train && !lowering->goal->collect;
}

static bool is_trained(const tonnx__lowering *lowering, int param)
{
    return param >= 0 && lowering->layout->places[param].arena == TONNX__ARENA_PARAM;
}

/* Which values have a trained parameter before them: only those need a gradient. */
static void mark_needs(tonnx__lowering *lowering)
{
    for (size_t l = 0; l < lowering->net->layer_count; l++) {
        const tonnx__layer *layer = &lowering->net->layers[l];
        bool needs = is_trained(lowering, layer->weight) || is_trained(lowering, layer->bias);
        for (size_t i = 0; i < layer->in_count; i++)
            needs |= layer->in[i].value >= 0 ? lowering->needs[layer->in[i].value]
                                             : is_trained(lowering, layer->in[i].param);
        lowering->needs[layer->out] = needs;
    }
}

static tonnx_status new_numbers(int **out, size_t count)
{
    const tonnx_status status = tonnx__alloc(out, count, sizeof **out);
    for (size_t i = 0; i < count && !status; i++) (*out)[i] = -1;
    return status;
}

static tonnx_status lowering_begin(tonnx__lowering *lowering)
{
    const tonnx_net *net = lowering->net;
    tonnx_status status = new_numbers(&lowering->value, net->value_count);
    if (!status) status = new_numbers(&lowering->value_grad, net->value_count);
    if (!status) status = new_numbers(&lowering->param, net->param_count);
    if (!status) status = new_numbers(&lowering->param_grad, net->param_count);
    if (!status) status = new_numbers(&lowering->saved[0], net->layer_count);
    if (!status) status = new_numbers(&lowering->saved[1], net->layer_count);
    if (!status) status = tonnx__alloc(&lowering->needs, net->value_count, sizeof *lowering->needs);
    if (!status) mark_needs(lowering);
    return status;
}

static void lowering_end(tonnx__lowering *lowering)
{
    tonnx__free(lowering->value);
    tonnx__free(lowering->value_grad);
    tonnx__free(lowering->param);
    tonnx__free(lowering->param_grad);
    tonnx__free(lowering->saved[0]);
    tonnx__free(lowering->saved[1]);
    tonnx__free(lowering->needs);
}

/* Arena sizes of the state come from the layout; WORK is the placer's. */
static void state_sizes(tonnx__program *program, const tonnx__layout *layout)
{
    for (size_t a = 0; a < TONNX__STATE_ARENAS; a++) program->arena_size[a] = layout->sizes[a];
    program->arena_size[TONNX__ARENA_RESULT] = TONNX__RESULTS;
}

tonnx_status tonnx__lower(tonnx__program **out, const tonnx_net *net, const tonnx__layout *layout,
                          const tonnx__goal *goal)
{
    tonnx__lowering lowering = { .net = net, .layout = layout, .goal = goal, .target = -1 };
    tonnx__program *program = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&program, 1, sizeof *program);
    if (status) return status;
    lowering.program = program;
    program->rows = goal->rows;
    program->seed = goal->seed;
    program->output = program->class_weights = -1;
    state_sizes(program, layout);
    status = lowering_begin(&lowering);
    if (!status) status = tonnx__lower_forward(&lowering);
    if (!status && goal->probing) status = tonnx__lower_probes(&lowering);
    if (!status && goal->loss_value >= 0) status = tonnx__lower_loss(&lowering);
    if (!status && goal->train && goal->loss_value >= 0) status = tonnx__lower_backward(&lowering);
    if (!status && goal->train && goal->loss_value >= 0)
        status = goal->collect ? tonnx__lower_collect(&lowering) : tonnx__lower_update(&lowering);
    if (!status) status = tonnx__fuse(program);
    if (!status) status = tonnx__place(program);
    if (!status) status = tonnx__program_verify(program);
    lowering_end(&lowering);
    if (status) tonnx__program_free(program);
    else *out = program;
    return status;
}
