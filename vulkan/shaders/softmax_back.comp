#version 450
#extension GL_GOOGLE_include_directive : require
/* dX[n,f] = Y·(dY − Σ dY·Y); constant 1 (LOG): dY − exp(Y)·Σ dY */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/rows.glsl"
#include "runtime/ops/math_f32.h"

layout(constant_id = 1) const uint LOG = 0u;

IN(0, dy);
IN(1, y);
OUT(2, dx);

void main()
{
    const uint n = min(ROW, push.n - 1u);
    const bool mine = ROW < push.n;
    float part = 0.0;
    for (uint f = LANE; f < push.f; f += LANES) part += dy[FULL(0, n, f)] * (LOG != 0u ? 1.0 : y[FULL(1, n, f)]);
    const float sum = sum_of(part);
    for (uint f = LANE; mine && f < push.f; f += LANES) {
        const float at_dy = dy[FULL(0, n, f)], at_y = y[FULL(1, n, f)];
        const float d = LOG != 0u ? at_dy - tonnx_exp_f32(at_y) * sum : at_y * (at_dy - sum);
        dx[FULL(2, n, f)] = ACC0 ? dx[FULL(2, n, f)] + d : d;
    }
}
