/* Names of rows: identifiers of the lists as text, matched without regard to case, dashes or underscores. */
#ifndef TONNX_RUNTIME_OPS_NAMES_IMPL_H
#define TONNX_RUNTIME_OPS_NAMES_IMPL_H

#include <stdbool.h>
#include <stddef.h>

/* "" for the lists' `none`, else the text itself. */
const char *tonnx__unless_none(const char *text);

/* Whether the first `length` bytes of `name` spell `id`: "Cross-Entropy" is CROSS_ENTROPY. */
bool tonnx__same_name(const char *name, size_t length, const char *id);

#endif
