#version 450
#extension GL_GOOGLE_include_directive : require
/* Y[n,f] = A op B, either broadcast */
#define CLOCK 3
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/binary.glsl"

IN(0, a);
IN(1, b);
OUT(2, y);

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const uint r = i / push.f, c = i % push.f;
    const float va = a[MOVING(0, AT(0, r, c) - push.at[0])], vb = b[MOVING(1, AT(1, r, c) - push.at[1])];
    y[MOVING(2, i)] = OPERATOR == ADD ? va + vb : OPERATOR == SUB ? va - vb : OPERATOR == MUL ? va * vb : va / vb;
}
