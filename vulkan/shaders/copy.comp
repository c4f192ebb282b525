#version 450
#extension GL_GOOGLE_include_directive : require
/* Y[:, to..to+width) = X[:, from..from+width). f: width; u: X's columns, from, Y's columns, to */
#define CLOCK 2
#include "vulkan/shaders/common.glsl"

IN(0, x);
OUT(1, y);

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const uint r = i / push.f, c = i % push.f, at_y = MOVING(1, r * push.u[2] + push.u[3] + c);
    const float value = x[push.at[0] + r * push.u[0] + push.u[1] + c];
    y[at_y] = ACC0 ? y[at_y] + value : value;
}
