/* The four binary operators, which a net's layer and a program's instruction name alike. */
#ifndef TONNX_RUNTIME_OPS_BINARY_IMPL_H
#define TONNX_RUNTIME_OPS_BINARY_IMPL_H

#include "runtime/net_impl.h"

enum { TONNX__BINARIES = TONNX__DIV + 1 };

#endif
