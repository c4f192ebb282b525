/* P, M, V ← one optimizer step by G[m,n] = alpha·Σₖ op(A)[m,k]·op(B)[k,n]; bP, bM, bV by g[m] = Σₖ op(A)[m,k]
 * u[2]: columns of P; x[7]: alpha. The rest is told in gemm.glsl. */
#define CLOCK        8
#define OPTIMIZER_ID 1
#include "vulkan/shaders/gemm_how.glsl"
#include "vulkan/shaders/common.glsl"
#include "runtime/ops/math_f32.h"
#include "vulkan/shaders/optimizer.glsl"

void finish(uint m, uint n, float product);
void finish_four(uint m, uint n, vec4 product);
void finish_sum(uint m, float sum);
#define HAS_SUMS HAS(5)
#include "vulkan/shaders/gemm.glsl"

OUT(2, p);
OUT(3, m1);
OUT(4, m2);
OUT(5, bp);
OUT(6, b1);
OUT(7, b2);
layout(set = 0, binding = 2) buffer Wide2 { vec4 wide_p[]; };
layout(set = 0, binding = 3) buffer Wide3 { vec4 wide_m1[]; };
layout(set = 0, binding = 4) buffer Wide4 { vec4 wide_m2[]; };

#ifdef TEXELS
FOURS(2, fours_p);
FOURS(3, fours_m1);
FOURS(4, fours_m2);
ONES(2, ones_p);
ONES(3, ones_m1);
ONES(4, ones_m2);
#define FOUR_P(i) imageLoad(fours_p, int(i))
#define FOUR_M(i) imageLoad(fours_m1, int(i))
#define FOUR_V(i) imageLoad(fours_m2, int(i))
#define ONE_P(i)  imageLoad(ones_p, int(i)).x
#define ONE_M(i)  imageLoad(ones_m1, int(i)).x
#define ONE_V(i)  imageLoad(ones_m2, int(i)).x
#else
#define FOUR_P(i) wide_p[i]
#define FOUR_M(i) wide_m1[i]
#define FOUR_V(i) wide_m2[i]
#define ONE_P(i)  p[i]
#define ONE_M(i)  m1[i]
#define ONE_V(i)  m2[i]
#endif

tonnx_step_f32 now; /* read once: what is written might be the clock, for all that a compiler knows */

void finish(uint m, uint n, float product)
{
    const uint i = m * push.u[2] + n;
    tonnx_element_f32 e =
        tonnx_element_f32(ONE_P(FLAT(2, i)), HAS(3) ? ONE_M(FLAT(3, i)) : 0.0, HAS(4) ? ONE_V(FLAT(4, i)) : 0.0);
    e = optimizer(e, push.x[7] * product, now);
    p[FLAT(2, i)] = e.p;
    if (HAS(3)) m1[FLAT(3, i)] = e.m;
    if (HAS(4)) m2[FLAT(4, i)] = e.v;
}

void finish_four(uint m, uint n, vec4 product)
{
    const uint i = m * push.u[2] + n;
    vec4 at_p = FOUR_P(FLAT(2, i) / 4u), at_m = vec4(0.0), at_v = vec4(0.0);
    if (HAS(3)) at_m = FOUR_M(FLAT(3, i) / 4u);
    if (HAS(4)) at_v = FOUR_V(FLAT(4, i) / 4u);
    [[unroll]] for (uint k = 0u; k < ONE; k++) {
        const tonnx_element_f32 e =
            optimizer(tonnx_element_f32(at_p[k], at_m[k], at_v[k]), push.x[7] * product[k], now);
        at_p[k] = e.p, at_m[k] = e.m, at_v[k] = e.v;
    }
    wide_p[FLAT(2, i) / 4u] = at_p;
    if (HAS(3)) wide_m1[FLAT(3, i) / 4u] = at_m;
    if (HAS(4)) wide_m2[FLAT(4, i) / 4u] = at_v;
}

void finish_sum(uint m, float sum)
{
    tonnx_element_f32 e =
        tonnx_element_f32(bp[FLAT(5, m)], HAS(6) ? b1[FLAT(6, m)] : 0.0, HAS(7) ? b2[FLAT(7, m)] : 0.0);
    e = optimizer(e, sum, now);
    bp[FLAT(5, m)] = e.p;
    if (HAS(6)) b1[FLAT(6, m)] = e.m;
    if (HAS(7)) b2[FLAT(7, m)] = e.v;
}

void main()
{
    now = step_now();
    multiply();
}
