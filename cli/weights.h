/* Statistics of one tensor's elements. */
#ifndef TONNX_CLI_WEIGHTS_H
#define TONNX_CLI_WEIGHTS_H

#include "cli/cli.h"
#include "runtime/net.h"

enum { WEIGHT_BINS = 20 };

/* Numbers over all elements; NaN where one of them is not finite, or there are none. */
typedef struct weight_stats {
    size_t count, zeros, not_finite;
    size_t first_not_finite;         /* index, where not_finite > 0 */
    double mean, std, min, max;      /* std: of the population */
    uint64_t histogram[WEIGHT_BINS]; /* equal bins from min to max */
} weight_stats;

/* All elements of tensor i; the caller frees. NULL after a message, with *code set; NULL and 0 for a type without
 * numbers. */
double *weights_read(const tonnx_model *model, size_t i, int *code);

void weights_measure(const double *values, size_t count, weight_stats *out);

/* Reads and measures the net's parameter i. */
void weights_measure_parameter(const tonnx_net *net, size_t i, weight_stats *out);

/* "784x128" */
void weights_shape(const tonnx_tensor_info *info, char *text, size_t size);

#endif
