/* What every fuzz target shares: a folder of its own, and what must hold whatever the input is. */
#ifndef TONNX_TESTS_FUZZ_H
#define TONNX_TESTS_FUZZ_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the process, so that the fuzzer keeps the input. */
static inline void fuzz_must(int good, const char *what)
{
    if (good) return;
    fprintf(stderr, "must hold: %s (last message: %s)\n", what, tonnx_last_message());
    abort();
}

static char fuzz_folder[256];

/* Empties the folder; returns how many files it held. */
static inline size_t fuzz_sweep(void)
{
    char path[600];
    size_t count = 0;
    DIR *folder = opendir(fuzz_folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(path, sizeof path, "%s/%s", fuzz_folder, entry->d_name);
        count += !unlink(path);
    }
    if (folder) closedir(folder);
    return count;
}

static inline void fuzz_leave(void)
{
    fuzz_sweep();
    rmdir(fuzz_folder);
}

/* The path of `name` in the folder, which is made on the first call and removed at exit. Good until the eighth call. */
static inline const char *fuzz_path(const char *name)
{
    static char paths[8][600];
    static unsigned next;
    char *path = paths[next++ % 8];
    if (!*fuzz_folder) {
        const char *base = getenv("TMPDIR");
        snprintf(fuzz_folder, sizeof fuzz_folder, "%s/tonnx-fuzz-XXXXXX", base ? base : "/tmp");
        fuzz_must(mkdtemp(fuzz_folder) != NULL, "a folder can be made");
        atexit(fuzz_leave);
    }
    snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder, name);
    return path;
}

static inline const char *fuzz_file(const char *name, const void *bytes, size_t size)
{
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    fuzz_must(file && fwrite(bytes, 1, size, file) == size && !fclose(file), "a file can be written");
    return path;
}

/* Whether a file holds just these bytes. */
static inline int fuzz_holds(const char *path, const uint8_t *bytes, size_t size)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    uint8_t *got = malloc(size + 1);
    const int same = file && got && !fstat(fileno(file), &info) && (size_t)info.st_size == size &&
                     fread(got, 1, size, file) == size && (!size || !memcmp(got, bytes, size));
    if (file) fclose(file);
    free(got);
    return same;
}

/* A refusal: of the kind that fits, in one line that names the file and says something. True where it was one. */
static inline int fuzz_refused(tonnx_status status, tonnx_status kind, const char *name)
{
    const char *text = tonnx_last_message();
    if (!status) return 0;
    fuzz_must(status == kind, "a refusal of the right kind");
    fuzz_must(strstr(text, name) && strlen(text) > strlen(name) + 8, "the message names the file");
    for (; *text; text++)
        fuzz_must((unsigned char)*text >= 0x20 && *text != 0x7f, "no control characters in a message");
    return 1;
}

/* True where a refusal with this status is fine; false where it worked. */
static inline int fuzz_either(tonnx_status status, tonnx_status kind)
{
    fuzz_must(!status || status == kind, "success or a refusal of the right kind");
    return status != TONNX_OK;
}

#endif
