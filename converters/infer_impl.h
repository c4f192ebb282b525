/* Dense layers, inferred from the names and shapes of their weights. */
#ifndef TONNX_CONVERTERS_INFER_IMPL_H
#define TONNX_CONVERTERS_INFER_IMPL_H

#include "converters/weights_impl.h"

typedef struct tonnx__dense {
    const tonnx__tensor *weight, *bias; /* borrowed; bias NULL where it has none */
} tonnx__dense;

typedef struct tonnx__layers {
    tonnx__dense *dense; /* front to back */
    size_t count;
    bool in_first;         /* weights are [in, out], not [out, in] */
    tonnx__dense *by_name; /* for looking */
} tonnx__layers;

/* TONNX_BAD_MODEL names the arrays that make no chain of layers. Cleared by the caller, on failure too. */
tonnx_status tonnx__infer_layers(tonnx__layers *out, const tonnx__tensor *tensors, size_t count, const char *path);
void tonnx__layers_clear(tonnx__layers *layers);

#endif
