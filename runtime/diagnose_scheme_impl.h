/* Which initialisation scheme a tensor's numbers come from, told by sampling theory from a few figures of it. */
#ifndef TONNX_RUNTIME_DIAGNOSE_SCHEME_IMPL_H
#define TONNX_RUNTIME_DIAGNOSE_SCHEME_IMPL_H

#include "runtime/ops/book_impl.h"

/* What is asked of one dense weight w[out,in], or of one bias b[1,out], as the layer computes with it (a Gemm's alpha and
 * beta multiplied in). */
typedef struct tonnx__scheme_facts {
    bool bias;
    size_t count;                         /* elements */
    size_t fan_in, fan_out;               /* features in and out of the dense layer; a bias: of its layer */
    double mean, variance, kurtosis;      /* over all elements, divided by count; kurtosis 3 for a normal, 1.8 for a uniform */
    double least, most;
    size_t zeros;                         /* elements that are exactly 0 */
    double gain;                          /* tonnx__activation_gain of what follows the layer; 0: unknown */
    double rounding;                      /* relative, of the stored type: 2⁻²⁴ float, 2⁻¹¹ half, 2⁻⁸ bfloat16; 0: float */
    bool identity;                        /* set by tonnx__scheme_look */
    double orthogonal_gain;               /* likewise: rows (columns, if fewer) are orthogonal, all of this length; 0: they are not */
} tonnx__scheme_facts;

/* Element (row, col) of the weight w[out,in] as the layer computes with it. */
typedef double (*tonnx__element_fn)(const void *user, size_t row, size_t col);

/* Sets `identity` and `orthogonal_gain`, reading a few rows or columns only: O(in + out) elements. */
void tonnx__scheme_look(tonnx__scheme_facts *facts, tonnx__element_fn at, const void *user);

typedef struct tonnx__scheme_match {
    bool trained;         /* no scheme draws such numbers: `scheme` is then the nearest in variance */
    tonnx_scheme scheme;  /* row of the op book: he_normal, variance_scaling, constant, … */
    char name[48];        /* as --scheme takes it, and "trained": "he-normal", "normal:0.02", "variance-scaling:2:fan-avg:uniform" */
    tonnx__distribution distribution; /* uniform, normal, truncated … */
    double gain;          /* of a scheme with a fan: √(variance·fan) as recognised, 1.6667 for Glorot drawn for tanh */
    double variance;      /* what the scheme says; NaN where it says none */
    double z;             /* (measured − said variance) in standard errors of a sample that large; NaN where undefined */
} tonnx__scheme_match;

/* Names the scheme of every one of `count` tensors of one model. A tensor that fits several schemes as well takes the
 * one that the rest of the model shows (a model is initialised as one); where variances coincide, the more common name. */
void tonnx__schemes_closest(const tonnx__scheme_facts *facts, size_t count, tonnx__scheme_match *out);

/* The same for one tensor alone. */
void tonnx__scheme_closest(const tonnx__scheme_facts *facts, tonnx__scheme_match *out);

#endif
