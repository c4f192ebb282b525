#version 450
#extension GL_GOOGLE_include_directive : require
/* A batch norm's ends: rstd[f] = 1/√(var[f] + epsilon); running = momentum·running + (1 − momentum)·batch.
 * x: epsilon, momentum, 1 − momentum, N/(N − 1) or 1. rstd holds the variance before. */
#include "vulkan/shaders/common.glsl"

IN(0, mean);
OUT(1, rstd);
OUT(2, running_mean);
OUT(3, running_var);

void main()
{
    const uint f = invocation();
    if (f >= push.f) return;
    const float var = rstd[FLAT(1, f)];
    rstd[FLAT(1, f)] = 1.0 / sqrt(var + push.x[0]);
    if (HAS(2)) running_mean[FLAT(2, f)] = fma(push.x[1], running_mean[FLAT(2, f)], push.x[2] * mean[FLAT(0, f)]);
    if (HAS(3)) running_var[FLAT(3, f)] = fma(push.x[1], running_var[FLAT(3, f)], push.x[2] * (var * push.x[3]));
}
