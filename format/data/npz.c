/* NumPy's .npz: a zip archive of .npy files, stored or deflated. libzip unpacks and verifies the checksums. */
#include <errno.h>
#include <string.h>

#include "format/data/bundle_impl.h"
#include "format/data/zip_impl.h"

enum { ROOM_AT_FIRST = 1 << 16 };

/* What an open archive is made of. */
typedef struct inside {
    unsigned char *bytes; /* the whole file, where it is none that can be opened again (standard input) */
    zip_t *archive;
    tonnx__zip_entry *entries;
    size_t entry_count;
    zip_file_t *file; /* the entry that was entered last */
    const char *label;
} inside;

static bool sniff(const unsigned char *head, size_t size)
{
    return size >= 4 && !memcmp(head, "PK", 2) && (head[2] == 3 || head[2] == 5) && head[3] == head[2] + 1;
}

static tonnx_status slurp(tonnx__source *source, unsigned char **bytes, size_t *size)
{
    size_t room = 0, got = 1;
    tonnx_status status = TONNX_OK;
    for (*size = 0; !status && got; *size += got) {
        status = tonnx__grow(bytes, &room, *size + ROOM_AT_FIRST, 1);
        if (!status) status = tonnx__source_take(source, *bytes + *size, room - *size, &got);
        if (status) got = 0;
    }
    return status;
}

/* libzip has forgotten at some places that it was memory which it lacked: errno, 0 before each call, has not. */
static tonnx_status zip_failed(const char *label, zip_error_t *error)
{
    const int code = zip_error_code_zip(error), system = zip_error_code_system(error);
    if (code == ZIP_ER_CRC)
        return tonnx__fail(TONNX_BAD_DATA, "%s: is damaged: its CRC-32 is not the one that the archive keeps", label);
    if (code == ZIP_ER_MEMORY || errno == ENOMEM) return tonnx__fail(TONNX_NO_MEMORY, "%s: out of memory", label);
    if (code == ZIP_ER_OPEN || code == ZIP_ER_READ || code == ZIP_ER_SEEK)
        return tonnx__fail(TONNX_IO_FAILED, "%s: cannot be read: %s", label, strerror(system));
    return tonnx__fail(TONNX_BAD_DATA, "%s: cannot be unpacked: %s", label, zip_error_strerror(error));
}

/* The archive as a source of libzip: the file itself, or what came from standard input or was gzip'd on top. */
static tonnx_status open_source(zip_source_t **out, inside *in, tonnx__source *source)
{
    zip_error_t error;
    size_t size = 0;
    tonnx_status status = TONNX_OK;
    zip_error_init(&error);
    errno = 0;
    if (tonnx__source_is_exact(source) && strcmp(source->path, "-") != 0) {
        *out = zip_source_file_create(source->path, 0, -1, &error);
    } else {
        status = slurp(source, &in->bytes, &size);
        if (!status) *out = zip_source_buffer_create(in->bytes, size, 0, &error);
    }
    if (!status && (!*out || zip_source_open(*out)))
        status = zip_failed(source->path, *out ? zip_source_error(*out) : &error);
    zip_error_fini(&error);
    return status;
}

static tonnx_status open_archive(inside *in, tonnx__source *source)
{
    zip_source_t *bytes = NULL;
    zip_error_t error;
    zip_error_init(&error);
    tonnx_status status = open_source(&bytes, in, source);
    if (!status) {
        status = tonnx__zip_scan(&in->entries, &in->entry_count, bytes, source->path);
        zip_source_close(bytes);
    }
    errno = 0;
    if (!status) in->archive = zip_open_from_source(bytes, ZIP_RDONLY, &error);
    if (!status && !in->archive) status = zip_failed(source->path, &error);
    if (!in->archive && bytes) zip_source_free(bytes); /* else the archive owns it */
    zip_error_fini(&error);
    if (!status && zip_get_num_entries(in->archive, 0) != (zip_int64_t)in->entry_count)
        status = tonnx__fail(TONNX_BAD_DATA, "%s: the zip archive has two directories", source->path);
    return status;
}

static size_t name_length(const char *entry)
{
    const size_t length = strlen(entry);
    return length > 4 && !strcmp(entry + length - 4, ".npy") ? length - 4 : 0;
}

/* Only .npy entries are arrays; they come first from here on, each under its index in the archive (`order`). */
static tonnx_status open_npz(tonnx__bundle *bundle)
{
    inside *in = NULL;
    tonnx_status status = tonnx__alloc(&in, 1, sizeof *in);
    if (status) return status;
    bundle->inside = in;
    status = open_archive(in, bundle->source);
    if (!status) status = tonnx__alloc(&bundle->names, in->entry_count, sizeof *bundle->names);
    for (size_t i = 0; !status && i < in->entry_count; i++) {
        const size_t length = name_length(in->entries[i].name);
        if (!length) continue;
        const tonnx__zip_entry entry = in->entries[i];
        in->entries[i] = in->entries[bundle->count];
        in->entries[bundle->count] = entry;
        status = tonnx__strndup(&bundle->names[bundle->count], entry.name, length);
        if (!status) bundle->count++;
    }
    return status;
}

static tonnx_status pull(void *user, unsigned char *to, size_t size, size_t *got)
{
    inside *in = user;
    errno = 0;
    const zip_int64_t n = zip_fread(in->file, to, size);
    *got = n > 0 ? (size_t)n : 0;
    return n < 0 ? zip_failed(in->label, zip_file_get_error(in->file)) : TONNX_OK;
}

static tonnx_status enter(tonnx__bundle *bundle, size_t i, tonnx__array *array, tonnx__source **elements)
{
    inside *in = bundle->inside;
    *elements = NULL;
    tonnx_status status = tonnx__bundle_label(bundle, i);
    if (status) return status;
    if (in->file) zip_fclose(in->file);
    in->label = bundle->label;
    errno = 0;
    in->file = zip_fopen_index(in->archive, in->entries[i].order, 0);
    if (!in->file) return zip_failed(in->label, zip_get_error(in->archive));
    status = tonnx__source_inside(elements, in->label, in->entries[i].size, pull, in);
    if (!status) status = tonnx__npy_header(array, *elements);
    return status;
}

static tonnx_status finish(tonnx__bundle *bundle)
{
    (void)bundle;
    return TONNX_OK;
}

static void close_npz(tonnx__bundle *bundle)
{
    inside *in = bundle->inside;
    if (!in) return;
    if (in->file) zip_fclose(in->file);
    if (in->archive) zip_discard(in->archive);
    tonnx__zip_entries_free(in->entries, in->entry_count);
    tonnx__free(in->bytes);
    tonnx__free(in);
}

const tonnx__bundle_kind tonnx__npz_bundle = { "npz", sniff, open_npz, enter, finish, close_npz };
