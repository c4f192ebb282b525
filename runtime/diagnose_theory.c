/* Mean field theory: what initialisation alone makes of a chain (Poole et al. 2016; Schoenholz et al. 2017). */
#include <math.h>

#include "runtime/diagnose_impl.h"
#include "runtime/ops/book_impl.h"

/* E[g(√q·z)²] over unit-normal z, by the trapezoid rule, which is exact to rounding for what decays like this. */
static double mean_square(const tonnx__layer *act, double q, bool derivative)
{
    enum { POINTS = 400 };
    const double width = 8, step = 2 * width / POINTS;
    double sum = 0;
    for (int i = 0; i <= POINTS; i++) {
        const double z = -width + i * step, x = sqrt(q) * z;
        double y = x;
        if (!act) y = derivative ? 1 : x;
        else if (derivative) y = tonnx__activation_d((tonnx_activation)act->act, x, act->a, act->b);
        else y = tonnx__activation_f((tonnx_activation)act->act, x, act->a, act->b);
        sum += y * y * exp(-z * z / 2) * step;
    }
    return sum / sqrt(2 * acos(-1));
}

double tonnx__case_holds(const tonnx__case *c)
{
    double q = 1, left = 1;
    if (c->norms || !c->chain) return 1;
    for (size_t d = 0; d < c->dense_count; d++) {
        const tonnx__dense *dense = &c->dense[d];
        const tonnx__layer *act = dense->act < 0 ? NULL : &c->net->layers[dense->act];
        const double gain2 = dense->recommended_variance * dense->fan_in;
        if (d) q *= gain2; /* from what the layer before lets through; unit-normal inputs enter the first as they are */
        else q = gain2;
        if (dense->head) break;
        if (d) left *= sqrt(gain2);
        left *= sqrt(mean_square(act, q, true));
        q = mean_square(act, q, false);
    }
    return left;
}
