/* A model written front to back: each node reads what the one before it made. */
#ifndef TONNX_RUNTIME_MLP_IMPL_H
#define TONNX_RUNTIME_MLP_IMPL_H

#include "runtime/model_impl.h"
#include "runtime/ops/book_impl.h"

enum { TONNX__CHAIN_NAME = 64 };

typedef struct tonnx__chain {
    tonnx_model *model;
    char value[TONNX__CHAIN_NAME]; /* what the last node made; a node and its output share a name */
    size_t node;                   /* the last node's index */
    int64_t opset;
} tonnx__chain;

/* Adds a node that reads the chain's value, then `inputs` (NULL-terminated; NULL for none), and makes value `name`. */
tonnx_status tonnx__chain_node(tonnx__chain *chain, const char *op, const char *name, const char *const *inputs);

/* Adds an initializer of that shape, every element `value`. */
tonnx_status tonnx__chain_tensor(tonnx__chain *chain, const char *name, size_t rank, const int64_t *dims, double value);

/* Attributes of the chain's last node. */
tonnx_status tonnx__chain_float(tonnx__chain *chain, const char *name, double value);

/* The activation as one node of the opset, or spelled in several (NAME/sigmoid, NAME, …). TONNX_BAD_USAGE where the
 * opset has no spelling that tonnx reads back. */
tonnx_status tonnx__chain_activation(tonnx__chain *chain, const char *name, tonnx_activation act, double a, double b);

#endif
