#version 450
#extension GL_GOOGLE_include_directive : require
/* Y[n,f] = exp(X[n,f] − top − ln Σ exp(X[n] − top)); constant 1 (LOG): without the outer exp */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/rows.glsl"
#include "runtime/ops/math_f32.h"

layout(constant_id = 1) const uint LOG = 0u;

IN(0, x);
OUT(1, y);
#define X 0
#include "vulkan/shaders/log_sum.glsl"

void main()
{
    const uint n = min(ROW, push.n - 1u);
    const bool mine = ROW < push.n;
    const float top = row_top(n), log_sum = row_log_sum(n, top);
    for (uint f = LANE; mine && f < push.f; f += LANES) {
        const float log_y = tonnx_log_softmax_f32(x[FULL(0, n, f)], top, log_sum);
        y[FULL(1, n, f)] = LOG != 0u ? log_y : tonnx_exp_f32(log_y);
    }
}
