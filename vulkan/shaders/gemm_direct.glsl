/* The same product without shared memory, for devices whose caches are as near (CPUs): an invocation reads its rows and
 * columns itself, four numbers at a time where they lie so, and keeps TM·TN sums. Rows and columns beyond the end are
 * read as the last ones, and never handed on. */
const bool WIDE_A = (HOW & 8u) != 0u, WIDE_B = (HOW & 16u) != 0u, SUMS = (HOW & 32u) != 0u;

layout(set = 0, binding = 0) readonly buffer Wide0 { vec4 wide_a[]; };
layout(set = 0, binding = 1) readonly buffer Wide1 { vec4 wide_b[]; };

float near_a[4 * TM], near_b[4 * TN];

/* op(A)[m0 … m0 + TM, k0 … k0 + 4] */
void fetch_a(uint m0, uint k0)
{
    if (WIDE_A && TRANS_A) {
        [[unroll]] for (uint k = 0u; k < 4u; k++)
            [[unroll]] for (uint i = 0u; i < TM; i += 4u) {
                const vec4 four = wide_a[(push.at[0] + (k0 + k) * push.u[0] + min(m0 + i, push.n - 4u)) / 4u];
                [[unroll]] for (uint e = 0u; e < 4u; e++) near_a[k * TM + i + e] = four[e];
            }
    } else if (WIDE_A) {
        [[unroll]] for (uint i = 0u; i < TM; i++) {
            const vec4 four = wide_a[(push.at[0] + min(m0 + i, push.n - 1u) * push.u[0] + k0) / 4u];
            [[unroll]] for (uint k = 0u; k < 4u; k++) near_a[k * TM + i] = four[k];
        }
    } else {
        [[unroll]] for (uint k = 0u; k < 4u; k++)
            [[unroll]] for (uint i = 0u; i < TM; i++) {
                const uint m = min(m0 + i, push.n - 1u), at = TRANS_A ? (k0 + k) * push.u[0] + m : m * push.u[0] + k0 + k;
                near_a[k * TM + i] = k0 + k < push.k ? a[push.at[0] + at] : 0.0;
            }
    }
}

/* op(B)[k0 … k0 + 4, n0 … n0 + TN] */
void fetch_b(uint n0, uint k0)
{
    if (WIDE_B && !TRANS_B) {
        [[unroll]] for (uint k = 0u; k < 4u; k++)
            [[unroll]] for (uint j = 0u; j < TN; j += 4u) {
                const vec4 four = wide_b[(push.at[1] + (k0 + k) * push.u[1] + min(n0 + j, push.f - 4u)) / 4u];
                [[unroll]] for (uint e = 0u; e < 4u; e++) near_b[k * TN + j + e] = four[e];
            }
    } else if (WIDE_B) {
        [[unroll]] for (uint j = 0u; j < TN; j++) {
            const vec4 four = wide_b[(push.at[1] + min(n0 + j, push.f - 1u) * push.u[1] + k0) / 4u];
            [[unroll]] for (uint k = 0u; k < 4u; k++) near_b[k * TN + j] = four[k];
        }
    } else {
        [[unroll]] for (uint k = 0u; k < 4u; k++)
            [[unroll]] for (uint j = 0u; j < TN; j++) {
                const uint n = min(n0 + j, push.f - 1u), at = TRANS_B ? n * push.u[1] + k0 + k : (k0 + k) * push.u[1] + n;
                near_b[k * TN + j] = k0 + k < push.k ? b[push.at[1] + at] : 0.0;
            }
    }
}

void multiply_direct()
{
    const uint m0 = gl_WorkGroupID.y * BM + gl_LocalInvocationID.x / ACROSS * TM;
    const uint n0 = gl_WorkGroupID.x * BN + gl_LocalInvocationID.x % ACROSS * TN;
    float acc[TM * TN], made[TM * TN], sums[TM];
    [[unroll]] for (uint i = 0u; i < TM * TN; i++) acc[i] = 0.0;
    [[unroll]] for (uint i = 0u; i < TM; i++) sums[i] = 0.0;
    for (uint k0 = 0u; k0 < push.k; k0 += 4u) {
        fetch_a(m0, k0);
        fetch_b(n0, k0);
        [[unroll]] for (uint k = 0u; k < 4u; k++)
            [[unroll]] for (uint i = 0u; i < TM; i++) {
                if (SUMS) sums[i] += near_a[k * TM + i];
                [[unroll]] for (uint j = 0u; j < TN; j++)
                    acc[i * TN + j] = fma(near_a[k * TM + i], near_b[k * TN + j], acc[i * TN + j]);
            }
    }
    [[unroll]] for (uint i = 0u; i < TM * TN; i++) made[i] = acc[i]; /* so that the loops below need not be unrolled */
    [[dont_unroll]] for (uint i = 0u; i < TM * TN; i++)
        if (m0 + i / TN < push.n && n0 + i % TN < push.f) finish(m0 + i / TN, n0 + i % TN, made[i]);
    [[unroll]] for (uint i = 0u; i < TM; i++) made[i] = sums[i];
    [[dont_unroll]] for (uint i = 0u; SUMS && HAS_SUMS && n0 == 0u && i < TM; i++)
        if (m0 + i < push.n) finish_sum(m0 + i, made[i]);
}
