#version 450
#extension GL_GOOGLE_include_directive : require
/* L[n] = the row's loss; dX[n] = ∂(mean over rows)/∂X[n]; R[n] = the weight of its class.
 * Constant 1: the loss, by its row's line in losses.def. x: a, smoothing, 1/rows of the batch. flags 4: T holds classes. */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/rows.glsl"
#include "runtime/ops/math_f32.h"

layout(constant_id = 1) const uint LOSS = 0u;
layout(constant_id = 3) const uint CLASSES = 0u;
layout(constant_id = 4) const uint BY_ROWS = 0u;
layout(constant_id = 5) const uint LOGITS = 0u;

IN(0, x);
IN(1, t);
IN(2, w);
OUT(3, l);
OUT(4, dx);
OUT(5, r);
#define X  0
#define T  1
#define W  2
#define L  3
#define DX 4
#define R  5
#include "vulkan/shaders/loss.glsl"

void main()
{
    const uint n = min(ROW, push.n - 1u);
    if (BY_ROWS != 0u) by_rows(n, ROW < push.n);
    else by_elements(n, ROW < push.n);
}
