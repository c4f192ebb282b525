#version 450
#extension GL_GOOGLE_include_directive : require
/* H[i,·] (+)= how many elements of the i-th run of `k` elements of X fall into each of f bins. A workgroup has one run, and
 * counts in whole numbers, whose sum knows no order. u[0]: elements in all. */
#include "vulkan/shaders/common.glsl"

IN(0, x);
IN(1, range);
OUT(2, h);

shared uint counts[256]; /* TONNX__MAX_BINS */

void main()
{
    const uint run = gl_WorkGroupID.y * GROUPS_X + gl_WorkGroupID.x;
    const uint end = min((run + 1u) * push.k, push.u[0]);
    const float start = range[FLAT(1, 0u)], per_unit = range[FLAT(1, 1u)], bins = float(push.f);
    for (uint i = gl_LocalInvocationID.x; i < 256u; i += LOCAL) counts[i] = 0u;
    barrier();
    for (uint i = run * push.k + gl_LocalInvocationID.x; run < push.n && i < end; i += LOCAL) {
        precise float from = x[FLAT(0, i)] - start;
        precise float at = from * per_unit;
        const bool none = (floatBitsToUint(at) & 0x7FFFFFFFu) > 0x7F800000u;
        if (!none) atomicAdd(counts[at < 0.0 ? 0u : at < bins ? uint(at) : push.f - 1u], 1u);
    }
    barrier();
    for (uint i = gl_LocalInvocationID.x; run < push.n && i < push.f; i += LOCAL) {
        const uint to = FLAT(2, run * push.f + i);
        h[to] = ACC0 ? h[to] + float(counts[i]) : float(counts[i]);
    }
}
