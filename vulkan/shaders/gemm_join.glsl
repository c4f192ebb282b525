/* G[m,n] = Σₛ A[s,m,n], sums[m] = Σₛ B[s,m]: the products and sums of K's slices, k of them, added up in their order. */
void join()
{
    const uint m = tile_row + gl_LocalInvocationID.x / ACROSS * TM;
    const uint n = gl_WorkGroupID.x * BN + gl_LocalInvocationID.x % ACROSS * TN;
    const uint end = m < push.n ? min(TN, push.f - min(n, push.f)) : 0u;
    [[unroll]] for (uint j = 0u; j < TN; j++) made[j] = 0.0;
    for (uint s = 0u; s < push.k; s++)
        [[unroll]] for (uint j = 0u; j < TN; j++)
            if (j < end) made[j] += a[push.at[0] + (s * push.n + m) * push.f + n + j];
    hand_on_all(m, n);
    if (!HAS_SUMS || n != 0u || m >= push.n) return;
    float sum = 0.0;
    for (uint s = 0u; s < push.k; s++) sum += b[push.at[1] + s * push.n + m];
    finish_sum(m, sum);
}
