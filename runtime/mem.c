#define _DEFAULT_SOURCE /* madvise */
#include "runtime/mem_impl.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static _Atomic size_t made, fail_at;
static _Atomic bool fail_on;

bool tonnx__add(size_t *out, size_t a, size_t b)
{
    if (!__builtin_add_overflow(a, b, out)) return true;
    *out = SIZE_MAX;
    return false;
}

bool tonnx__mul(size_t *out, size_t a, size_t b)
{
    if (!__builtin_mul_overflow(a, b, out)) return true;
    *out = SIZE_MAX;
    return false;
}

/* Counts one allocation, and says whether the test's fault falls on it. */
static bool faulted(void)
{
    const size_t now = atomic_fetch_add(&made, 1) + 1;
    const size_t at = atomic_load(&fail_at);
    return at && (now == at || (now > at && atomic_load(&fail_on)));
}

size_t tonnx__mem_fault(size_t nth, bool persistent)
{
    atomic_store(&fail_at, nth);
    atomic_store(&fail_on, persistent);
    return atomic_exchange(&made, 0);
}

static tonnx_status no_memory(size_t bytes)
{
    return tonnx__fail(TONNX_NO_MEMORY, "out of memory: %zu bytes could not be had", bytes);
}

/* What is large lies in huge pages where the system has them: a matrix whose rows are pages apart would need an entry of
 * the address translation's cache for each row, and so do samples that a shuffle calls up. */
enum { HUGE_PAGE = 1 << 21, SMALL_PAGE = 1 << 12 };

static void want_huge(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)p / SMALL_PAGE * SMALL_PAGE; /* where so much is had, the whole page is ours */
    madvise((void *)page, (uintptr_t)p + bytes - page, MADV_HUGEPAGE); /* a wish: nothing is lost where it is not granted */
#else
    (void)p, (void)bytes;
#endif
}

tonnx_status tonnx__alloc(void *out, size_t count, size_t size)
{
    size_t bytes = 0;
    void *p = NULL;
    if (tonnx__mul(&bytes, count, size) && !faulted()) p = calloc(1, bytes ? bytes : 1);
    if (p && bytes >= 2 * HUGE_PAGE) want_huge(p, bytes);
    memcpy(out, &p, sizeof p);
    return p ? TONNX_OK : no_memory(bytes);
}

tonnx_status tonnx__alloc_aligned(void *out, size_t count, size_t size)
{
    size_t bytes = 0, padded = 0;
    void *p = NULL;
    const bool sized = tonnx__mul(&bytes, count, size);
    const size_t align = bytes < HUGE_PAGE / 2 ? TONNX__ALIGN : HUGE_PAGE; /* a page of which half is used is worth having */
    if (sized && tonnx__add(&padded, bytes, align) && !faulted()) p = aligned_alloc(align, padded / align * align);
    if (p && align == HUGE_PAGE) want_huge(p, padded / align * align);
    if (p) memset(p, 0, padded / align * align);
    memcpy(out, &p, sizeof p);
    return p ? TONNX_OK : no_memory(bytes);
}

tonnx_status tonnx__grow(void *array, size_t *room, size_t need, size_t size)
{
    void *old = NULL, *grown = NULL;
    size_t count = *room ? *room : 8, bytes = 0;
    if (need <= *room) return TONNX_OK;
    while (count < need)
        if (!tonnx__mul(&count, count, 2)) return no_memory(SIZE_MAX);
    if (!tonnx__mul(&bytes, count, size)) return no_memory(SIZE_MAX);
    memcpy(&old, array, sizeof old);
    if (!faulted()) grown = realloc(old, bytes);
    if (!grown) return no_memory(bytes);
    memset((char *)grown + *room * size, 0, bytes - *room * size);
    memcpy(array, &grown, sizeof grown);
    *room = count;
    return TONNX_OK;
}

tonnx_status tonnx__strndup(char **out, const char *text, size_t length)
{
    size_t bytes = 0;
    *out = NULL;
    if (!tonnx__add(&bytes, length, 1)) return no_memory(SIZE_MAX);
    const tonnx_status status = tonnx__alloc(out, bytes, 1);
    if (!status && length) memcpy(*out, text, length);
    return status;
}

tonnx_status tonnx__strdup(char **out, const char *text)
{
    return tonnx__strndup(out, text, strlen(text));
}

void tonnx__free(void *pointer)
{
    free(pointer);
}

void *tonnx__budget_alloc(tonnx__budget *budget, size_t size)
{
    if (size > budget->left) {
        budget->overdrawn = true;
        return NULL;
    }
    budget->left -= size;
    return faulted() ? NULL : malloc(size ? size : 1);
}
