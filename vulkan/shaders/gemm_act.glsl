/* C[m,n] = act(alpha·Σₖ op(A)[m,k]·op(B)[k,n] + beta·bias[n]);  S[m] = Σₖ op(A)[m,k]
 * u[2]: columns of C; x: alpha, beta, a, b. The rest is told in gemm.glsl. */
#include "vulkan/shaders/gemm_how.glsl"
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/activation.glsl"

void finish(uint m, uint n, float product);
void finish_four(uint m, uint n, vec4 product);
void finish_sum(uint m, float sum);
#define HAS_SUMS HAS(7)
#include "vulkan/shaders/gemm.glsl"

IN(2, bias);
IN(3, kept); /* X or Y, whichever the derivative is made from */
IN(4, slope);
OUT(5, c);
OUT(6, z);
OUT(7, s);
layout(set = 0, binding = 3) readonly buffer Wide3 { vec4 wide_kept[]; };
layout(set = 0, binding = 5) buffer Wide5 { vec4 wide_c[]; };
layout(set = 0, binding = 6) buffer Wide6 { vec4 wide_z[]; };

const bool BACK = (HOW & 16u) != 0u;

/* Where K is done in parts: C holds the parts before; parts come after. */
#define CONTINUED  ((push.flags & 4u) != 0u)
#define UNFINISHED ((push.flags & 8u) != 0u)

/* Of the whole sum, bias and all. */
float before_act(uint n, float sum)
{
    return sum + (!BACK && HAS(2) ? push.x[1] * bias[AT(2, 0u, n)] : 0.0);
}

float after_act(uint n, float before, float x)
{
    const float slope_here = HAS(4) ? slope[AT(4, 0u, n)] : push.x[2];
    return BACK ? before * derivative(x, x, slope_here, push.x[3]) : activation(before, slope_here, push.x[3]);
}

void finish(uint m, uint n, float product)
{
    const uint at = m * push.u[2] + n;
    float result = product * push.x[0];
    if (CONTINUED) result += c[push.at[5] + at];
    if (!UNFINISHED) {
        result = before_act(n, result);
        if (HAS(6)) z[push.at[6] + at] = result;
        result = after_act(n, result, BACK ? kept[push.at[3] + at] : 0.0);
    }
    c[push.at[5] + at] = ACC0 && !CONTINUED ? c[push.at[5] + at] + result : result;
}

void finish_four(uint m, uint n, vec4 product)
{
    const uint at = m * push.u[2] + n;
    vec4 result = product * push.x[0], x = vec4(0.0), had = vec4(0.0);
    if (CONTINUED || ACC0) had = wide_c[(push.at[5] + at) / 4u];
    if (BACK && !UNFINISHED) x = wide_kept[(push.at[3] + at) / 4u];
    if (CONTINUED) result += had;
    if (!UNFINISHED) {
        [[unroll]] for (uint k = 0u; k < ONE; k++) result[k] = before_act(n + k, result[k]);
        if (HAS(6)) wide_z[(push.at[6] + at) / 4u] = result;
        [[unroll]] for (uint k = 0u; k < ONE; k++) result[k] = after_act(n + k, result[k], x[k]);
    }
    wide_c[(push.at[5] + at) / 4u] = ACC0 && !CONTINUED ? had + result : result;
}

void finish_sum(uint m, float sum)
{
    s[push.at[7] + m] = CONTINUED ? s[push.at[7] + m] + sum : sum;
}

void main()
{
    multiply();
}
