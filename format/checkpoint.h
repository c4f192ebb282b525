/* Checkpoints ↔ files. The form is described in format/README.md. */
#ifndef TONNX_FORMAT_CHECKPOINT_H
#define TONNX_FORMAT_CHECKPOINT_H

#include <stddef.h>

#include "../runtime/checkpoint.h"

TONNX_BEGIN

/* Writes the checkpoint, whole or not at all: whatever happens, the path holds the old one or the new one. */
TONNX_API tonnx_status tonnx_checkpoint_save(const tonnx_checkpoint *checkpoint, const char *path);

/* Reads one; the caller frees *out. TONNX_IO_FAILED where the file cannot be read; TONNX_BAD_MODEL where it is no
 * checkpoint, of another version, cut or damaged, naming the file and the part. */
TONNX_API tonnx_status tonnx_checkpoint_load(tonnx_checkpoint **out, const char *path);

/* The same from memory; `name` stands for the path in messages. */
TONNX_API tonnx_status tonnx_checkpoint_read(tonnx_checkpoint **out, const void *bytes, size_t size, const char *name);

TONNX_END

#endif
