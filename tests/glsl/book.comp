/* Compiles every formula of the op book as GLSL: the same lists and headers that the C side includes. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "runtime/ops/math_f32.h"
#include "runtime/ops/element_rng.h"
#include "runtime/ops/philox.h"

layout(local_size_x = 64) in;
layout(constant_id = 0) const int row = 0;
layout(set = 0, binding = 0) buffer Values { float values[]; };

#define TONNX_ACTIVATION(id, op, since, a, a0, b, b0, gain, below, above, keeps) const int TONNX_ACT_##id = __LINE__;
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION

#define TONNX_ACTIVATION(id, op, since, a, a0, b, b0, gain, below, above, keeps)                                       \
    if (row == TONNX_ACT_##id) y = tonnx_act_f_##id##_f32(x, s, t) + tonnx_act_d_##id##_f32(x, y, s, t);
float activation(float x, float y, float s, float t)
{
#include "runtime/ops/activations.def"
    return y + tonnx_act_da_prelu_f32(x);
}

#define LOSS_rows(id)
#define LOSS_elements(id)                                                                                              \
    if (row == TONNX_##id) sum += tonnx_loss_f_##id##_f32(z, t, a) + tonnx_loss_d_##id##_f32(z, t, a);
#define TONNX_LOSS(id, name, shape, reads) const int TONNX_##id = __LINE__;
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
#define TONNX_LOSS(id, name, shape, reads) LOSS_##shape(id)
float loss(float z, float t, float a)
{
    float sum = tonnx_softmax_term_f32(z, t) + tonnx_log_softmax_f32(z, t, a) + tonnx_weighted_target_f32(t, z, a, 3.0);
#include "runtime/ops/losses.def"
    return sum;
}

#define TONNX_OPTIMIZER(id, name, moments, rate, momentum, beta1, beta2, rho, eps, decay, mode)                        \
    const int TONNX_##id = __LINE__;
#include "runtime/ops/optimizers.def"
#undef TONNX_OPTIMIZER
#define TONNX_OPTIMIZER(id, name, moments, rate, momentum, beta1, beta2, rho, eps, decay, mode)                        \
    if (row == TONNX_##id) e = tonnx_optim_##id##_f32(e, g, s);
tonnx_element_f32 optimizer(tonnx_element_f32 e, float g, tonnx_step_f32 s)
{
#include "runtime/ops/optimizers.def"
    return e;
}

void main()
{
    const uint i = gl_GlobalInvocationID.x;
    const tonnx_philox word = tonnx_philox_block(tonnx_philox(i, 0u, 1u, 2u), 3u, 4u);
    const tonnx_step_f32 s = tonnx_step_f32(1e-3, 1.0, 1.0, 1.0, 0.0, 0.9, 0.999, 0.1, 1e-3, 1e-8, 0.0, 0.0);
    const float x = values[i] + float(tonnx_element_step(word.w0));
    const tonnx_element_f32 e = optimizer(tonnx_element_f32(x, 0.0, 0.0), values[i + 1u], s);
    values[i] = activation(x, e.p, e.m, e.v) + loss(x, e.p, 1.0) + tonnx_log_f32(x) + tonnx_erf_f32(x);
}
