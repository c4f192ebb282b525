/* Initialisation: fresh weights by a scheme of the op book; and whole new models. */
#ifndef TONNX_RUNTIME_INIT_H
#define TONNX_RUNTIME_INIT_H

#include "dataset.h"
#include "log.h"
#include "model.h"
#include "ops/book.h"

TONNX_BEGIN

typedef struct tonnx_init_options {
    size_t size;               /* sizeof(tonnx_init_options): fields may be added */
    const char *scheme;        /* "auto", "he-normal", "kaiming-uniform", "normal:0.02", "variance-scaling:2:fan-avg:uniform", … */
    const char *bias;          /* a scheme without fan, as "zeros", "constant:0.1", "normal:1", or "torch-default"; NULL: what
                                * the weights' scheme says: zeros, but for torch-default and torch-after-default */
    const char *const *layers; /* globs over layer and weight names, NULL-terminated; NULL: all */
    uint64_t seed;
    tonnx_log log;
    const char *mode;          /* "fan-in", "fan-out", "fan-avg"; NULL: the scheme's */
    const char *distribution;  /* "uniform", "normal", "truncated" (cut at ±2σ, its deviation put right); NULL: the scheme's */
    double gain;               /* in place of the scheme's own: deviation gain/√fan; NaN: the scheme's */
    const char *nonlinearity;  /* the gain by name, as torch.nn.init.calculate_gain: "tanh", "leaky_relu:0.2"; NULL: none */
    const char *rng;           /* "tonnx"; "torch", "torch-after-default": PyTorch's CPU generator and order of drawing */
    const tonnx_dataset *data; /* for lsuv: samples to measure on; borrowed for the call */
    const char *backend;       /* that measures, for lsuv */
    int threads;               /* of it; 0: all cores */
    size_t batch;              /* samples at a time */
    const char *input, *output; /* the model's, where it has several; NULL: the only ones */
} tonnx_init_options;

#define TONNX_INIT_OPTIONS_DEFAULT                                                                                     \
    { sizeof(tonnx_init_options), "auto", NULL, NULL, 0, { NULL, NULL }, NULL, NULL, __builtin_nan(""), NULL, "tonnx", \
      NULL, "cpu", 0, 1024, NULL, NULL }

/* Re-initialises weights, biases, norms (scale 1, shift 0, running 0 and 1) and slopes (0.25) of `model`. Variances:
 * Glorot 1/fan_avg, He 2/fan_in (under auto gain²/fan_in, of the activation that follows), LeCun 1/fan_in, torch-default
 * 1/(3·fan_in), normal:STD STD², uniform:R R²/3, truncated-normal:STD STD² (under torch's generator trunc_normal_(std=STD),
 * cut at ±2). Fans are those of the layer, however the file stores its weight, and a Gemm's alpha and beta are divided out.
 * Orthogonal rows (columns, where there are fewer) have the gain as their length. lsuv: orthogonal, then scaled layer by
 * layer until the outputs on `data` have variance 1 ± 0.01, at most 10 rounds; each layer is said in one line.
 * Same seed, same bits, on every machine, for any backend and number of threads (lsuv's scales are as exact as the
 * backend that measures, and the same for any number of threads); under torch's generator those of
 * torch.manual_seed(seed) and torch.nn.init's calls in the order of the layers, weight then bias; "torch-after-default"
 * lets every layer's own default draw first, as constructing the module does: torch-default is then what was drawn so, and
 * biases keep it unless `bias` says otherwise. TONNX_BAD_USAGE where a scheme or word is unknown, does not fit, or a glob
 * matches nothing, and where lsuv has no data; TONNX_BAD_DATA where the data does not fit the model. */
TONNX_API tonnx_status tonnx_init(tonnx_model *model, const tonnx_init_options *options);

typedef struct tonnx_mlp_options {
    size_t size;                                   /* sizeof(tonnx_mlp_options) */
    const char *activation;                        /* hidden: "relu", "leaky_relu:0.2", "none" */
    const char *output_activation;                 /* "softmax", "sigmoid", "none" */
    const char *norm;                              /* "batch", "layer", "none" */
    bool norm_after;                               /* after the activation, not before */
    double dropout;                                /* 0: none */
    const char *scheme;                            /* for tonnx_init, with `seed` and `log` */
    uint64_t seed;
    int64_t opset;
    tonnx_log log;
    const tonnx_init_options *init;                /* how weights are drawn in full, in place of scheme and seed; NULL: by those */
} tonnx_mlp_options;

#define TONNX_MLP_OPTIONS_DEFAULT                                                                                      \
    { sizeof(tonnx_mlp_options), "relu", "none", "none", false, 0.0, "auto", 0, 17, { NULL, NULL }, NULL }

/* A fresh MLP of `count` widths (784, 128, 10): Gemm layers with bias named fc1, fc2, …, norms bn1 or ln1, …,
 * activations act1, …, as the op of the opset or spelled in several nodes where it has none. The caller owns *out.
 * TONNX_BAD_USAGE for a name, width, probability or opset that cannot be. */
TONNX_API tonnx_status tonnx_model_mlp(tonnx_model **out, const size_t *widths, size_t count,
                                       const tonnx_mlp_options *options);

TONNX_END

#endif
