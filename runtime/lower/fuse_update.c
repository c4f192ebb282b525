/* Fuse, second part: a weight's gradient that only its own update reads need not exist. dW = dYᵀ·X takes the
 * optimizer's step where it is made, its bias' with it, and the sweep over the arena shrinks to what is left. */
#include <string.h>

#include "runtime/lower/lower_impl.h"

/* A run of elements of the arenas that share one layout. */
typedef struct run {
    size_t from, to;
} run;

static run run_of(const tonnx__buffer *b)
{
    return (run){ b->offset, b->offset + tonnx__buffer_count(b) };
}

static bool touches(const tonnx__program *program, int buffer, tonnx__arena arena, run at)
{
    if (buffer < 0 || program->buffers[buffer].arena != arena) return false;
    const run r = run_of(&program->buffers[buffer]);
    return r.from < at.to && at.from < r.to;
}

/* Whether an instruction reads or writes elements of `arena` within the run. */
static bool uses(const tonnx__program *program, const tonnx__instruction *code, tonnx__arena arena, run at)
{
    for (int i = 0; i < TONNX__MAX_IN; i++)
        if (touches(program, code->in[i], arena, at)) return true;
    for (int i = 0; i < TONNX__MAX_OUT; i++)
        if (touches(program, code->out[i], arena, at)) return true;
    return false;
}

/* Whether gradient and parameter at `at` meet nobody but their maker, instruction k, and the update, instruction `end`:
 * nothing else touches the gradient, and nothing between the two the parameter, which would be a step ahead. */
static bool is_private(const tonnx__program *program, size_t k, size_t end, run at)
{
    for (size_t i = 0; i < program->code_count; i++) {
        const tonnx__instruction *code = &program->code[i];
        if (i != k && i != end && uses(program, code, TONNX__ARENA_GRAD, at)) return false;
        if (i > k && i < end && uses(program, code, TONNX__ARENA_PARAM, at)) return false;
    }
    return true;
}

/* The place of gradient buffer `gradient` in the arena that the update's output `slot` lies in; -1 where it has none.
 */
static tonnx_status twin(tonnx__program *program, int gradient, int of, int *out)
{
    *out = -1;
    if (of < 0) return TONNX_OK;
    const tonnx__buffer g = program->buffers[gradient];
    const tonnx_status status = tonnx__program_buffer(program, out, g.name, program->buffers[of].arena, g.rows, g.cols);
    if (!status) program->buffers[*out].offset = g.offset;
    return status;
}

/* A gradient that is one of the arena's and may vanish. */
static bool may_vanish(const tonnx__program *program, size_t k, size_t end, int gradient)
{
    const tonnx__buffer *g = &program->buffers[gradient];
    return g->arena == TONNX__ARENA_GRAD && !g->keep && is_private(program, k, end, run_of(g));
}

static bool is_weight_gradient(const tonnx__program *program, size_t k, size_t end)
{
    const tonnx__instruction *gemm = &program->code[k];
    if (gemm->kind != TONNX__GEMM || gemm->op >= 0 || (gemm->flags & ~(unsigned)(TONNX__TRANS_A | TONNX__TRANS_B)) ||
        gemm->in[2] >= 0 || gemm->out[1] >= 0)
        return false;
    return may_vanish(program, k, end, gemm->out[0]) && (gemm->out[2] < 0 || may_vanish(program, k, end, gemm->out[2]));
}

/* dW, db? = gemm  →  P, M?, V?, bP?, bM?, bV? = gemm-update. */
static tonnx_status take_step(tonnx__program *program, size_t k, size_t end)
{
    tonnx__instruction *gemm = &program->code[k];
    const tonnx__instruction *update = &program->code[end];
    const int gradients[2] = { gemm->out[0], gemm->out[2] };
    tonnx_status status = TONNX_OK;
    for (int i = 0; i < TONNX__MAX_OUT; i++) gemm->out[i] = -1;
    for (int i = 0; i < 6 && !status; i++)
        if (gradients[i / 3] >= 0) status = twin(program, gradients[i / 3], update->out[i % 3], &gemm->out[i]);
    gemm->kind = TONNX__GEMM_UPDATE;
    gemm->op = update->op;
    memcpy(gemm->h, update->h, sizeof gemm->h);
    return status;
}

/* The part [from, to) of one of the update's whole operands. */
static tonnx_status part(tonnx__program *program, int whole, run at, int *out)
{
    *out = -1;
    if (whole < 0) return TONNX_OK;
    const tonnx__buffer of = program->buffers[whole];
    const tonnx_status status = tonnx__program_buffer(program, out, of.name, of.arena, 1, at.to - at.from);
    if (!status) program->buffers[*out].offset = of.offset + at.from;
    return status;
}

/* The update of one run of what is left. */
static tonnx_status emit_rest(tonnx__program *program, const tonnx__instruction *update, run at)
{
    tonnx__instruction rest = *update, *code = NULL;
    tonnx_status status = part(program, update->in[0], at, &rest.in[0]);
    for (int i = 0; i < 3 && !status; i++) status = part(program, update->out[i], at, &rest.out[i]);
    if (!status) status = tonnx__program_add(program, &code, TONNX__UPDATE);
    if (!status) *code = rest;
    return status;
}

/* The update of the whole arena, the last instruction, gives way to one of each run that no gemm-update steps. `taken`
 * marks what they do, a place at a time. */
static tonnx_status shrink_update(tonnx__program *program, const bool *taken, size_t places)
{
    const tonnx__instruction update = program->code[--program->code_count];
    const size_t size = program->buffers[update.in[0]].cols;
    tonnx_status status = TONNX_OK;
    for (size_t from = 0, to; from < places && !status; from = to) {
        for (to = from; to < places && taken[to] == taken[from];) to++;
        const size_t end = to * TONNX__PLACE_ALIGN < size ? to * TONNX__PLACE_ALIGN : size;
        if (!taken[from]) status = emit_rest(program, &update, (run){ from * TONNX__PLACE_ALIGN, end });
    }
    return status;
}

static void mark(bool *taken, run at)
{
    for (size_t i = at.from / TONNX__PLACE_ALIGN; i < tonnx__place_end(at.to) / TONNX__PLACE_ALIGN; i++)
        taken[i] = true;
}

/* Whether `a` writes what `b` reads or writes. WORK buffers are not placed yet: different ones share no memory. */
static bool disturbs(const tonnx__program *program, const tonnx__instruction *a, const tonnx__instruction *b)
{
    for (int i = 0; i < TONNX__MAX_OUT; i++) {
        if (a->out[i] < 0) continue;
        const tonnx__buffer *out = &program->buffers[a->out[i]];
        if (out->arena != TONNX__ARENA_WORK && uses(program, b, out->arena, run_of(out))) return true;
        for (int k = 0; k < TONNX__MAX_IN; k++)
            if (b->in[k] == a->out[i]) return true;
        for (int k = 0; k < TONNX__MAX_OUT; k++)
            if (b->out[k] == a->out[i]) return true;
    }
    return false;
}

/* The next product behind instruction k, if that one may as well be done behind it; else k. */
static size_t next_product(const tonnx__program *program, size_t k)
{
    const tonnx__instruction *code = program->code;
    for (size_t i = k + 1; i < program->code_count; i++) {
        if (disturbs(program, &code[k], &code[i]) || disturbs(program, &code[i], &code[k])) return k;
        if (code[i].kind == TONNX__GEMM) return i;
    }
    return k;
}

/* dX = dY·W reads all of W, and the step of W writes it: who shares these by features would meet between them. Behind the next
 * layer's dX, for which all meet anyway, everybody has read it. Only of a dY that caches keep so long: for larger ones a meeting
 * is nothing, and memory is. */
static void defer_steps(tonnx__program *program)
{
    enum { SMALL = 1 << 16 };
    for (size_t k = program->code_count; k-- > 0;) {
        const tonnx__instruction code = program->code[k];
        if (code.kind != TONNX__GEMM_UPDATE || tonnx__buffer_count(&program->buffers[code.in[0]]) > SMALL) continue;
        const size_t to = next_product(program, k);
        memmove(&program->code[k], &program->code[k + 1], (to - k) * sizeof code);
        program->code[to] = code;
    }
}

tonnx_status tonnx__fuse_update(tonnx__program *program)
{
    const size_t end = program->code_count - 1;
    bool *taken = NULL, any = false;
    if (!program->code_count || program->code[end].kind != TONNX__UPDATE) return TONNX_OK;
    const size_t places = tonnx__place_end(program->buffers[program->code[end].in[0]].cols) / TONNX__PLACE_ALIGN;
    tonnx_status status = tonnx__alloc(&taken, places, sizeof *taken);
    for (size_t k = 0; k < end && !status; k++) {
        if (!is_weight_gradient(program, k, end)) continue;
        any = true;
        mark(taken, run_of(&program->buffers[program->code[k].out[0]]));
        if (program->code[k].out[2] >= 0) mark(taken, run_of(&program->buffers[program->code[k].out[2]]));
        status = take_step(program, k, end);
    }
    if (!status && any) status = shrink_update(program, taken, places);
    if (!status) defer_steps(program);
    tonnx__free(taken);
    return status;
}
