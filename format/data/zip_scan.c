/* A zip archive's directory, checked for what libzip lets pass: shared bytes, duplicates, sizes that cannot be. */
#include <stdlib.h>
#include <string.h>

#include "format/data/zip_impl.h"

enum {
    END_SIZE = 22,       /* of the end record, a comment of up to 64 KiB aside */
    END64_SIZE = 56,     /* of its 64-bit form */
    LOCATOR_SIZE = 20,   /* says where that is */
    CENTRAL_SIZE = 46,   /* of an entry in the directory, its name, extra fields and comment aside */
    LOCAL_SIZE = 30,     /* of an entry where its bytes are, name and extra fields aside */
    DEFLATE_RATIO = 1032 /* no deflate stream swells more (zlib's technical notes) */
};

typedef struct scan {
    zip_source_t *source;
    const char *path;
    size_t size;                                      /* of the file */
    size_t directory_at, directory_size, entry_count; /* what the end record says */
} scan;

static uint64_t number(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0) value = value << 8 | at[bytes];
    return value;
}

static tonnx_status damaged(const scan *s, const char *what)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s: the zip archive is damaged or cut: %s", s->path, what);
}

static tonnx_status bad_entry(const scan *s, const tonnx__zip_entry *entry, const char *what)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s: entry '%.60s' %s", s->path, entry->name, what);
}

static tonnx_status read_at(const scan *s, size_t at, void *to, size_t size)
{
    size_t end;
    if (!tonnx__add(&end, at, size) || end > s->size) return damaged(s, "a record lies beyond the file's end");
    if (zip_source_seek(s->source, (zip_int64_t)at, SEEK_SET) == 0 &&
        zip_source_read(s->source, to, size) == (zip_int64_t)size)
        return TONNX_OK;
    return tonnx__fail(TONNX_IO_FAILED, "%s: cannot be read: %s", s->path,
                       zip_error_strerror(zip_source_error(s->source)));
}

/* The 64-bit form of the end record, where there is one before `end_at`. */
static tonnx_status read_end64(scan *s, size_t end_at)
{
    unsigned char locator[LOCATOR_SIZE], end[END64_SIZE];
    if (end_at < LOCATOR_SIZE) return TONNX_OK;
    tonnx_status status = read_at(s, end_at - LOCATOR_SIZE, locator, sizeof locator);
    if (status || memcmp(locator, "PK\6\7", 4) != 0) return status;
    status = read_at(s, number(locator + 8, 8), end, sizeof end);
    if (status) return status;
    if (memcmp(end, "PK\6\6", 4) != 0) return damaged(s, "its 64-bit end record is not where it should be");
    s->entry_count = number(end + 32, 8);
    s->directory_size = number(end + 40, 8);
    s->directory_at = number(end + 48, 8);
    return TONNX_OK;
}

/* The end record: the last one whose comment reaches to the end of the file. */
static tonnx_status find_end(scan *s)
{
    unsigned char *tail = NULL;
    const size_t room = s->size < END_SIZE + UINT16_MAX ? s->size : END_SIZE + UINT16_MAX;
    tonnx_status status = tonnx__alloc(&tail, room, 1);
    if (!status) status = read_at(s, s->size - room, tail, room);
    size_t at = room < END_SIZE ? 0 : room - END_SIZE + 1;
    const unsigned char *end = NULL;
    while (!status && !end && at-- > 0)
        if (!memcmp(tail + at, "PK\5\6", 4) && number(tail + at + 20, 2) == room - at - END_SIZE) end = tail + at;
    if (!status && !end) status = damaged(s, "it has no end record");
    if (!status && (number(end + 4, 2) || number(end + 6, 2) || number(end + 8, 2) != number(end + 10, 2)))
        status = damaged(s, "it is one of several parts");
    if (!status) {
        s->entry_count = number(end + 10, 2);
        s->directory_size = number(end + 12, 4);
        s->directory_at = number(end + 16, 4);
        status = read_end64(s, s->size - room + at);
    }
    tonnx__free(tail);
    return status;
}

/* Sizes and place that did not fit into 32 bits stand in extra field 1, in this order. */
static tonnx_status read_extra(const scan *s, tonnx__zip_entry *entry, const unsigned char *extra, size_t length)
{
    size_t *const fields[] = { &entry->size, &entry->packed, &entry->at };
    size_t wanted = 0;
    for (size_t i = 0; i < 3; i++) wanted += *fields[i] == UINT32_MAX;
    while (wanted && length >= 4) {
        const size_t id = number(extra, 2), size = number(extra + 2, 2);
        if (size > length - 4) break;
        if (id == 1 && size >= 8 * wanted) {
            extra += 4;
            for (size_t i = 0; i < 3; i++)
                if (*fields[i] == UINT32_MAX) *fields[i] = number(extra, 8), extra += 8;
            return TONNX_OK;
        }
        extra += size + 4;
        length -= size + 4;
    }
    return wanted ? bad_entry(s, entry, "lacks the extra field with its 64-bit sizes") : TONNX_OK;
}

static tonnx_status check_entry(const scan *s, const tonnx__zip_entry *entry, size_t flags, size_t method)
{
    if (strlen(entry->name) == 0) return damaged(s, "an entry's name is empty");
    if (flags & 1) return bad_entry(s, entry, "is encrypted; save the arrays without a password");
    if (method != 0 && method != 8) return bad_entry(s, entry, "is packed by other means than deflate");
    if (method == 0 && entry->size != entry->packed)
        return bad_entry(s, entry, "is stored, but its two sizes differ: the archive is damaged");
    if (entry->size / DEFLATE_RATIO <= entry->packed) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: entry '%.60s': %zu bytes cannot be the size of what %zu bytes unpack to",
                       s->path, entry->name, entry->size, entry->packed);
}

/* Entry in the directory at `at` with `left` bytes to its end; *length is its own. */
static tonnx_status read_central(const scan *s, tonnx__zip_entry *entry, const unsigned char *at, size_t left,
                                 size_t *length)
{
    if (left < CENTRAL_SIZE || memcmp(at, "PK\1\2", 4) != 0) return damaged(s, "its directory ends too early");
    const size_t name = number(at + 28, 2), extra = number(at + 30, 2), comment = number(at + 32, 2);
    *length = CENTRAL_SIZE + name + extra + comment;
    if (*length > left) return damaged(s, "its directory ends too early");
    tonnx_status status = tonnx__strndup(&entry->name, (const char *)at + CENTRAL_SIZE, name);
    if (status) return status;
    if (strlen(entry->name) < name) return bad_entry(s, entry, "has a NUL byte in its name");
    entry->packed = number(at + 20, 4);
    entry->size = number(at + 24, 4);
    entry->at = number(at + 42, 4);
    status = read_extra(s, entry, at + CENTRAL_SIZE + name, extra);
    return status ? status : check_entry(s, entry, number(at + 8, 2), number(at + 10, 2));
}

/* The local header must name the same entry; its bytes end before the directory begins. */
static tonnx_status read_local(const scan *s, tonnx__zip_entry *entry)
{
    unsigned char head[LOCAL_SIZE];
    char name[512];
    const size_t length = strlen(entry->name), compared = length < sizeof name ? length : sizeof name;
    tonnx_status status = read_at(s, entry->at, head, sizeof head);
    if (status) return bad_entry(s, entry, "begins beyond the end of the file");
    if (memcmp(head, "PK\3\4", 4) != 0 || number(head + 26, 2) != length)
        return bad_entry(s, entry, "is not where the directory says");
    status = read_at(s, entry->at + LOCAL_SIZE, name, compared);
    if (status) return status;
    if (memcmp(name, entry->name, compared) != 0) return bad_entry(s, entry, "has another name where its bytes are");
    size_t end;
    entry->data_at = entry->at + LOCAL_SIZE + length + number(head + 28, 2);
    if (tonnx__add(&end, entry->data_at, entry->packed) && end <= s->directory_at) return TONNX_OK;
    return bad_entry(s, entry, "runs beyond the end of the archive's data");
}

static tonnx_status read_directory(const scan *s, tonnx__zip_entry *entries, size_t *count)
{
    unsigned char *directory = NULL;
    tonnx_status status = tonnx__alloc(&directory, s->directory_size, 1);
    if (!status) status = read_at(s, s->directory_at, directory, s->directory_size);
    size_t at = 0, length = 0;
    for (; !status && *count < s->entry_count; at += length) {
        tonnx__zip_entry *entry = &entries[(*count)++];
        entry->order = *count - 1;
        status = read_central(s, entry, directory + at, s->directory_size - at, &length);
        if (!status) status = read_local(s, entry);
    }
    if (!status && at < s->directory_size) status = damaged(s, "its directory has more entries than it says");
    tonnx__free(directory);
    return status;
}

static int by_place(const void *a, const void *b)
{
    const tonnx__zip_entry *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tonnx__zip_entry *)a)->name, ((const tonnx__zip_entry *)b)->name);
}

static int by_order(const void *a, const void *b)
{
    const tonnx__zip_entry *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static tonnx_status check_apart(const scan *s, tonnx__zip_entry *entries, size_t count)
{
    qsort(entries, count, sizeof *entries, by_place);
    for (size_t i = 1; i < count; i++)
        if (entries[i].at < entries[i - 1].data_at + entries[i - 1].packed)
            return tonnx__fail(TONNX_BAD_DATA, "%s: entries '%.60s' and '%.60s' overlap in the archive", s->path,
                               entries[i - 1].name, entries[i].name);
    qsort(entries, count, sizeof *entries, by_name);
    for (size_t i = 1; i < count; i++)
        if (!strcmp(entries[i].name, entries[i - 1].name)) return bad_entry(s, &entries[i], "is there twice");
    qsort(entries, count, sizeof *entries, by_order);
    return TONNX_OK;
}

tonnx_status tonnx__zip_scan(tonnx__zip_entry **out, size_t *count, zip_source_t *source, const char *path)
{
    scan s = { .source = source, .path = path };
    *out = NULL;
    *count = 0;
    const zip_int64_t size = zip_source_seek(source, 0, SEEK_END) ? -1 : zip_source_tell(source);
    if (size < 0) return tonnx__fail(TONNX_IO_FAILED, "%s: cannot be read", path);
    s.size = (size_t)size;
    tonnx_status status = find_end(&s);
    size_t end = 0;
    if (!status && (!tonnx__add(&end, s.directory_at, s.directory_size) || end > s.size))
        status = damaged(&s, "its directory lies beyond the file's end");
    if (!status && s.entry_count > s.directory_size / CENTRAL_SIZE)
        status = damaged(&s, "its directory is too short for its entries");
    if (!status) status = tonnx__alloc(out, s.entry_count, sizeof **out);
    if (!status) status = read_directory(&s, *out, count);
    return status ? status : check_apart(&s, *out, *count);
}

void tonnx__zip_entries_free(tonnx__zip_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) tonnx__free(entries[i].name);
    tonnx__free(entries);
}
