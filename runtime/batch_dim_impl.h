/* The batch that a file's inputs and outputs are declared for. */
#ifndef TONNX_RUNTIME_BATCH_DIM_IMPL_H
#define TONNX_RUNTIME_BATCH_DIM_IMPL_H

#include "runtime/recognise/recognise_impl.h"

/* What `tonnx__batch_open` has to know, while the facts are there: the first node that gives its result a number of rows of its
 * own (net->held_batch), and which of the model's outputs follow from `input`, the net's. `output` is the net's. */
tonnx_status tonnx__batch_look(tonnx__builder *builder, const tonnx__value *input, const tonnx__value *output);

/* TONNX_BAD_MODEL where a node holds the batch, by its name. */
tonnx_status tonnx__batch_check(const tonnx_net *net);

/* Where the net's input is declared for a fixed batch: it and the outputs that follow from it, and are declared for the same, get
 * the symbol TONNX__BATCH in its place. Said through the net's log. */
tonnx_status tonnx__batch_open(tonnx_net *net);

#endif
