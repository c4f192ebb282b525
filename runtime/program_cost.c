/* What an instruction has to do at least: arithmetic of its matrix product, bytes of its operands. */
#include "runtime/program_impl.h"

static double elements(const tonnx__program *program, int buffer)
{
    return buffer < 0 ? 0 : (double)tonnx__buffer_count(&program->buffers[buffer]);
}

double tonnx__instruction_flops(const tonnx__program *program, const tonnx__instruction *code)
{
    if (code->kind != TONNX__GEMM && code->kind != TONNX__GEMM_UPDATE) return 0;
    const tonnx__buffer *a = &program->buffers[code->in[0]];
    const double inner = (double)(code->flags & TONNX__TRANS_A ? a->rows : a->cols);
    return 2 * elements(program, code->out[0]) * inner;
}

double tonnx__instruction_bytes(const tonnx__program *program, const tonnx__instruction *code)
{
    /* an update and a clip read what they write; a gather reads from the data what it writes */
    const bool twice = code->kind == TONNX__UPDATE || code->kind == TONNX__GEMM_UPDATE || code->kind == TONNX__CLIP ||
                       code->kind == TONNX__GATHER;
    double count = 0;
    for (int k = 0; k < TONNX__MAX_IN; k++) count += elements(program, code->in[k]);
    for (int k = 0; k < TONNX__MAX_OUT; k++) count += elements(program, code->out[k]) * (twice ? 2 : 1);
    return count * sizeof(float);
}
