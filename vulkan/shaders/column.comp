#version 450
#extension GL_GOOGLE_include_directive : require
/* y[f] = alpha·Σₙ of, by constant 1 (MODE):
 *   0  X                       sums
 *   1  (X − mean[f])²          variance
 *   2  V·(X − mean[f])·rstd[f] gradient of a batch norm's scale
 *   3  V·(X − mean[n])·rstd[n] of a layer norm's; without mean, of an RMS norm's
 *   4  V·∂f/∂a(X)              of a trained slope
 * A workgroup has 16 columns, and 4 lanes for the rows of each. A lane adds runs of 32 rows, so that long sums keep
 * their digits; the lanes' sums meet in a fixed tree. */
#include "vulkan/shaders/common.glsl"
#include "runtime/ops/math_f32.h"

layout(constant_id = 1) const uint MODE = 0u;
const uint COLUMNS = 16u, LANES = 4u, RUN = 32u;

IN(0, x);
IN(1, v);
IN(2, mean);
IN(3, rstd);
OUT(4, y);

shared float sums[COLUMNS * LANES];

float term(uint n, uint f)
{
    const float at_x = x[FULL(0, n, f)];
    if (MODE == 0u) return at_x;
    if (MODE == 4u) return v[FULL(1, n, f)] * tonnx_act_da_prelu_f32(at_x);
    if (MODE == 3u) return v[FULL(1, n, f)] * (at_x - (HAS(2) ? mean[FLAT(2, n)] : 0.0)) * rstd[FLAT(3, n)];
    const float centred = at_x - mean[FLAT(2, f)];
    return MODE == 1u ? centred * centred : v[FULL(1, n, f)] * centred * rstd[FLAT(3, f)];
}

void main()
{
    const uint lane = gl_LocalInvocationID.x / COLUMNS, column = gl_LocalInvocationID.x % COLUMNS;
    const uint f = gl_WorkGroupID.x * COLUMNS + column;
    float sum = 0.0;
    for (uint from = lane * RUN; f < push.f && from < push.n; from += LANES * RUN) {
        const uint to = min(from + RUN, push.n);
        float run = 0.0;
        for (uint n = from; n < to; n++) run += term(n, f);
        sum += run;
    }
    sums[gl_LocalInvocationID.x] = sum;
    barrier();
    if (lane != 0u || f >= push.f) return;
    const float all = push.x[0] * ((sums[column] + sums[column + COLUMNS]) +
                                   (sums[column + 2u * COLUMNS] + sums[column + 3u * COLUMNS]));
    y[FLAT(4, f)] = ACC0 ? y[FLAT(4, f)] + all : all;
}
