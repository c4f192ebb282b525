/* ONNX files ↔ models. The profile that is read and written: format/README.md. */
#ifndef TONNX_FORMAT_ONNX_H
#define TONNX_FORMAT_ONNX_H

#include "../runtime/log.h"
#include "../runtime/model.h"

TONNX_BEGIN

/* Reads a model. The bytes are checked before any parser sees them (depth, counts, duplicates, UTF-8); memory stays
 * under 96 MiB + 3 × the file and its external data, which is looked for in the file's folder alone. TONNX_IO_FAILED where the file cannot be opened or read, TONNX_BAD_MODEL where it is not
 * a readable model, with file and field. `log` may be NULL. The caller owns *out. */
TONNX_API tonnx_status tonnx_onnx_load(tonnx_model **out, const char *path, const tonnx_log *log);

/* The same from memory; the bytes are copied. `name` stands for the path in messages. */
TONNX_API tonnx_status tonnx_onnx_read(tonnx_model **out, const void *bytes, size_t size, const char *name,
                                       const tonnx_log *log);

/* Writes a model: the source's bytes, with only what was changed replaced, each tensor in its own storage form.
 * Atomic: the file appears whole or not at all. Refuses (TONNX_BAD_USAGE) a path that is, through any alias, a file the
 * model came from. External data lies beside `path` under the name it had, or as PATH.data where something else has
 * that name. `log` may be NULL. */
TONNX_API tonnx_status tonnx_onnx_save(const tonnx_model *model, const char *path, const tonnx_log *log);

/* TONNX_BAD_USAGE where tonnx_onnx_save would refuse the path: to be asked before long work. */
TONNX_API tonnx_status tonnx_onnx_check_path(const tonnx_model *model, const char *path);

/* Whether writing to `path` would end a file that the model came from: its own, or one with its external data. */
TONNX_API bool tonnx_onnx_is_source(const tonnx_model *model, const char *path);

/* The same as save into memory, for what is no file (standard output): external data moves into the model. *bytes are
 * freed with tonnx_file_free. */
TONNX_API tonnx_status tonnx_onnx_write(const tonnx_model *model, unsigned char **bytes, size_t *size);

TONNX_END

#endif
