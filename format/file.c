#define _GNU_SOURCE /* sync_file_range */
#include "format/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/file_impl.h"
#include "runtime/mem_impl.h"

/* write(2) and read(2) take at most this at once (Linux stops at 2 GiB − 4 KiB anyway). */
enum { AT_ONCE = 1 << 30, WINDOW = 16 << 20 };

struct tonnx_file {
    int fd;
    size_t written, begun; /* bytes: of them the disk was asked to take so many */
    char *path, *temporary, *folder;
};

static tonnx_status io_failed(const char *path, const char *what)
{
    return tonnx__fail(TONNX_IO_FAILED, "%s: %s: %s", path, what, strerror(errno));
}

static const char *kind_name(mode_t mode)
{
    return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a FIFO" : "a device or socket";
}

/* Opens a regular file without waiting for whoever should write to a FIFO. */
static tonnx_status open_regular(const char *path, int *fd, size_t *size)
{
    struct stat info;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) return io_failed(path, "cannot be opened");
    if (fstat(*fd, &info)) return io_failed(path, "cannot be examined");
    *size = (size_t)info.st_size;
    if (S_ISREG(info.st_mode)) return TONNX_OK;
    return tonnx__fail(TONNX_IO_FAILED, "%s: is %s, not a regular file", path, kind_name(info.st_mode));
}

tonnx_status tonnx__file_read_fully(int fd, const char *path, unsigned char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const size_t left = size - done;
        const ssize_t got = read(fd, bytes + done, left < AT_ONCE ? left : AT_ONCE);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_failed(path, "cannot be read");
        if (!got) return tonnx__fail(TONNX_IO_FAILED, "%s: got shorter while it was read", path);
        done += (size_t)got;
    }
    return TONNX_OK;
}

tonnx_status tonnx_file_read(const char *path, size_t limit, unsigned char **bytes, size_t *size)
{
    int fd = -1;
    *bytes = NULL;
    tonnx_status status = open_regular(path, &fd, size);
    if (!status && *size > limit)
        status = tonnx__fail(TONNX_IO_FAILED, "%s: has %zu bytes, the limit is %zu", path, *size, limit);
    if (!status) status = tonnx__alloc(bytes, *size, 1);
    if (!status) status = tonnx__file_read_fully(fd, path, *bytes, *size);
    if (fd >= 0) close(fd);
    if (status) {
        tonnx__free(*bytes);
        *bytes = NULL;
        *size = 0;
    }
    return status;
}

tonnx_status tonnx_file_head(const char *path, void *bytes, size_t room, size_t *got)
{
    int fd = -1;
    size_t size = 0;
    *got = 0;
    tonnx_status status = open_regular(path, &fd, &size);
    if (!status) status = tonnx__file_read_fully(fd, path, bytes, size < room ? size : room);
    if (!status) *got = size < room ? size : room;
    if (fd >= 0) close(fd);
    return status;
}

void tonnx_file_free(unsigned char *bytes)
{
    tonnx__free(bytes);
}

static void file_free(tonnx_file *file)
{
    if (file->fd >= 0) close(file->fd);
    tonnx__free(file->path);
    tonnx__free(file->temporary);
    tonnx__free(file->folder);
    tonnx__free(file);
}

/* A link is followed, so that what it points to is replaced and the link stays. */
static tonnx_status resolve(tonnx_file *file, const char *path)
{
    char target[PATH_MAX];
    tonnx_status status = tonnx__strdup(&file->path, realpath(path, target) ? target : path);
    if (status) return status;
    const char *slash = strrchr(file->path, '/');
    if (!slash) return tonnx__strdup(&file->folder, ".");
    return tonnx__strndup(&file->folder, file->path, slash > file->path ? (size_t)(slash - file->path) : 1);
}

/* The folder to write in must be there, and the path a file or nothing yet (a rename would replace /dev/null): said
 * before any work is done. */
static tonnx_status check_place(const tonnx_file *file)
{
    struct stat info;
    if (stat(file->folder, &info)) return io_failed(file->path, "its folder cannot be used");
    if (!S_ISDIR(info.st_mode)) return tonnx__fail(TONNX_IO_FAILED, "%s: %s is not a folder", file->path, file->folder);
    if (stat(file->path, &info) || S_ISREG(info.st_mode)) return TONNX_OK;
    return tonnx__fail(TONNX_IO_FAILED, "%s: is %s; name a file to write", file->path, kind_name(info.st_mode));
}

/* The new file has the rights of the one it replaces, else those the process gives. */
static mode_t mode_for(const char *path)
{
    struct stat info;
    return stat(path, &info) ? 0666 : info.st_mode & 0777;
}

/* Tries a few names: another process may be writing the same file. */
static tonnx_status open_temporary(tonnx_file *file)
{
    const size_t size = strlen(file->path) + 40;
    const tonnx_status status = tonnx__alloc(&file->temporary, size, 1);
    if (status) return status;
    for (int attempt = 0; attempt < 100; attempt++) {
        snprintf(file->temporary, size, "%s.%ld.%d.tmp", file->path, (long)getpid(), attempt);
        file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_for(file->path));
        if (file->fd >= 0) return TONNX_OK;
        if (errno != EEXIST) break;
    }
    const tonnx_status failed = io_failed(file->path, "cannot be created");
    tonnx__free(file->temporary);
    file->temporary = NULL;
    return failed;
}

tonnx_status tonnx_file_create(tonnx_file **out, const char *path)
{
    tonnx_file *file = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&file, 1, sizeof *file);
    if (status) return status;
    file->fd = -1;
    status = resolve(file, path);
    if (!status) status = check_place(file);
    if (!status) status = open_temporary(file);
    if (status) file_free(file);
    else *out = file;
    return status;
}

/* The disk takes what is written while the rest is made, so that the flush at the end waits for little. It is a wish:
 * what fails, the flush tells. */
static void begin_flush(tonnx_file *file)
{
    if (file->written - file->begun < WINDOW) return;
    const int errno_before = errno;
    (void)sync_file_range(file->fd, (off_t)file->begun, (off_t)(file->written - file->begun), SYNC_FILE_RANGE_WRITE);
    errno = errno_before;
    file->begun = file->written;
}

tonnx_status tonnx_file_write(tonnx_file *file, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    while (size) {
        const ssize_t put = write(file->fd, from, size < AT_ONCE ? size : AT_ONCE);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return io_failed(file->path, "cannot be written");
        from += put;
        size -= (size_t)put;
        file->written += (size_t)put;
        begin_flush(file);
    }
    return TONNX_OK;
}

tonnx_status tonnx__file_rewrite(tonnx_file *file, size_t at, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    while (size) {
        const ssize_t put = pwrite(file->fd, from, size < AT_ONCE ? size : AT_ONCE, (off_t)at);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return io_failed(file->path, "cannot be written");
        from += put;
        at += (size_t)put;
        size -= (size_t)put;
    }
    return TONNX_OK;
}

/* Makes the rename itself survive a power cut. File systems that cannot fsync a folder say EINVAL: nothing more to do.
 */
static tonnx_status sync_folder(const tonnx_file *file)
{
    const int fd = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES ? TONNX_OK : io_failed(file->folder, "cannot be opened");
    const bool failed = fsync(fd) && errno != EINVAL;
    const tonnx_status status = failed ? io_failed(file->folder, "cannot be flushed to disk") : TONNX_OK;
    close(fd);
    return status;
}

/* A failed fsync is final: the kernel may have marked the pages clean, so a second try would lie. */
static tonnx_status flush_and_close(tonnx_file *file)
{
    tonnx_status status =
        fsync(file->fd) && errno != EINVAL ? io_failed(file->path, "cannot be flushed to disk") : TONNX_OK;
    const int closed = close(file->fd);
    file->fd = -1;
    if (!status && closed) status = io_failed(file->path, "cannot be closed");
    return status;
}

tonnx_status tonnx_file_finish(tonnx_file *file)
{
    tonnx_status status = flush_and_close(file);
    if (!status && rename(file->temporary, file->path)) status = io_failed(file->path, "cannot be replaced");
    if (status) {
        tonnx_file_discard(file);
        return status;
    }
    status = sync_folder(file);
    file_free(file);
    return status;
}

void tonnx_file_discard(tonnx_file *file)
{
    if (!file) return;
    unlink(file->temporary);
    file_free(file);
}

int tonnx_file_same(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
