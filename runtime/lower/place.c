/* Place: WORK buffers get their offsets. A buffer lives from the first instruction that touches it to the last; two
 * that never live at once may share room. First fit, in the order of birth. */
#include "runtime/lower/lower_impl.h"

enum { ALIGN = 16 }; /* elements: a cache line */

typedef struct life {
    size_t birth, death; /* instructions; birth > death: never used */
    size_t size;         /* elements, rounded up to ALIGN */
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
        lives[b] = (life){ SIZE_MAX, 0, (buffer->rows * buffer->cols + ALIGN - 1) / ALIGN * ALIGN };
    }
    for (size_t k = 0; k < program->code_count; k++) {
        touch(lives, program->code[k].in, TONNX__MAX_IN, k);
        touch(lives, program->code[k].out, TONNX__MAX_OUT, k);
    }
    for (size_t b = 0; b < program->buffer_count; b++)
        if (program->buffers[b].keep) lives[b].death = program->code_count;
}

static bool is_placed(const tonnx__program *program, const life *lives, size_t b)
{
    return program->buffers[b].arena == TONNX__ARENA_WORK && lives[b].birth <= lives[b].death;
}

/* The lowest offset at which `b` overlaps none of the buffers placed before it that live when it does. */
static size_t first_fit(const tonnx__program *program, const life *lives, const int *placed, size_t count, size_t b)
{
    size_t offset = 0;
    for (size_t i = 0; i < count;) {
        const size_t other = (size_t)placed[i], at = program->buffers[other].offset;
        const bool together = lives[other].birth <= lives[b].death && lives[b].birth <= lives[other].death;
        if (together && at < offset + lives[b].size && offset < at + lives[other].size) {
            offset = at + lives[other].size;
            i = 0;
        } else {
            i++;
        }
    }
    return offset;
}

tonnx_status tonnx__place(tonnx__program *program)
{
    life *lives = NULL;
    int *placed = NULL;
    size_t count = 0, end = 0;
    tonnx_status status = tonnx__alloc(&lives, program->buffer_count, sizeof *lives);
    if (!status) status = tonnx__alloc(&placed, program->buffer_count, sizeof *placed);
    if (status) goto out;
    measure(program, lives);
    for (size_t k = 0; k < program->code_count; k++)
        for (size_t b = 0; b < program->buffer_count; b++) {
            if (!is_placed(program, lives, b) || lives[b].birth != k) continue;
            program->buffers[b].offset = first_fit(program, lives, placed, count, b);
            placed[count++] = (int)b;
            if (program->buffers[b].offset + lives[b].size > end) end = program->buffers[b].offset + lives[b].size;
        }
    program->arena_size[TONNX__ARENA_WORK] = end;
out:
    tonnx__free(lives);
    tonnx__free(placed);
    return status;
}
