#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* C[m,n] = act(alpha·Σₖ op(A)[m,k]·op(B)[k,n] + beta·bias[n]);  S[m] = Σₖ op(A)[m,k]
 * u[2]: columns of C; x: alpha, beta, a, b. The rest is told in gemm.glsl. */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/activation.glsl"

void finish(uint m, uint n, float product);
void finish_sum(uint m, float sum);
#define HAS_SUMS HAS(7)
#include "vulkan/shaders/gemm.glsl"

IN(2, bias);
IN(3, kept); /* X or Y, whichever the derivative is made from */
IN(4, slope);
OUT(5, c);
OUT(6, z);
OUT(7, s);

const bool BACK = (HOW & 16u) != 0u;

/* Where K is done in parts: C holds the parts before; parts come after. */
#define CONTINUED  ((push.flags & 4u) != 0u)
#define UNFINISHED ((push.flags & 8u) != 0u)

void finish(uint m, uint n, float product)
{
    const uint at = m * push.u[2] + n;
    product *= push.x[0];
    if (CONTINUED) product += c[push.at[5] + at];
    float result = product;
    if (!UNFINISHED) {
        const float slope_here = HAS(4) ? slope[AT(4, 0u, n)] : push.x[2];
        if (BACK) {
            const float x = kept[push.at[3] + at];
            result = product * derivative(x, x, slope_here, push.x[3]);
        } else {
            const float before = product + (HAS(2) ? push.x[1] * bias[AT(2, 0u, n)] : 0.0);
            if (HAS(6)) z[push.at[6] + at] = before;
            result = activation(before, slope_here, push.x[3]);
        }
    }
    c[push.at[5] + at] = ACC0 && !CONTINUED ? c[push.at[5] + at] + result : result;
}

void finish_sum(uint m, float sum)
{
    s[push.at[7] + m] = CONTINUED ? s[push.at[7] + m] + sum : sum;
}

void main()
{
    multiply();
}
