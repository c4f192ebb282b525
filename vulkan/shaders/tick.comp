#version 450
#extension GL_GOOGLE_include_directive : require
/* The clock goes on by the steps that these commands did. */
#include "vulkan/shaders/common.glsl"

layout(set = 0, binding = 0) buffer Clock { uint count; };

void main()
{
    if (gl_GlobalInvocationID.x == 0u) count += push.u[4];
}
