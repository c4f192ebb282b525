/* Text that grows. */
#ifndef TONNX_RUNTIME_TEXT_IMPL_H
#define TONNX_RUNTIME_TEXT_IMPL_H

#include "runtime/mem_impl.h"

/* Starts as { 0 }; `at` is NULL until something was put, and freed with tonnx__free. The first failure stays in `status`,
 * and what is put after it is lost. */
typedef struct tonnx__text {
    char *at;
    size_t length, room;
    tonnx_status status;
} tonnx__text;

void tonnx__text_put(tonnx__text *text, const char *format, ...) TONNX_PRINTF(2, 3);

#endif
