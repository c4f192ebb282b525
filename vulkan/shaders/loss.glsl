/* A row's loss, its gradient, the weight of its class. X, T, W, L, DX, R: the bindings of x, t, w, l, dx, r; constants LOSS,
 * CLASSES, BY_ROWS, LOGITS; rows as rows.glsl has them. x: a, smoothing, 1/rows of the batch. */
#include "vulkan/shaders/log_sum.glsl"

#define LOSS_rows(id)
#define LOSS_elements(id)                                                                                              \
    if (LOSS == __LINE__) return back ? tonnx_loss_d_##id##_f32(z, at_t, push.x[0]) : tonnx_loss_f_##id##_f32(z, at_t, push.x[0]);
#define TONNX_LOSS(id, name, shape, reads) LOSS_##shape(id)
float element(float z, float at_t, bool back)
{
#include "runtime/ops/losses.def"
    return 0.0;
}

/* Target (n, f): a number, or 1 at the class and 0 elsewhere; a single output's class is its number. */
float target(uint n, uint f)
{
    if (CLASSES == 0u) return t[FULL(T, n, f)];
    const float class_ = t[FLAT(T, n)];
    if (push.f == 1u && BY_ROWS == 0u) return class_;
    if (!(class_ >= 0.0 && class_ < float(push.f))) return uintBitsToFloat(0x7FC00000u);
    return uint(class_) == f ? 1.0 : 0.0;
}
float row_target(uint n, uint f)
{
    return tonnx_weighted_target_f32(target(n, f), HAS(W) ? w[FLAT(W, f)] : 1.0, push.x[1], float(push.f));
}

void by_rows(uint n, bool mine)
{
    const float top = LOGITS != 0u ? row_top(n) : 0.0, log_sum = LOGITS != 0u ? row_log_sum(n, top) : 0.0;
    float loss = 0.0, weight = 0.0, of_class = 0.0;
    for (uint f = LANE; f < push.f; f += LANES) {
        const float at_t = row_target(n, f);
        const float log_p = LOGITS != 0u ? tonnx_log_softmax_f32(x[FULL(X, n, f)], top, log_sum) : x[FULL(X, n, f)];
        weight += at_t;
        loss -= at_t == 0.0 ? 0.0 : at_t * log_p;
        if (HAS(R)) of_class += w[FLAT(W, f)] * target(n, f);
    }
    loss = sum_of(loss);
    weight = sum_of(weight);
    of_class = sum_of(of_class);
    for (uint f = LANE; mine && HAS(DX) && f < push.f; f += LANES) {
        const float p =
            LOGITS != 0u ? tonnx_exp_f32(tonnx_log_softmax_f32(x[FULL(X, n, f)], top, log_sum)) * weight : 0.0;
        dx[FULL(DX, n, f)] = (p - row_target(n, f)) * push.x[2];
    }
    if (mine && LANE == 0u) l[FLAT(L, n)] = loss;
    if (mine && LANE == 0u && HAS(R)) r[FLAT(R, n)] = of_class;
}

void by_elements(uint n, bool mine)
{
    const float share = 1.0 / float(push.f);
    float loss = 0.0;
    for (uint f = LANE; f < push.f; f += LANES) {
        const float z = x[FULL(X, n, f)], at_t = target(n, f);
        loss += element(z, at_t, false);
        if (mine && HAS(DX)) dx[FULL(DX, n, f)] = element(z, at_t, true) * (push.x[2] * share);
    }
    loss = sum_of(loss) * share;
    if (mine && LANE == 0u) l[FLAT(L, n)] = loss;
}
