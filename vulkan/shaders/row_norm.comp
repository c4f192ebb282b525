#version 450
#extension GL_GOOGLE_include_directive : require
/* Y[n] = (X[n] − mean[n])·rstd[n] ∘ scale + shift; constant 1: RMS, mean 0. x: epsilon, 1/F */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/rows.glsl"

layout(constant_id = 1) const uint RMS = 0u;

IN(0, x);
IN(1, scale);
IN(2, shift);
OUT(3, y);
OUT(4, mean);
OUT(5, rstd);

void main()
{
    const uint n = min(ROW, push.n - 1u);
    const bool mine = ROW < push.n;
    float sum = 0.0, square = 0.0;
    for (uint f = LANE; f < push.f && RMS == 0u; f += LANES) sum += x[FULL(0, n, f)];
    const float centre = RMS != 0u ? 0.0 : sum_of(sum) * push.x[1];
    for (uint f = LANE; f < push.f; f += LANES) {
        const float centred = x[FULL(0, n, f)] - centre;
        square += centred * centred;
    }
    const float factor = 1.0 / sqrt(sum_of(square) * push.x[1] + push.x[0]);
    if (!mine) return;
    for (uint f = LANE; f < push.f; f += LANES)
        y[FULL(3, n, f)] = (x[FULL(0, n, f)] - centre) * factor * (HAS(1) ? scale[FLAT(1, f)] : 1.0) +
                           (HAS(2) ? shift[FLAT(2, f)] : 0.0);
    if (LANE != 0u) return;
    if (HAS(4)) mean[FLAT(4, n)] = centre;
    rstd[FLAT(5, n)] = factor;
}
