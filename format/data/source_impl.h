/* Where a reader's bytes come from: a regular file or standard input, unzipped on the way where it is gzip. */
#ifndef TONNX_FORMAT_DATA_SOURCE_IMPL_H
#define TONNX_FORMAT_DATA_SOURCE_IMPL_H

#include "runtime/mem_impl.h"

enum { TONNX__SOURCE_ROOM = 1 << 16 };

typedef struct tonnx__source {
    const char *path; /* as the caller spelled it: what messages begin with */
    void *stream;
    size_t file_size; /* on disk; SIZE_MAX where nobody can know */
    size_t given;     /* unzipped bytes that left the stream */
    size_t at, end;   /* what of `bytes` is still to be taken */
    bool zipped;
    unsigned char bytes[TONNX__SOURCE_ROOM];
} tonnx__source;

/* `path` is borrowed; "-" is standard input. Its first bytes stand in `bytes` afterwards. TONNX_IO_FAILED where it
 * cannot be opened or is no regular file, TONNX_BAD_DATA where it is empty. */
tonnx_status tonnx__source_open(tonnx__source **out, const char *path);
void tonnx__source_close(tonnx__source *source);

/* Puts more bytes into the empty `bytes`; at == end afterwards means the end. TONNX_BAD_DATA where a gzip stream is
 * damaged, cut or swells beyond reason. */
tonnx_status tonnx__source_fill(tonnx__source *source);

/* Exactly `size` bytes, or TONNX_BAD_DATA that says the file is cut short. */
tonnx_status tonnx__source_read(tonnx__source *source, void *to, size_t size);
tonnx_status tonnx__source_skip(tonnx__source *source, size_t size);

/* The most bytes that can still come: exact for a plain file, a bound for gzip, SIZE_MAX for a pipe. */
size_t tonnx__source_most(const tonnx__source *source);
bool tonnx__source_is_exact(const tonnx__source *source);

/* Nothing may follow: TONNX_BAD_DATA where something does. Checks a gzip stream's checksum too. */
tonnx_status tonnx__source_expect_end(tonnx__source *source);

#endif
