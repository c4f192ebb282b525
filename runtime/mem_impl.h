/* Memory: sizes that come from files meet + and * only here, and every allocation of the library passes here,
 * so that a test can make the N-th one fail. */
#ifndef TONNX_RUNTIME_MEM_IMPL_H
#define TONNX_RUNTIME_MEM_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/status_impl.h"

/* *out = a + b, *out = a · b; false where it does not fit (then *out is SIZE_MAX). */
bool tonnx__add(size_t *out, size_t a, size_t b);
bool tonnx__mul(size_t *out, size_t a, size_t b);

/* Zeroed room for `count` elements of `size` bytes into *out (NULL on failure; count 0 gives a valid pointer).
 * Fails with TONNX_NO_MEMORY and the number of bytes. Freed with tonnx__free. */
tonnx_status tonnx__alloc(void *out, size_t count, size_t size);

/* The same, aligned to `TONNX__ALIGN` bytes (a cache line, and a full vector), for arrays that kernels read. */
#define TONNX__ALIGN 64
tonnx_status tonnx__alloc_aligned(void *out, size_t count, size_t size);

/* Grows *array (elements of `size` bytes, *room of them) so that at least `need` fit; doubles. New room is zeroed. */
tonnx_status tonnx__grow(void *array, size_t *room, size_t need, size_t size);

/* Copies `length` bytes of text and ends them with NUL. */
tonnx_status tonnx__strndup(char **out, const char *text, size_t length);
tonnx_status tonnx__strdup(char **out, const char *text);

/* Frees what any of the above gave; NULL is legal. */
void tonnx__free(void *pointer);

/* A budget that an allocator for untrusted input draws on: fails, rather than allocates, past `left` bytes. */
typedef struct tonnx__budget {
    size_t left;
    bool overdrawn; /* a request was refused for the budget, not for lack of memory */
} tonnx__budget;

/* malloc within the budget, for C libraries that take an allocator; NULL where either runs out. */
void *tonnx__budget_alloc(tonnx__budget *budget, size_t size);

/* Tests only: the `nth` allocation from now (counted from 1) fails, and all later ones if `persistent`; 0 disarms.
 * Returns how many allocations were made since the last call. */
size_t tonnx__mem_fault(size_t nth, bool persistent);

#endif
