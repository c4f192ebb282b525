/* G = op(A)·op(B), sums[m] = Σₖ op(A)[m,k], handed on element by element: finish(m, n, product), finish_sum(m, sum).
 * A workgroup makes BM·BN elements, an invocation TM·TN of them: BK columns of A and rows of B at a time go through
 * shared memory, from where each number is read TN or TM times less often than it is used.
 * n, f, k: M, N, K; u[0], u[1]: columns of A, of B as stored. HAS_SUMS: whether the sums are wanted.
 * SLICED: K comes in slices of u[3], each with a product and sums of its own, one below the other. */
layout(constant_id = 3) const uint BM = 32u;
layout(constant_id = 4) const uint BN = 32u;
layout(constant_id = 5) const uint BK = 16u;
layout(constant_id = 6) const uint TM = 4u;
layout(constant_id = 7) const uint TN = 4u;
layout(constant_id = 8) const uint WAY = 0u; /* as tonnx__vk_way has them */

IN(0, a);
IN(1, b);

const bool TRANS_A = (HOW & 1u) != 0u, TRANS_B = (HOW & 2u) != 0u;
const bool SLICED = (HOW & 128u) != 0u;
const uint ACROSS = BN / TN; /* invocations side by side */

uint tile_row, first_k, end_k; /* of this workgroup: its first row; its part of K */
uint below;                    /* rows of the slices before */

void find_slice()
{
    const uint down = (push.n + BM - 1u) / BM, slice = SLICED ? gl_WorkGroupID.y / down : 0u;
    tile_row = (gl_WorkGroupID.y - slice * down) * BM;
    below = slice * push.n;
    first_k = slice * push.u[3];
    end_k = SLICED ? min(first_k + push.u[3], push.k) : push.k;
}

const uint KEPT = WAY == 0u ? BK : 1u;
shared float tile_a[KEPT * BM];
shared float tile_b[KEPT * BN];

/* Neighbours in memory are read by neighbours among the invocations. */
void load_a(uint row, uint k0)
{
    for (uint i = gl_LocalInvocationID.x; i < BM * BK; i += LOCAL) {
        const uint m = TRANS_A ? i % BM : i / BK, k = TRANS_A ? i / BM : i % BK;
        const bool inside = row + m < push.n && k0 + k < push.k;
        const uint at = TRANS_A ? (k0 + k) * push.u[0] + row + m : (row + m) * push.u[0] + k0 + k;
        tile_a[k * BM + m] = inside ? a[push.at[0] + at] : 0.0;
    }
}

void load_b(uint col, uint k0)
{
    for (uint i = gl_LocalInvocationID.x; i < BN * BK; i += LOCAL) {
        const uint n = TRANS_B ? i / BK : i % BN, k = TRANS_B ? i % BK : i / BN;
        const bool inside = col + n < push.f && k0 + k < push.k;
        const uint at = TRANS_B ? (col + n) * push.u[1] + k0 + k : (k0 + k) * push.u[1] + col + n;
        tile_b[k * BN + n] = inside ? b[push.at[1] + at] : 0.0;
    }
}

void multiply_tiled()
{
    const uint row = tile_row, col = gl_WorkGroupID.x * BN;
    const uint down = gl_LocalInvocationID.x / ACROSS * TM, across = gl_LocalInvocationID.x % ACROSS;
    const bool sums_rows = HAS_SUMS && gl_WorkGroupID.x == 0u && across == 0u;
    float acc[TM * TN], sums[TM], part[TN];
    for (uint i = 0u; i < TM * TN; i++) acc[i] = 0.0;
    [[unroll]] for (uint i = 0u; i < TM; i++) sums[i] = 0.0;
    for (uint k0 = first_k; k0 < end_k; k0 += BK) {
        barrier();
        load_a(row, k0);
        load_b(col, k0);
        barrier();
        for (uint k = 0u; k < BK; k++) {
            [[unroll]] for (uint j = 0u; j < TN; j++) part[j] = tile_b[k * BN + across + j * ACROSS];
            [[unroll]] for (uint i = 0u; i < TM; i++) {
                const float left = tile_a[k * BM + down + i];
                if (sums_rows) sums[i] += left;
                [[unroll]] for (uint j = 0u; j < TN; j++) acc[i * TN + j] = fma(left, part[j], acc[i * TN + j]);
            }
        }
    }
    [[unroll]] for (uint i = 0u; i < TM; i++) {
        const uint m = row + down + i;
        if (m >= push.n) break;
        [[unroll]] for (uint j = 0u; j < TN; j++)
            if (col + across + j * ACROSS < push.f) finish(below + m, col + across + j * ACROSS, acc[i * TN + j]);
        if (sums_rows) finish_sum(below + m, sums[i]);
    }
}

#include "vulkan/shaders/gemm_direct.glsl"
#include "vulkan/shaders/gemm_join.glsl"

/* What is handed on is so in one place: what finishes it is long, and a driver that compiles it has one copy of it less. */
void multiply_near()
{
    const uint m0 = tile_row + gl_LocalInvocationID.x / ACROSS * TM;
    const uint n0 = gl_WorkGroupID.x * BN + gl_LocalInvocationID.x % ACROSS * TN;
    if (WAY == 3u) join(m0, n0);
    else multiply_direct(m0, n0);
    hand_on_all(m0, n0);
    [[dont_unroll]] for (uint i = 0u; SUMS && HAS_SUMS && n0 == 0u && i < TM; i++)
        if (m0 + i < push.n) finish_sum(below + m0 + i, summed[i]);
}

void multiply()
{
    find_slice();
    if (WAY != 0u) multiply_near();
    else multiply_tiled();
}
