#version 450
#extension GL_GOOGLE_include_directive : require
/* y[i] = alpha·Σ X of run i, `k` elements each; constant 1 (SQUARE): of their squares. u[0]: elements in all.
 * A lane adds every LANES-th element, 32 at a time; the lanes' sums meet in a fixed tree. */
#define CLOCK 2
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/rows.glsl"

layout(constant_id = 1) const uint SQUARE = 0u;

IN(0, x);
OUT(1, y);

void main()
{
    const uint i = min(ROW, push.n - 1u), end = min((i + 1u) * push.k, push.u[0]);
    float sum = 0.0;
    for (uint from = i * push.k + LANE; from < end; from += 32u * LANES) {
        const uint to = min(from + 32u * LANES, end);
        float run = 0.0;
        for (uint e = from; e < to; e += LANES) {
            const float v = x[MOVING(0, e)];
            run += SQUARE != 0u ? v * v : v;
        }
        sum += run;
    }
    sum = push.x[0] * sum_of(sum);
    if (ROW < push.n && LANE == 0u) y[MOVING(1, i)] = sum;
}
