/* top = max of row n of x, and ln Σ exp(x − top), X the binding of x. */
float row_top(uint n)
{
    float top = uintBitsToFloat(0xFF800000u);
    for (uint f = LANE; f < push.f; f += LANES) top = max(top, x[FULL(X, n, f)]);
    return over_lanes(top, true);
}
float row_log_sum(uint n, float top)
{
    float sum = 0.0;
    for (uint f = LANE; f < push.f; f += LANES) sum += tonnx_softmax_term_f32(x[FULL(X, n, f)], top);
    return tonnx_log_f32(sum_of(sum));
}
