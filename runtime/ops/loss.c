/* Losses by number and by name. */
#include <math.h>
#include <string.h>

#include "runtime/ops/book_impl.h"
#include "runtime/ops/math_f64.h"
#include "runtime/ops/names_impl.h"

static const char *const names[TONNX_LOSS_COUNT] = {
#define TONNX_LOSS(id, name, ...) #name,
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
};

const char *tonnx_loss_name(tonnx_loss loss)
{
    return loss >= 0 && loss < TONNX_LOSS_COUNT ? names[loss] : "auto";
}

bool tonnx_loss_named(const char *name, tonnx_loss *out)
{
    for (int i = 0; i < TONNX_LOSS_COUNT; i++)
        if (tonnx__same_name(name, strlen(name), names[i])) {
            *out = (tonnx_loss)i;
            return true;
        }
    return false;
}

/* A list's row becomes a case of a switch over the elementwise losses, and none for those over rows. */
#define CASE_elements(id, call)                                                                                        \
    case TONNX_##id:                                                                                                   \
        return call;
#define CASE_rows(id, call)

bool tonnx__loss_elementwise(tonnx_loss loss)
{
    switch (loss) {
#define TONNX_LOSS(id, name, shape, ...) CASE_##shape(id, true)
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
    default:
        return false;
    }
}

double tonnx__loss_f(tonnx_loss loss, double z, double t, double a)
{
    switch (loss) {
#define TONNX_LOSS(id, name, shape, ...) CASE_##shape(id, tonnx_loss_f_##id##_f64(z, t, a))
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
    default:
        return 0.0;
    }
}

double tonnx__loss_d(tonnx_loss loss, double z, double t, double a)
{
    switch (loss) {
#define TONNX_LOSS(id, name, shape, ...) CASE_##shape(id, tonnx_loss_d_##id##_f64(z, t, a))
#include "runtime/ops/losses.def"
#undef TONNX_LOSS
    default:
        return 0.0;
    }
}

double tonnx__loss_target(double t, double weight, double e, double count)
{
    return tonnx_weighted_target_f64(t, weight, e, count);
}

bool tonnx_loss_evaluate(tonnx_loss loss, double z, double t, double delta, double *value, double *slope)
{
    const bool elementwise = tonnx__loss_elementwise(loss);
    *value = elementwise ? tonnx__loss_f(loss, z, t, delta) : NAN;
    *slope = elementwise ? tonnx__loss_d(loss, z, t, delta) : NAN;
    return elementwise;
}
