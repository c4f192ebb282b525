/* Checkpoints whose every checksum agrees and that are wrong all the same: made by hand, part by part. */
#include <string.h>
#include <zlib.h>

#include "format/checkpoint_impl.h"
#include "support.h"

typedef struct image {
    size_t size;
    unsigned char bytes[4096];
} image;

static void put(image *f, const void *bytes, size_t size)
{
    memcpy(f->bytes + f->size, bytes, size);
    f->size += size;
}

static void put_number(image *f, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) put(f, &(unsigned char){ (unsigned char)(value >> 8 * i) }, 1);
}

/* The checksum of the last `size` bytes. */
static void put_sum(image *f, size_t size)
{
    put_number(f, crc32(0, f->bytes + f->size - size, (uInt)size), 4);
}

static void put_part(image *f, const char *tag, const void *payload, size_t size, uint64_t said)
{
    put(f, tag, TONNX__CHECKPOINT_TAG);
    put_number(f, said, 8);
    put_sum(f, TONNX__CHECKPOINT_TAG + 8);
    put(f, payload, size);
    put_sum(f, size);
}

static void put_head(image *f, uint64_t version, uint64_t parts, uint64_t length)
{
    put(f, TONNX__CHECKPOINT_MAGIC, 8);
    put_number(f, version, 4);
    put_number(f, parts, 4);
    put_number(f, length, 8);
    put_sum(f, 24);
}

/* What is done otherwise to part `part`; 0 everywhere: nothing. */
typedef struct lie {
    int part;
    const char *tag;
    const char *payload;
    size_t size;
    uint64_t said;  /* its length, where that is not `size` */
    uint64_t parts; /* how many the file has; 0: all */
    const char *says;
} lie;

enum { TEXT = 0, NUMBERS = 3, ARENA = 4, LAST = TONNX__PARTS - 1 };

#define ARENA_OF(count, size) count "\0\0\0\0\0\0\0" size "\0\0\0\0\0\0\0"

static const lie lies[] = {
    { .part = -1 },
    { TEXT, NULL, "cp\xff", 3, 0, 0, "backend: it is no UTF-8 text" },
    { TEXT, NULL, "c\0u", 3, 0, 0, "backend: it is no UTF-8 text" },
    { TEXT, "backward", "cpu", 3, 0, 0, "backend: another part in its place" },
    { TEXT, NULL, "cpu", 3, UINT64_MAX, 0, "backend: it is longer than the file" },
    { TEXT, NULL, "cpu", 3, 4000, 0, "backend: it is longer than the file" },
    { NUMBERS, NULL, "12345678", 8, 0, 0, "progress: another length than its version has" },
    { ARENA, NULL, "1234567", 7, 0, 0, "it is cut" },
    { ARENA, NULL, ARENA_OF("\1", "\4") "abcd", 20, 0, 0, NULL },
    { ARENA, NULL, ARENA_OF("\1", "\10") "abcdefgh", 24, 0, 0, NULL },
    { ARENA, NULL, ARENA_OF("\2", "\4") "abcd", 20, 0, 0, "count and length contradict each other" },
    { ARENA, NULL, ARENA_OF("\1", "\3") "abc", 19, 0, 0, "count and length contradict each other" },
    { ARENA, NULL, ARENA_OF("\1", "\0") "", 16, 0, 0, "count and length contradict each other" },
    { ARENA, NULL, ARENA_OF("\1", "\4") "abcde", 21, 0, 0, "count and length contradict each other" },
    { ARENA, NULL, "\xff\xff\xff\xff\xff\xff\xff\x3f\4\0\0\0\0\0\0\0abcd", 20, 0, 0, "contradict each other" },
    { .part = -1, .parts = TONNX__PARTS - 1, .says = "the file is cut" },
    { .part = -1, .parts = TONNX__PARTS + 1, .says = "end: bytes after the last part" },
};

static void make(image *f, const lie *l)
{
    static const unsigned char zeros[8 * TONNX__NUMBERS];
    static image body;
    const size_t parts = l->parts ? l->parts : TONNX__PARTS;
    body.size = f->size = 0;
    for (size_t p = 0; p < parts; p++) {
        const tonnx__part *part = &tonnx__checkpoint_parts[p < TONNX__PARTS ? p : LAST];
        const size_t size = part->kind == TONNX__PART_NUMBERS ? sizeof zeros : part->kind == TONNX__PART_ARENA ? 16 : 0;
        if ((int)p == l->part)
            put_part(&body, l->tag ? l->tag : part->tag, l->payload, l->size, l->said ? l->said : l->size);
        else put_part(&body, part->tag, zeros, size, size);
        if (part->kind == TONNX__PART_ARENA && (int)p != l->part) { /* no elements, of four bytes each */
            body.size -= 12;
            put_number(&body, 4, 8);
            put_sum(&body, 16);
        }
    }
    put_head(f, TONNX__CHECKPOINT_VERSION, TONNX__PARTS, TONNX__CHECKPOINT_HEAD + body.size);
    put(f, body.bytes, body.size);
}

static void expect(const image *f, const char *says)
{
    tonnx_checkpoint *checkpoint = NULL;
    if (says) ck_fails(tonnx_checkpoint_read(&checkpoint, f->bytes, f->size, "a.ckpt"), TONNX_BAD_MODEL, says);
    else ck_ok(tonnx_checkpoint_read(&checkpoint, f->bytes, f->size, "a.ckpt"));
    ck_assert_msg(!says || (!checkpoint && !strncmp(tonnx_last_message(), "a.ckpt: ", 8)), "%s", tonnx_last_message());
    tonnx_checkpoint_free(checkpoint);
}

START_TEST(a_part_that_lies_is_refused)
{
    static image file;
    make(&file, &lies[_i]);
    expect(&file, lies[_i].says);
}
END_TEST

START_TEST(a_head_that_lies_is_refused)
{
    static image file;
    put_head(&file, 2, TONNX__PARTS, TONNX__CHECKPOINT_HEAD);
    expect(&file, "a checkpoint of version 2; this tonnx reads version 1");
    file.size = 0;
    put_head(&file, 1, TONNX__PARTS + 1, TONNX__CHECKPOINT_HEAD);
    expect(&file, "head: another number of parts");
    file.size = 0;
    put_head(&file, 1, TONNX__PARTS, UINT64_MAX);
    expect(&file, "head: the file is not as long as it says");
    file.size = 0;
    put_head(&file, 1, TONNX__PARTS, TONNX__CHECKPOINT_HEAD);
    expect(&file, "backend: the file is cut");
    file.size = 0;
    put_head(&file, 1, TONNX__PARTS, TONNX__CHECKPOINT_HEAD + TONNX__CHECKPOINT_PART + 2);
    put_part(&file, tonnx__checkpoint_parts[0].tag, "", 0, 0);
    file.size -= 2; /* of the payload's checksum */
    expect(&file, "backend: it is longer than the file");
}
END_TEST

static Suite *checkpoint_bad_suite(void)
{
    Suite *suite = suite_create("checkpoint_bad");
    TCase *tests = tcase_create("lies");
    tcase_add_loop_test(tests, a_part_that_lies_is_refused, 0, sizeof lies / sizeof *lies);
    tcase_add_test(tests, a_head_that_lies_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(checkpoint_bad_suite());
}
