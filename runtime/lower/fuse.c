/* Fuse: work that can ride on a GEMM does. An activation, or its derivative, becomes the epilogue of the product that
 * makes its input; a bias's column sum is taken where dW = dYᵀ·X reads dY anyway. Each fusion removes one sweep over
 * memory and one point where threads meet. */
#include <string.h>

#include "runtime/lower/lower_impl.h"

/* How often a buffer is read, and written, and by which instruction last. Buffers are compared by number: those of one
 * program that overlap (the arenas' whole views) are never fused over. */
typedef struct traffic {
    size_t reads, writes;
    int reader, writer; /* the last one */
} traffic;

static traffic traffic_of(const tonnx__program *program, int buffer)
{
    traffic t = { 0, 0, -1, -1 };
    for (size_t k = 0; k < program->code_count; k++) {
        const tonnx__instruction *code = &program->code[k];
        for (int i = 0; i < TONNX__MAX_IN; i++)
            if (code->in[i] == buffer) t.reads++, t.reader = (int)k;
        for (int i = 0; i < TONNX__MAX_OUT; i++)
            if (code->out[i] == buffer) t.writes++, t.writer = (int)k;
    }
    return t;
}

/* Takes instruction k out of the list. */
static void drop(tonnx__program *program, size_t k)
{
    memmove(&program->code[k], &program->code[k + 1], (program->code_count - k - 1) * sizeof *program->code);
    program->code_count--;
}

/* The plain GEMM that alone writes `buffer`; NULL else. */
static tonnx__instruction *only_gemm(const tonnx__program *program, int buffer)
{
    const traffic t = traffic_of(program, buffer);
    if (t.writes != 1 || program->buffers[buffer].arena != TONNX__ARENA_WORK || program->buffers[buffer].keep)
        return NULL;
    tonnx__instruction *gemm = &program->code[t.writer];
    return gemm->kind == TONNX__GEMM && gemm->op < 0 && !(gemm->flags & TONNX__ACC0) ? gemm : NULL;
}

/* Z = A·B + b; Y = f(Z)  →  Y, Z? = gemm with f as its epilogue. Z is kept only where another instruction reads it. */
static bool fuse_activation(tonnx__program *program, size_t k)
{
    const tonnx__instruction act = program->code[k];
    tonnx__instruction *gemm = act.kind == TONNX__ACT ? only_gemm(program, act.in[0]) : NULL;
    if (!gemm) return false;
    gemm->out[1] = traffic_of(program, act.in[0]).reads > 1 ? act.in[0] : -1;
    gemm->out[0] = act.out[0];
    gemm->in[5] = act.in[1];
    gemm->op = act.op;
    gemm->a = act.a;
    gemm->b = act.b;
    drop(program, k);
    return true;
}

/* dY = A·B; dX = dY ∘ f'  →  dX = gemm with f' as its epilogue. Only where nothing else wants dY. */
static bool fuse_derivative(tonnx__program *program, size_t k)
{
    const tonnx__instruction back = program->code[k];
    if (back.kind != TONNX__ACT_BACK || (back.flags & TONNX__ACC0) || traffic_of(program, back.in[0]).reads != 1)
        return false;
    tonnx__instruction *gemm = only_gemm(program, back.in[0]);
    if (!gemm) return false;
    gemm->out[0] = back.out[0];
    gemm->in[3] = back.in[1];
    gemm->in[4] = back.in[2];
    gemm->in[5] = back.in[3];
    gemm->op = back.op;
    gemm->a = back.a;
    gemm->b = back.b;
    gemm->flags |= TONNX__EPILOGUE_BACK;
    drop(program, k);
    return true;
}

/* dW = dYᵀ·X; db = Σ dY  →  dW, db = gemm. The two stand side by side, dW first. */
static bool fuse_bias_gradient(tonnx__program *program, size_t k)
{
    const tonnx__instruction sum = program->code[k];
    if (sum.kind != TONNX__COLUMN_SUM || sum.alpha != 1 || (sum.flags & TONNX__ACC0) || k == 0) return false;
    tonnx__instruction *gemm = &program->code[k - 1];
    if (gemm->kind != TONNX__GEMM || !(gemm->flags & TONNX__TRANS_A) || (gemm->flags & TONNX__ACC0) ||
        gemm->in[0] != sum.in[0] || gemm->out[2] >= 0)
        return false;
    gemm->out[2] = sum.out[0];
    drop(program, k);
    return true;
}

tonnx_status tonnx__fuse(tonnx__program *program)
{
    for (size_t k = 0; k < program->code_count;)
        if (!fuse_activation(program, k) && !fuse_derivative(program, k) && !fuse_bias_gradient(program, k)) k++;
    return TONNX_OK;
}
