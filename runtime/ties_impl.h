/* Sharing: one initializer read in several places is an exporter's merge of equal tensors, or a tie. */
#ifndef TONNX_RUNTIME_TIES_IMPL_H
#define TONNX_RUNTIME_TIES_IMPL_H

#include "runtime/net_impl.h"

/* Decides for every shared tensor (cli.md): one whose elements are all equal is un-shared, each use trains alone; any
 * other is a tie and stays one parameter. Says what it chose. */
tonnx_status tonnx__ties_resolve(tonnx_net *net);

/* True where both see elements of one tensor of the file. */
bool tonnx__same_tensor(const tonnx__param *a, const tonnx__param *b);

/* Numbers of every parameter (values[p]: rows·cols, or NULL to leave p alone) back into the model. Where uses of a
 * merged tensor now differ, each gets an initializer of its own; where none changed, nothing is touched. */
tonnx_status tonnx__net_push(tonnx_net *net, const double *const *values);

#endif
