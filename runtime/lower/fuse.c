/* Fuse: work that can ride on a GEMM does. An activation, or its derivative, becomes the epilogue of the product that
 * makes its input; a bias's column sum is taken where dW = dYᵀ·X reads dY anyway. Each fusion removes one sweep over
 * memory and one point where threads meet. */
#include "runtime/lower/lower_impl.h"

/* How often a buffer is read, and written, and by which instruction last. Buffers are compared by number: those of one
 * program that overlap (the arenas' whole views) are never fused over. */
typedef struct traffic {
    size_t reads, writes, writer;
} traffic;

typedef struct fusion {
    tonnx__program *program;
    traffic *traffic; /* per buffer */
    bool *dropped;    /* per instruction */
} fusion;

static void count_traffic(fusion *f)
{
    for (size_t k = 0; k < f->program->code_count; k++) {
        const tonnx__instruction *code = &f->program->code[k];
        for (int i = 0; i < TONNX__MAX_IN; i++)
            if (code->in[i] >= 0) f->traffic[code->in[i]].reads++;
        for (int i = 0; i < TONNX__MAX_OUT; i++) {
            if (code->out[i] < 0) continue;
            f->traffic[code->out[i]].writes++;
            f->traffic[code->out[i]].writer = k;
        }
    }
}

/* The plain GEMM that alone writes `buffer`; NULL else. */
static tonnx__instruction *only_gemm(const fusion *f, int buffer)
{
    const tonnx__buffer *b = &f->program->buffers[buffer];
    if (f->traffic[buffer].writes != 1 || b->arena != TONNX__ARENA_WORK || b->keep) return NULL;
    tonnx__instruction *gemm = &f->program->code[f->traffic[buffer].writer];
    return gemm->kind == TONNX__GEMM && gemm->op < 0 && !(gemm->flags & TONNX__ACC0) ? gemm : NULL;
}

/* The GEMM makes what instruction k made, and k is gone. */
static void take_over(fusion *f, tonnx__instruction *gemm, size_t k)
{
    const tonnx__instruction *code = &f->program->code[k];
    gemm->out[0] = code->out[0];
    gemm->op = code->op;
    gemm->a = code->a;
    gemm->b = code->b;
    f->traffic[code->out[0]].writer = (size_t)(gemm - f->program->code);
    f->dropped[k] = true;
}

/* Z = A·B + b; Y = f(Z)  →  Y, Z? = gemm with f as its epilogue. Z is kept only where another instruction reads it. */
static void fuse_activation(fusion *f, size_t k)
{
    const tonnx__instruction *act = &f->program->code[k];
    tonnx__instruction *gemm = act->kind == TONNX__ACT ? only_gemm(f, act->in[0]) : NULL;
    if (!gemm) return;
    gemm->out[1] = --f->traffic[act->in[0]].reads ? act->in[0] : -1;
    gemm->in[5] = act->in[1];
    take_over(f, gemm, k);
}

/* dY = A·B; dX = dY ∘ f'  →  dX = gemm with f' as its epilogue. Only where nothing else wants dY. */
static void fuse_derivative(fusion *f, size_t k)
{
    const tonnx__instruction *back = &f->program->code[k];
    if (back->kind != TONNX__ACT_BACK || (back->flags & TONNX__ACC0) || f->traffic[back->in[0]].reads != 1) return;
    tonnx__instruction *gemm = only_gemm(f, back->in[0]);
    if (!gemm) return;
    for (int i = 0; i < 3; i++) gemm->in[3 + i] = back->in[1 + i];
    gemm->flags |= TONNX__EPILOGUE_BACK;
    take_over(f, gemm, k);
}

/* dW = dYᵀ·X; db = Σ dY  →  dW, db = gemm. The two stand side by side, dW first. */
static void fuse_bias_gradient(fusion *f, size_t k)
{
    const tonnx__instruction *sum = &f->program->code[k];
    if (sum->kind != TONNX__COLUMN_SUM || sum->alpha != 1 || (sum->flags & TONNX__ACC0) || k == 0) return;
    tonnx__instruction *gemm = &f->program->code[k - 1];
    if (gemm->kind != TONNX__GEMM || !(gemm->flags & TONNX__TRANS_A) || (gemm->flags & TONNX__ACC0) ||
        gemm->in[0] != sum->in[0] || gemm->out[2] >= 0)
        return;
    gemm->out[2] = sum->out[0];
    f->dropped[k] = true;
}

/* Takes the dropped instructions out of the list. */
static void close_up(fusion *f)
{
    size_t kept = 0;
    for (size_t k = 0; k < f->program->code_count; k++)
        if (!f->dropped[k]) f->program->code[kept++] = f->program->code[k];
    f->program->code_count = kept;
}

tonnx_status tonnx__fuse(tonnx__program *program)
{
    fusion f = { .program = program };
    tonnx_status status = tonnx__alloc(&f.traffic, program->buffer_count, sizeof *f.traffic);
    if (!status) status = tonnx__alloc(&f.dropped, program->code_count, sizeof *f.dropped);
    if (!status) {
        count_traffic(&f);
        for (size_t k = 0; k < program->code_count; k++) {
            fuse_activation(&f, k);
            fuse_derivative(&f, k);
            fuse_bias_gradient(&f, k);
        }
        close_up(&f);
        status = tonnx__fuse_update(program);
    }
    tonnx__free(f.traffic);
    tonnx__free(f.dropped);
    return status;
}
