/* Is a program well formed? Every operand present where kinds.def wants it, inside its arena, and of a shape that fits.
 * A program comes from our own passes, so what is found here is a bug of tonnx; it is still an error, not an abort. */
#include "runtime/program_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Shapes by slot, in the order of kinds.def. Two characters a slot, rows and columns. A capital letter is a size that
 * is the same wherever it stands in the instruction; '1' is one; '*' any; '=' before them: [rows,cols] as given,
 * [1,cols] or [1,1], which is broadcast. Outputs are bound first. `flags`: those that mean something to the kind. */
static const struct shape_row {
    tonnx__kind kind;
    const char *inputs, *outputs;
    unsigned flags;
} shapes[] = {
    { TONNX__GATHER, "", "NF NW", 0 },
    { TONNX__GEMM, "MK KN =1N MN MN =1N", "MN MN 1M",
      TONNX__TRANS_A | TONNX__TRANS_B | TONNX__EPILOGUE_BACK | TONNX__ACC0 },
    { TONNX__ACT, "NF =1F", "NF", 0 },
    { TONNX__ACT_BACK, "NF NF NF =1F", "NF", TONNX__ACC0 },
    { TONNX__SLOPE_BACK, "NF NF =1F", "1F", 0 },
    { TONNX__BINARY, "=NF =NF", "NF", 0 },
    { TONNX__BINARY_BACK, "NF =NF =NF", "NF NF", TONNX__ACC0 | TONNX__ACC1 },
    { TONNX__BATCH_NORM, "NF 1F 1F", "NF 1F 1F 1F 1F", TONNX__UNBIASED },
    { TONNX__BATCH_NORM_BACK, "NF NF 1F 1F 1F", "NF 1F 1F", TONNX__ACC0 },
    { TONNX__FIXED_NORM, "NF 1F 1F 1F 1F", "NF", 0 },
    { TONNX__FIXED_NORM_BACK, "NF 1F 1F", "NF", TONNX__ACC0 },
    { TONNX__ROW_NORM, "NF 1F 1F", "NF N1 N1", TONNX__RMS },
    { TONNX__ROW_NORM_BACK, "NF NF 1F N1 N1", "NF 1F 1F", TONNX__RMS | TONNX__ACC0 },
    { TONNX__SOFTMAX, "NF", "NF", TONNX__LOG },
    { TONNX__SOFTMAX_BACK, "NF NF", "NF", TONNX__LOG | TONNX__ACC0 },
    { TONNX__LOSS, "NC NT 1C", "N1 NC N1", TONNX__CLASSES },
    { TONNX__COLUMN_SUM, "NF", "1F", TONNX__ACC0 },
    { TONNX__REDUCE, "**", "**", TONNX__SQUARE },
    { TONNX__DROPOUT, "NF", "NF", TONNX__ACC0 },
    { TONNX__RANDOM_SLOPE, "NF NF", "NF", TONNX__ACC0 },
    { TONNX__COPY, "NF", "NG", TONNX__ACC0 },
    { TONNX__FILL, "", "**", 0 },
    { TONNX__CLIP, "11", "**", TONNX__SQUARE },
    { TONNX__UPDATE, "NF", "NF NF NF", 0 },
    { TONNX__GEMM_UPDATE, "MK KN", "MN MN MN 1M 1M 1M", TONNX__TRANS_A | TONNX__TRANS_B },
    { TONNX__MOMENTS, "NF", "SP", 0 },
    { TONNX__HISTOGRAM, "** 1R", "HB", 0 },
};
_Static_assert(sizeof shapes / sizeof *shapes == TONNX__KINDS, "a kind without shapes");

typedef struct checker {
    const tonnx__program *program;
    const tonnx__instruction *code;
    size_t index;
    size_t size[26]; /* of the letters; SIZE_MAX while not bound */
} checker;

static tonnx_status bad(const checker *check, const char *slot, const char *why)
{
    return tonnx__fail(TONNX_BAD_USAGE, "program: instruction %zu (%s), slot %s: %s (a bug in tonnx)", check->index,
                       tonnx__kind_name(check->code->kind), slot, why);
}

/* One extent against one letter; the first use binds it. */
static bool fits(checker *check, char letter, size_t extent)
{
    if (letter == '*') return extent > 0;
    if (letter == '1') return extent == 1;
    size_t *size = &check->size[letter - 'A'];
    if (*size == SIZE_MAX) *size = extent;
    return *size == extent && extent > 0;
}

static bool shape_fits(checker *check, const char *shape, const tonnx__buffer *buffer, bool transposed)
{
    const size_t rows = transposed ? buffer->cols : buffer->rows, cols = transposed ? buffer->rows : buffer->cols;
    if (*shape != '=') return fits(check, shape[0], rows) && fits(check, shape[1], cols);
    if (rows == 1 && cols == 1) return true;
    return (rows == 1 || fits(check, shape[1], rows)) && fits(check, shape[2], cols);
}

static tonnx_status check_place(const checker *check, const char *slot, const tonnx__buffer *buffer)
{
    size_t count = 0, end = 0;
    if ((unsigned)buffer->arena >= TONNX__ARENAS) return bad(check, slot, "no such arena");
    if (!tonnx__mul(&count, buffer->rows, buffer->cols) || !tonnx__add(&end, count, buffer->offset) ||
        end > (buffer->arena == TONNX__ARENA_RESULT ? TONNX__RESULTS : check->program->arena_size[buffer->arena]))
        return bad(check, slot, "beyond its arena's end");
    return TONNX_OK;
}

static tonnx_status check_operand(checker *check, const char *slot, const char *shape, int index, bool transposed)
{
    char why[160];
    if (index < 0 || (size_t)index >= check->program->buffer_count) return bad(check, slot, "no such buffer");
    const tonnx__buffer *buffer = &check->program->buffers[index];
    const tonnx_status status = check_place(check, slot, buffer);
    if (status) return status;
    if (shape_fits(check, shape, buffer, transposed)) return TONNX_OK;
    snprintf(why, sizeof why, "%s[%zu,%zu] is no %.3s", buffer->name, buffer->rows, buffer->cols, shape);
    return bad(check, slot, why);
}

/* Walks one side's slots beside their shapes. */
static tonnx_status check_side(checker *check, const char *slots, const char *side_shapes, const int *operands,
                               int room, bool inputs)
{
    char name[24];
    bool optional = false;
    const unsigned trans[] = { TONNX__TRANS_A, TONNX__TRANS_B };
    int k = 0;
    for (; tonnx__kind_slot(slots, k, name, &optional); k++) {
        const bool gemm =
            inputs && k < 2 && (check->code->kind == TONNX__GEMM || check->code->kind == TONNX__GEMM_UPDATE);
        if (operands[k] == -1 && !optional) return bad(check, name, "missing");
        if (operands[k] != -1) {
            const bool transposed = gemm && (check->code->flags & trans[k]);
            const tonnx_status status = check_operand(check, name, side_shapes, operands[k], transposed);
            if (status) return status;
        }
        side_shapes += strcspn(side_shapes, " ");
        side_shapes += strspn(side_shapes, " ");
    }
    for (; k < room; k++)
        if (operands[k] != -1)
            return bad(check, inputs ? "after the last input" : "after the last output", "not empty");
    return TONNX_OK;
}

static size_t extent(const checker *check, char letter)
{
    return check->size[letter - 'A'];
}

/* Which flags the instruction has that say nothing to its kind. */
static tonnx_status check_flags(const checker *check, unsigned known)
{
    char why[64];
    if (!(check->code->flags & ~known)) return TONNX_OK;
    snprintf(why, sizeof why, "flags %#x mean nothing here", check->code->flags & ~known);
    return bad(check, "flags", why);
}

static const tonnx__buffer *operand(const checker *check, int index)
{
    return index < 0 ? NULL : &check->program->buffers[index];
}

static tonnx_status check_gemm(const checker *check)
{
    const tonnx__instruction *code = check->code;
    const bool back = code->flags & TONNX__EPILOGUE_BACK;
    if ((code->flags & TONNX__ACC0) && (code->op >= 0 || code->in[2] >= 0 || code->out[1] >= 0))
        return bad(check, "C", "adding to it never comes with an epilogue");
    if (code->op >= TONNX_ACT_COUNT) return bad(check, "op", "no such activation");
    if (back && (code->op < 0 || (code->in[3] < 0 && code->in[4] < 0)))
        return bad(check, "X", "a backward epilogue needs an activation, and X or Y");
    return TONNX_OK;
}

static tonnx_status check_act(const checker *check)
{
    tonnx_activation_info row;
    if (check->code->op < 0 || check->code->op >= TONNX_ACT_COUNT) return bad(check, "op", "no such activation");
    if (check->code->kind != TONNX__ACT_BACK) return TONNX_OK;
    tonnx_activation_describe(check->code->op, &row);
    if (check->code->in[row.keeps_output ? 2 : 1] < 0)
        return bad(check, row.keeps_output ? "Y" : "X", "missing: the derivative is made from it");
    return TONNX_OK;
}

static tonnx_status check_loss(const checker *check)
{
    const bool classes = check->code->flags & TONNX__CLASSES;
    if (check->code->op < 0 || check->code->op >= TONNX_LOSS_COUNT) return bad(check, "op", "no such loss");
    if (extent(check, 'T') != (classes ? 1 : extent(check, 'C')))
        return bad(check, "T", classes ? "classes are [N,1]" : "numbers are [N,C]");
    if (check->code->op != TONNX_CROSS_ENTROPY && (check->code->in[2] >= 0 || check->code->b != 0))
        return bad(check, "W", "class weights and smoothing are cross-entropy's alone");
    if (check->code->out[2] >= 0 && (check->code->in[2] < 0 || !classes))
        return bad(check, "R", "a row's weight is that of its class: W and classes are wanted");
    return TONNX_OK;
}

static tonnx_status check_reduce(const checker *check)
{
    const size_t x = tonnx__buffer_count(operand(check, check->code->in[0]));
    const size_t y = tonnx__buffer_count(operand(check, check->code->out[0])), block = check->code->block;
    if (!block || y != (x - 1) / block + 1) return bad(check, "y", "not one number per run of X");
    return TONNX_OK;
}

static tonnx_status check_copy(const checker *check)
{
    const tonnx__instruction *code = check->code;
    size_t end_from = 0, end_to = 0;
    if (!code->width || !tonnx__add(&end_from, code->from, code->width) || !tonnx__add(&end_to, code->to, code->width))
        return bad(check, "X", "copies no columns, or too many");
    if (end_from > extent(check, 'F')) return bad(check, "X", "copies columns that it does not have");
    if (end_to > extent(check, 'G')) return bad(check, "Y", "copies to columns that it does not have");
    return TONNX_OK;
}

static tonnx_status check_update(const checker *check)
{
    tonnx_optimizer_info row;
    const tonnx__instruction *code = check->code;
    if (code->op < 0 || code->op >= TONNX_OPTIMIZER_COUNT) return bad(check, "op", "no such optimizer");
    tonnx_optimizer_describe(code->op, &row);
    /* Where momentum is a parameter of its own, the last moment is kept only under it. */
    const int kept = row.moments - (!isnan(row.momentum) && code->h[TONNX__H_BETA1] == 0.0);
    if (kept > 0 && code->out[1] < 0) return bad(check, "M", "missing: the optimizer keeps it");
    if (kept > 1 && code->out[2] < 0) return bad(check, "V", "missing: the optimizer keeps it");
    if (code->kind == TONNX__UPDATE) return TONNX_OK;
    for (int k = 1; k < 3; k++)
        if ((code->out[3 + k] >= 0) != (code->out[3] >= 0 && code->out[k] >= 0))
            return bad(check, k == 1 ? "bM" : "bV", "the bias' moments are not those of the weight");
    return TONNX_OK;
}

/* As many panels, or runs, as there are. */
static tonnx_status check_statistics(const checker *check)
{
    const tonnx__instruction *code = check->code;
    const tonnx__buffer *x = operand(check, code->in[0]);
    const bool moments = code->kind == TONNX__MOMENTS;
    const size_t whole = moments ? x->cols : tonnx__buffer_count(x);
    if (!code->block || extent(check, moments ? 'P' : 'H') != (whole - 1) / code->block + 1)
        return bad(check, moments ? "S" : "H", "not as many panels or runs as X has");
    if (moments && extent(check, 'S') != TONNX__MOMENTS_ROWS) return bad(check, "S", "not a row per moment");
    if (!moments && extent(check, 'B') > TONNX__MAX_BINS) return bad(check, "H", "too many bins");
    return moments || extent(check, 'R') == 2 ? TONNX_OK : bad(check, "range", "not two numbers");
}

/* What shapes alone do not say. */
static tonnx_status check_kind(const checker *check)
{
    switch (check->code->kind) {
    case TONNX__GATHER:
        return extent(check, 'N') == check->program->rows ? TONNX_OK : bad(check, "X", "rows are not the program's");
    case TONNX__GEMM:
        return check_gemm(check);
    case TONNX__ACT:
    case TONNX__SLOPE_BACK:
    case TONNX__ACT_BACK:
        return check_act(check);
    case TONNX__BINARY:
    case TONNX__BINARY_BACK:
        return check->code->op >= 0 && check->code->op < TONNX__BINARIES ? TONNX_OK
                                                                         : bad(check, "op", "no such operator");
    case TONNX__ROW_NORM:
        return (check->code->flags & TONNX__RMS) || check->code->out[1] >= 0 ? TONNX_OK : bad(check, "mean", "missing");
    case TONNX__ROW_NORM_BACK:
        return (check->code->flags & TONNX__RMS) || check->code->in[3] >= 0 ? TONNX_OK : bad(check, "mean", "missing");
    case TONNX__LOSS:
        return check_loss(check);
    case TONNX__REDUCE:
        return check_reduce(check);
    case TONNX__COPY:
        return check_copy(check);
    case TONNX__CLIP:
        return !(check->code->flags & TONNX__SQUARE) || check->code->in[0] >= 0 ? TONNX_OK
                                                                                : bad(check, "square", "missing");
    case TONNX__UPDATE:
    case TONNX__GEMM_UPDATE:
        return check_update(check);
    case TONNX__MOMENTS:
    case TONNX__HISTOGRAM:
        return check_statistics(check);
    default:
        return TONNX_OK;
    }
}

static tonnx_status check_instruction(checker *check)
{
    const tonnx__instruction *code = check->code;
    if ((unsigned)code->kind >= TONNX__KINDS) return bad(check, "kind", "no such kind");
    const struct shape_row *row = &shapes[code->kind];
    for (int i = 0; i < 26; i++) check->size[i] = SIZE_MAX;
    tonnx_status status =
        check_side(check, tonnx__kind_outputs(code->kind), row->outputs, code->out, TONNX__MAX_OUT, false);
    if (!status) status = check_side(check, tonnx__kind_inputs(code->kind), row->inputs, code->in, TONNX__MAX_IN, true);
    if (!status) status = check_flags(check, row->flags);
    return status ? status : check_kind(check);
}

tonnx_status tonnx__program_verify(const tonnx__program *program)
{
    checker check = { .program = program };
    if (!program->rows) return tonnx__fail(TONNX_BAD_USAGE, "program: no rows (a bug in tonnx)");
    if (program->output >= 0 && (size_t)program->output >= program->buffer_count)
        return tonnx__fail(TONNX_BAD_USAGE, "program: its output is no buffer (a bug in tonnx)");
    for (; check.index < program->code_count; check.index++) {
        check.code = &program->code[check.index];
        const tonnx_status status = check_instruction(&check);
        if (status) return status;
    }
    return TONNX_OK;
}
