/* A good data file, cut at every byte and with every bit flipped: it loads, or is refused in one line. */
#ifndef TONNX_TESTS_DAMAGE_H
#define TONNX_TESTS_DAMAGE_H

#include "format/data.h"
#include "runtime/dataset_impl.h"
#include "scratch.h"

/* What has to hold of a damaged file that loads all the same; NULL: nothing. */
typedef void damage_check(const tonnx_dataset *set);

static inline void damage_try(const char *name, const unsigned char *bytes, size_t size, const char *target,
                              damage_check *check)
{
    tonnx_dataset *set = NULL;
    const tonnx_status status = tonnx_dataset_load(&set, scratch_write(name, bytes, size), target, NULL);
    ck_assert_msg(status == TONNX_OK || status == TONNX_BAD_DATA, "%s", tonnx_last_message());
    if (status) {
        ck_assert_ptr_null(set);
        ck_assert_msg(strstr(tonnx_last_message(), name) && !strchr(tonnx_last_message(), '\n'), "%s",
                      tonnx_last_message());
    } else if (check) {
        check(set);
    }
    tonnx_dataset_free(set);
}

/* Returns how many files were tried. */
static inline size_t damage_each(const char *path, const char *name, const char *target, damage_check *check)
{
    size_t size;
    unsigned char *bytes = scratch_read(path, &size);
    for (size_t cut = 0; cut < size; cut++) damage_try(name, bytes, cut, target, check);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        damage_try(name, bytes, size, target, check);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    free(bytes);
    return 9 * size;
}

#endif
