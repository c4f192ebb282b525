/* Update: the gradient as one vector is measured, clipped, and steps the parameters in one sweep over the arena. */
#include <string.h>

#include "runtime/lower/lower_impl.h"

/* The whole of an arena as one row. */
static tonnx_status whole(tonnx__lowering *lowering, tonnx__arena arena, const char *name, int *out)
{
    return tonnx__program_buffer(lowering->program, out, name, arena, 1, lowering->layout->sizes[arena]);
}

/* Σ g², for clipping by norm and for the log. */
static tonnx_status emit_square(tonnx__lowering *lowering, int gradient, int *square)
{
    int result = -1;
    tonnx_status status = tonnx__work(lowering, square, "gradient", "square of ", 1, 1);
    if (!status) status = tonnx__emit_sum(lowering, gradient, 1, TONNX__SQUARE, *square);
    if (!status) status = tonnx__program_buffer(lowering->program, &result, "grad square", TONNX__ARENA_RESULT, 1, 1);
    if (status) return status;
    lowering->program->buffers[result].offset = TONNX__RESULT_GRAD_SQUARE;
    return tonnx__emit_copy(lowering, *square, 0, result, 0, 1, 0);
}

static tonnx_status emit_clip(tonnx__lowering *lowering, int gradient, int square, double limit)
{
    tonnx__instruction *clip = NULL;
    const tonnx_status status = tonnx__program_add(lowering->program, &clip, TONNX__CLIP);
    if (status) return status;
    clip->in[0] = square;
    clip->out[0] = gradient;
    clip->a = limit;
    clip->flags = square >= 0 ? TONNX__SQUARE : 0;
    return TONNX_OK;
}

static tonnx_status emit_update(tonnx__lowering *lowering, int gradient)
{
    const tonnx__goal *goal = lowering->goal;
    tonnx__instruction *update = NULL;
    int param = -1, moments[2] = { -1, -1 };
    tonnx_status status = whole(lowering, TONNX__ARENA_PARAM, "parameters", &param);
    if (!status && goal->moments > 0) status = whole(lowering, TONNX__ARENA_MOMENT1, "moment 1", &moments[0]);
    if (!status && goal->moments > 1) status = whole(lowering, TONNX__ARENA_MOMENT2, "moment 2", &moments[1]);
    if (!status) status = tonnx__program_add(lowering->program, &update, TONNX__UPDATE);
    if (status) return status;
    update->in[0] = gradient;
    update->out[0] = param;
    update->out[1] = moments[0];
    update->out[2] = moments[1];
    update->op = goal->optimizer;
    memcpy(update->h, goal->h, sizeof update->h);
    return TONNX_OK;
}

tonnx_status tonnx__lower_update(tonnx__lowering *lowering)
{
    const tonnx__goal *goal = lowering->goal;
    int gradient = -1, square = -1;
    if (!lowering->layout->sizes[TONNX__ARENA_PARAM]) return TONNX_OK; /* all is frozen */
    tonnx_status status = whole(lowering, TONNX__ARENA_GRAD, "gradient", &gradient);
    if (!status && (goal->clip_norm > 0 || goal->want_grad_norm)) status = emit_square(lowering, gradient, &square);
    if (!status && goal->clip_norm > 0) status = emit_clip(lowering, gradient, square, goal->clip_norm);
    if (!status && goal->clip_value > 0) status = emit_clip(lowering, gradient, -1, goal->clip_value);
    return status ? status : emit_update(lowering, gradient);
}
