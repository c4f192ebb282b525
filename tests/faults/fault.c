/* Preloaded into the command, this makes the N-th allocation, or the N-th call on a file, fail: in our code and in
 * every library that it calls. Counted from the first line of main.
 *
 *   FAULT_KIND     memory | io
 *   FAULT_AT       N, from 1; 0: none, only count
 *   FAULT_FOREVER  set: all later ones fail too
 *   FAULT_REPORT   a file that gets "COUNT NAME": how many calls there were, and which function failed first */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_size_t made;
static atomic_bool armed;
static size_t fail_at;
static bool forever, memory;
static const char *_Atomic failed = "none";
static const char *report;

static bool faulted(bool is_memory, const char *name)
{
    if (!atomic_load(&armed) || is_memory != memory) return false;
    const size_t now = atomic_fetch_add(&made, 1) + 1;
    if (!fail_at || now < fail_at || (now > fail_at && !forever)) return false;
    if (now == fail_at) atomic_store(&failed, name);
    errno = is_memory ? ENOMEM : EIO;
    return true;
}

static bool io_faulted(const char *name)
{
    return faulted(false, name);
}

/* The function of the next library; NULL while dlsym itself allocates. */
static void *next(_Atomic(void *) *known, const char *name)
{
    void *found = atomic_load(known);
    if (!found) atomic_store(known, found = dlsym(RTLD_NEXT, name));
    return found;
}

#define NEXT(name)                                                                                                     \
    static _Atomic(void *) known;                                                                                      \
    __typeof__(&name) real = (__typeof__(&name))next(&known, #name)

void *malloc(size_t size)
{
    NEXT(malloc);
    return faulted(true, "malloc") ? NULL : real(size);
}

/* dlsym may ask for zeroed memory before calloc is known. */
static void *early(size_t size)
{
    static _Alignas(16) char room[4096];
    static atomic_size_t used;
    const size_t at = atomic_fetch_add(&used, (size + 15) / 16 * 16);
    return at + size <= sizeof room ? room + at : NULL;
}

static _Thread_local bool resolving;

void *calloc(size_t count, size_t size)
{
    static _Atomic(void *) known;
    if (!atomic_load(&known)) {
        if (resolving) return early(count * size);
        resolving = true;
        next(&known, "calloc");
        resolving = false;
    }
    return faulted(true, "calloc") ? NULL : ((__typeof__(&calloc))atomic_load(&known))(count, size);
}

void *realloc(void *old, size_t size)
{
    NEXT(realloc);
    return faulted(true, "realloc") ? NULL : real(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    NEXT(aligned_alloc);
    return faulted(true, "aligned_alloc") ? NULL : real(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    NEXT(posix_memalign);
    return faulted(true, "posix_memalign") ? ENOMEM : real(out, align, size);
}

/* What a library asks the system about (the CPU's name, a random seed) may be missing: those files never fail. */
static _Atomic(bool) asked[1024];

static bool asks(const char *path)
{
    return !strncmp(path, "/proc/", 6) || !strncmp(path, "/sys/", 5) || !strncmp(path, "/dev/", 5);
}

static bool is_asked(int fd)
{
    return fd >= 0 && fd < 1024 && atomic_load(&asked[fd]);
}

static int open_at(int at, const char *path, int flags, mode_t mode)
{
    if (!asks(path) && io_faulted("open")) return -1;
    const int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && fd < 1024) atomic_store(&asked[fd], asks(path));
    return fd;
}

#define MODE(flags)                                                                                                    \
    va_list args;                                                                                                      \
    va_start(args, flags);                                                                                             \
    const mode_t mode = (flags) & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;                                    \
    va_end(args)

int open(const char *path, int flags, ...)
{
    MODE(flags);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    MODE(flags);
    return open_at(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    MODE(flags);
    return open_at(at, path, flags, mode);
}

/* What _FORTIFY_SOURCE calls where there is no mode. */
int __open_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

int __openat_2(int at, const char *path, int flags)
{
    return open_at(at, path, flags, 0);
}

ssize_t read(int fd, void *to, size_t size)
{
    return !is_asked(fd) && io_faulted("read") ? -1 : syscall(SYS_read, fd, to, size);
}

ssize_t __read_chk(int fd, void *to, size_t size, size_t room)
{
    if (size > room) abort();
    return read(fd, to, size);
}

ssize_t write(int fd, const void *from, size_t size)
{
    return io_faulted("write") ? -1 : syscall(SYS_write, fd, from, size);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
    return io_faulted("write") ? -1 : syscall(SYS_pwrite64, fd, from, size, at);
}

int fsync(int fd)
{
    return io_faulted("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

/* A failed close has closed all the same. */
int close(int fd)
{
    const bool bad = !is_asked(fd) && io_faulted("close");
    const int got = (int)syscall(SYS_close, fd);
    if (bad) errno = EIO;
    return bad ? -1 : got;
}

int rename(const char *from, const char *to)
{
    return io_faulted("rename") ? -1 : (int)syscall(SYS_rename, from, to);
}

FILE *fopen(const char *path, const char *mode)
{
    NEXT(fopen);
    return io_faulted("fopen") ? NULL : real(path, mode);
}

int fclose(FILE *file)
{
    NEXT(fclose);
    const bool bad = io_faulted("fclose");
    const int got = real(file);
    if (bad) errno = EIO;
    return bad ? EOF : got;
}

static void write_report(void)
{
    char text[80];
    atomic_store(&armed, false);
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, report, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int size = snprintf(text, sizeof text, "%zu %s\n", atomic_load(&made), atomic_load(&failed));
    if (fd < 0 || syscall(SYS_write, fd, text, (size_t)size) != size) abort();
    syscall(SYS_close, fd);
}

static int (*their_main)(int, char **, char **);

static int armed_main(int argc, char **argv, char **env)
{
    const char *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND");
    fail_at = at ? strtoul(at, NULL, 10) : 0;
    memory = kind && !strcmp(kind, "memory");
    forever = getenv("FAULT_FOREVER") != NULL;
    report = getenv("FAULT_REPORT");
    if (report) atexit(write_report);
    atomic_store(&armed, true);
    return their_main(argc, argv, env);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    NEXT(__libc_start_main);
    their_main = main;
    return real(armed_main, argc, argv, init, fini, rtld_fini, stack_end);
}
