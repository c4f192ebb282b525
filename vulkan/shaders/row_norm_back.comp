#version 450
#extension GL_GOOGLE_include_directive : require
/* With g = dY ∘ scale: dX[n] = rstd[n]·(g − mean(g) − x̂·mean(g·x̂)); constant 1: RMS, without mean(g). x: –, 1/F */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/rows.glsl"

layout(constant_id = 1) const uint RMS = 0u;

IN(0, dy);
IN(1, x);
IN(2, scale);
IN(3, mean);
IN(4, rstd);
OUT(5, dx);

void main()
{
    const uint n = min(ROW, push.n - 1u);
    const bool mine = ROW < push.n;
    const float centre = RMS != 0u ? 0.0 : mean[FLAT(3, n)], factor = rstd[FLAT(4, n)];
    float sum = 0.0, dot_ = 0.0;
    for (uint f = LANE; f < push.f; f += LANES) {
        const float g = dy[FULL(0, n, f)] * (HAS(2) ? scale[FLAT(2, f)] : 1.0);
        sum += g;
        dot_ += g * ((x[FULL(1, n, f)] - centre) * factor);
    }
    const float mean_g = RMS != 0u ? 0.0 : sum_of(sum) * push.x[1], mean_dot = sum_of(dot_) * push.x[1];
    if (!mine) return;
    for (uint f = LANE; f < push.f; f += LANES) {
        const float g = dy[FULL(0, n, f)] * (HAS(2) ? scale[FLAT(2, f)] : 1.0);
        const float d = factor * (g - mean_g - (x[FULL(1, n, f)] - centre) * factor * mean_dot);
        dx[FULL(5, n, f)] = ACC0 ? dx[FULL(5, n, f)] + d : d;
    }
}
