/* Zip archives of .npy files, stored. Sizes are always given in 64 bits (APPNOTE.TXT 4.5.3), so that there is one form,
 * whatever the size; NumPy, Python, libzip and unzip read it. */
#include "format/data/npz_write_impl.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "format/data/bundle_impl.h"
#include "format/file_impl.h"

enum {
    CRC_AT = 14, /* in a local header */
    VERSION = 45,
    UTF8_NAME = 1 << 11,
    EPOCH = 1 << 5 | 1, /* 1980-01-01, the first day that there is: the same arrays give the same bytes */
    LARGEST_NAME = 60000
};

typedef struct entry {
    char *name; /* with .npy */
    size_t at, size;
    uint32_t crc;
} entry;

struct tonnx__npz_file {
    tonnx_file *file;
    char *path;
    size_t at; /* bytes written */
    entry *entries;
    size_t count, room;
    size_t left; /* elements' bytes of the array at hand still to come */
};

/* Little-endian fields, one after the other. */
typedef struct fields {
    unsigned char bytes[128];
    size_t size;
} fields;

static void add(fields *to, size_t bytes, uint64_t value)
{
    for (size_t i = 0; i < bytes; i++) to->bytes[to->size++] = (unsigned char)(value >> 8 * i);
}

tonnx_status tonnx__npz_create(tonnx__npz_file **out, const char *path)
{
    *out = NULL;
    tonnx__npz_file *npz = NULL;
    tonnx_status status = tonnx__alloc(&npz, 1, sizeof *npz);
    if (status) return status;
    status = tonnx__strdup(&npz->path, path);
    if (!status) status = tonnx_file_create(&npz->file, path);
    if (status) tonnx__npz_discard(npz);
    else *out = npz;
    return status;
}

static tonnx_status write_bytes(tonnx__npz_file *npz, const void *bytes, size_t size)
{
    const tonnx_status status = tonnx_file_write(npz->file, bytes, size);
    if (!status) npz->at += size;
    return status;
}

/* What local headers and the directory have in common, from the version needed to the extra field's length. */
static void add_common(fields *to, const entry *e, size_t extra)
{
    add(to, 2, VERSION);
    add(to, 2, UTF8_NAME);
    add(to, 2, 0); /* stored */
    add(to, 2, 0);
    add(to, 2, EPOCH);
    add(to, 4, e->crc);
    add(to, 4, UINT32_MAX); /* both sizes: see the extra field */
    add(to, 4, UINT32_MAX);
    add(to, 2, strlen(e->name));
    add(to, 2, extra);
}

static void add_extra(fields *to, const entry *e, bool place)
{
    add(to, 2, 1);
    add(to, 2, place ? 24 : 16);
    add(to, 8, e->size);
    add(to, 8, e->size);
    if (place) add(to, 8, e->at);
}

/* Fixed fields, name, extra field. */
static tonnx_status write_record(tonnx__npz_file *npz, const fields *head, const char *name, const fields *extra)
{
    tonnx_status status = write_bytes(npz, head->bytes, head->size);
    if (!status) status = write_bytes(npz, name, strlen(name));
    return status ? status : write_bytes(npz, extra->bytes, extra->size);
}

static tonnx_status write_local(tonnx__npz_file *npz, const entry *e)
{
    fields head = { .size = 0 }, extra = { .size = 0 };
    add_extra(&extra, e, false);
    add(&head, 4, 0x04034b50);
    add_common(&head, e, extra.size);
    return write_record(npz, &head, e->name, &extra);
}

static tonnx_status write_central(tonnx__npz_file *npz, const entry *e)
{
    fields head = { .size = 0 }, extra = { .size = 0 };
    add_extra(&extra, e, true);
    add(&head, 4, 0x02014b50);
    add(&head, 2, 3 << 8 | VERSION); /* made on Unix */
    add_common(&head, e, extra.size);
    add(&head, 2, 0); /* comment */
    add(&head, 2, 0); /* part */
    add(&head, 2, 0);
    add(&head, 4, (uint64_t)0100644 << 16); /* rights of the file */
    add(&head, 4, UINT32_MAX);              /* place: see the extra field */
    return write_record(npz, &head, e->name, &extra);
}

static tonnx_status write_end(tonnx__npz_file *npz, size_t directory)
{
    const size_t end = npz->at, size = end - directory;
    fields to = { .size = 0 };
    add(&to, 4, 0x06064b50);
    add(&to, 8, 44);
    add(&to, 2, 3 << 8 | VERSION);
    add(&to, 2, VERSION);
    add(&to, 8, 0);
    add(&to, 8, npz->count);
    add(&to, 8, npz->count);
    add(&to, 8, size);
    add(&to, 8, directory);
    add(&to, 4, 0x07064b50);
    add(&to, 4, 0);
    add(&to, 8, end);
    add(&to, 4, 1);
    add(&to, 4, 0x06054b50);
    add(&to, 4, 0);
    add(&to, 2, npz->count < UINT16_MAX ? npz->count : UINT16_MAX);
    add(&to, 2, npz->count < UINT16_MAX ? npz->count : UINT16_MAX);
    add(&to, 4, size < UINT32_MAX ? size : UINT32_MAX);
    add(&to, 4, directory < UINT32_MAX ? directory : UINT32_MAX);
    add(&to, 2, 0);
    return write_bytes(npz, to.bytes, to.size);
}

/* Bytes of the array at hand, header or elements. */
static tonnx_status put(tonnx__npz_file *npz, const void *bytes, size_t size)
{
    entry *e = &npz->entries[npz->count - 1];
    e->crc = (uint32_t)crc32_z(e->crc, bytes, size);
    return write_bytes(npz, bytes, size);
}

static tonnx_status make_entry(tonnx__npz_file *npz, const char *name)
{
    const size_t length = strlen(name);
    if (!length || length > LARGEST_NAME)
        return tonnx__fail(TONNX_BAD_MODEL, "%s: an array's name of %zu bytes does not fit into a zip archive",
                           npz->path, length);
    tonnx_status status = tonnx__grow(&npz->entries, &npz->room, npz->count + 1, sizeof *npz->entries);
    if (status) return status;
    entry *e = &npz->entries[npz->count];
    *e = (entry){ .at = npz->at };
    status = tonnx__alloc(&e->name, length + 5, 1);
    if (status) return status;
    snprintf(e->name, length + 5, "%s.npy", name);
    npz->count++;
    return TONNX_OK;
}

tonnx_status tonnx__npz_begin(tonnx__npz_file *npz, const char *name, tonnx_dtype dtype, size_t rank,
                              const int64_t *dims)
{
    char *head = NULL;
    size_t size = 0, elements = tonnx_dtype_size(dtype);
    bool fits = true;
    for (size_t d = 0; d < rank; d++) fits = tonnx__mul(&elements, elements, (size_t)dims[d]) && fits;
    tonnx_status status = tonnx__npy_make_header(&head, &size, dtype, rank, dims);
    if (!status) status = make_entry(npz, name);
    if (!status) {
        entry *e = &npz->entries[npz->count - 1];
        npz->left = elements;
        fits = tonnx__add(&e->size, elements, size) && fits;
        if (!fits) status = tonnx__fail(TONNX_BAD_MODEL, "%s: array '%s' is beyond 64 bits", npz->path, name);
        if (!status) status = write_local(npz, e);
    }
    if (!status) status = put(npz, head, size);
    tonnx__free(head);
    return status;
}

tonnx_status tonnx__npz_put(tonnx__npz_file *npz, const void *bytes, size_t size)
{
    if (size > npz->left)
        return tonnx__fail(TONNX_BAD_USAGE, "%s: %zu bytes more than its shape says", npz->path, size - npz->left);
    npz->left -= size;
    return put(npz, bytes, size);
}

tonnx_status tonnx__npz_end(tonnx__npz_file *npz)
{
    const entry *e = &npz->entries[npz->count - 1];
    fields crc = { .size = 0 };
    if (npz->left) return tonnx__fail(TONNX_BAD_USAGE, "%s: %zu bytes less than its shape says", npz->path, npz->left);
    add(&crc, 4, e->crc);
    return tonnx__file_rewrite(npz->file, e->at + CRC_AT, crc.bytes, crc.size);
}

static void npz_free(tonnx__npz_file *npz)
{
    for (size_t i = 0; i < npz->count; i++) tonnx__free(npz->entries[i].name);
    tonnx__free(npz->entries);
    tonnx__free(npz->path);
    tonnx__free(npz);
}

tonnx_status tonnx__npz_finish(tonnx__npz_file *npz)
{
    const size_t directory = npz->at;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; !status && i < npz->count; i++) status = write_central(npz, &npz->entries[i]);
    if (!status) status = write_end(npz, directory);
    if (!status) status = tonnx_file_finish(npz->file);
    else tonnx_file_discard(npz->file);
    npz_free(npz);
    return status;
}

void tonnx__npz_discard(tonnx__npz_file *npz)
{
    if (!npz) return;
    tonnx_file_discard(npz->file);
    npz_free(npz);
}

static tonnx_status write_tensor(tonnx__npz_file *npz, const tonnx__tensor *tensor)
{
    const size_t size = tensor->count * tonnx_dtype_size(tensor->dtype);
    tonnx_status status = tonnx__npz_begin(npz, tensor->name, tensor->dtype, tensor->rank, tensor->dims);
    if (!status) status = tonnx__npz_put(npz, tensor->fresh ? tensor->fresh : tensor->bytes, size);
    if (!status) status = tonnx__npz_end(npz);
    return status;
}

tonnx_status tonnx__npz_write(const char *path, const tonnx__tensor *tensors, size_t count)
{
    tonnx__npz_file *npz = NULL;
    tonnx_status status = tonnx__npz_create(&npz, path);
    for (size_t i = 0; !status && i < count; i++) {
        if (tensors[i].removed) continue;
        status = write_tensor(npz, &tensors[i]);
        if (status == TONNX_BAD_MODEL) tonnx__fail_in(status, tensors[i].name);
    }
    if (!status) return tonnx__npz_finish(npz);
    tonnx__npz_discard(npz);
    return status;
}
