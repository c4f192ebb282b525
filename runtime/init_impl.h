/* Initialisation's inside: what `auto` chooses, and how numbers are drawn. */
#ifndef TONNX_RUNTIME_INIT_IMPL_H
#define TONNX_RUNTIME_INIT_IMPL_H

#include "runtime/net_impl.h"
#include "runtime/recipe_impl.h"
#include "runtime/rng_torch_impl.h"

/* For every value of the net, the layer of the first activation that it reaches through norms, dropout, slices,
 * concatenations, sums and products, residual or gated; -1 where a dense layer, a softmax or the model's end comes first on
 * every way. The caller frees *out with tonnx__free. */
tonnx_status tonnx__activations_after(int **out, const tonnx_net *net);

/* What `auto` means for a dense layer that layer `after` (-1: none) follows so: its scheme, He's with its gain. */
tonnx__recipe tonnx__recipe_chosen(const tonnx_net *net, int after);

/* Where random numbers come from: a function of seed, stream and index, or PyTorch's sequence. */
typedef struct tonnx__source {
    bool torch;
    uint64_t seed;
    tonnx__torch_rng sequence;
} tonnx__source;

/* The tensor that is drawn: its size, and the layer's fans. */
typedef struct tonnx__drawn {
    double *values; /* [rows, cols] */
    size_t rows, cols;
    double fan_in, fan_out;
    bool bias;
    size_t stream; /* the parameter's number: no two draw the same */
} tonnx__drawn;

/* Fills drawn->values by the recipe, which is not `auto`; lsuv is orthogonal here. */
tonnx_status tonnx__draw(tonnx__source *source, const tonnx__recipe *recipe, const tonnx__drawn *drawn);

/* LSUV (Mishkin and Matas 2016): scales the weights of the chosen dense layers of `net` in order, until each one's output
 * on options->data has unit variance. The model is changed. */
tonnx_status tonnx__init_lsuv(tonnx_net *net, const bool *chosen, const tonnx_init_options *options);

#endif
