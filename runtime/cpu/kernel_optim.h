/* The optimizers' formulas of the op book, in vectors: tonnx_optim_ADAM_vec, …, VEC weights at a time. */
#ifndef TONNX_RUNTIME_CPU_KERNEL_OPTIM_H
#define TONNX_RUNTIME_CPU_KERNEL_OPTIM_H

#include "runtime/cpu/kernel_vec.h"

#define real          vec
#define FN(name)      tonnx_##name##_vec
#define OP            static inline __attribute__((always_inline))
#define R(number)     VEC_ALL(number##f)
#define NUM(x)        VEC_ALL((float)(x))
#define PICK(c, a, b) VEC_PICK(c, a, b)
#define RATIO(a, b)   VEC_RATIO(a, b)

OP vec FN(fma)(vec a, vec b, vec c)
{
    return VEC_FMA(a, b, c);
}

OP vec FN(sqrt)(vec x)
{
    return VEC_SQRT(x);
}

#include "runtime/ops/optim_math.h"

#undef real
#undef FN
#undef OP
#undef R
#undef NUM
#undef PICK
#undef RATIO

#endif
