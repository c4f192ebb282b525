#version 450
#extension GL_GOOGLE_include_directive : require
/* dX[n,f] = scale·rstd·(dY − dshift[f]/N − x̂·dscale[f]/N); constant 1: dY·scale/√(var + epsilon).
 * x: epsilon, 1/N */
#include "vulkan/shaders/common.glsl"

layout(constant_id = 1) const uint FIXED = 0u;

IN(0, dy);
IN(1, x);
IN(2, scale);
IN(3, mean);
IN(4, rstd);
IN(5, dscale);
IN(6, dshift);
OUT(7, dx);

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const uint f = i % push.f;
    const float factor = HAS(2) ? scale[FLAT(2, f)] : 1.0, given = rstd[FLAT(4, f)];
    float d = dy[FLAT(0, i)];
    if (FIXED != 0u) {
        d *= factor / sqrt(given + push.x[0]);
    } else {
        const float hat = (x[FLAT(1, i)] - mean[FLAT(3, f)]) * given;
        d = factor * given * (d - dshift[FLAT(6, f)] * push.x[1] - hat * (dscale[FLAT(5, f)] * push.x[1]));
    }
    dx[FLAT(7, i)] = ACC0 ? dx[FLAT(7, i)] + d : d;
}
