/* X[m,n] = alpha·Σₖ op(A)[m,k]·op(B)[k,n] + beta·bias[n];  L[m] = the row's loss; dX[m] = ∂(mean over rows)/∂X[m]
 * A workgroup is as wide as X: it makes rows whole, and their losses when all of it has written them.
 * u[2]: columns of X; x: the loss' a, smoothing, 1/rows; x[4], x[5]: alpha, beta. Constants 1, 9, 10, 11: the loss. */
#include "vulkan/shaders/gemm_how.glsl"
#include "vulkan/shaders/common.glsl"
#include "runtime/ops/math_f32.h"

void finish(uint m, uint n, float product);
void finish_four(uint m, uint n, vec4 product);
void finish_sum(uint m, float sum);
#define HAS_SUMS false
#include "vulkan/shaders/gemm.glsl"

layout(constant_id = 1) const uint LOSS = 0u;
layout(constant_id = 9) const uint CLASSES = 0u;
layout(constant_id = 10) const uint BY_ROWS = 0u;
layout(constant_id = 11) const uint LOGITS = 0u;

IN(2, bias);
IN(3, t);
IN(4, w);
layout(set = 0, binding = 5) coherent buffer Out5 { float x[]; };
OUT(6, l);
OUT(7, dx);
OUT(8, r);
#define X  5
#define T  3
#define W  4
#define L  6
#define DX 7
#define R  8

/* A row is one invocation's. */
#define LANES 1u
#define LANE  0u
float over_lanes(float mine, bool largest)
{
    return mine;
}
float sum_of(float mine)
{
    return mine;
}
#include "vulkan/shaders/loss.glsl"

void finish(uint m, uint n, float product)
{
    x[push.at[X] + m * push.u[2] + n] = push.x[4] * product + (HAS(2) ? push.x[5] * bias[AT(2, 0u, n)] : 0.0);
}

void finish_four(uint m, uint n, vec4 product)
{
    [[unroll]] for (uint k = 0u; k < 4u; k++) finish(m, n + k, product[k]);
}

void finish_sum(uint m, float sum)
{
}

void main()
{
    multiply();
    memoryBarrierBuffer();
    barrier();
    const uint first = gl_WorkGroupID.y * BM, end = min(first + BM, push.n);
    for (uint n = first + gl_LocalInvocationID.x; n < end; n += LOCAL) {
        if (BY_ROWS != 0u) by_rows(n, true);
        else by_elements(n, true);
    }
}
