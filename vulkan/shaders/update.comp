#version 450
#extension GL_GOOGLE_include_directive : require
/* P, M, V ← one optimizer step by gradient G, element by element */
#define CLOCK        4
#define OPTIMIZER_ID 1
#include "vulkan/shaders/common.glsl"
#include "runtime/ops/math_f32.h"
#include "vulkan/shaders/optimizer.glsl"

IN(0, g);
OUT(1, p);
OUT(2, m);
OUT(3, v);

void main()
{
    const uint i = invocation();
    if (i >= push.n) return;
    tonnx_element_f32 e =
        tonnx_element_f32(p[FLAT(1, i)], HAS(2) ? m[FLAT(2, i)] : 0.0, HAS(3) ? v[FLAT(3, i)] : 0.0);
    e = optimizer(e, g[FLAT(0, i)], step_now());
    p[FLAT(1, i)] = e.p;
    if (HAS(2)) m[FLAT(2, i)] = e.m;
    if (HAS(3)) v[FLAT(3, i)] = e.v;
}
