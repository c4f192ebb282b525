/* num.h against libm's double over the whole float range: every 4093rd bit pattern, and the extremes. */
#include "tests/support.h"

#include <string.h>

#include "runtime/ops/math_f32.h"
#include "runtime/ops/math_f64.h"

enum { STRIDE = 4093 };

/* The spacing of floats at |y|, denormals included. */
static double ulp(double y)
{
    int exponent;
    frexp(y, &exponent);
    return ldexp(1.0, exponent - 24 < -149 ? -149 : exponent - 24);
}

/* Error of `got` in units of the last place; where the truth overflows, so must it, give or take an ulp. */
static double ulps(float got, double want)
{
    if (isnan(want)) return isnan(got) ? 0.0 : INFINITY;
    if (fabs(want) > (double)__FLT_MAX__) return fabs((double)got) >= (double)__FLT_MAX__ ? 0.0 : INFINITY;
    return fabs((double)got - want) / ulp(want);
}

typedef struct function {
    const char *name;
    float (*f)(float);
    double (*truth)(double);
    double bound; /* ulp */
} function;

#define ROW(name, bound)                                                                                               \
    {                                                                                                                  \
#name, tonnx_##name##_f32, tonnx_##name##_f64, bound                                                           \
    }
static const function functions[] = {
    ROW(exp, 1.5),  ROW(expm1, 2.0), ROW(log, 1.5),     ROW(log1p, 2.0),
    ROW(tanh, 3.0), ROW(erf, 2.0),   ROW(sigmoid, 3.0), ROW(softplus, 2.5),
};

static double worst(const function *row, float *at)
{
    double most = 0;
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += STRIDE) {
        const float x = tonnx_of_bits_f32((uint32_t)bits);
        const double error = ulps(row->f(x), row->truth((double)x));
        if (error > most) {
            most = error;
            *at = x;
        }
    }
    return most;
}

START_TEST(whole_range)
{
    const function *row = &functions[_i];
    float at = 0;
    const double error = worst(row, &at);
    printf("%-9s %.2f ulp at %.9g\n", row->name, error, (double)at);
    ck_assert_msg(error <= row->bound, "%s is %.2f ulp off at %.9g", row->name, error, (double)at);
}
END_TEST

/* Zeros, the largest and smallest numbers, infinities, NaN, and both sides of what the functions branch on. */
START_TEST(extremes)
{
    static const float points[] = { 0.0f,      1e-45f,      1.17549435e-38f, 1.17549421e-38f, 1e-30f,      0.5f,
                                    1.0f,      0.99999994f, 1.00000012f,     0.70710677f,     0.70710684f, 1.41421354f,
                                    3.95f,     4.0f,        9.01f,           10.0f,           80.0f,       80.00001f,
                                    87.33655f, 88.72283f,   88.72284f,       88.8f,           89.0f,       103.97f,
                                    104.0f,    1e8f,        3.40282347e38f,  INFINITY,        NAN };
    const function *row = &functions[_i];
    for (size_t i = 0; i < 2 * sizeof points / sizeof *points; i++) {
        const float x = i % 2 ? -points[i / 2] : points[i / 2];
        const float got = row->f(x);
        ck_assert_msg(ulps(got, row->truth((double)x)) <= row->bound, "%s(%.9g) = %.9g", row->name, (double)x,
                      (double)got);
    }
}
END_TEST

static Suite *num_suite(void)
{
    Suite *suite = suite_create("num");
    TCase *cases = tcase_create("functions");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, whole_range, 0, sizeof functions / sizeof *functions);
    tcase_add_loop_test(cases, extremes, 0, sizeof functions / sizeof *functions);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    return run_suite(num_suite());
}
