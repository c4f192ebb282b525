/* Zip archives as .npz files are (PKWARE's APPNOTE.TXT, 4.3 and 4.5): what is looked at before libzip is. */
#ifndef TONNX_FORMAT_DATA_ZIP_IMPL_H
#define TONNX_FORMAT_DATA_ZIP_IMPL_H

#include <zip.h>

#include "runtime/mem_impl.h"

typedef struct tonnx__zip_entry {
    char *name;                /* owned */
    size_t size, packed;       /* unpacked, and in the archive */
    size_t at, data_at, order; /* of its local header, of its bytes; its place in the central directory */
} tonnx__zip_entry;

/* Every entry, in the central directory's order; *out and the names are owned. TONNX_BAD_DATA names `path` and the
 * entry where the archive is cut, an entry is encrypted, packed by other means than deflate, larger than deflate can
 * make it, or there twice, or where two share bytes. `source` is open. */
tonnx_status tonnx__zip_scan(tonnx__zip_entry **out, size_t *count, zip_source_t *source, const char *path);

void tonnx__zip_entries_free(tonnx__zip_entry *entries, size_t count);

#endif
