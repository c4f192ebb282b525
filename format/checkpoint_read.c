/* Reading a checkpoint: nothing is believed before its checksum agrees, and sizes are measured against the bytes there.
 */
#include <string.h>
#include <zlib.h>

#include "format/checkpoint_impl.h"
#include "format/file.h"
#include "format/scan_impl.h"

/* What is left to read of a file, or of a part. */
typedef struct source {
    const unsigned char *at;
    size_t left;
    const char *name; /* for messages */
} source;

static uint64_t number(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static const unsigned char *take(source *from, size_t size)
{
    const unsigned char *at = from->at;
    from->at += size;
    from->left -= size;
    return at;
}

static tonnx_status damaged(const source *from, const char *part, const char *why)
{
    const int length = (int)strcspn(part, " "); /* tags are padded with blanks */
    return tonnx__fail(TONNX_BAD_MODEL, "%s: damaged checkpoint: %.*s: %s; resume from another one", from->name, length,
                       part, why);
}

static bool sums_up(const unsigned char *bytes, size_t size)
{
    return crc32_z(0, bytes, size) == number(bytes + size, sizeof(uint32_t));
}

static tonnx_status check_magic(const source *from)
{
    if (from->left >= TONNX__CHECKPOINT_TAG && !memcmp(from->at, TONNX__CHECKPOINT_MAGIC, TONNX__CHECKPOINT_TAG))
        return TONNX_OK;
    return tonnx__fail(TONNX_BAD_MODEL, "%s: not a checkpoint: it does not begin with %s", from->name,
                       TONNX__CHECKPOINT_MAGIC);
}

static tonnx_status read_head(source *from)
{
    const size_t whole = from->left;
    const tonnx_status status = check_magic(from);
    if (status) return status;
    if (whole < TONNX__CHECKPOINT_HEAD) return damaged(from, "head", "the file is cut");
    const unsigned char *head = take(from, TONNX__CHECKPOINT_HEAD);
    if (!sums_up(head, TONNX__CHECKPOINT_HEAD - sizeof(uint32_t)))
        return damaged(from, "head", "its checksum does not agree");
    if (number(head + 8, 4) != TONNX__CHECKPOINT_VERSION)
        return tonnx__fail(TONNX_BAD_MODEL, "%s: a checkpoint of version %u; this tonnx reads version %d", from->name,
                           (unsigned)number(head + 8, 4), TONNX__CHECKPOINT_VERSION);
    if (number(head + 12, 4) != TONNX__PARTS)
        return damaged(from, "head", "another number of parts than its version has");
    return number(head + 16, 8) == whole ? TONNX_OK : damaged(from, "head", "the file is not as long as it says");
}

/* The payload of the next part, which must be `part`. */
static tonnx_status read_part(source *from, const tonnx__part *part, source *payload)
{
    if (from->left < TONNX__CHECKPOINT_PART) return damaged(from, part->tag, "the file is cut");
    const unsigned char *head = take(from, TONNX__CHECKPOINT_PART);
    if (!sums_up(head, TONNX__CHECKPOINT_PART - sizeof(uint32_t)))
        return damaged(from, part->tag, "the checksum of its head does not agree");
    const uint64_t length = number(head + TONNX__CHECKPOINT_TAG, 8);
    if (memcmp(head, part->tag, TONNX__CHECKPOINT_TAG) != 0)
        return damaged(from, part->tag, "another part in its place");
    if (from->left < sizeof(uint32_t) || length > from->left - sizeof(uint32_t))
        return damaged(from, part->tag, "it is longer than the file");
    *payload = (source){ take(from, (size_t)length), (size_t)length, from->name };
    take(from, sizeof(uint32_t));
    return sums_up(payload->at, payload->left) ? TONNX_OK : damaged(from, part->tag, "its checksum does not agree");
}

static tonnx_status read_text(tonnx_checkpoint *c, const tonnx__part *part, source *payload)
{
    char **text = (char **)((char *)c + part->at);
    if (!tonnx__is_text(payload->at, payload->left))
        return damaged(payload, part->tag, "it is no UTF-8 text without NUL");
    return tonnx__strndup(text, (const char *)payload->at, payload->left);
}

static tonnx_status read_numbers(tonnx_checkpoint *c, const tonnx__part *part, source *payload)
{
    uint64_t numbers[TONNX__NUMBERS];
    if (payload->left != sizeof numbers) return damaged(payload, part->tag, "another length than its version has");
    for (size_t i = 0; i < TONNX__NUMBERS; i++) numbers[i] = number(take(payload, 8), 8);
    memcpy(&c->progress, numbers, sizeof c->progress);
    c->model = numbers[TONNX__PROGRESS_NUMBERS];
    c->data = numbers[TONNX__PROGRESS_NUMBERS + 1];
    c->validation = numbers[TONNX__PROGRESS_NUMBERS + 2];
    c->total_steps = numbers[TONNX__PROGRESS_NUMBERS + 3];
    return TONNX_OK;
}

static tonnx_status read_arena(tonnx_checkpoint *c, const tonnx__part *part, source *payload)
{
    tonnx__image *image = (tonnx__image *)((char *)c + part->at);
    if (payload->left < TONNX__CHECKPOINT_ARENA) return damaged(payload, part->tag, "it is cut");
    const uint64_t count = number(take(payload, 8), 8), size = number(take(payload, 8), 8);
    if ((size != sizeof(float) && size != sizeof(double)) || payload->left % size || count != payload->left / size)
        return damaged(payload, part->tag, "count and length contradict each other");
    if (!count) return TONNX_OK;
    const tonnx__numbers numbers = size == sizeof(float) ? TONNX__F32 : TONNX__F64;
    const tonnx_status status = tonnx__image_room(image, part->arena, (size_t)count, numbers);
    if (status) return status;
    memcpy(image->values[part->arena], take(payload, (size_t)(count * size)), (size_t)(count * size));
    tonnx__checkpoint_order(image->values[part->arena], (size_t)count, (size_t)size);
    return TONNX_OK;
}

static tonnx_status read_all(tonnx_checkpoint *c, source *from)
{
    tonnx_status status = read_head(from);
    for (size_t p = 0; p < TONNX__PARTS && !status; p++) {
        const tonnx__part *part = &tonnx__checkpoint_parts[p];
        source payload = { 0 };
        status = read_part(from, part, &payload);
        if (status) break;
        if (part->kind == TONNX__PART_TEXT) status = read_text(c, part, &payload);
        if (part->kind == TONNX__PART_NUMBERS) status = read_numbers(c, part, &payload);
        if (part->kind == TONNX__PART_ARENA) status = read_arena(c, part, &payload);
    }
    return !status && from->left ? damaged(from, "end", "bytes after the last part") : status;
}

tonnx_status tonnx_checkpoint_read(tonnx_checkpoint **out, const void *bytes, size_t size, const char *name)
{
    tonnx_checkpoint *checkpoint = NULL;
    source from = { bytes, size, name };
    *out = NULL;
    tonnx_status status = tonnx__alloc(&checkpoint, 1, sizeof *checkpoint);
    if (!status) status = tonnx__strdup(&checkpoint->path, name);
    if (!status) status = read_all(checkpoint, &from);
    if (status) tonnx_checkpoint_free(checkpoint);
    else *out = checkpoint;
    return status;
}

tonnx_status tonnx_checkpoint_load(tonnx_checkpoint **out, const char *path)
{
    unsigned char *bytes = NULL;
    unsigned char head[TONNX__CHECKPOINT_TAG];
    source begin = { head, 0, path };
    size_t size = 0;
    *out = NULL;
    tonnx_status status = tonnx_file_head(path, head, sizeof head, &begin.left);
    if (!status) status = check_magic(&begin); /* before a large file of another kind is read */
    if (!status) status = tonnx_file_read(path, SIZE_MAX, &bytes, &size);
    if (!status) status = tonnx_checkpoint_read(out, bytes, size, path);
    tonnx_file_free(bytes);
    return status;
}
