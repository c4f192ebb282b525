#include "runtime/ref/ref_impl.h"

/* P, M, V ← one optimizer step by gradient G, element by element */
void tonnx__ref_UPDATE(const tonnx__ref_call *call)
{
    const tonnx__matrix g = call->in[0], p = call->out[0], m = call->out[1], v = call->out[2];
    for (size_t i = 0; i < g.rows * g.cols; i++) {
        double none_m = 0.0, none_v = 0.0; /* stand in for moments that are not kept */
        tonnx__optimizer_step(call->code->op, &p.at[i], g.at[i], m.at ? &m.at[i] : &none_m, v.at ? &v.at[i] : &none_v,
                              call->record->rate, call->record->c, call->code->h);
    }
}
