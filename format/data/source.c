#include "format/data/source_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { AT_ONCE = 1 << 20 };

static tonnx_status io_failed(const char *path, const char *what)
{
    return tonnx__fail(TONNX_IO_FAILED, "%s: %s: %s", path, what, strerror(errno));
}

/* O_NONBLOCK so that a FIFO without a writer does not keep us waiting. */
static tonnx_status open_file(tonnx__source *source, int *fd)
{
    const bool standard = !strcmp(source->path, "-");
    struct stat info;
    *fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                   : open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) return io_failed(source->path, "cannot be opened");
    if (fstat(*fd, &info)) return io_failed(source->path, "cannot be examined");
    source->file_size = S_ISREG(info.st_mode) ? (size_t)info.st_size : SIZE_MAX;
    if (S_ISREG(info.st_mode) || (standard && !S_ISDIR(info.st_mode))) return TONNX_OK;
    return tonnx__fail(TONNX_IO_FAILED, "%s: is %s, not a file of data%s", source->path,
                       S_ISDIR(info.st_mode) ? "a folder" : "a pipe or device",
                       S_ISFIFO(info.st_mode) ? "; read a pipe as '-'" : "");
}

tonnx_status tonnx__source_open(tonnx__source **out, const char *path)
{
    tonnx__source *source = NULL;
    int fd = -1;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&source, 1, sizeof *source);
    if (status) return status;
    source->path = path;
    status = open_file(source, &fd);
    if (!status) {
        source->stream = gzdopen(fd, "rb");
        if (source->stream) fd = -1; /* the stream closes it */
        else status = tonnx__fail(TONNX_NO_MEMORY, "%s: out of memory", path);
    }
    if (!status) gzbuffer(source->stream, TONNX__SOURCE_ROOM);
    if (!status) status = tonnx__source_fill(source);
    if (!status) source->zipped = !gzdirect(source->stream);
    if (!status && !source->end) status = tonnx__fail(TONNX_BAD_DATA, "%s: is empty: no samples", path);
    if (fd >= 0) close(fd);
    if (status) tonnx__source_close(source);
    else *out = source;
    return status;
}

tonnx_status tonnx__source_inside(tonnx__source **out, const char *path, size_t size, tonnx__source_pull *pull,
                                  void *user)
{
    const tonnx_status status = tonnx__alloc(out, 1, sizeof **out);
    if (status) return status;
    (*out)->path = path;
    (*out)->inner = pull;
    (*out)->user = user;
    (*out)->file_size = size;
    return TONNX_OK;
}

void tonnx__source_close(tonnx__source *source)
{
    if (source && source->stream) gzclose(source->stream);
    tonnx__free(source);
}

static tonnx_status stream_failed(const tonnx__source *source)
{
    int error = Z_OK;
    const char *text = gzerror(source->stream, &error);
    if (error == Z_OK || error == Z_STREAM_END) return TONNX_OK;
    if (error == Z_ERRNO) return io_failed(source->path, "cannot be read");
    if (error == Z_MEM_ERROR) return tonnx__fail(TONNX_NO_MEMORY, "%s: out of memory", source->path);
    return tonnx__fail(TONNX_BAD_DATA, "%s: the gzip stream is damaged or cut (%s)", source->path,
                       error == Z_BUF_ERROR ? "unexpected end of file" : text);
}

static bool swells(const tonnx__source *source)
{
    const z_off_t taken = gzdirect(source->stream) ? 0 : gzoffset(source->stream);
    return taken > 0 && source->given > TONNX__SWELL_FREE && source->given / TONNX__SWELL_RATIO > (size_t)taken;
}

static tonnx_status pull_inner(tonnx__source *source, unsigned char *to, size_t size, size_t *got)
{
    tonnx_status status = TONNX_OK;
    for (size_t n = 1; !status && n && *got < size; *got += n, source->given += n)
        status = source->inner(source->user, to + *got, size - *got, &n);
    return status;
}

/* Up to `size` bytes from the stream; fewer at its end alone. */
static tonnx_status pull(tonnx__source *source, unsigned char *to, size_t size, size_t *got)
{
    *got = 0;
    if (source->inner) return pull_inner(source, to, size, got);
    while (*got < size) {
        const size_t left = size - *got;
        const int n = gzread(source->stream, to + *got, (unsigned)(left < AT_ONCE ? left : AT_ONCE));
        if (n > 0) source->given += (size_t)n, *got += (size_t)n;
        const tonnx_status status = stream_failed(source);
        if (status) return status;
        if (swells(source))
            return tonnx__fail(TONNX_BAD_DATA,
                               "%s: the gzip stream swells to more than %d times its size; unzip it first",
                               source->path, TONNX__SWELL_RATIO);
        if (n <= 0) break;
    }
    return TONNX_OK;
}

tonnx_status tonnx__source_top_up(tonnx__source *source)
{
    const size_t left = source->end - source->at;
    size_t more = 0;
    memmove(source->bytes, source->bytes + source->at, left);
    const tonnx_status status = pull(source, source->bytes + left, TONNX__SOURCE_ROOM - left, &more);
    source->at = 0;
    source->end = left + more;
    source->bytes[source->end] = 0;
    return status;
}

tonnx_status tonnx__source_fill(tonnx__source *source)
{
    source->at = source->end = 0;
    return tonnx__source_top_up(source);
}

/* What of the first `size` bytes already stands in the buffer. */
static size_t buffered(const tonnx__source *source, size_t size)
{
    return source->end - source->at < size ? source->end - source->at : size;
}

static tonnx_status cut(const tonnx__source *source, size_t missing)
{
    return tonnx__fail(TONNX_BAD_DATA, "%s: is cut short: %zu bytes are missing", source->path, missing);
}

tonnx_status tonnx__source_take(tonnx__source *source, void *to, size_t size, size_t *got)
{
    const size_t ready = buffered(source, size);
    size_t more = 0;
    memcpy(to, source->bytes + source->at, ready);
    source->at += ready;
    const tonnx_status status =
        ready < size ? pull(source, (unsigned char *)to + ready, size - ready, &more) : TONNX_OK;
    *got = ready + more;
    return status;
}

tonnx_status tonnx__source_read(tonnx__source *source, void *to, size_t size)
{
    size_t got = 0;
    const tonnx_status status = tonnx__source_take(source, to, size, &got);
    return status ? status : got < size ? cut(source, size - got) : TONNX_OK;
}

tonnx_status tonnx__source_skip(tonnx__source *source, size_t size)
{
    for (;;) {
        const size_t ready = buffered(source, size);
        source->at += ready;
        size -= ready;
        if (!size) return TONNX_OK;
        const tonnx_status status = tonnx__source_fill(source);
        if (status) return status;
        if (!source->end) return cut(source, size);
    }
}

size_t tonnx__source_most(const tonnx__source *source)
{
    const size_t taken = source->given - (source->end - source->at);
    size_t most = source->file_size;
    if (source->zipped && most != SIZE_MAX && tonnx__mul(&most, most, TONNX__SWELL_RATIO) && most < TONNX__SWELL_FREE)
        most = TONNX__SWELL_FREE;
    return most == SIZE_MAX ? most : most > taken ? most - taken : 0;
}

bool tonnx__source_is_exact(const tonnx__source *source)
{
    return !source->zipped && source->file_size != SIZE_MAX;
}

tonnx_status tonnx__source_expect_end(tonnx__source *source)
{
    const tonnx_status status = source->at < source->end ? TONNX_OK : tonnx__source_fill(source);
    if (status || source->at == source->end) return status;
    return tonnx__fail(TONNX_BAD_DATA, "%s: holds more bytes than its header says", source->path);
}
