#version 450
#extension GL_GOOGLE_include_directive : require
/* dX[n,f] = dY[n,f]·f'(X[n,f], Y[n,f]; a, b) */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/activation.glsl"

IN(0, dy);
IN(1, x);
IN(2, y);
IN(3, slope);
OUT(4, dx);

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const float a = HAS(3) ? slope[AT(3, 0u, i % push.f)] : push.x[0];
    const float at_x = HAS(1) ? x[FLAT(1, i)] : 0.0, at_y = HAS(2) ? y[FLAT(2, i)] : 0.0;
    const float d = dy[FLAT(0, i)] * derivative(at_x, at_y, a, push.x[1]);
    dx[FLAT(4, i)] = ACC0 ? dx[FLAT(4, i)] + d : d;
}
