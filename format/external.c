/* External data, reading: ONNX's rules for it (docs/ExternalData.md) and those its checker learned the hard way: a
 * plain file inside the model's folder, reached through no link, and a range inside that file. */
#include "format/external_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

#include "format/file_impl.h"

enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW };

/* What external_data says, as text; NULL where the key is absent. */
typedef struct entries {
    const char *location, *offset, *length;
} entries;

static tonnx_status bad(const tonnx__tensor *tensor, const char *key, const char *value, const char *what)
{
    return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': external_data %s '%s': %s", tensor->name, key, value, what);
}

/* `checksum` is known and not looked at; what else stands there is said, once for a model. */
static tonnx_status find_entries(const tonnx__tensor *tensor, const Tonnx__Onnx__TensorProto *proto, entries *out,
                                 const tonnx_log *log, bool *said)
{
    const struct {
        const char *key;
        const char **value;
    } known[] = { { "location", &out->location }, { "offset", &out->offset }, { "length", &out->length } };
    *out = (entries){ 0 };
    for (size_t i = 0; i < proto->n_external_data; i++) {
        const char *key = proto->external_data[i]->key ? proto->external_data[i]->key : "";
        const char *value = proto->external_data[i]->value ? proto->external_data[i]->value : "";
        size_t k = 0;
        while (k < sizeof known / sizeof *known && strcmp(key, known[k].key) != 0) k++;
        if (k < sizeof known / sizeof *known) {
            if (*known[k].value) return bad(tensor, key, value, "the key stands there twice");
            *known[k].value = value;
        } else if (strcmp(key, "checksum") != 0 && !*said) {
            tonnx__say(log, TONNX_LOG_WARNING, "tensor '%s': external_data key '%s' is not known and left as it is",
                       tensor->name, key);
            *said = true;
        }
    }
    return TONNX_OK;
}

/* Decimal digits and nothing else. */
static bool parse_decimal(const char *text, size_t *out)
{
    *out = 0;
    for (const char *at = text; *at; at++)
        if (*at < '0' || *at > '9' || !tonnx__mul(out, *out, 10) || !tonnx__add(out, *out, (size_t)(*at - '0')))
            return false;
    return *text != '\0';
}

/* What of a location no kernel need be asked. */
static const char *wrong_location(const char *location)
{
    if (!*location) return "is empty";
    if (*location == '/') return "is an absolute path; the data must lie in the model's folder";
    for (const char *at = location; *at; at += strcspn(at, "/"), at += *at == '/')
        if (strcspn(at, "/") == 2 && !strncmp(at, "..", 2)) return "leads out of the model's folder";
    return NULL;
}

/* Kernels without openat2: every folder on the way is opened by itself and may be no link. */
static int open_stepwise(int folder, const char *location)
{
    char name[256];
    int at = dup(folder);
    while (at >= 0) {
        const size_t length = strcspn(location, "/");
        const bool last = !location[length];
        if (length >= sizeof name) errno = ENAMETOOLONG;
        else memcpy(name, location, length), name[length] = '\0';
        const int next = length >= sizeof name ? -1
                         : !length             ? dup(at)
                                               : openat(at, name, last ? OPEN_FLAGS : OPEN_FLAGS | O_DIRECTORY);
        close(at);
        if (last) return next;
        at = next;
        location += length + 1;
    }
    return -1;
}

/* Opens what lies beneath the folder and behind no link; −1 with errno else. */
static int open_beneath(int folder, const char *location)
{
#if defined(SYS_openat2) && defined(RESOLVE_BENEATH)
    struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
    const int fd = (int)syscall(SYS_openat2, folder, location, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return fd;
#endif
    return open_stepwise(folder, location);
}

static tonnx_status open_failed(const tonnx__tensor *tensor, const char *location)
{
    if (errno == ELOOP || errno == EXDEV)
        return bad(tensor, "location", location, "is reached through a symbolic link");
    if (errno == ENOENT)
        return bad(tensor, "location", location,
                   "there is no such file in the model's folder; put it beside the model");
    if (errno == EIO || errno == ENOMEM || errno == EMFILE || errno == ENFILE || errno == EINTR)
        return tonnx__fail(TONNX_IO_FAILED, "tensor '%s': external_data location '%s' cannot be opened: %s",
                           tensor->name, location, strerror(errno));
    return bad(tensor, "location", location, strerror(errno));
}

static tonnx_status check_kind(const tonnx__tensor *tensor, const char *location, const struct stat *info)
{
    if (!S_ISREG(info->st_mode))
        return bad(tensor, "location", location,
                   S_ISDIR(info->st_mode) ? "is a directory, not a regular file"
                                          : "is a FIFO or device, not a regular file");
    if (info->st_nlink != 1)
        return bad(tensor, "location", location, "is a hard link: the file has other names, maybe outside the folder");
    return TONNX_OK;
}

/* The one place at which data outside the model's own file comes in. */
static tonnx_status read_file(tonnx__data_file *file, int folder, const tonnx__tensor *tensor, const char *location)
{
    struct stat info;
    const int fd = open_beneath(folder, location);
    if (fd < 0) return open_failed(tensor, location);
    tonnx_status status = fstat(fd, &info) ? open_failed(tensor, location) : check_kind(tensor, location, &info);
    if (!status) {
        file->size = (size_t)info.st_size;
        status = tonnx__alloc(&file->bytes, file->size, 1);
    }
    if (!status) status = tonnx__file_read_fully(fd, location, file->bytes, file->size);
    close(fd);
    return status;
}

static tonnx_status open_folder(const tonnx_model *model, const tonnx__tensor *tensor, const char *location, int *out)
{
    if (!model->folder)
        return bad(tensor, "location", location, "a model that came from no file has no folder to look in");
    *out = open(model->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *out < 0 ? open_failed(tensor, location) : TONNX_OK;
}

/* "folder/location". */
static tonnx_status join(char **out, const char *folder, const char *location)
{
    const size_t length = strlen(folder), size = length + strlen(location) + 2;
    const tonnx_status status = tonnx__alloc(out, size, 1);
    if (status) return status;
    memcpy(*out, folder, length);
    (*out)[length] = '/';
    memcpy(*out + length + 1, location, size - length - 1);
    return TONNX_OK;
}

/* Adds the data file to the model's. */
static tonnx_status add_file(tonnx_model *model, const tonnx__tensor *tensor, const char *location, size_t *out)
{
    int folder = -1;
    tonnx_status status =
        tonnx__grow(&model->data_files, &model->data_file_room, model->data_file_count + 1, sizeof *model->data_files);
    if (status) return status;
    tonnx__data_file *file = &model->data_files[model->data_file_count];
    *file = (tonnx__data_file){ 0 };
    status = open_folder(model, tensor, location, &folder);
    if (!status) status = tonnx__strdup(&file->location, location);
    if (!status) status = join(&file->path, model->folder, location);
    if (!status) status = read_file(file, folder, tensor, location);
    if (folder >= 0) close(folder);
    *out = model->data_file_count++; /* freed with the model, whatever came of it */
    return status;
}

static tonnx_status file_of(tonnx_model *model, const tonnx__tensor *tensor, const char *location, size_t *out)
{
    const char *wrong = wrong_location(location);
    if (wrong) return bad(tensor, "location", location, wrong);
    for (*out = 0; *out < model->data_file_count; ++*out)
        if (!strcmp(model->data_files[*out].location, location)) return TONNX_OK;
    return add_file(model, tensor, location, out);
}

/* The range that the tensor takes; its elements' size decides where no length is given. */
static tonnx_status find_range(tonnx__tensor *tensor, const entries *e, const tonnx__data_file *file)
{
    const size_t element = tonnx_dtype_size(tensor->dtype);
    size_t wanted = 0;
    if (e->offset && !parse_decimal(e->offset, &tensor->file_at))
        return bad(tensor, "offset", e->offset, "is not a decimal number of bytes");
    if (!tonnx__mul(&wanted, tensor->count, element))
        return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': its dims ask for more bytes than can be", tensor->name);
    tensor->file_size = wanted;
    if (e->length && !parse_decimal(e->length, &tensor->file_size))
        return bad(tensor, "length", e->length, "is not a decimal number of bytes");
    if (element && tensor->file_size != wanted)
        return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': external_data length '%s': its dims ask for %zu bytes",
                           tensor->name, e->length, wanted);
    if (tensor->file_at <= file->size && tensor->file_size <= file->size - tensor->file_at) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_MODEL,
                       "tensor '%s': external_data offset %s, length %zu: '%s' has %zu bytes and ends before that",
                       tensor->name, e->offset ? e->offset : "0", tensor->file_size, e->location, file->size);
}

tonnx_status tonnx__external_read(tonnx_model *model, tonnx__tensor *tensor, const Tonnx__Onnx__TensorProto *proto,
                                  const tonnx_log *log, bool *said)
{
    entries e;
    size_t f = 0;
    tonnx_status status = find_entries(tensor, proto, &e, log, said);
    if (status) return status;
    if (!e.location) return tonnx__fail(TONNX_BAD_MODEL, "tensor '%s': external_data has no location", tensor->name);
    status = file_of(model, tensor, e.location, &f);
    if (!status) status = find_range(tensor, &e, &model->data_files[f]);
    if (status) return status;
    tensor->file = f + 1;
    if (tonnx_dtype_size(tensor->dtype)) tensor->bytes = model->data_files[f].bytes + tensor->file_at;
    return TONNX_OK;
}

static int compare_places(const void *a, const void *b)
{
    const tonnx__tensor *x = *(tonnx__tensor *const *)a, *y = *(tonnx__tensor *const *)b;
    if (x->file != y->file) return x->file < y->file ? -1 : 1;
    return x->file_at < y->file_at ? -1 : x->file_at > y->file_at;
}

tonnx_status tonnx__external_in_order(const tonnx_model *model, tonnx__tensor ***out, size_t *count)
{
    const tonnx_status status = tonnx__model_each_tensor(model, out, count);
    if (!status && *count) qsort(*out, *count, sizeof **out, compare_places);
    return status;
}

tonnx_status tonnx__external_mark_shared(const tonnx_model *model)
{
    tonnx__tensor **all = NULL, *widest = NULL;
    size_t count = 0;
    if (!model->data_file_count) return TONNX_OK;
    const tonnx_status status = tonnx__external_in_order(model, &all, &count);
    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        if (!all[i]->file) continue;
        if (widest && widest->file == all[i]->file && all[i]->file_at < widest->file_at + widest->file_size)
            widest->file_shared = all[i]->file_shared = true;
        if (!widest || widest->file != all[i]->file ||
            all[i]->file_at + all[i]->file_size > widest->file_at + widest->file_size)
            widest = all[i];
    }
    tonnx__free(all);
    return TONNX_OK;
}
