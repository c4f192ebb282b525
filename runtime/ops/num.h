/* Branch-free elementary functions in float, for C (where libm's calls would stop the vectoriser) and GLSL (which has
 * no erf, and whose exp and tanh are as exact as the driver likes). A few ulp over the whole range, denormals,
 * infinities and NaN included; tests/test_num.c measures. Included by math_f32.h, whose dialect they are written in.
 * Coefficients: Chebyshev fits of the function named beside them, rounded to float. */

#ifdef __STDC__
#include <math.h>
#include <stdint.h>
#include <string.h>
#define NUM_UINT uint32_t
#define NUM_INF  INFINITY
#define NUM_NAN  NAN
#define NUM_PRECISE
#define NUM_AS_UINT(i)  ((uint32_t)(i))
#define NUM_AS_INT(u)   ((int32_t)(u))
#define NUM_AS_FLOAT(i) ((float)(i))
#define NUM_BITS(x)     tonnx_bits_f32(x)
#define NUM_OF_BITS(u)  tonnx_of_bits_f32(u)

static inline uint32_t tonnx_bits_f32(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float tonnx_of_bits_f32(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline float tonnx_abs_f32(float x)
{
    return __builtin_fabsf(x);
}

static inline float tonnx_sqrt_f32(float x)
{
    return __builtin_sqrtf(x);
}

/* a·b + c, rounded once where the machine does that fast, never by libm's slow emulation. */
static inline float tonnx_fma_f32(float a, float b, float c)
{
#ifdef __FP_FAST_FMAF
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

/* Nearest whole number (ties to even) of |x| < 2²²: adding 1.5·2²³ leaves no room for a fraction. As a float, as an
 * int. */
static inline float tonnx_round_f32(float x)
{
    return (x + 12582912.0f) - 12582912.0f;
}

static inline int32_t tonnx_whole_f32(float x)
{
    return (int32_t)(tonnx_bits_f32(x + 12582912.0f) - 0x4B400000u);
}
#else
#define NUM_UINT               uint
#define NUM_INF                uintBitsToFloat(0x7F800000u)
#define NUM_NAN                uintBitsToFloat(0x7FC00000u)
#define NUM_PRECISE            precise
#define NUM_AS_UINT(i)         uint(i)
#define NUM_AS_INT(u)          int(u)
#define NUM_AS_FLOAT(i)        float(i)
#define NUM_BITS(x)            floatBitsToUint(x)
#define NUM_OF_BITS(u)         uintBitsToFloat(u)
#define tonnx_abs_f32(x)       abs(x)
#define tonnx_sqrt_f32(x)      sqrt(x)
#define tonnx_fma_f32(a, b, c) fma(a, b, c)
#define tonnx_round_f32(x)     roundEven(x)
#define tonnx_whole_f32(x)     int(x)
#endif

/* 2ⁿ, −126 ≤ n ≤ 127. */
OP real FN(pow2)(int n)
{
    return NUM_OF_BITS(NUM_AS_UINT(n + 127) << 23);
}

/* x without k·ln 2, in two parts: the first has nine bits, so that its product with k is exact. */
OP real FN(less_ln2)(real x, real k)
{
    return FN(fma)(k, R(2.12194440e-4), FN(fma)(k, R(-0.693359375), x));
}

/* eʳ − 1 for |r| ≤ ½ ln 2: r + r²·P(r), P fitted to (eʳ − 1 − r)/r². */
OP real FN(expm1_near)(real r)
{
    real p = R(0.0013926250394433737);
    p = FN(fma)(p, r, R(0.00836323294788599));
    p = FN(fma)(p, r, R(0.04166655242443085));
    p = FN(fma)(p, r, R(0.16666576266288757));
    p = FN(fma)(p, r, R(0.5));
    return FN(fma)(r * r, p, r);
}

/* eˣ = 2ᵏ·eʳ. The power is applied in halves, so that results may be denormal or infinite. Comparisons let NaN pass. */
OP real FN(exp)(real x)
{
    real c = x < R(-104.0) ? R(-104.0) : x;
    c = c > R(89.0) ? R(89.0) : c;
    real k = FN(round)(c * R(1.44269504));
    int n = FN(whole)(k);
    int half_n = n >> 1;
    real y = R(1.0) + FN(expm1_near)(FN(less_ln2)(c, k));
    return (y * FN(pow2)(half_n)) * FN(pow2)(n - half_n);
}

/* eˣ − 1 = 2ᵏ·(eʳ − 1) + (2ᵏ − 1); near overflow half of it, doubled at the end. */
OP real FN(expm1)(real x)
{
    real c = x < R(-25.0) ? R(-25.0) : x;
    c = c > R(89.0) ? R(89.0) : c;
    real k = FN(round)(c * R(1.44269504));
    real p = FN(expm1_near)(FN(less_ln2)(c, k));
    real one = c > R(80.0) ? R(0.5) : R(1.0);
    real s = FN(pow2)(c > R(80.0) ? FN(whole)(k) - 1 : FN(whole)(k));
    real y = FN(fma)(s, p, s - one);
    return c > R(80.0) ? y + y : y;
}

/* ln(1 + f) for √½ ≤ 1 + f < √2: f − f²/2 + f³·Q(f), without its leading f; Q fitted to (ln(1+f) − f + f²/2)/f³. */
OP real FN(log_near)(real f)
{
    real q = R(0.06972518563270569);
    q = FN(fma)(q, f, R(-0.11481212079524994));
    q = FN(fma)(q, f, R(0.1168578490614891));
    q = FN(fma)(q, f, R(-0.1242552325129509));
    q = FN(fma)(q, f, R(0.14249007403850555));
    q = FN(fma)(q, f, R(-0.1666780710220337));
    q = FN(fma)(q, f, R(0.20000717043876648));
    q = FN(fma)(q, f, R(-0.2499999701976776));
    q = FN(fma)(q, f, R(0.3333333134651184));
    real square = f * f;
    return FN(fma)(f * square, q, R(-0.5) * square);
}

/* ln x = k·ln 2 + ln m, √½ ≤ m < √2: subtracting √½'s bits leaves k in the exponent field. */
OP real FN(log)(real x)
{
    real normal = x < R(1.17549435e-38) ? x * R(8388608.0) : x;
    real shift = x < R(1.17549435e-38) ? R(-23.0) : R(0.0);
    NUM_UINT bits = NUM_BITS(normal);
    NUM_UINT over = bits - 0x3F3504F3u;
    real k = NUM_AS_FLOAT(NUM_AS_INT(over) >> 23) + shift;
    real f = NUM_OF_BITS(bits - (over & 0xFF800000u)) - R(1.0);
    real y = FN(fma)(k, R(0.693359375), f + FN(fma)(k, R(-2.12194440e-4), FN(log_near)(f)));
    y = x > R(0.0) ? y : NUM_NAN;
    y = x == R(0.0) ? -NUM_INF : y;
    return x == NUM_INF ? x : y;
}

/* ln(1 + x): what 1 + x loses to rounding comes back as a first-order term. */
OP real FN(log1p)(real x)
{
    NUM_PRECISE real u = R(1.0) + x;
    NUM_PRECISE real near = x - (u - R(1.0));
    NUM_PRECISE real far = R(1.0) - (u - x);
    real lost = x < R(1.0) ? near : far;
    real mend = lost / (u > R(0.0) ? u : R(1.0));
    return FN(log)(u) + (x < R(1e8) ? mend : R(0.0));
}

/* tanh x = (e^2x − 1)/(e^2x + 1) of |x|, which is 1 in float from 10 on. */
OP real FN(tanh)(real x)
{
    real z = FN(abs)(x);
    z = z > R(10.0) ? R(10.0) : z;
    real e = FN(expm1)(z + z);
    real t = e / (e + R(2.0));
    return x < R(0.0) ? -t : t;
}

/* erf x/x − 1 as a polynomial in x², |x| < 1. */
OP real FN(erf_near)(real square)
{
    real p = R(7.875874871388078e-05);
    p = FN(fma)(p, square, R(-0.000801686430349946));
    p = FN(fma)(p, square, R(0.005189087241888046));
    p = FN(fma)(p, square, R(-0.02685421146452427));
    p = FN(fma)(p, square, R(0.11283594369888306));
    p = FN(fma)(p, square, R(-0.3761262595653534));
    return FN(fma)(p, square, R(0.12837916612625122));
}

/* ln erfc z, 1 ≤ z ≤ 3.95. */
OP real FN(log_erfc)(real z)
{
    real q = R(1.6583205706410808e-06);
    q = FN(fma)(q, z, R(-4.64599252154585e-05));
    q = FN(fma)(q, z, R(0.0006000555003993213));
    q = FN(fma)(q, z, R(-0.004774190951138735));
    q = FN(fma)(q, z, R(0.026460878551006317));
    q = FN(fma)(q, z, R(-0.11014717817306519));
    q = FN(fma)(q, z, R(-0.6317575573921204));
    q = FN(fma)(q, z, R(-1.1302720308303833));
    return FN(fma)(q, z, R(0.00032935707713477314));
}

/* erf x: odd polynomial below 1; 1 − erfc beyond, which is 1 in float from 3.95 on. */
OP real FN(erf)(real x)
{
    real z = FN(abs)(x);
    real c = z > R(3.95) ? R(3.95) : z;
    real near = FN(fma)(x, FN(erf_near)(c * c), x);
    real far = R(1.0) - FN(exp)(FN(log_erfc)(c));
    far = x < R(0.0) ? -far : far;
    return z < R(1.0) ? near : far;
}
