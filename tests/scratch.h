/* A folder of its own for a suite that writes files. */
#ifndef TONNX_TESTS_SCRATCH_H
#define TONNX_TESTS_SCRATCH_H

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static char scratch_folder[256];

static inline void scratch_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch_folder, sizeof scratch_folder, "%s/tonnx-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(scratch_folder)) abort();
}

static inline void scratch_remove(void)
{
    char path[600];
    DIR *folder = opendir(scratch_folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(path, sizeof path, "%s/%s", scratch_folder, entry->d_name);
        unlink(path);
    }
    if (folder) closedir(folder);
    rmdir(scratch_folder);
}

/* The path of `name` there; good until the eighth call from now. */
static inline const char *scratch_path(const char *name)
{
    static char paths[8][600];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

/* Writes a file there and gives its path. */
static inline const char *scratch_write(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch_path(name);
    remove(path); /* ext4 waits for the disk where an old file is written over */
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
    return path;
}

static inline const char *scratch_text(const char *name, const char *text)
{
    return scratch_write(name, text, strlen(text));
}

/* A whole file, to be freed. */
static inline unsigned char *scratch_read(const char *path, size_t *size)
{
    unsigned char *bytes = malloc(1 << 20);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file && bytes, "%s", path);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

#endif
