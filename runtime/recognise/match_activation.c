/* What an expression in one value computes, by its values: the row of the op book that has the same ones. Attributes
 * are solved for first (a slope is f(−1)/−1), so that a spelling may hold them anywhere. */
#include <math.h>
#include <string.h>

#include "runtime/recognise/expression_impl.h"

/* Probe points: the few that attributes are solved from, a grid over [−8, 8] that has no round numbers, and both sides
 * of every number in the expression, for a kink may be there. */
enum { AT_0, AT_1, AT_MINUS_1, AT_MINUS_40, NEAR_0, FAR_BELOW, FAR_ABOVE, SOLVE };
enum { GRID = 33, POINTS = SOLVE + GRID + 4 * TONNX__MAX_STEPS };
static const double solve_at[SOLVE] = { 0, 1, -1, -40, 1e-3, -1e30, 1e30 };
static const double widest = 100; /* beyond it eˣ may overflow in a spelling that is right nevertheless: no value */

typedef struct samples {
    size_t count;
    double x[POINTS], y[POINTS];
    const tonnx__expression *expression;
} samples;

static void choose_points(samples *s)
{
    const tonnx__expression *e = s->expression;
    s->count = SOLVE;
    memcpy(s->x, solve_at, sizeof solve_at);
    for (size_t i = 0; i < GRID; i++) s->x[s->count++] = -8.0137 + 16.0291 * (double)i / (GRID - 1);
    for (int i = 0; i < e->count; i++) {
        const tonnx__step *step = &e->steps[i];
        if (!step->needed || step->kind != TONNX__STEP_NUMBER || !isfinite(step->number)) continue;
        for (int sign = -1; sign <= 1; sign += 2) {
            s->x[s->count++] = sign * step->number * 1.01 + 1e-3;
            s->x[s->count++] = sign * step->number * 0.99 - 1e-3;
        }
    }
}

/* Constants match to 1e-3 of their value: exporters round (√2 as 1.4142), and write halves. Infinity: the greatest
 * error is beyond that. Far out a row must fit too (0.1·max(x, 0) is no hard sigmoid), but how well does not count. */
static double error_of(const samples *s, tonnx_activation act, double a, double b)
{
    double worst = 0;
    for (size_t i = 0; i < s->count; i++) {
        const bool far = fabs(s->x[i]) > widest;
        if (far && !isfinite(s->y[i])) continue;
        const double wanted = tonnx__activation_f(act, s->x[i], a, b), error = fabs(s->y[i] - wanted);
        if (!(error <= 1e-3 * (fabs(wanted) + 0.3))) return INFINITY;
        if (error > worst && !far) worst = error;
    }
    return worst;
}

/* α of CELU from f(−40) = α(e^(−40/α) − 1). */
static double solve_celu(double y)
{
    double a = -y;
    for (size_t i = 0; i < 20 && a > 0; i++) a = -y / (1 - exp(-40 / a));
    return a;
}

/* A threshold is one of the expression's own numbers. */
static double solve_threshold(const samples *s)
{
    const tonnx__expression *e = s->expression;
    for (int i = 0; i < e->count; i++)
        if (e->steps[i].needed && e->steps[i].kind == TONNX__STEP_NUMBER &&
            isfinite(error_of(s, TONNX_ACT_thresholded_relu, e->steps[i].number, 0)))
            return e->steps[i].number;
    return NAN;
}

/* The attributes with which a row could have these values; NaN where it could not. */
static void solve(const samples *s, tonnx_activation act, double *a, double *b)
{
    const double *y = s->y, below = y[AT_MINUS_1] / expm1(-1);
    *a = NAN;
    *b = 0;
    if (act == TONNX_ACT_leaky_relu) *a = -y[AT_MINUS_1];
    if (act == TONNX_ACT_elu) *a = below;
    if (act == TONNX_ACT_selu && below > 0)
        *b = y[AT_1], *a = below / *b; /* α = 0 is a scaled ReLU, which is two layers */
    if (act == TONNX_ACT_celu) *a = solve_celu(y[AT_MINUS_40]);
    if (act == TONNX_ACT_swish) *a = -log(1 / y[AT_1] - 1);
    if (act == TONNX_ACT_swish && fabs(*a) < 1e-3) *a = NAN; /* half of x */
    if (act == TONNX_ACT_softplus) *a = log(2) / y[AT_0];
    if (act == TONNX_ACT_hard_sigmoid) *a = (y[NEAR_0] - y[AT_0]) / solve_at[NEAR_0], *b = y[AT_0];
    if (act == TONNX_ACT_hard_sigmoid && *a == 0) *a = NAN; /* a constant */
    if (act == TONNX_ACT_hard_tanh) {
        *a = y[FAR_BELOW] <= -1e29 ? -INFINITY : y[FAR_BELOW];
        *b = y[FAR_ABOVE] >= 1e29 ? INFINITY : y[FAR_ABOVE];
        if (!(*a < *b)) *a = NAN;
    }
    if (act == TONNX_ACT_thresholded_relu) *a = solve_threshold(s);
}

static bool is_identity(const samples *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->y[i] != s->x[i]) return false;
    return true;
}

/* The row without attributes that comes closest, else the first row whose attributes can be solved for. */
static tonnx_activation find_row(const samples *s, double *a, double *b)
{
    tonnx_activation best = TONNX_ACT_NONE;
    tonnx_activation_info row;
    double least = INFINITY;
    for (int i = 0; i < TONNX_ACT_COUNT; i++) {
        tonnx_activation_describe((tonnx_activation)i, &row);
        if (*row.a_name) continue;
        const double error = error_of(s, (tonnx_activation)i, 0, 0);
        if (error < least) least = error, best = (tonnx_activation)i;
    }
    *a = *b = 0;
    for (int i = 0; i < TONNX_ACT_COUNT && best == TONNX_ACT_NONE; i++) {
        tonnx_activation_describe((tonnx_activation)i, &row);
        if (!*row.a_name || row.trained || i == TONNX_ACT_rrelu) continue;
        solve(s, (tonnx_activation)i, a, b);
        if (!isnan(*a) && isfinite(error_of(s, (tonnx_activation)i, *a, *b))) best = (tonnx_activation)i;
    }
    return best;
}

/* A leaf's constant as a parameter of the net, `sign` times. */
static tonnx_status slope_param(tonnx__builder *builder, int *out, const tonnx__step *step, double sign)
{
    tonnx__fact fact = *tonnx__fact_of(builder, step->name);
    fact.factor *= sign;
    return tonnx__param_vector(builder, out, TONNX__ROLE_SLOPE, &fact, step->user, step->user_input);
}

static tonnx_status add_layer(tonnx__builder *builder, tonnx__layer **out, const tonnx__expression *e,
                              const tonnx__node *node, tonnx_activation act)
{
    const tonnx__fact *x = tonnx__fact_of(builder, e->steps[e->x].name);
    char ops[128];
    tonnx__expression_ops(e, ops, sizeof ops);
    return tonnx__activation_add(builder, out, node, x, act, ops);
}

/* +1 or −1 where the values are PReLU's with ±w as the slope; 0 else. */
static double slope_sign(const samples *s, const double *w)
{
    for (int sign = 1; sign >= -1; sign -= 2) {
        bool good = true;
        for (size_t i = 0; i < s->count && good; i++)
            good =
                fabs(s->y[i] - tonnx__activation_f(TONNX_ACT_prelu, s->x[i], sign * w[i], 0)) <= 1e-6 * fabs(s->x[i]);
        if (good) return sign;
    }
    return 0;
}

/* PReLU: in one more constant, one slope per feature, which is trained. */
static tonnx_status match_prelu(tonnx__builder *builder, const tonnx__node *node, samples *s, bool *known)
{
    const tonnx__expression *e = s->expression;
    const tonnx__step *slope = &e->steps[e->rows[0]];
    const tonnx__fact *x = tonnx__fact_of(builder, e->steps[e->x].name);
    double w[POINTS];
    tonnx__layer *layer = NULL;
    if (x->rank != 2 || x->transposed ||
        !tonnx__fact_is_row(tonnx__fact_of(builder, slope->name), builder->net->values[x->value].features))
        return TONNX_OK;
    for (size_t i = 0; i < s->count; i++) w[i] = 0.05 + 0.9 * fmod((double)i * 0.618, 1);
    tonnx_status status = tonnx__expression_values(e, &(tonnx__probe){ 1, s->count, s->x, { w } }, s->y);
    const double sign = status ? 0 : slope_sign(s, w);
    if (sign == 0) return status;
    status = add_layer(builder, &layer, e, node, TONNX_ACT_prelu);
    *known = !status;
    return status ? status : slope_param(builder, &layer->weight, slope, sign);
}

tonnx_status tonnx__match_activation(tonnx__builder *builder, const tonnx__expression *e, const tonnx__node *node,
                                     bool *known)
{
    samples s = { .expression = e };
    tonnx__layer *layer = NULL;
    double a, b;
    if (e->reduces || e->row_count > 1) return TONNX_OK;
    choose_points(&s);
    if (e->row_count) return match_prelu(builder, node, &s, known);
    tonnx_status status = tonnx__expression_values(e, &(tonnx__probe){ 1, s.count, s.x, { NULL } }, s.y);
    if (status) return status;
    if (is_identity(&s)) {
        *known = true;
        return tonnx__fact_set(builder, node->outputs[0], tonnx__fact_of(builder, e->steps[e->x].name));
    }
    const tonnx_activation act = find_row(&s, &a, &b);
    if (act == TONNX_ACT_NONE) return TONNX_OK;
    status = add_layer(builder, &layer, e, node, act);
    if (status) return status;
    layer->a = a;
    layer->b = b;
    *known = true;
    return TONNX_OK;
}
