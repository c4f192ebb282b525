/* Place: WORK buffers get their offsets. A buffer lives from the first instruction that touches it to the last; two
 * that never live at once may share room; what no instruction writes is written from outside and lives from run to run.
 * First fit, in the order of birth. */
#include <string.h>

#include "runtime/lower/lower_impl.h"

/* Elements: a cache line. Instructions for which a place rests before it is used again, so that what comes right after the
 * last reader need not wait for it: a product back beside the update of the layer above. */
enum { ALIGN = 16, REST = 2 };

typedef struct life {
    size_t birth, death; /* instructions; birth > death: never used */
    size_t size;         /* elements, rounded up to ALIGN */
    bool written;        /* by an instruction */
} life;

static void touch(life *lives, const int *buffers, size_t count, size_t k)
{
    for (size_t i = 0; i < count; i++) {
        if (buffers[i] < 0) continue;
        life *l = &lives[buffers[i]];
        if (k < l->birth) l->birth = k;
        if (k > l->death || l->death == SIZE_MAX) l->death = k;
    }
}

static void measure(const tonnx__program *program, life *lives)
{
    for (size_t b = 0; b < program->buffer_count; b++) {
        const tonnx__buffer *buffer = &program->buffers[b];
        lives[b] = (life){ SIZE_MAX, 0, (buffer->rows * buffer->cols + ALIGN - 1) / ALIGN * ALIGN, false };
    }
    for (size_t k = 0; k < program->code_count; k++) {
        touch(lives, program->code[k].in, TONNX__MAX_IN, k);
        touch(lives, program->code[k].out, TONNX__MAX_OUT, k);
        for (int i = 0; i < TONNX__MAX_OUT; i++)
            if (program->code[k].out[i] >= 0) lives[program->code[k].out[i]].written = true;
    }
    for (size_t b = 0; b < program->buffer_count; b++)
        if (lives[b].birth <= lives[b].death) lives[b].death += REST;
    for (size_t b = 0; b < program->buffer_count; b++)
        if (program->buffers[b].keep) lives[b].death = program->code_count;
    for (size_t k = 0; k < program->code_count; k++) /* a backend may gather the next batch while this one is computed */
        for (int i = 0; i < TONNX__MAX_OUT && program->code[k].kind == TONNX__GATHER; i++)
            if (program->code[k].out[i] >= 0) lives[program->code[k].out[i]].death = program->code_count;
    for (size_t b = 0; b < program->buffer_count; b++)
        if (lives[b].birth <= lives[b].death && !lives[b].written)
            lives[b].birth = 0, lives[b].death = program->code_count;
}

static bool is_placed(const tonnx__program *program, const life *lives, size_t b)
{
    return program->buffers[b].arena == TONNX__ARENA_WORK && lives[b].birth <= lives[b].death;
}

/* Puts `b` at the lowest offset at which it overlaps no buffer that lives when it does. `placed` is in the order of
 * offsets and stays so: one pass finds the first gap. */
static void place_one(tonnx__program *program, const life *lives, int *placed, size_t count, size_t b)
{
    size_t offset = 0, at = count;
    for (size_t i = 0; i < count; i++) {
        const size_t other = (size_t)placed[i], from = program->buffers[other].offset;
        if (lives[other].birth > lives[b].death || lives[b].birth > lives[other].death) continue;
        if (from >= offset + lives[b].size) break;
        if (from + lives[other].size > offset) offset = from + lives[other].size;
    }
    program->buffers[b].offset = offset;
    while (at > 0 && program->buffers[placed[at - 1]].offset > offset) at--;
    memmove(&placed[at + 1], &placed[at], (count - at) * sizeof *placed);
    placed[at] = (int)b;
}

/* Buffers in the order of birth; those that are not placed are left out. *count of them. */
static tonnx_status by_birth(const tonnx__program *program, const life *lives, int **out, size_t *count)
{
    size_t *starts = NULL, born = 0;
    tonnx_status status = tonnx__alloc(&starts, program->code_count + 1, sizeof *starts);
    *count = 0;
    if (!status) status = tonnx__alloc(out, program->buffer_count, sizeof **out);
    for (size_t b = 0; b < program->buffer_count && !status; b++)
        if (is_placed(program, lives, b)) starts[lives[b].birth]++;
    for (size_t k = 0; k < program->code_count && !status; k++) { /* counts become first places */
        const size_t here = starts[k];
        starts[k] = born;
        born += here;
    }
    for (size_t b = 0; b < program->buffer_count && !status; b++)
        if (is_placed(program, lives, b)) (*out)[starts[lives[b].birth]++] = (int)b, ++*count;
    tonnx__free(starts);
    return status;
}

tonnx_status tonnx__place(tonnx__program *program)
{
    life *lives = NULL;
    int *order = NULL, *placed = NULL;
    size_t count = 0, end = 0;
    tonnx_status status = tonnx__alloc(&lives, program->buffer_count, sizeof *lives);
    if (!status) status = tonnx__alloc(&placed, program->buffer_count + 1, sizeof *placed);
    if (!status) {
        measure(program, lives);
        status = by_birth(program, lives, &order, &count);
    }
    for (size_t i = 0; i < count && !status; i++) {
        const size_t b = (size_t)order[i];
        place_one(program, lives, placed, i, b);
        if (program->buffers[b].offset + lives[b].size > end) end = program->buffers[b].offset + lives[b].size;
    }
    program->arena_size[TONNX__ARENA_WORK] = end;
    tonnx__free(lives);
    tonnx__free(order);
    tonnx__free(placed);
    return status;
}
