/* The activations: f(x; a, b), its derivative d from whichever of x and y the row keeps, and for trained slopes ∂f/∂a.
 * Derivatives at kinks are PyTorch's. Comparisons are written so that NaN passes through f. The dialect is explained in
 * math_f32.h, which includes this for C and GLSL; math_f64.h includes it for double.
 *
 * Full names: tonnx_act_f_relu_f32(x, a, b), tonnx_act_d_relu_f32(x, y, a, b), tonnx_act_da_prelu_f32(x). */

/* clang-format off: a formula is a line */

#define ACT_F(id) OP real FN(act_f_##id)(MAYBE real x, MAYBE real a, MAYBE real b)
#define ACT_D(id) OP real FN(act_d_##id)(MAYBE real x, MAYBE real y, MAYBE real a, MAYBE real b)
#define ACT_DA(id) OP real FN(act_da_##id)(real x)

/* 1/(1 + e⁻ˣ), from e^−|x| ≤ 1, so that nothing overflows. */
OP real FN(sigmoid)(real x)
{
    real e = FN(exp)(-FN(abs)(x));
    real r = R(1.0) / (R(1.0) + e);
    return x < R(0.0) ? e * r : r;
}

/* ln(1 + eˣ), likewise. */
OP real FN(softplus)(real x)
{
    return (x < R(0.0) ? R(0.0) : x) + FN(log1p)(FN(exp)(-FN(abs)(x)));
}

ACT_F(relu) { return x < R(0.0) ? R(0.0) : x; }
ACT_D(relu) { return y > R(0.0) ? R(1.0) : R(0.0); }

ACT_F(leaky_relu) { return x > R(0.0) ? x : a * x; }
ACT_D(leaky_relu) { return x > R(0.0) ? R(1.0) : a; }

/* Outside training the slope is the mean of its range. */
ACT_F(rrelu) { return x > R(0.0) ? x : R(0.5) * (a + b) * x; }
ACT_D(rrelu) { return x > R(0.0) ? R(1.0) : R(0.5) * (a + b); }

ACT_F(prelu) { return x > R(0.0) ? x : a * x; }
ACT_D(prelu) { return x > R(0.0) ? R(1.0) : a; }
ACT_DA(prelu) { return x > R(0.0) ? R(0.0) : x; }

ACT_F(elu) { return x > R(0.0) ? x : a * FN(expm1)(x); }
ACT_D(elu) { return x > R(0.0) ? R(1.0) : a * FN(exp)(x); }

ACT_F(selu) { return b * (x > R(0.0) ? x : a * FN(expm1)(x)); }
ACT_D(selu) { return b * (x > R(0.0) ? R(1.0) : a * FN(exp)(x)); }

ACT_F(celu) { return x > R(0.0) ? x : a * FN(expm1)(x / a); }
ACT_D(celu) { return x > R(0.0) ? R(1.0) : FN(exp)(x / a); }

/* x·Φ(x), Φ the normal distribution function: ½(1 + erf(x/√2)); its density is e^(−x²/2)/√(2π). */
ACT_F(gelu) { return x * (R(0.5) + R(0.5) * FN(erf)(x * R(0.7071067811865476))); }
ACT_D(gelu)
{
    real density = R(0.3989422804014327) * FN(exp)(R(-0.5) * x * x);
    return FN(fma)(x, density, R(0.5) + R(0.5) * FN(erf)(x * R(0.7071067811865476)));
}

/* ½x(1 + tanh u) = x·σ(2u), u = √(2/π)(x + 0.044715 x³): σ keeps its digits where 1 + tanh would cancel. Beyond ±12
 * it is 0 or 1, and x³ would overflow. */
OP real FN(gelu_clamp)(real x)
{
    real low = x < R(-12.0) ? R(-12.0) : x;
    return low > R(12.0) ? R(12.0) : low;
}
OP real FN(gelu_twice_u)(real x)
{
    return R(1.5957691216057308) * x * FN(fma)(R(0.044715) * x, x, R(1.0));
}
ACT_F(gelu_tanh) { return x * FN(sigmoid)(FN(gelu_twice_u)(FN(gelu_clamp)(x))); }
ACT_D(gelu_tanh)
{
    real c = FN(gelu_clamp)(x);
    real u2 = FN(gelu_twice_u)(c);
    real du2 = R(1.5957691216057308) * FN(fma)(R(0.134145) * c, c, R(1.0));
    return FN(sigmoid)(u2) * FN(fma)(c * FN(sigmoid)(-u2), du2, R(1.0));
}

ACT_F(swish) { return x * FN(sigmoid)(a * x); }
ACT_D(swish)
{
    real s = FN(sigmoid)(a * x);
    return FN(fma)(s * FN(sigmoid)(-a * x), a * x, s);
}

ACT_F(silu) { return x * FN(sigmoid)(x); }
ACT_D(silu)
{
    real s = FN(sigmoid)(x);
    return FN(fma)(s * FN(sigmoid)(-x), x, s);
}

/* x·tanh(ln(1 + eˣ)); with e = e^−|x|, tanh is n/d and 1 − tanh is r/d, neither of which cancels or overflows. */
ACT_F(mish)
{
    real e = FN(exp)(-FN(abs)(x));
    real n = x < R(0.0) ? e * (e + R(2.0)) : R(1.0) + R(2.0) * e;
    real r = x < R(0.0) ? R(2.0) : R(2.0) * e * e;
    return x * (n / (n + r));
}
ACT_D(mish)
{
    real e = FN(exp)(-FN(abs)(x));
    real n = x < R(0.0) ? e * (e + R(2.0)) : R(1.0) + R(2.0) * e;
    real r = x < R(0.0) ? R(2.0) : R(2.0) * e * e;
    real t = n / (n + r);
    real s = (x < R(0.0) ? e : R(1.0)) / (R(1.0) + e);
    return FN(fma)((r / (n + r)) * (R(1.0) + t) * s, x, t);
}

ACT_F(relu2) { return x < R(0.0) ? R(0.0) : x * x; }
ACT_D(relu2) { return x > R(0.0) ? R(2.0) * x : R(0.0); }

/* min(max(x, a), b): b wins where the limits are crossed, as in ONNX. */
ACT_F(hard_tanh)
{
    real low = x < a ? a : x;
    return low > b ? b : low;
}
ACT_D(hard_tanh) { return (y > a && y < b) ? R(1.0) : R(0.0); }

ACT_F(relu6)
{
    real low = x < R(0.0) ? R(0.0) : x;
    return low > R(6.0) ? R(6.0) : low;
}
ACT_D(relu6) { return (y > R(0.0) && y < R(6.0)) ? R(1.0) : R(0.0); }

ACT_F(sigmoid) { return FN(sigmoid)(x); }
ACT_D(sigmoid) { return y * (R(1.0) - y); }

ACT_F(hard_sigmoid)
{
    real line = FN(fma)(a, x, b);
    real low = line < R(0.0) ? R(0.0) : line;
    return low > R(1.0) ? R(1.0) : low;
}
ACT_D(hard_sigmoid) { return (y > R(0.0) && y < R(1.0)) ? a : R(0.0); }

ACT_F(hard_swish)
{
    real line = FN(fma)(x, R(0.16666666666666666), R(0.5));
    real low = line < R(0.0) ? R(0.0) : line;
    return x * (low > R(1.0) ? R(1.0) : low);
}
ACT_D(hard_swish)
{
    real line = FN(fma)(x, R(0.3333333333333333), R(0.5));
    real low = x <= R(-3.0) ? R(0.0) : line;
    return x >= R(3.0) ? R(1.0) : low;
}

ACT_F(tanh) { return FN(tanh)(x); }
ACT_D(tanh) { return (R(1.0) - y) * (R(1.0) + y); }

ACT_F(softplus) { return FN(softplus)(a * x) / a; }
ACT_D(softplus) { return FN(sigmoid)(a * x); }

ACT_F(softsign) { return x / (R(1.0) + FN(abs)(x)); }
ACT_D(softsign)
{
    real r = R(1.0) / (R(1.0) + FN(abs)(x));
    return r * r;
}

ACT_F(log_sigmoid) { return -FN(softplus)(-x); }
ACT_D(log_sigmoid) { return FN(sigmoid)(-x); }

ACT_F(thresholded_relu) { return x <= a ? R(0.0) : x; }
ACT_D(thresholded_relu) { return x > a ? R(1.0) : R(0.0); }

#undef ACT_F
#undef ACT_D
#undef ACT_DA
