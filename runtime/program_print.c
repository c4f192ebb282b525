/* A program as text, one instruction a line:
 *   2 gemm  C=h[32,128]@work+3200 Z=z[32,128]@work+0 <- A=x[32,784]@work+8192 B=w[128,784]@param+1290 trans-b act=relu
 */
#include "runtime/program_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A line that grows by appending and is cut at its end. */
typedef struct text {
    char *line;
    size_t length;
} text;

static void put(text *t, const char *format, ...) TONNX_PRINTF(2, 3);

static void put(text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->line + t->length, TONNX__INSTRUCTION_TEXT - t->length, format, args);
    va_end(args);
    if (n > 0) t->length += (size_t)n;
    if (t->length >= TONNX__INSTRUCTION_TEXT) t->length = TONNX__INSTRUCTION_TEXT - 1;
}

static void put_operands(text *t, const tonnx__program *program, const char *slots, const int *operands, int room)
{
    char name[24];
    bool optional = false;
    for (int k = 0; k < room && tonnx__kind_slot(slots, k, name, &optional); k++) {
        if (operands[k] < 0 || (size_t)operands[k] >= program->buffer_count) continue;
        const tonnx__buffer *b = &program->buffers[operands[k]];
        put(t, " %s=%s[%zu,%zu]@%s+%zu", name, b->name, b->rows, b->cols, tonnx__arena_name(b->arena), b->offset);
    }
}

static void put_flags(text *t, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = { { TONNX__TRANS_A, "trans-a" },   { TONNX__TRANS_B, "trans-b" }, { TONNX__EPILOGUE_BACK, "back" },
                  { TONNX__UNBIASED, "unbiased" }, { TONNX__RMS, "rms" },         { TONNX__LOG, "log" },
                  { TONNX__CLASSES, "classes" },   { TONNX__SQUARE, "square" },   { TONNX__ACC0, "acc0" },
                  { TONNX__ACC1, "acc1" } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flags & names[i].flag) put(t, " %s", names[i].name);
}

/* What `op` is depends on the kind. */
static void put_op(text *t, const tonnx__instruction *code)
{
    static const char *const binary[TONNX__BINARIES] = { "add", "sub", "mul", "div" };
    char act[64];
    tonnx_optimizer_info optimizer;
    if (code->op < 0) return;
    switch (code->kind) {
    case TONNX__GEMM:
    case TONNX__ACT:
    case TONNX__ACT_BACK:
    case TONNX__SLOPE_BACK:
        if (code->op >= TONNX_ACT_COUNT) break;
        tonnx__activation_text(code->op, code->a, code->b, act, sizeof act);
        put(t, " act=%s", act);
        break;
    case TONNX__BINARY:
    case TONNX__BINARY_BACK:
        if (code->op < TONNX__BINARIES) put(t, " op=%s", binary[code->op]);
        break;
    case TONNX__LOSS:
        if (code->op < TONNX_LOSS_COUNT) put(t, " loss=%s", tonnx_loss_name(code->op));
        break;
    case TONNX__UPDATE:
    case TONNX__GEMM_UPDATE:
        if (code->op >= TONNX_OPTIMIZER_COUNT) break;
        tonnx_optimizer_describe(code->op, &optimizer);
        put(t, " optimizer=%s", optimizer.name);
        break;
    default:
        break;
    }
}

/* The numbers that the kind reads. */
static void put_numbers(text *t, const tonnx__instruction *code)
{
    const bool own_ab = code->kind == TONNX__DROPOUT || code->kind == TONNX__RANDOM_SLOPE ||
                        code->kind == TONNX__FILL || code->kind == TONNX__CLIP;
    if (code->alpha != 1.0) put(t, " alpha=%g", code->alpha);
    if (code->beta != 1.0) put(t, " beta=%g", code->beta);
    if (own_ab) put(t, " a=%g", code->a);
    if (code->kind == TONNX__RANDOM_SLOPE) put(t, " b=%g", code->b);
    if (code->kind == TONNX__LOSS && code->b != 0.0) put(t, " smoothing=%g", code->b);
    if (code->epsilon != 0.0) put(t, " epsilon=%g", code->epsilon);
    if (code->momentum != 0.0) put(t, " momentum=%g", code->momentum);
    if (code->block) put(t, " block=%zu", code->block);
    if (code->kind == TONNX__MOMENTS) put(t, " below=%g above=%g", code->a, code->b);
    if (code->width) put(t, " columns=%zu..%zu to=%zu", code->from, code->from + code->width, code->to);
    if (code->kind == TONNX__DROPOUT || code->kind == TONNX__RANDOM_SLOPE) put(t, " stream=%u", code->stream);
}

void tonnx__instruction_text(const tonnx__program *program, size_t number, char to[TONNX__INSTRUCTION_TEXT])
{
    const tonnx__instruction *code = &program->code[number];
    text t = { to, 0 };
    put(&t, "%3zu %-15s", number, tonnx__kind_name(code->kind));
    put_operands(&t, program, tonnx__kind_outputs(code->kind), code->out, TONNX__MAX_OUT);
    put(&t, " <-");
    put_operands(&t, program, tonnx__kind_inputs(code->kind), code->in, TONNX__MAX_IN);
    put_flags(&t, code->flags);
    put_op(&t, code);
    put_numbers(&t, code);
}

void tonnx__program_memory(const tonnx__program *program, size_t element, char to[TONNX__INSTRUCTION_TEXT])
{
    text t = { to, 0 };
    put(&t, "memory:");
    for (int a = 0; a < TONNX__ARENAS; a++)
        if (a != TONNX__ARENA_RESULT)
            put(&t, "%s %s %.1f KiB", a ? "," : "", tonnx__arena_name((tonnx__arena)a),
                (double)(program->arena_size[a] * element) / 1024);
}

void tonnx__program_print(const tonnx__program *program, void (*line)(void *user, const char *text), void *user)
{
    char to[TONNX__INSTRUCTION_TEXT];
    for (size_t i = 0; i < program->code_count; i++) {
        tonnx__instruction_text(program, i, to);
        line(user, to);
    }
}
