#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* P, M, V ← one optimizer step by G[m,n] = alpha·Σₖ op(A)[m,k]·op(B)[k,n]; bP, bM, bV by g[m] = Σₖ op(A)[m,k]
 * u[2]: columns of P; x[7]: alpha. The rest is told in gemm.glsl. */
#define CLOCK        8
#define OPTIMIZER_ID 1
#include "vulkan/shaders/common.glsl"
#include "runtime/ops/math_f32.h"
#include "vulkan/shaders/optimizer.glsl"

void finish(uint m, uint n, float product);
void finish_sum(uint m, float sum);
#define HAS_SUMS HAS(5)
#include "vulkan/shaders/gemm.glsl"

OUT(2, p);
OUT(3, m1);
OUT(4, m2);
OUT(5, bp);
OUT(6, b1);
OUT(7, b2);

void finish(uint m, uint n, float product)
{
    const uint i = m * push.u[2] + n;
    tonnx_element_f32 e =
        tonnx_element_f32(p[FLAT(2, i)], HAS(3) ? m1[FLAT(3, i)] : 0.0, HAS(4) ? m2[FLAT(4, i)] : 0.0);
    e = optimizer(e, push.x[7] * product, step_now());
    p[FLAT(2, i)] = e.p;
    if (HAS(3)) m1[FLAT(3, i)] = e.m;
    if (HAS(4)) m2[FLAT(4, i)] = e.v;
}

void finish_sum(uint m, float sum)
{
    tonnx_element_f32 e =
        tonnx_element_f32(bp[FLAT(5, m)], HAS(6) ? b1[FLAT(6, m)] : 0.0, HAS(7) ? b2[FLAT(7, m)] : 0.0);
    e = optimizer(e, sum, step_now());
    bp[FLAT(5, m)] = e.p;
    if (HAS(6)) b1[FLAT(6, m)] = e.m;
    if (HAS(7)) b2[FLAT(7, m)] = e.v;
}

void main()
{
    multiply();
}
