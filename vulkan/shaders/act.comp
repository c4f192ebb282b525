#version 450
#extension GL_GOOGLE_include_directive : require
/* Y[n,f] = f(X[n,f]; a, b); slope takes the place of a */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/activation.glsl"

IN(0, x);
IN(1, slope);
OUT(2, y);

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const float a = HAS(1) ? slope[AT(1, 0u, i % push.f)] : push.x[0];
    y[FLAT(2, i)] = activation(x[FLAT(0, i)], a, push.x[1]);
}
