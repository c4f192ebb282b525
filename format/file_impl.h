/* Files, for format's own use. */
#ifndef TONNX_FORMAT_FILE_IMPL_H
#define TONNX_FORMAT_FILE_IMPL_H

#include "format/file.h"

/* Fills `bytes` from an open file of `size` bytes; `path` is for the message. */
tonnx_status tonnx__file_read_fully(int fd, const char *path, unsigned char *bytes, size_t size);

/* Replaces bytes that were written: a checksum that is known only after what it is of. */
tonnx_status tonnx__file_rewrite(tonnx_file *file, size_t at, const void *bytes, size_t size);

#endif
