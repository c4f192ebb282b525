/* The optimizer that constant OPTIMIZER_ID names: its row's line in optimizers.def. Its hyper-parameters are push.x[0…6]. */
layout(constant_id = OPTIMIZER_ID) const uint OPTIMIZER = 0u;

tonnx_element_f32 optimizer(tonnx_element_f32 e, float g, tonnx_step_f32 s)
{
#define TONNX_OPTIMIZER(id, name, moments, rate, momentum, beta1, beta2, rho, eps, decay, mode)                        \
    if (OPTIMIZER == __LINE__) return tonnx_optim_##id##_f32(e, g, s);
#include "runtime/ops/optimizers.def"
#undef TONNX_OPTIMIZER
    return e;
}

tonnx_step_f32 step_now()
{
    const Tick now = tick();
    return tonnx_step_f32(now.rate, now.c0, now.c1, now.c2, now.c3, push.x[0], push.x[1], push.x[2], push.x[3],
                          push.x[4], push.x[5], push.x[6]);
}
