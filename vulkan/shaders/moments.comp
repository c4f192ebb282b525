#version 450
#extension GL_GOOGLE_include_directive : require
/* Of one panel of columns and one part of the rows, into W[part, panel, 6]; constant 1 (CENTRED):
 *   0  Σ x, least, greatest, how many are 0, below a, above b
 *   1  Σ (x − mean)², ³, ⁴
 * A workgroup has one panel and part. u: columns of a panel, rows of a part, the first part; x: a, b. */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/rows.glsl"

layout(constant_id = 1) const uint CENTRED = 0u;

IN(0, x);
IN(1, s);
OUT(2, w);

void main()
{
    const uint panel = gl_WorkGroupID.x, part = gl_WorkGroupID.y, first = panel * push.u[0];
    const uint cols = min(push.u[0], push.f - first), top = part * push.u[1];
    const uint count = cols * min(push.u[1], push.n - top), to = 6u * ((push.u[2] + part) * GROUPS_X + panel);
    const float centre = CENTRED != 0u ? s[FLAT(1, panel)] : 0.0;
    float sums[6] = float[6](0.0, uintBitsToFloat(0x7F800000u), uintBitsToFloat(0xFF800000u), 0.0, 0.0, 0.0);
    if (CENTRED != 0u) sums[1] = sums[2] = 0.0;
    for (uint i = LANE; i < count; i += LANES) {
        const float v = x[FULL(0, top + i / cols, first + i % cols)], d = v - centre;
        if (CENTRED != 0u) {
            sums[0] += d * d;
            sums[1] += d * d * d;
            sums[2] += d * d * (d * d);
        } else {
            sums[0] += v;
            sums[1] = min(sums[1], v);
            sums[2] = max(sums[2], v);
            sums[3] += v == 0.0 ? 1.0 : 0.0;
            sums[4] += v < push.x[0] ? 1.0 : 0.0;
            sums[5] += v > push.x[1] ? 1.0 : 0.0;
        }
    }
    sums[0] = sum_of(sums[0]);
    sums[1] = CENTRED != 0u ? sum_of(sums[1]) : -over_lanes(-sums[1], true);
    sums[2] = over_lanes(sums[2], CENTRED == 0u);
    for (uint i = 3u; i < 6u; i++) sums[i] = sum_of(sums[i]);
    if (LANE != 0u) return;
    for (uint i = 0u; i < 6u; i++) w[FLAT(2, to + i)] = sums[i];
}
