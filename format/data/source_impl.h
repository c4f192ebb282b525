/* Where a reader's bytes come from: a regular file or standard input, unzipped on the way where it is gzip. */
#ifndef TONNX_FORMAT_DATA_SOURCE_IMPL_H
#define TONNX_FORMAT_DATA_SOURCE_IMPL_H

#include "runtime/mem_impl.h"

enum { TONNX__SOURCE_ROOM = 1 << 16 };

typedef struct tonnx__source tonnx__source;

/* Up to `size` bytes (at least one, but at the end) into `to`; *got says how many. */
typedef tonnx_status tonnx__source_pull(void *user, unsigned char *to, size_t size, size_t *got);

struct tonnx__source {
    const char *path; /* as the caller spelled it: what messages begin with */
    void *stream;
    tonnx__source_pull *inner; /* where the bytes come from instead of a file; NULL for a file */
    void *user;                /* of `inner` */
    size_t file_size;          /* on disk; SIZE_MAX where nobody can know */
    size_t given;              /* unzipped bytes that left the stream */
    size_t at, end;            /* what of `bytes` is still to be taken */
    bool zipped;
    /* what is behind `end` is a NUL, and room enough to read 64 bytes from any place up to it */
    unsigned char bytes[TONNX__SOURCE_ROOM + 64];
};

/* `path` is borrowed; "-" is standard input. Its first bytes stand in `bytes` afterwards. TONNX_IO_FAILED where it
 * cannot be opened or is no regular file, TONNX_BAD_DATA where it is empty. */
tonnx_status tonnx__source_open(tonnx__source **out, const char *path);
void tonnx__source_close(tonnx__source *source);

/* A source of the `size` bytes that `pull` gives: an array inside a file. `path` names both, borrowed. Empty is fine.
 */
tonnx_status tonnx__source_inside(tonnx__source **out, const char *path, size_t size, tonnx__source_pull *pull,
                                  void *user);

/* Puts more bytes into the empty `bytes`; at == end afterwards means the end. TONNX_BAD_DATA where a gzip stream is
 * damaged, cut or swells beyond reason. */
tonnx_status tonnx__source_fill(tonnx__source *source);

/* Moves what is left in `bytes` to its front and fills it up; nothing comes where the end was reached. */
tonnx_status tonnx__source_top_up(tonnx__source *source);

/* Exactly `size` bytes, or TONNX_BAD_DATA that says the file is cut short. */
tonnx_status tonnx__source_read(tonnx__source *source, void *to, size_t size);
tonnx_status tonnx__source_skip(tonnx__source *source, size_t size);

/* Up to `size` bytes; *got is less at the end alone. */
tonnx_status tonnx__source_take(tonnx__source *source, void *to, size_t size, size_t *got);

/* A small file may come to TONNX__SWELL_FREE bytes, a larger one to TONNX__SWELL_RATIO times its size: deflate can
 * swell 1032-fold, but data that people zip swell 5-fold, sparse ones 100-fold. */
enum { TONNX__SWELL_RATIO = 256, TONNX__SWELL_FREE = 16 << 20 };

/* The most bytes that can still come: exact for a plain file, a bound for gzip, SIZE_MAX for a pipe. */
size_t tonnx__source_most(const tonnx__source *source);
bool tonnx__source_is_exact(const tonnx__source *source);

/* Nothing may follow: TONNX_BAD_DATA where something does. Checks a gzip stream's checksum too. */
tonnx_status tonnx__source_expect_end(tonnx__source *source);

#endif
