/* The optimizers: one element's step, PyTorch's formulas. m and v are the moments as each says; one that an optimizer
 * does not keep is passed as 0 and dropped. A moving average is written v + (1 − β)(x − v), with 1 − β computed in
 * double: β rounded to float would shift its steady state. The dialect is explained in math_f32.h; here `real` may also
 * be a vector of floats, so that choices are written PICK, quotients RATIO and numbers from the host NUM.
 *
 * Full names: tonnx_optim_ADAM_f32(e, g, s), with e a tonnx_element_f32, s a tonnx_step_f32. */

/* A weight and its moments. */
struct FN(element) {
    real p, m, v;
};

/* What one step has in common for all elements. c0 … c3: tonnx__optimizer_coefficients. beta1 is also SGD's and
 * RMSprop's momentum, beta2 also RMSprop's rho; rest1, rest2 are 1 − beta1, 1 − beta2. */
struct FN(step) {
    real rate, c0, c1, c2, c3, beta1, beta2, rest1, rest2, eps, decay, nesterov;
};

#ifdef __STDC__
typedef struct FN(element) FN(element);
typedef struct FN(step) FN(step);

/* From a step's record and an instruction's h (TONNX__H_…). */
static inline FN(step) FN(step_of)(double rate, const double *c, const double *h)
{
    return (FN(step)){ NUM(rate), NUM(c[0]),       NUM(c[1]),       NUM(c[2]), NUM(c[3]), NUM(h[0]),
                       NUM(h[1]), NUM(1.0 - h[0]), NUM(1.0 - h[1]), NUM(h[2]), NUM(h[3]), NUM(h[4]) };
}
#endif

#define OPTIM(id) OP FN(element) FN(optim_##id)(FN(element) e, real g, FN(step) s)

/* average + share·(x − average) */
OP real FN(toward)(real average, real x, real share)
{
    return FN(fma)(share, x - average, average);
}

/* m: velocity, 0 before the first step, so that it becomes g there. */
OPTIM(SGD)
{
    g = FN(fma)(s.decay, e.p, g);
    e.m = FN(fma)(s.beta1, e.m, g);
    real d = PICK(s.nesterov > R(0.0), FN(fma)(s.beta1, e.m, g), e.m);
    e.p = FN(fma)(-s.rate, d, e.p);
    return e;
}

/* m, v: first and second moment; c0 = 1/(1 − β₁ᵗ), c1 = 1/√(1 − β₂ᵗ). */
OP FN(element) FN(adam_step)(FN(element) e, real g, FN(step) s)
{
    e.m = FN(toward)(e.m, g, s.rest1);
    e.v = FN(toward)(e.v, g * g, s.rest2);
    e.p = e.p - RATIO(s.rate * s.c0 * e.m, FN(fma)(FN(sqrt)(e.v), s.c1, s.eps));
    return e;
}

OPTIM(ADAM)
{
    return FN(adam_step)(e, FN(fma)(s.decay, e.p, g), s);
}

OPTIM(ADAMW)
{
    e.p = FN(fma)(-s.rate * s.decay, e.p, e.p);
    return FN(adam_step)(e, g, s);
}

/* m: mean square; v: velocity under momentum. */
OPTIM(RMSPROP)
{
    g = FN(fma)(s.decay, e.p, g);
    e.m = FN(toward)(e.m, g * g, s.rest2);
    e.v = FN(fma)(s.beta1, e.v, RATIO(g, FN(sqrt)(e.m) + s.eps));
    e.p = FN(fma)(-s.rate, e.v, e.p);
    return e;
}

/* m: sum of squares. */
OPTIM(ADAGRAD)
{
    g = FN(fma)(s.decay, e.p, g);
    e.m = FN(fma)(g, g, e.m);
    e.p = e.p - RATIO(s.rate * g, FN(sqrt)(e.m) + s.eps);
    return e;
}

/* m, v: first and second moment; c0 = (1 − μₜ)/(1 − Πμ), c1 = μₜ₊₁/(1 − Πμ·μₜ₊₁), c2 = 1/√(1 − β₂ᵗ). */
OPTIM(NADAM)
{
    g = FN(fma)(s.decay, e.p, g);
    e.m = FN(toward)(e.m, g, s.rest1);
    e.v = FN(toward)(e.v, g * g, s.rest2);
    e.p = e.p - RATIO(s.rate * FN(fma)(s.c0, g, s.c1 * e.m), FN(fma)(FN(sqrt)(e.v), s.c2, s.eps));
    return e;
}

/* m: momentum; only the sign of its blend with g moves the weight (Chen et al., arXiv 2302.06675). */
OPTIM(LION)
{
    real blend = FN(toward)(e.m, g, s.rest1);
    real sign = PICK(blend > R(0.0), R(1.0), PICK(blend < R(0.0), R(-1.0), blend));
    e.p = FN(fma)(-s.rate * s.decay, e.p, e.p);
    e.p = FN(fma)(-s.rate, sign, e.p);
    e.m = FN(toward)(e.m, g, s.rest2);
    return e;
}

#undef OPTIM
