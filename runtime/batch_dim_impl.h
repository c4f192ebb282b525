/* The batch that a file's inputs and outputs are declared for. */
#ifndef TONNX_RUNTIME_BATCH_DIM_IMPL_H
#define TONNX_RUNTIME_BATCH_DIM_IMPL_H

#include "runtime/recognise/recognise_impl.h"

/* The name of the first node that gives its result `batch` rows by a constant shape; NULL where none does. It lives as long as the
 * net and its model. */
const char *tonnx__batch_held(const tonnx__builder *builder, int64_t batch);

/* Where the net's input is declared for a fixed batch: all inputs and outputs of its model that have that batch get the symbol
 * TONNX__BATCH in its place. TONNX_BAD_MODEL where a node holds it. */
tonnx_status tonnx__batch_open(tonnx_net *net);

#endif
