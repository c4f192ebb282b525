/* Splicing: changes to a message's bytes as a list of edits; what no edit touches is copied as it stands, and the
 * lengths of the messages around an edit are mended where their size changes. */
#ifndef TONNX_FORMAT_SPLICE_IMPL_H
#define TONNX_FORMAT_SPLICE_IMPL_H

#include "format/wire_impl.h"
#include "runtime/mem_impl.h"

/* `remove` bytes at `at` give way to `size` others. `owner` is the first content byte of the innermost length-delimited
 * field (message or packed numbers) that this changes, 0 for the whole: it tells an end from the end around it. */
typedef struct tonnx__edit {
    size_t owner, at, remove, size, order;
    const unsigned char *bytes; /* NULL: `small` */
    unsigned char *owned;       /* freed with the list; NULL where borrowed */
    unsigned char small[TONNX__VARINT_MOST];
} tonnx__edit;

typedef struct tonnx__splice {
    tonnx__edit *edits;
    size_t count, room;
} tonnx__splice;

/* `bytes` are borrowed until the splice is done. Adjacent removals become one. */
tonnx_status tonnx__splice_add(tonnx__splice *splice, size_t owner, size_t at, size_t remove, const void *bytes,
                               size_t size);
/* `bytes` belong to the list from now on, also on failure. */
tonnx_status tonnx__splice_take(tonnx__splice *splice, size_t owner, size_t at, size_t remove, unsigned char *bytes,
                                size_t size);
/* A varint in place of what is there. */
tonnx_status tonnx__splice_varint(tonnx__splice *splice, size_t owner, size_t at, size_t remove, uint64_t value);
void tonnx__splice_clear(tonnx__splice *splice);

/* Where the result goes, piece by piece. */
typedef struct tonnx__sink {
    tonnx_status (*put)(void *user, const void *bytes, size_t size);
    void *user;
} tonnx__sink;

/* Size of the result; sorts the edits, which a run needs. */
tonnx_status tonnx__splice_size(tonnx__splice *splice, const unsigned char *source, size_t size, size_t *out);
tonnx_status tonnx__splice_run(tonnx__splice *splice, const unsigned char *source, size_t size,
                               const tonnx__sink *sink);
/* The result in fresh memory. */
tonnx_status tonnx__splice_bytes(tonnx__splice *splice, const unsigned char *source, size_t size, unsigned char **out,
                                 size_t *out_size);

#endif
