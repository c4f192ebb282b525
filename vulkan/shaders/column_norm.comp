#version 450
#extension GL_GOOGLE_include_directive : require
/* Y[n,f] = (X[n,f] − mean[f])·rstd[f]·scale[f] + shift[f]; constant 1: rstd is a variance, x[0] the epsilon beside it */
#include "vulkan/shaders/common.glsl"

layout(constant_id = 1) const uint VARIANCE = 0u;

IN(0, x);
IN(1, scale);
IN(2, shift);
IN(3, mean);
IN(4, rstd);
OUT(5, y);

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const uint f = i % push.f;
    const float given = rstd[FLAT(4, f)], factor = VARIANCE != 0u ? 1.0 / sqrt(given + push.x[0]) : given;
    const float hat = (x[FLAT(0, i)] - mean[FLAT(3, f)]) * factor;
    y[FLAT(5, i)] = hat * (HAS(1) ? scale[FLAT(1, f)] : 1.0) + (HAS(2) ? shift[FLAT(2, f)] : 0.0);
}
