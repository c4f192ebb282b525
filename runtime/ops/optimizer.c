/* Optimizers by number and by name, and what of a step the host computes. */
#include <math.h>
#include <string.h>

#include "runtime/ops/book_impl.h"
#include "runtime/ops/math_f64.h"
#include "runtime/ops/names_impl.h"

static const tonnx_optimizer_info rows[TONNX_OPTIMIZER_COUNT] = {
#define none      NAN
#define coupled   false
#define decoupled true
#define TONNX_OPTIMIZER(id, name, moments, rate, momentum, beta1, beta2, rho, eps, decay, mode)                        \
    { #name, moments, rate, momentum, beta1, beta2, rho, eps, decay, mode },
#include "runtime/ops/optimizers.def"
#undef TONNX_OPTIMIZER
#undef decoupled
#undef coupled
#undef none
};

void tonnx_optimizer_describe(tonnx_optimizer optimizer, tonnx_optimizer_info *out)
{
    *out = (tonnx_optimizer_info){ .name = "unknown" };
    if ((unsigned)optimizer < TONNX_OPTIMIZER_COUNT) *out = rows[optimizer];
}

bool tonnx_optimizer_named(const char *name, tonnx_optimizer *out)
{
    for (int i = 0; i < TONNX_OPTIMIZER_COUNT; i++)
        if (tonnx__same_name(name, strlen(name), rows[i].name)) {
            *out = (tonnx_optimizer)i;
            return true;
        }
    return false;
}

void tonnx__optimizer_step(tonnx_optimizer optimizer, double *p, double g, double *m, double *v, double rate,
                           const double c[4], const double h[6])
{
    const tonnx_step_f64 step = tonnx_step_of_f64(rate, c, h);
    tonnx_element_f64 e = { *p, *m, *v };
    switch (optimizer) {
#define TONNX_OPTIMIZER(id, ...)                                                                                       \
    case TONNX_##id:                                                                                                   \
        e = tonnx_optim_##id##_f64(e, g, step);                                                                        \
        break;
#include "runtime/ops/optimizers.def"
#undef TONNX_OPTIMIZER
    default:
        break;
    }
    *p = e.p;
    *m = e.m;
    *v = e.v;
}

/* 1 − βᵗ, exact also where β is near 1. */
static double debias(double beta, double t)
{
    return beta > 0.0 ? -expm1(t * log(beta)) : 1.0;
}

/* NAdam's momentum of step t: β₁(1 − ½·0.96^(0.004·t)), PyTorch's momentum_decay being 4e-3. */
static double nadam_mu(double beta1, double t)
{
    return beta1 * (1.0 - 0.5 * pow(0.96, 0.004 * t));
}

/* c0 = (1 − μₜ)/(1 − Πμ), c1 = μₜ₊₁/(1 − Πμ·μₜ₊₁), c2 = 1/√(1 − β₂ᵗ). The product falls like (½β₁)ᵗ at first: once it
 * vanishes beside 1 the rest of it need not be computed. */
static void nadam_coefficients(const double h[6], double t, double c[4])
{
    const double mu = nadam_mu(h[TONNX__H_BETA1], t), next = nadam_mu(h[TONNX__H_BETA1], t + 1);
    double product = 1.0;
    for (double i = 1; i <= t && product > 1e-20; i++) product *= nadam_mu(h[TONNX__H_BETA1], i);
    c[0] = (1.0 - mu) / (1.0 - product);
    c[1] = next / (1.0 - product * next);
    c[2] = 1.0 / sqrt(debias(h[TONNX__H_BETA2], t));
}

void tonnx__optimizer_coefficients(tonnx_optimizer optimizer, const double h[6], uint64_t t, double c[4])
{
    const double step = (double)t;
    c[0] = c[1] = c[2] = c[3] = 0.0;
    if (optimizer == TONNX_ADAM || optimizer == TONNX_ADAMW) {
        c[0] = 1.0 / debias(h[TONNX__H_BETA1], step);
        c[1] = 1.0 / sqrt(debias(h[TONNX__H_BETA2], step));
    } else if (optimizer == TONNX_NADAM) nadam_coefficients(h, step, c);
}
