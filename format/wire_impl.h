/* Protocol Buffers on the wire, as far as walking it and mending lengths needs. */
#ifndef TONNX_FORMAT_WIRE_IMPL_H
#define TONNX_FORMAT_WIRE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tonnx__wire_type {
    TONNX__WIRE_VARINT = 0,
    TONNX__WIRE_64 = 1,
    TONNX__WIRE_BYTES = 2, /* a length, then that many bytes: text, a message, packed numbers */
    TONNX__WIRE_32 = 5
} tonnx__wire_type;

/* One field of a message. Places are offsets into the whole file. */
typedef struct tonnx__field {
    uint32_t number;
    tonnx__wire_type type;
    size_t at;        /* first byte of the tag */
    size_t length_at; /* first byte after the tag */
    size_t content;   /* first byte of the value, after the length where there is one */
    size_t end;       /* one past the last byte */
} tonnx__field;

/* The field at *at (below `end`) into *out, and *at past it. Returns NULL, or what is wrong with the bytes there. */
const char *tonnx__wire_next(const unsigned char *bytes, size_t end, size_t *at, tonnx__field *out);

/* The fields of one number in a message that has been scanned, one after the other. */
typedef struct tonnx__wire_walk {
    const unsigned char *bytes;
    size_t at, end;
    uint32_t number;
} tonnx__wire_walk;
bool tonnx__wire_each(tonnx__wire_walk *walk, tonnx__field *out);

/* Reads a varint of at most `most` bytes at *at; false where it does not end in time or before `end`. */
bool tonnx__wire_varint(const unsigned char *bytes, size_t end, size_t *at, size_t most, uint64_t *out);

/* Writes a varint (at most TONNX__VARINT_MOST bytes), returns its size. `to` may be NULL. */
#define TONNX__VARINT_MOST 10
size_t tonnx__wire_put(unsigned char *to, uint64_t value);

/* Tag and length in front of a field of `size` content bytes; returns their size (at most 2·TONNX__VARINT_MOST). */
size_t tonnx__wire_put_head(unsigned char *to, uint32_t number, size_t size);

#endif
