#version 450
#extension GL_GOOGLE_include_directive : require
/* S[9,P] from W[part, panel, 6]; constant 1 (CENTRED): first what needs no mean, then what does. The parts add up in
 * their order. k: parts; f: panels; u: columns of X, of a panel; x: rows of X. */
#include "vulkan/shaders/common.glsl"

layout(constant_id = 1) const uint CENTRED = 0u;

IN(0, w);
OUT(1, s);

/* As TONNX__MOMENT_… of program_impl.h. */
const uint MEAN = 0u, DEVIATION = 1u, SKEWNESS = 2u, KURTOSIS = 3u, LEAST = 4u, GREATEST = 5u, ZEROS = 6u;

void put(uint row, uint panel, float value)
{
    s[FLAT(1, row * push.f + panel)] = value;
}

void put_centred(uint panel, float sums[6], float count)
{
    const bool flat_ = s[FLAT(1, LEAST * push.f + panel)] == s[FLAT(1, GREATEST * push.f + panel)] || sums[0] == 0.0;
    const float variance = flat_ ? 0.0 : sums[0] / count, deviation = sqrt(variance);
    put(DEVIATION, panel, deviation);
    put(SKEWNESS, panel, flat_ ? 0.0 : sums[1] / count / (variance * deviation));
    put(KURTOSIS, panel, flat_ ? 0.0 : sums[2] / count / (variance * variance));
}

void main()
{
    const uint panel = invocation();
    if (panel >= push.f) return;
    const float count = push.x[0] * float(min(push.u[1], push.u[0] - panel * push.u[1]));
    float sums[6];
    for (uint i = 0u; i < 6u; i++) sums[i] = w[FLAT(0, 6u * panel + i)];
    for (uint part = 1u; part < push.k; part++)
        for (uint i = 0u; i < 6u; i++) {
            const float more = w[FLAT(0, 6u * (part * push.f + panel) + i)];
            if (CENTRED == 0u && i == 1u) sums[i] = min(sums[i], more);
            else if (CENTRED == 0u && i == 2u) sums[i] = max(sums[i], more);
            else sums[i] += more;
        }
    if (CENTRED != 0u) {
        put_centred(panel, sums, count);
        return;
    }
    put(MEAN, panel, sums[0] / count);
    for (uint i = 1u; i < 6u; i++) put(LEAST + i - 1u, panel, sums[i]);
}
