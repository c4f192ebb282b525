/* Files: read whole within a bound, written atomically. */
#ifndef TONNX_FORMAT_FILE_H
#define TONNX_FORMAT_FILE_H

#include <stddef.h>

#include "../runtime/status.h"

TONNX_BEGIN

/* The bytes of a regular file, at most `limit`; the caller frees with tonnx_file_free. TONNX_IO_FAILED names the path. */
TONNX_API tonnx_status tonnx_file_read(const char *path, size_t limit, unsigned char **bytes, size_t *size);
TONNX_API void tonnx_file_free(unsigned char *bytes);

/* The first bytes of a regular file, at most `room`, for telling what it is before all of it is read; *got says how many. */
TONNX_API tonnx_status tonnx_file_head(const char *path, void *bytes, size_t room, size_t *got);

/* A file being written: it has a temporary name in the same folder until it is finished. */
typedef struct tonnx_file tonnx_file;

/* Starts writing `path`; *out is NULL on failure. A folder, or a missing folder, fails at once. */
TONNX_API tonnx_status tonnx_file_create(tonnx_file **out, const char *path);
TONNX_API tonnx_status tonnx_file_write(tonnx_file *file, const void *bytes, size_t size);
/* Flushes, fsyncs, renames over `path`, fsyncs the folder, frees `file`. On failure the old file stays and no temporary
 * one is left. */
TONNX_API tonnx_status tonnx_file_finish(tonnx_file *file);
/* Gives up: removes the temporary file, frees `file`. NULL is legal. */
TONNX_API void tonnx_file_discard(tonnx_file *file);

/* True where both paths lead to one existing file (same device and inode). */
TONNX_API int tonnx_file_same(const char *a, const char *b);

TONNX_END

#endif
