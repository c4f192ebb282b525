/* The same product without shared memory, for devices whose caches are as near (CPUs): an invocation reads its rows and
 * columns itself, STEP of the depth at a time, by fours where they lie so, and keeps TM·TN sums. Rows and columns beyond
 * the end are read as the last ones, and never handed on. */
const uint STEP = BK;
const bool WIDE_A = STEP % 4u == 0u && (HOW & 4u) != 0u, WIDE_B = STEP % 4u == 0u && (HOW & 8u) != 0u, SUMS = (HOW & 32u) != 0u;
const bool WIDE_C = (HOW & 64u) != 0u; /* what is made may be handed on by fours */

layout(set = 0, binding = 0) readonly buffer Wide0 { vec4 wide_a[]; };
layout(set = 0, binding = 1) readonly buffer Wide1 { vec4 wide_b[]; };

float near[STEP * (TM + TN)]; /* A's numbers, then B's; k major */
float made[TM * TN];

float number(bool left, uint at)
{
    return left ? a[at] : b[at];
}

vec4 four(bool left, uint at)
{
    return left ? wide_a[at / 4u] : wide_b[at / 4u];
}

/* near[to + k·count + i] = op(A)[first + i, k0 + k], or op(B)[k0 + k, first + i]; `lines`: numbers of one i lie side by
 * side. `end`: how many i there are. */
void fetch(bool left, bool lines, bool wide, uint to, uint first, uint count, uint end, uint k0)
{
    const uint from = push.at[left ? 0 : 1], stride = push.u[left ? 0 : 1];
    if (wide && lines) {
        [[unroll]] for (uint k = 0u; k < STEP; k += 4u)
            [[unroll]] for (uint i = 0u; i < count; i++) {
                vec4 read = four(left, from + min(first + i, end - 1u) * stride + min(k0 + k, push.k - 4u));
                if (STEP > 4u) read = k0 + k < push.k ? read : vec4(0.0);
                [[unroll]] for (uint e = 0u; e < 4u; e++) near[to + (k + e) * count + i] = read[e];
            }
    } else if (wide) {
        [[unroll]] for (uint k = 0u; k < STEP; k++)
            [[unroll]] for (uint i = 0u; i < count; i += 4u) {
                vec4 read = four(left, from + min(k0 + k, push.k - 1u) * stride + min(first + i, end - 4u));
                if (STEP > 4u) read = k0 + k < push.k ? read : vec4(0.0);
                [[unroll]] for (uint e = 0u; e < 4u; e++) near[to + k * count + i + e] = read[e];
            }
    } else {
        [[unroll]] for (uint k = 0u; k < STEP; k++)
            [[unroll]] for (uint i = 0u; i < count; i++) {
                const uint line = min(first + i, end - 1u), at = lines ? line * stride + k0 + k : (k0 + k) * stride + line;
                near[to + k * count + i] = k0 + k < push.k ? number(left, from + at) : 0.0;
            }
    }
}

void hand_on(uint m0, uint n0)
{
    const uint width = WIDE_C ? 4u : 1u;
    [[dont_unroll]] for (uint i = 0u; i < TM * TN; i += width) {
        const uint m = m0 + i / TN, n = n0 + i % TN;
        if (m >= push.n || n >= push.f) continue;
        if (WIDE_C) finish_four(m, n, vec4(made[i], made[i + 1u], made[i + 2u], made[i + 3u]));
        else finish(m, n, made[i]);
    }
}

void multiply_direct()
{
    const uint m0 = gl_WorkGroupID.y * BM + gl_LocalInvocationID.x / ACROSS * TM;
    const uint n0 = gl_WorkGroupID.x * BN + gl_LocalInvocationID.x % ACROSS * TN;
    float acc[TM * TN], sums[TM];
    [[unroll]] for (uint i = 0u; i < TM * TN; i++) acc[i] = 0.0;
    [[unroll]] for (uint i = 0u; i < TM; i++) sums[i] = 0.0;
    for (uint k0 = 0u; k0 < push.k; k0 += STEP) {
        fetch(true, !TRANS_A, WIDE_A, 0u, m0, TM, push.n, k0);
        fetch(false, TRANS_B, WIDE_B, STEP * TM, n0, TN, push.f, k0);
        [[unroll]] for (uint k = 0u; k < STEP; k++)
            [[unroll]] for (uint i = 0u; i < TM; i++) {
                if (SUMS) sums[i] += near[k * TM + i];
                [[unroll]] for (uint j = 0u; j < TN; j++)
                    acc[i * TN + j] = fma(near[k * TM + i], near[STEP * TM + k * TN + j], acc[i * TN + j]);
            }
    }
    [[unroll]] for (uint i = 0u; i < TM * TN; i++) made[i] = acc[i]; /* so that the loops below need not be unrolled */
    hand_on(m0, n0);
    [[unroll]] for (uint i = 0u; i < TM; i++) made[i] = sums[i];
    [[dont_unroll]] for (uint i = 0u; SUMS && HAS_SUMS && n0 == 0u && i < TM; i++)
        if (m0 + i < push.n) finish_sum(m0 + i, made[i]);
}
