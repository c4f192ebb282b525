/* The four binary operators, which a net's layer and a program's instruction name alike. */
#ifndef TONNX_RUNTIME_OPS_BINARY_IMPL_H
#define TONNX_RUNTIME_OPS_BINARY_IMPL_H

typedef enum tonnx__binary { TONNX__ADD, TONNX__SUB, TONNX__MUL, TONNX__DIV, TONNX__BINARIES } tonnx__binary;

#endif
