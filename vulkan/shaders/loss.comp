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
#include "vulkan/shaders/log_sum.glsl"

#define LOSS_rows(id)
#define LOSS_elements(id)                                                                                              \
    if (LOSS == __LINE__) return back ? tonnx_loss_d_##id##_f32(z, at_t, push.x[0]) : tonnx_loss_f_##id##_f32(z, at_t, push.x[0]);
#define TONNX_LOSS(id, name, shape, reads) LOSS_##shape(id)
float element(float z, float at_t, bool back)
{
#include "runtime/ops/losses.def"
    return 0.0;
}

/* Target (n, f): a number, or 1 at the class and 0 elsewhere; a single output's class is its number. */
float target(uint n, uint f)
{
    if (CLASSES == 0u) return t[FULL(1, n, f)];
    const float class_ = t[FLAT(1, n)];
    if (push.f == 1u && BY_ROWS == 0u) return class_;
    if (!(class_ >= 0.0 && class_ < float(push.f))) return uintBitsToFloat(0x7FC00000u);
    return uint(class_) == f ? 1.0 : 0.0;
}
float row_target(uint n, uint f)
{
    return tonnx_weighted_target_f32(target(n, f), HAS(2) ? w[FLAT(2, f)] : 1.0, push.x[1], float(push.f));
}

void by_rows(uint n, bool mine)
{
    const float top = LOGITS != 0u ? row_top(n) : 0.0, log_sum = LOGITS != 0u ? row_log_sum(n, top) : 0.0;
    float loss = 0.0, weight = 0.0, of_class = 0.0;
    for (uint f = LANE; f < push.f; f += LANES) {
        const float at_t = row_target(n, f);
        const float log_p = LOGITS != 0u ? tonnx_log_softmax_f32(x[FULL(0, n, f)], top, log_sum) : x[FULL(0, n, f)];
        weight += at_t;
        loss -= at_t == 0.0 ? 0.0 : at_t * log_p;
        if (HAS(5)) of_class += w[FLAT(2, f)] * target(n, f);
    }
    loss = sum_of(loss);
    weight = sum_of(weight);
    of_class = sum_of(of_class);
    for (uint f = LANE; mine && HAS(4) && f < push.f; f += LANES) {
        const float p =
            LOGITS != 0u ? tonnx_exp_f32(tonnx_log_softmax_f32(x[FULL(0, n, f)], top, log_sum)) * weight : 0.0;
        dx[FULL(4, n, f)] = (p - row_target(n, f)) * push.x[2];
    }
    if (mine && LANE == 0u) l[FLAT(3, n)] = loss;
    if (mine && LANE == 0u && HAS(5)) r[FLAT(5, n)] = of_class;
}

void by_elements(uint n, bool mine)
{
    const float share = 1.0 / float(push.f);
    float loss = 0.0;
    for (uint f = LANE; f < push.f; f += LANES) {
        const float z = x[FULL(0, n, f)], at_t = target(n, f);
        loss += element(z, at_t, false);
        if (mine && HAS(4)) dx[FULL(4, n, f)] = element(z, at_t, true) * (push.x[2] * share);
    }
    loss = sum_of(loss) * share;
    if (mine && LANE == 0u) l[FLAT(3, n)] = loss;
}

void main()
{
    const uint n = min(ROW, push.n - 1u);
    if (BY_ROWS != 0u) by_rows(n, ROW < push.n);
    else by_elements(n, ROW < push.n);
}
