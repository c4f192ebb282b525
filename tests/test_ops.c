/* The op book: every row against golden values of PyTorch, finite differences, and float against double. */
#include "tests/support.h"

#include <float.h>
#include <string.h>

#include "runtime/ops/book_impl.h"
#include "runtime/ops/math_f32.h"
#include "tests/golden.h"

typedef float activation_f(float x, float a, float b);
typedef float activation_d(float x, float y, float a, float b);

/* The float formulas of every row, as kernels expand them. */
static const struct float_row {
    activation_f *f;
    activation_d *d;
} float_rows[TONNX_ACT_COUNT] = {
#define TONNX_ACTIVATION(id, ...) { tonnx_act_f_##id##_f32, tonnx_act_d_##id##_f32 },
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
};

/* Attribute pairs to try: the row's defaults, and others that its formula allows. */
static void attributes_of(tonnx_activation act, int variant, double *a, double *b)
{
    tonnx_activation_info info;
    tonnx_activation_describe(act, &info);
    *a = variant ? 0.6 * info.a_default : info.a_default;
    *b = variant ? 1.3 * info.b_default : info.b_default;
}

static float float_d(tonnx_activation act, float x, float a, float b)
{
    return float_rows[act].d(x, float_rows[act].f(x, a, b), a, b);
}

START_TEST(activations_match_pytorch)
{
    golden *file = golden_open("activations.csv");
    bool seen[TONNX_ACT_COUNT] = { false };
    while (golden_next(file)) {
        tonnx_activation act;
        ck_assert_msg(tonnx_activation_named(file->name, &act), "%s", file->name);
        seen[act] = true;
        const double a = file->values[0], b = file->values[1], x = file->values[2], size = fmax(1, fabs(x));
        ck_near(tonnx__activation_f(act, x, a, b), file->values[3], 1e-14 * size, 1e-12);
        ck_near(tonnx__activation_d(act, x, a, b), file->values[4], 1e-14 * size, 1e-12);
        ck_near((double)float_rows[act].f((float)x, (float)a, (float)b), file->values[3], 4e-7 * size, 1e-6);
    }
    for (int act = 0; act < TONNX_ACT_COUNT; act++) ck_assert_msg(seen[act], "row %d has no golden values", act);
    golden_close(file);
}
END_TEST

/* Central differences in double; at a kink the two sides differ and the point is left out. */
static void differences(tonnx_activation act, double a, double b)
{
    for (double x = -9.0; x <= 9.0; x += 0.0371) {
        const double h = 1e-5, f = tonnx__activation_f(act, x, a, b);
        const double right = (tonnx__activation_f(act, x + h, a, b) - f) / h;
        const double left = (f - tonnx__activation_f(act, x - h, a, b)) / h;
        if (fabs(right - left) > 1e-3) continue;
        ck_near(tonnx__activation_d(act, x, a, b), (left + right) / 2, 1e-8, 1e-8);
    }
}

START_TEST(derivatives_match_differences)
{
    for (int variant = 0; variant < 2; variant++) {
        double a, b;
        attributes_of((tonnx_activation)_i, variant, &a, &b);
        differences((tonnx_activation)_i, a, b);
    }
}
END_TEST

START_TEST(slope_derivative)
{
    for (double x = -3; x <= 3; x += 0.25) {
        const double h = 1e-6, up = tonnx__activation_f(TONNX_ACT_prelu, x, 0.25 + h, 0);
        const double down = tonnx__activation_f(TONNX_ACT_prelu, x, 0.25 - h, 0);
        ck_near(tonnx__activation_da(TONNX_ACT_prelu, x, 0.25), (up - down) / (2 * h), 1e-9, 1e-8);
        ck_near(tonnx__activation_da(TONNX_ACT_relu, x, 0.25), 0.0, 0, 0);
    }
}
END_TEST

/* In units of ε·max(1, |x|)·…: what a gate's cancellation against 1 allows, and no formula may exceed. */
static double float_error(float got, double want, double x)
{
    const double scale = fmax(fabs(want), fmin(1.0, fabs(x)));
    return scale > 0 ? fabs((double)got - want) / (scale * (double)FLT_EPSILON) : fabs((double)got);
}

START_TEST(float_follows_double)
{
    const tonnx_activation act = (tonnx_activation)_i;
    tonnx_activation_info info;
    tonnx_activation_describe(act, &info);
    const float a = (float)info.a_default, b = (float)info.b_default;
    double worst_f = 0, worst_d = 0;
    for (float x = -30.0f; x <= 30.0f; x += 0.000731f) {
        const float y = float_rows[act].f(x, a, b);
        const double want_f = tonnx__activation_f(act, (double)x, (double)a, (double)b);
        const double want_d = tonnx__activation_dxy(act, (double)x, (double)y, (double)a, (double)b);
        worst_f = fmax(worst_f, float_error(y, want_f, (double)x));
        worst_d = fmax(worst_d, float_error(float_rows[act].d(x, y, a, b), want_d, 1.0));
    }
    printf("%-17s f %.2f  d %.2f (units of eps)\n", info.name, worst_f, worst_d);
    ck_assert_msg(worst_f <= 4.0 && worst_d <= 4.0, "%s: f %.2f, d %.2f", info.name, worst_f, worst_d);
}
END_TEST

START_TEST(large_inputs_stay_finite)
{
    static const float points[] = { 1e-45f, 1e-38f, 1e-20f, 87.0f, 88.8f, 104.0f, 1e4f, 1e10f, 1e18f };
    const tonnx_activation act = (tonnx_activation)_i;
    double a, b;
    attributes_of(act, 0, &a, &b);
    for (size_t i = 0; i < 2 * sizeof points / sizeof *points; i++) {
        const float x = i % 2 ? -points[i / 2] : points[i / 2];
        const float y = float_rows[act].f(x, (float)a, (float)b);
        ck_assert_msg(isfinite(y), "row %d: f(%g) = %g", _i, (double)x, (double)y);
        ck_assert_msg(isfinite(float_d(act, x, (float)a, (float)b)), "row %d: d(%g)", _i, (double)x);
        ck_near((double)y, tonnx__activation_f(act, (double)x, a, b), 1e-38, 1e-6);
    }
    for (int sign = -1; sign <= 1; sign += 2) {
        const float far = (float)sign * FLT_MAX;
        ck_assert_msg(!isnan(float_rows[act].f(far, (float)a, (float)b)), "row %d: f(%g)", _i, (double)far);
        ck_assert_msg(!isnan(float_d(act, far, (float)a, (float)b)), "row %d: d(%g)", _i, (double)far);
    }
    ck_assert_msg(isnan(float_rows[act].f(NAN, (float)a, (float)b)), "row %d hides NaN", _i);
}
END_TEST

START_TEST(losses_match_pytorch)
{
    golden *file = golden_open("losses.csv");
    bool seen[TONNX_LOSS_COUNT] = { false };
    while (golden_next(file)) {
        tonnx_loss loss;
        ck_assert(tonnx_loss_named(file->name, &loss));
        seen[loss] = true;
        const double a = file->values[0], z = file->values[1], t = file->values[2];
        ck_near(tonnx__loss_f(loss, z, t, a), file->values[3], 1e-14, 1e-12);
        ck_near(tonnx__loss_d(loss, z, t, a), file->values[4], 1e-14, 1e-12);
    }
    for (int i = 0; i < TONNX_LOSS_COUNT; i++) ck_assert(seen[i] == tonnx__loss_elementwise((tonnx_loss)i));
    golden_close(file);
}
END_TEST

START_TEST(loss_derivatives)
{
    const tonnx_loss loss = (tonnx_loss)_i;
    if (!tonnx__loss_elementwise(loss)) return;
    for (double z = -4.013; z < 4; z += 0.17) {
        const double h = 1e-6, up = tonnx__loss_f(loss, z + h, 0.3, 0.8), down = tonnx__loss_f(loss, z - h, 0.3, 0.8);
        ck_near(tonnx__loss_d(loss, z, 0.3, 0.8), (up - down) / (2 * h), 1e-7, 1e-7);
    }
}
END_TEST

static void add_activation_loops(TCase *cases)
{
    tcase_add_loop_test(cases, derivatives_match_differences, 0, TONNX_ACT_COUNT);
    tcase_add_loop_test(cases, float_follows_double, 0, TONNX_ACT_COUNT);
    tcase_add_loop_test(cases, large_inputs_stay_finite, 0, TONNX_ACT_COUNT);
}

static Suite *ops_suite(void)
{
    Suite *suite = suite_create("ops");
    TCase *cases = tcase_create("rows");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, activations_match_pytorch);
    tcase_add_test(cases, slope_derivative);
    add_activation_loops(cases);
    tcase_add_test(cases, losses_match_pytorch);
    tcase_add_loop_test(cases, loss_derivatives, 0, TONNX_LOSS_COUNT);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    return run_suite(ops_suite());
}
