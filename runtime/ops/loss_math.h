/* The losses: of one output z and its target t, and ∂/∂z (the caller divides by what the mean is over). `a` is Huber's
 * delta. Losses over rows are made of the pieces at the end. The dialect is explained in math_f32.h.
 *
 * Full names: tonnx_loss_f_MSE_f32(z, t, a), tonnx_loss_d_MSE_f32(z, t, a). */

/* clang-format off: a formula is a line */

#define LOSS_F(id) OP real FN(loss_f_##id)(real z, real t, MAYBE real a)
#define LOSS_D(id) OP real FN(loss_d_##id)(real z, real t, MAYBE real a)

/* −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) = max(z, 0) − z·t + ln(1 + e^−|z|), finite for every finite logit. */
LOSS_F(BCE)
{
    real top = z < R(0.0) ? R(0.0) : z;
    return top - z * t + FN(log1p)(FN(exp)(-FN(abs)(z)));
}
LOSS_D(BCE) { return FN(sigmoid)(z) - t; }

LOSS_F(MSE) { return (z - t) * (z - t); }
LOSS_D(MSE) { return R(2.0) * (z - t); }

LOSS_F(MAE) { return FN(abs)(z - t); }
LOSS_D(MAE) { return z > t ? R(1.0) : (z < t ? R(-1.0) : z - t); }

/* ½e² where |e| ≤ a, the tangent beyond. */
LOSS_F(HUBER)
{
    real e = FN(abs)(z - t);
    return e > a ? a * (e - R(0.5) * a) : R(0.5) * e * e;
}
LOSS_D(HUBER)
{
    real e = z - t;
    real low = e < -a ? -a : e;
    return low > a ? a : low;
}

/* What takes the target's place in cross-entropy under label smoothing e over a row of `count` classes and with a weight
 * for the class, as PyTorch's CrossEntropyLoss(weight, label_smoothing) means both. */
OP real FN(weighted_target)(real t, real weight, real e, real count)
{
    return weight * ((R(1.0) - e) * t + e / count);
}

/* Cross-entropy of a row: top = max z, sum = Σ softmax_term(z, top), then with log_softmax at each output
 * loss = −Σ t·log_softmax and ∂/∂z = softmax·Σt − t. NLL reads log-probabilities: −Σ t·z, −t. */
OP real FN(softmax_term)(real z, real top)
{
    return FN(exp)(z - top);
}
OP real FN(log_softmax)(real z, real top, real log_sum)
{
    return (z - top) - log_sum;
}

#undef LOSS_F
#undef LOSS_D
