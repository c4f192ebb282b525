/* The look at a file's bytes before any parser sees them. */
#ifndef TONNX_FORMAT_SCAN_IMPL_H
#define TONNX_FORMAT_SCAN_IMPL_H

#include "format/splice_impl.h"

/* What a load may take beside the file's own bytes: this, plus twice the size of the file. The promise of onnx.h
 * (96 MiB + 3 × the file) has room beyond it for the process, the allocator and the parser's scratch. */
#define TONNX__LOAD_BYTES ((size_t)32 << 20)

enum { TONNX__NESTING_MOST = 64 };

/* Walks the whole of a ModelProto, message by message as the schema says, without recursion: tags, lengths and wire
 * types, nesting, fields that may stand only once, text that is UTF-8 without NUL, and what the parsed form would take,
 * which is drawn from `budget`. Fails with TONNX_BAD_MODEL and the field's path and place. Into `slim` go edits that
 * remove what the parser need not see: tensor payloads, unknown fields, training info. */
tonnx_status tonnx__onnx_scan(const unsigned char *bytes, size_t size, tonnx__budget *budget, tonnx__splice *slim);

/* Whether the text is UTF-8 without NUL bytes. */
bool tonnx__is_text(const unsigned char *bytes, size_t size);

#endif
