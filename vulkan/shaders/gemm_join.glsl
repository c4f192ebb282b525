/* made[m,n] = Σₛ A[s,m,n], summed[m] = Σₛ B[s,m]: the products and sums of K's slices, k of them, added up in their order.
 * TM is 1. */
void join(uint m, uint n)
{
    const uint end = m < push.n ? min(TN, push.f - min(n, push.f)) : 0u;
    [[unroll]] for (uint j = 0u; j < TN; j++) made[j] = 0.0;
    for (uint s = 0u; s < push.k; s++)
        [[unroll]] for (uint j = 0u; j < TN; j++)
            if (j < end) made[j] += a[push.at[0] + (s * push.n + m) * push.f + n + j];
    if (!HAS_SUMS || n != 0u || m >= push.n) return;
    summed[0] = 0.0;
    for (uint s = 0u; s < push.k; s++) summed[0] += b[push.at[1] + s * push.n + m];
}
