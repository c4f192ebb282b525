/* Writing a checkpoint: its parts one after the other, each with length and checksum, into an atomic file. */
#include <string.h>
#include <zlib.h>

#include "format/checkpoint_impl.h"
#include "format/file.h"

#define TEXT(tag, field)                                                                                               \
    {                                                                                                                  \
        tag, TONNX__PART_TEXT, offsetof(tonnx_checkpoint, field), 0                                                    \
    }
#define ARENA(tag, image, arena)                                                                                       \
    {                                                                                                                  \
        tag, TONNX__PART_ARENA, offsetof(tonnx_checkpoint, image), TONNX__ARENA_##arena                                \
    }
const tonnx__part tonnx__checkpoint_parts[TONNX__PARTS] = {
    TEXT("backend ", backend),         TEXT("device  ", device),
    TEXT("options ", options),         { "progress", TONNX__PART_NUMBERS, 0, 0 },
    ARENA("param   ", state, PARAM),   ARENA("moment1 ", state, MOMENT1),
    ARENA("moment2 ", state, MOMENT2), ARENA("static  ", state, STATIC),
    ARENA("best_par", best, PARAM),    ARENA("best_sta", best, STATIC),
};
_Static_assert(sizeof(tonnx__progress) % sizeof(uint64_t) == 0, "progress is 64-bit numbers alone");

/* A file being written; the first failure stays. */
typedef struct sink {
    tonnx_file *file;
    uint32_t crc; /* of what was put since it was last written */
    tonnx_status status;
} sink;

static void put(sink *to, const void *bytes, size_t size)
{
    if (to->status) return;
    to->crc = (uint32_t)crc32_z(to->crc, bytes, size);
    to->status = tonnx_file_write(to->file, bytes, size);
}

static void put_u32(sink *to, uint32_t value)
{
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(value >> 8 * i);
    put(to, bytes, sizeof bytes);
}

static void put_u64(sink *to, uint64_t value)
{
    put_u32(to, (uint32_t)value);
    put_u32(to, (uint32_t)(value >> 32));
}

/* The checksum of what stands since the last one. */
static void put_crc(sink *to)
{
    put_u32(to, to->crc);
    to->crc = 0;
}

static const tonnx__image *image_of(const tonnx_checkpoint *c, const tonnx__part *part)
{
    return (const tonnx__image *)((const char *)c + part->at);
}

static const char *text_of(const tonnx_checkpoint *c, const tonnx__part *part)
{
    return *(char *const *)((const char *)c + part->at);
}

enum { PIECE = 8192 }; /* elements that are written together */

static uint64_t length_of(const tonnx_checkpoint *c, const tonnx__part *part)
{
    const tonnx__image *image = image_of(c, part);
    if (part->kind == TONNX__PART_TEXT) return strlen(text_of(c, part));
    if (part->kind == TONNX__PART_NUMBERS) return TONNX__NUMBERS * sizeof(uint64_t);
    return TONNX__CHECKPOINT_ARENA + (uint64_t)image->counts[part->arena] * tonnx__numbers_size(image->numbers[part->arena]);
}

static void put_numbers(sink *to, const tonnx_checkpoint *c)
{
    uint64_t numbers[TONNX__PROGRESS_NUMBERS];
    memcpy(numbers, &c->progress, sizeof numbers);
    for (size_t i = 0; i < TONNX__PROGRESS_NUMBERS; i++) put_u64(to, numbers[i]);
    put_u64(to, c->model);
    put_u64(to, c->data);
    put_u64(to, c->validation);
    put_u64(to, c->total_steps);
}

static void put_arena(sink *to, const tonnx__image *image, tonnx__arena arena)
{
    unsigned char piece[PIECE * sizeof(double)];
    const size_t all = image->counts[arena], size = tonnx__numbers_size(image->numbers[arena]);
    const unsigned char *from = image->values[arena];
    put_u64(to, all);
    put_u64(to, size);
    for (size_t i = 0; i < all; i += PIECE) {
        const size_t count = all - i < PIECE ? all - i : PIECE;
        memcpy(piece, from + i * size, count * size);
        tonnx__checkpoint_order(piece, count, size);
        put(to, piece, count * size);
    }
}

static void put_part(sink *to, const tonnx_checkpoint *c, const tonnx__part *part)
{
    put(to, part->tag, TONNX__CHECKPOINT_TAG);
    put_u64(to, length_of(c, part));
    put_crc(to);
    if (part->kind == TONNX__PART_TEXT) put(to, text_of(c, part), strlen(text_of(c, part)));
    if (part->kind == TONNX__PART_NUMBERS) put_numbers(to, c);
    if (part->kind == TONNX__PART_ARENA) put_arena(to, image_of(c, part), part->arena);
    put_crc(to);
}

static void put_all(sink *to, const tonnx_checkpoint *c)
{
    uint64_t length = TONNX__CHECKPOINT_HEAD;
    for (size_t p = 0; p < TONNX__PARTS; p++)
        length += TONNX__CHECKPOINT_PART + length_of(c, &tonnx__checkpoint_parts[p]) + sizeof(uint32_t);
    put(to, TONNX__CHECKPOINT_MAGIC, TONNX__CHECKPOINT_TAG);
    put_u32(to, TONNX__CHECKPOINT_VERSION);
    put_u32(to, TONNX__PARTS);
    put_u64(to, length);
    put_crc(to);
    for (size_t p = 0; p < TONNX__PARTS; p++) put_part(to, c, &tonnx__checkpoint_parts[p]);
}

tonnx_status tonnx_checkpoint_save(const tonnx_checkpoint *checkpoint, const char *path)
{
    sink to = { 0 };
    tonnx_status status = tonnx_file_create(&to.file, path);
    if (status) return status;
    put_all(&to, checkpoint);
    if (!to.status) return tonnx_file_finish(to.file);
    tonnx_file_discard(to.file);
    return to.status;
}
