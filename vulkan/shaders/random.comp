#version 450
#extension GL_GOOGLE_include_directive : require
/* Constant 1: 0, dropout: Y = V/(1 − a) where the element's number is at least the threshold, else 0.
 * 1, random slope: Y = V where X ≥ 0, else V·s, s uniform in [a, b). x: 1/(1 − a) or a, b − a; u: threshold, stream, seed */
#define CLOCK 3
#include "vulkan/shaders/common.glsl"
#include "runtime/ops/element_rng.h"

layout(constant_id = 1) const uint SLOPE = 0u;

IN(0, v);
IN(1, x);
OUT(2, y);

uint draw(uint element)
{
    const Tick now = tick();
    const tonnx_philox block =
        tonnx_element_block(element / 4u, now.step_low, now.step_high, push.u[1], push.u[2], push.u[3]);
    const uint word = element % 4u;
    return tonnx_element_step(word < 2u ? (word == 0u ? block.w0 : block.w1) : (word == 2u ? block.w2 : block.w3));
}

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const uint drawn = draw(FIRST_ROW * push.f + i);
    const float at_v = v[FLAT(0, i)];
    float d = 0.0;
    if (SLOPE == 0u) d = drawn >= push.u[0] ? at_v * push.x[0] : 0.0;
    else d = x[FLAT(1, i)] >= 0.0 ? at_v : at_v * (push.x[0] + push.x[1] * (float(drawn) * 5.9604644775390625e-8));
    y[FLAT(2, i)] = ACC0 ? y[FLAT(2, i)] + d : d;
}
