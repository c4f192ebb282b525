#version 450
#extension GL_GOOGLE_include_directive : require
/* X = a */
#include "vulkan/shaders/common.glsl"

OUT(0, x);

void main()
{
    const uint i = invocation();
    if (i < push.n * push.f) x[FLAT(0, i)] = push.x[0];
}
