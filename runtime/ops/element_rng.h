/* Random numbers of a batch's elements (dropout, random slopes): value = f(seed, stream, step, element), so every
 * backend draws the same. Element row·F + column of the buffer reads word element % 4 of the Philox block with counter
 * {element / 4, step low, step high, stream} and key {seed low, seed high}. C and GLSL. */
#ifndef TONNX_RUNTIME_OPS_ELEMENT_RNG_H
#define TONNX_RUNTIME_OPS_ELEMENT_RNG_H

#ifdef __STDC__
#include "runtime/ops/philox.h"
#else
#include "philox.h"
#endif

/* The four words of elements 4·block … 4·block + 3. */
PHILOX_FN tonnx_philox tonnx_element_block(PHILOX_WORD block, PHILOX_WORD step_low, PHILOX_WORD step_high,
                                           PHILOX_WORD stream, PHILOX_WORD k0, PHILOX_WORD k1)
{
    tonnx_philox counter;
    counter.w0 = block;
    counter.w1 = step_low;
    counter.w2 = step_high;
    counter.w3 = stream;
    return tonnx_philox_block(counter, k0, k1);
}

/* A word as one of 2²⁴ steps of [0, 1): exact in a float once multiplied by TONNX_ELEMENT_STEP. Dropout keeps an
 * element where its step is at least ⌈ratio·2²⁴⌉, an integer comparison, so that float and double agree. */
PHILOX_FN PHILOX_WORD tonnx_element_step(PHILOX_WORD word)
{
    return word >> 8;
}
#define TONNX_ELEMENT_STEP 5.9604644775390625e-8f

#ifdef __STDC__
/* ⌈ratio·2²⁴⌉ for ratios of [0, 1]. */
static inline uint32_t tonnx_element_threshold(double ratio)
{
    const double steps = ratio * 16777216.0;
    const uint32_t whole = (uint32_t)steps;
    return whole + ((double)whole < steps);
}
#endif

#endif
