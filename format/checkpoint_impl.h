/* The form of a checkpoint's file, shared by writer and reader. All numbers are little-endian.
 *
 *   file     magic[8] "TONNXCKP" · u32 version · u32 parts · u64 length of the file · u32 CRC-32 of these 24 bytes
 *   part     tag[8] · u64 length of the payload · u32 CRC-32 of these 16 bytes · payload · u32 CRC-32 of the payload
 *   arena    u64 count · u64 bytes of an element: 4 or 8 (the reference backend's doubles) · the elements, IEEE 754
 *
 * Parts stand in the order of tonnx__checkpoint_parts, each once, and fill the file. */
#ifndef TONNX_FORMAT_CHECKPOINT_IMPL_H
#define TONNX_FORMAT_CHECKPOINT_IMPL_H

#include <endian.h>

#include "format/checkpoint.h"
#include "runtime/checkpoint_impl.h"

enum {
    TONNX__CHECKPOINT_VERSION = 1,
    TONNX__CHECKPOINT_HEAD = 28,
    TONNX__CHECKPOINT_PART = 20,  /* a part's head */
    TONNX__CHECKPOINT_ARENA = 16, /* what stands before an arena's elements */
    TONNX__CHECKPOINT_TAG = 8
};

#define TONNX__CHECKPOINT_MAGIC "TONNXCKP"

typedef enum tonnx__part_kind {
    TONNX__PART_TEXT,    /* a char * */
    TONNX__PART_NUMBERS, /* progress, fingerprints and the total: TONNX__NUMBERS of 8 bytes */
    TONNX__PART_ARENA    /* one arena of an image */
} tonnx__part_kind;

typedef struct tonnx__part {
    char tag[TONNX__CHECKPOINT_TAG + 1];
    tonnx__part_kind kind;
    size_t at; /* offset of the text or image in tonnx_checkpoint */
    tonnx__arena arena;
} tonnx__part;

enum { TONNX__PARTS = 10 };
extern const tonnx__part tonnx__checkpoint_parts[TONNX__PARTS];

/* The progress field by field, three fingerprints, the total of steps. */
enum {
    TONNX__PROGRESS_NUMBERS = sizeof(tonnx__progress) / sizeof(uint64_t),
    TONNX__NUMBERS = TONNX__PROGRESS_NUMBERS + 4
};

/* Elements from this machine's byte order into the file's, or back. */
static inline void tonnx__checkpoint_order(unsigned char *elements, size_t count, size_t size)
{
    for (size_t i = 0; BYTE_ORDER != LITTLE_ENDIAN && i < count; i++, elements += size)
        for (size_t k = 0; k < size / 2; k++) {
            const unsigned char low = elements[k];
            elements[k] = elements[size - 1 - k];
            elements[size - 1 - k] = low;
        }
}

#endif
