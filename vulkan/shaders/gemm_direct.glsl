/* The same product without shared memory, for devices whose caches are as near (CPUs): an invocation reads its rows and
 * columns itself, STEP of the depth at a time, by fours where they lie so, and keeps TM·TN sums. Rows and columns beyond
 * the end are read as the last ones, and never handed on. */
const uint STEP = BK;
const bool WIDE_A = STEP % 4u == 0u && (HOW & 4u) != 0u, WIDE_B = STEP % 4u == 0u && (HOW & 8u) != 0u, SUMS = (HOW & 32u) != 0u;
const bool WIDE_C = (HOW & 64u) != 0u; /* what is made may be handed on by fours */

#ifdef TEXELS
FOURS(0, fours_a);
FOURS(1, fours_b);
ONES(0, ones_a);
ONES(1, ones_b);
#define FOUR_A(i) imageLoad(fours_a, int(i))
#define FOUR_B(i) imageLoad(fours_b, int(i))
#define ONE_A(i)  imageLoad(ones_a, int(i)).x
#define ONE_B(i)  imageLoad(ones_b, int(i)).x
#else
layout(set = 0, binding = 0) readonly buffer Wide0 { vec4 wide_a[]; };
layout(set = 0, binding = 1) readonly buffer Wide1 { vec4 wide_b[]; };
#define FOUR_A(i) wide_a[i]
#define FOUR_B(i) wide_b[i]
#define ONE_A(i)  a[i]
#define ONE_B(i)  b[i]
#endif

float near[STEP * (TM + TN)]; /* A's numbers, then B's; k major */
float made[TM * TN];

float number(bool left, uint at)
{
    return left ? ONE_A(at) : ONE_B(at);
}

vec4 four(bool left, uint at)
{
    return left ? FOUR_A(at) : FOUR_B(at);
}

/* Of A's, then of B's: where in memory line `first` + i begins, or column, or four of either (in fours). */
uint begins[TM + TN];

void place(bool left, bool lines, bool wide, uint to, uint first, uint count, uint end)
{
    const uint from = push.at[left ? 0 : 1], stride = push.u[left ? 0 : 1], last = wide && !lines ? 4u : 1u;
    [[unroll]] for (uint i = 0u; i < count; i += last) {
        const uint at = from + min(first + i, end - last) * (lines ? stride : 1u);
        begins[to + i] = wide ? at / 4u : at;
    }
}

/* near[to·STEP + k·count + i] = op(A)[first + i, k0 + k], or op(B)[k0 + k, first + i]; `lines`: numbers of one i lie side
 * by side. */
void fetch(bool left, bool lines, bool wide, uint to, uint count, uint k0)
{
    const uint stride = push.u[left ? 0 : 1], keep = STEP * to;
    if (wide && lines) {
        [[unroll]] for (uint k = 0u; k < STEP; k += 4u)
            [[unroll]] for (uint i = 0u; i < count; i++) {
                vec4 read = four(left, begins[to + i] + min(k0 + k, push.k - 4u) / 4u);
                if (STEP > 4u) read = k0 + k < push.k ? read : vec4(0.0);
                [[unroll]] for (uint e = 0u; e < 4u; e++) near[keep + (k + e) * count + i] = read[e];
            }
    } else if (wide) {
        [[unroll]] for (uint k = 0u; k < STEP; k++)
            [[unroll]] for (uint i = 0u; i < count; i += 4u) {
                vec4 read = four(left, begins[to + i] + min(k0 + k, push.k - 1u) * (stride / 4u));
                if (STEP > 4u) read = k0 + k < push.k ? read : vec4(0.0);
                [[unroll]] for (uint e = 0u; e < 4u; e++) near[keep + k * count + i + e] = read[e];
            }
    } else {
        [[unroll]] for (uint k = 0u; k < STEP; k++)
            [[unroll]] for (uint i = 0u; i < count; i++) {
                const uint at = begins[to + i] + (k0 + k) * (lines ? 1u : stride);
                near[keep + k * count + i] = k0 + k < push.k ? number(left, at) : 0.0;
            }
    }
}

const uint ONE = WIDE_C ? 4u : 1u; /* what is handed on at once */

void hand_on(uint m, uint n, uint i)
{
    if (m >= push.n || n >= push.f) return;
    if (WIDE_C) finish_four(below + m, n, vec4(made[i], made[i + 1u], made[i + 2u], made[i + 3u]));
    else finish(below + m, n, made[i]);
}

/* Unrolled, an element is a register; of many that would be too much code. */
void hand_on_all(uint m0, uint n0)
{
    if (TM * TN <= 32u * ONE / 4u) {
        [[unroll]] for (uint i = 0u; i < TM * TN; i += ONE) hand_on(m0 + i / TN, n0 + i % TN, i);
    } else {
        [[dont_unroll]] for (uint i = 0u; i < TM * TN; i += ONE) hand_on(m0 + i / TN, n0 + i % TN, i);
    }
}

float summed[TM]; /* of this invocation's rows */

void multiply_direct(uint m0, uint n0)
{
    float acc[TM * TN], sums[TM];
    [[unroll]] for (uint i = 0u; i < TM * TN; i++) acc[i] = 0.0;
    [[unroll]] for (uint i = 0u; i < TM; i++) sums[i] = 0.0;
    place(true, !TRANS_A, WIDE_A, 0u, m0, TM, push.n);
    place(false, TRANS_B, WIDE_B, TM, n0, TN, push.f);
    const uint end = m0 < push.n && n0 < push.f ? end_k : first_k; /* nothing is added up for blocks beyond the end */
    for (uint k0 = first_k; k0 < end; k0 += STEP) {
        fetch(true, !TRANS_A, WIDE_A, 0u, TM, k0);
        fetch(false, TRANS_B, WIDE_B, TM, TN, k0);
        [[unroll]] for (uint k = 0u; k < STEP; k++)
            [[unroll]] for (uint i = 0u; i < TM; i++) {
                if (SUMS) sums[i] += near[k * TM + i];
                [[unroll]] for (uint j = 0u; j < TN; j++)
                    acc[i * TN + j] = fma(near[k * TM + i], near[STEP * TM + k * TN + j], acc[i * TN + j]);
            }
    }
    [[unroll]] for (uint i = 0u; i < TM * TN; i++) made[i] = acc[i]; /* so that loops that hand on need not be unrolled */
    [[unroll]] for (uint i = 0u; i < TM; i++) summed[i] = sums[i];
}
