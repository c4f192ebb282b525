/* The reference backend: double, one readable loop per instruction kind. It is the judge of the others, and the place
 * to read what training computes. Never chosen by `auto`. */
#ifndef TONNX_RUNTIME_REF_REF_IMPL_H
#define TONNX_RUNTIME_REF_REF_IMPL_H

#include "runtime/backend_impl.h"

extern const tonnx__backend_kind tonnx__backend_reference;

/* An operand: row-major [rows, cols]. Where a slot is empty, `at` is NULL. */
typedef struct tonnx__matrix {
    double *at;
    size_t rows, cols;
} tonnx__matrix;

/* One instruction of one step, with its operands looked up. */
typedef struct tonnx__ref_call {
    const tonnx__instruction *code;
    tonnx__matrix in[TONNX__MAX_IN], out[TONNX__MAX_OUT];
    const tonnx__feed *feed;
    const uint32_t *order; /* NULL: the feed's order */
    const tonnx__record *record;
    uint64_t seed;
    const tonnx__backend *backend; /* who may be asked to stop */
} tonnx__ref_call;

#define TONNX_KIND(id, name, inputs, outputs) void tonnx__ref_##id(const tonnx__ref_call *call);
#include "runtime/kinds.def"
#undef TONNX_KIND

/* Element (r, c) of an operand that may be [N,F], [1,F] or [1,1]: a size of one is broadcast. */
static inline double tonnx__ref_at(tonnx__matrix m, size_t r, size_t c)
{
    return m.at[(m.rows == 1 ? 0 : r) * m.cols + (m.cols == 1 ? 0 : c)];
}

/* The same, or `absent` where the slot is empty (a norm without scale or shift). */
static inline double tonnx__ref_or(tonnx__matrix m, size_t r, size_t c, double absent)
{
    return m.at ? tonnx__ref_at(m, r, c) : absent;
}

/* Sets output 0's element, or adds to it under ACC(0); nothing where the slot is empty. */
static inline void tonnx__ref_put(const tonnx__ref_call *call, size_t i, double value)
{
    double *at = call->out[0].at;
    if (at) at[i] = (call->code->flags & TONNX__ACC0) ? at[i] + value : value;
}

/* Element i of outputs first … first + 2, which are P, M? and V?, takes an optimizer step by g. */
void tonnx__ref_step(const tonnx__ref_call *call, int first, size_t i, double g);

#endif
