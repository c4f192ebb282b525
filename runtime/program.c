#include "runtime/program_impl.h"

#include <stdio.h>
#include <string.h>

static const struct kind_row {
    const char *name, *inputs, *outputs;
} kinds[TONNX__KINDS] = {
#define TONNX_KIND(id, name, inputs, outputs) { name, inputs, outputs },
#include "runtime/kinds.def"
#undef TONNX_KIND
};

const char *tonnx__kind_name(tonnx__kind kind)
{
    return (unsigned)kind < TONNX__KINDS ? kinds[kind].name : "?";
}

const char *tonnx__kind_inputs(tonnx__kind kind)
{
    return (unsigned)kind < TONNX__KINDS ? kinds[kind].inputs : "";
}

const char *tonnx__kind_outputs(tonnx__kind kind)
{
    return (unsigned)kind < TONNX__KINDS ? kinds[kind].outputs : "";
}

bool tonnx__kind_slot(const char *slots, int k, char name[24], bool *optional)
{
    size_t length = 0;
    for (; k > 0 && *slots; k--) {
        slots += strcspn(slots, " ");
        slots += strspn(slots, " ");
    }
    length = strcspn(slots, " ");
    *optional = length && slots[length - 1] == '?';
    snprintf(name, 24, "%.*s", (int)(*optional ? length - 1 : length), slots);
    return length > 0;
}

const char *tonnx__arena_name(tonnx__arena arena)
{
    static const char *const names[TONNX__ARENAS] = {
        "param", "grad", "moment1", "moment2", "static", "work", "result"
    };
    return (unsigned)arena < TONNX__ARENAS ? names[arena] : "?";
}

size_t tonnx__buffer_count(const tonnx__buffer *buffer)
{
    return buffer->rows * buffer->cols;
}

void tonnx__program_free(tonnx__program *program)
{
    if (!program) return;
    tonnx__free(program->code);
    tonnx__free(program->buffers);
    tonnx__free(program);
}

tonnx_status tonnx__program_buffer(tonnx__program *program, int *out, const char *name, tonnx__arena arena, size_t rows,
                                   size_t cols)
{
    size_t count = 0;
    *out = -1;
    if (!tonnx__mul(&count, rows, cols) || !tonnx__mul(&count, count, sizeof(double)))
        return tonnx__fail(TONNX_NO_MEMORY, "buffer %s [%zu,%zu] does not fit into memory", name, rows, cols);
    const tonnx_status status =
        tonnx__grow(&program->buffers, &program->buffer_room, program->buffer_count + 1, sizeof *program->buffers);
    if (status) return status;
    tonnx__buffer *buffer = &program->buffers[program->buffer_count];
    *buffer = (tonnx__buffer){ .arena = arena, .rows = rows, .cols = cols };
    snprintf(buffer->name, sizeof buffer->name, "%s", name);
    *out = (int)program->buffer_count++;
    return TONNX_OK;
}

tonnx_status tonnx__program_add(tonnx__program *program, tonnx__instruction **out, tonnx__kind kind)
{
    *out = NULL;
    const tonnx_status status =
        tonnx__grow(&program->code, &program->code_room, program->code_count + 1, sizeof *program->code);
    if (status) return status;
    tonnx__instruction *code = &program->code[program->code_count++];
    *code = (tonnx__instruction){ .kind = kind, .op = -1, .alpha = 1.0, .beta = 1.0 };
    for (int i = 0; i < TONNX__MAX_IN; i++) code->in[i] = -1;
    for (int i = 0; i < TONNX__MAX_OUT; i++) code->out[i] = -1;
    *out = code;
    return TONNX_OK;
}
