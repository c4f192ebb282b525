/* Initialisation: fresh weights by a scheme of the op book; and whole new models. */
#ifndef TONNX_RUNTIME_INIT_H
#define TONNX_RUNTIME_INIT_H

#include "log.h"
#include "model.h"
#include "ops/book.h"

TONNX_BEGIN

typedef struct tonnx_init_options {
    size_t size;               /* sizeof(tonnx_init_options) */
    const char *scheme;        /* "auto", "he-normal", "kaiming-uniform", "zeros", … */
    const char *bias;          /* NULL: zeros, or what the scheme says (torch-default); "zeros", "torch-default" */
    const char *const *layers; /* globs over layer and weight names, NULL-terminated; NULL: all */
    uint64_t seed;
    tonnx_log log;
} tonnx_init_options;

#define TONNX_INIT_OPTIONS_DEFAULT { sizeof(tonnx_init_options), "auto", NULL, NULL, 0, { NULL, NULL } }

/* Re-initialises weights, biases, norms (scale 1, shift 0, running 0 and 1) and slopes (0.25) of `model`. Variances:
 * Glorot 1/fan_avg, He 2/fan_in (under auto 2/(1 + slope²)/fan_in), LeCun 1/fan_in, torch-default 1/(3·fan_in). Same
 * seed, same bits, on every machine. TONNX_BAD_USAGE where a scheme is unknown or a glob matches nothing. */
TONNX_API tonnx_status tonnx_init(tonnx_model *model, const tonnx_init_options *options);

typedef struct tonnx_mlp_options {
    size_t size;                                   /* sizeof(tonnx_mlp_options) */
    const char *activation;                        /* hidden: "relu", "leaky_relu:0.2", "none" */
    const char *output_activation;                 /* "softmax", "sigmoid", "none" */
    const char *norm;                              /* "batch", "layer", "none" */
    bool norm_after;                               /* after the activation, not before */
    double dropout;                                /* 0: none */
    const char *scheme;                            /* for tonnx_init */
    uint64_t seed;
    int64_t opset;
    tonnx_log log;
} tonnx_mlp_options;

#define TONNX_MLP_OPTIONS_DEFAULT                                                                                      \
    { sizeof(tonnx_mlp_options), "relu", "none", "none", false, 0.0, "auto", 0, 17, { NULL, NULL } }

/* A fresh MLP of `count` widths (784, 128, 10): Gemm layers with bias named fc1, fc2, …, norms bn1 or ln1, …,
 * activations act1, …, as the op of the opset or spelled in several nodes where it has none. The caller owns *out.
 * TONNX_BAD_USAGE for a name, width, probability or opset that cannot be. */
TONNX_API tonnx_status tonnx_model_mlp(tonnx_model **out, const size_t *widths, size_t count,
                                       const tonnx_mlp_options *options);

TONNX_END

#endif
