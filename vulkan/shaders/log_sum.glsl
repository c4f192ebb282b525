/* top = max of row n of x, and ln Σ exp(x − top), for the shader's operand 0. */
float row_top(uint n)
{
    float top = uintBitsToFloat(0xFF800000u);
    for (uint f = LANE; f < push.f; f += LANES) top = max(top, x[FULL(0, n, f)]);
    return over_lanes(top, true);
}
float row_log_sum(uint n, float top)
{
    float sum = 0.0;
    for (uint f = LANE; f < push.f; f += LANES) sum += tonnx_softmax_term_f32(x[FULL(0, n, f)], top);
    return tonnx_log_f32(sum_of(sum));
}
