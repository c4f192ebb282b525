#version 450
#extension GL_GOOGLE_include_directive : require
/* Constant 1: G ·= min(1, a/(√square + 1e-6)); else G = max(−a, min(a, G)) */
#define CLOCK 2
#include "vulkan/shaders/common.glsl"

layout(constant_id = 1) const uint BY_NORM = 0u;

IN(0, square);
OUT(1, g);

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const float a = push.x[0], at_g = g[FLAT(1, i)];
    if (BY_NORM != 0u) g[FLAT(1, i)] = at_g * min(1.0, a / (sqrt(square[MOVING(0, 0u)]) + 1e-6));
    else g[FLAT(1, i)] = at_g > a ? a : (at_g < -a ? -a : at_g);
}
