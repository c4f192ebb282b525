/* Dense layers without a bias. */
#ifndef TONNX_RUNTIME_ADD_BIAS_IMPL_H
#define TONNX_RUNTIME_ADD_BIAS_IMPL_H

#include "runtime/net_impl.h"

/* How many dense layers have none. */
size_t tonnx__biases_missing(const tonnx_net *net);

/* Says that in one line, where there are any. */
void tonnx__biases_say(const tonnx_net *net);

/* Gives each of them an initializer of zeros in the net's model: input C of a Gemm, else an Add behind the product. The
 * net knows nothing of it: it is made anew. */
tonnx_status tonnx__biases_add(tonnx_net *net);

#endif
