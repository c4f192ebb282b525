/* The activation that constant 1 names: its row's line in activations.def; 0 for none. */
#include "runtime/ops/math_f32.h"

layout(constant_id = 1) const uint ACT = 0u;

float activation(float x, float a, float b)
{
#define TONNX_ACTIVATION(id, op, since, ad, a0, bd, b0, gain, below, above, keeps)                                     \
    if (ACT == __LINE__) return tonnx_act_f_##id##_f32(x, a, b);
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
    return x;
}

float derivative(float x, float y, float a, float b)
{
#define TONNX_ACTIVATION(id, op, since, ad, a0, bd, b0, gain, below, above, keeps)                                     \
    if (ACT == __LINE__) return tonnx_act_d_##id##_f32(x, y, a, b);
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
    return 1.0;
}
