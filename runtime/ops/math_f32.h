/* Every formula of the op book in float, for C kernels and for GLSL: tonnx_exp_f32, tonnx_act_f_relu_f32, ….
 *
 * The formulas are written once, in act_math.h, loss_math.h and optim_math.h, in a subset that is both C11 and GLSL:
 * scalars, structs, `?:`, no casts, no pointers. What differs is said here (and in math_f64.h for the reference):
 *   real      the number type            R(0.5)   a constant of that type
 *   FN(exp)   the function's full name   OP       what stands before a function
 *   MAYBE     marks a parameter that not every formula reads
 * Nothing in them stops a C compiler from vectorising a loop that calls them. They expand from the lists:
 *   #define TONNX_ACTIVATION(id, op, since, a, a0, b, b0, gain, below, above, keeps) case TONNX_ACT_##id: …
 *   #include "runtime/ops/activations.def" */
#ifndef TONNX_RUNTIME_OPS_MATH_F32_H
#define TONNX_RUNTIME_OPS_MATH_F32_H

#define real          float
#define FN(name)      tonnx_##name##_f32
#define PICK(c, a, b) ((c) ? (a) : (b))
#define RATIO(a, b)   ((a) / (b))
#ifdef __STDC__
#define R(number) number##f
#define NUM(x)    ((float)(x))
#define OP        static inline
#define MAYBE     __attribute__((unused))
#else
#define R(number) number
#define OP
#define MAYBE
#endif

#include "runtime/ops/num.h"
#include "runtime/ops/act_math.h"
#include "runtime/ops/loss_math.h"
#include "runtime/ops/optim_math.h"

#undef real
#undef FN
#undef R
#undef PICK
#undef RATIO
#undef NUM
#undef OP
#undef MAYBE

#endif
