#include "runtime/ref/ref_impl.h"

void tonnx__ref_step(const tonnx__ref_call *call, int first, size_t i, double g)
{
    const tonnx__matrix p = call->out[first], m = call->out[first + 1], v = call->out[first + 2];
    double none_m = 0.0, none_v = 0.0; /* stand in for moments that are not kept */
    tonnx__optimizer_step(call->code->op, &p.at[i], g, m.at ? &m.at[i] : &none_m, v.at ? &v.at[i] : &none_v,
                          call->record->rate, call->record->c, call->code->h);
}

/* P, M, V ← one optimizer step by gradient G, element by element */
void tonnx__ref_UPDATE(const tonnx__ref_call *call)
{
    const tonnx__matrix g = call->in[0];
    for (size_t i = 0; i < g.rows * g.cols; i++) tonnx__ref_step(call, 0, i, g.at[i]);
}
