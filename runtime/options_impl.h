/* Options are structs whose first member is their size, so that fields may be added. */
#ifndef TONNX_RUNTIME_OPTIONS_IMPL_H
#define TONNX_RUNTIME_OPTIONS_IMPL_H

#include <stddef.h>

#include "runtime/status_impl.h"

/* Lays the caller's options over `to`, which holds the defaults and is `known` bytes: fields that an older caller does not
 * have keep them, and so do all where `from` is NULL. TONNX_BAD_USAGE where `from` was not started from its default
 * (size 0), or belongs to a newer library; `macro` is the default's name. */
tonnx_status tonnx__options_lay(void *to, size_t known, const void *from, const char *macro);

#endif
