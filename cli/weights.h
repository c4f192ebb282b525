/* One tensor's elements and shape. */
#ifndef TONNX_CLI_WEIGHTS_H
#define TONNX_CLI_WEIGHTS_H

#include "cli/cli.h"
#include "runtime/net.h"

/* All elements of tensor i; the caller frees. NULL after a message, with *code set; NULL and 0 for a type without
 * numbers. */
double *weights_read(const tonnx_model *model, size_t i, int *code);

/* "784x128" */
void weights_shape(const tonnx_tensor_info *info, char *text, size_t size);

#endif
