/* Activations by number, by ONNX op and by name. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ops/book_impl.h"
#include "runtime/ops/math_f64.h"
#include "runtime/ops/names_impl.h"

#define LIKE_RELU 1.4142135623730951 /* the gain of rows that halve their input's variance as ReLU does */

/* A row with identifiers as text, "none" among them; `never` and `slope` of the list are NaN here. */
static const struct row {
    const char *id, *op, *a, *b;
    int since;
    double a_default, b_default, gain, below, above;
    char keeps;
} rows[TONNX_ACT_COUNT] = {
#define never NAN
#define slope NAN
#define TONNX_ACTIVATION(id, op, since, a, a0, b, b0, gain, below, above, keeps)                                       \
    { #id, #op, #a, #b, since, a0, b0, gain, below, above, #keeps[0] },
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
#undef slope
#undef never
};

static bool valid(tonnx_activation act)
{
    return act > TONNX_ACT_NONE && act < TONNX_ACT_COUNT;
}

/* √(2/(1 + s²)) for the slope s below zero: what keeps the variance through such a kink. */
static double slope_gain(tonnx_activation act, double a, double b)
{
    const double s = act == TONNX_ACT_rrelu ? (a + b) / 2 : a;
    return sqrt(2.0 / (1.0 + s * s));
}

double tonnx__activation_gain(tonnx_activation act, double a, double b)
{
    if (!valid(act)) return 1.0;
    return isnan(rows[act].gain) ? slope_gain(act, a, b) : rows[act].gain;
}

tonnx_scheme tonnx__activation_scheme(tonnx_activation act)
{
    if (!valid(act)) return TONNX_INIT_glorot_uniform;
    if (act == TONNX_ACT_selu) return TONNX_INIT_lecun_normal;
    return isnan(rows[act].gain) || rows[act].gain == LIKE_RELU ? TONNX_INIT_he_uniform : TONNX_INIT_glorot_uniform;
}

bool tonnx__activation_keeps_y(tonnx_activation act)
{
    return valid(act) && rows[act].keeps == 'y';
}

void tonnx_activation_describe(tonnx_activation act, tonnx_activation_info *out)
{
    *out = (tonnx_activation_info){ "none", "", 0, "", "", 0, 0, 1.0, false, false, -INFINITY, INFINITY };
    if (!valid(act)) return;
    const struct row *row = &rows[act];
    out->name = row->id;
    out->onnx_op = tonnx__unless_none(row->op);
    out->since = row->since;
    out->a_name = tonnx__unless_none(row->a);
    out->b_name = tonnx__unless_none(row->b);
    out->a_default = row->a_default;
    out->b_default = row->b_default;
    out->gain = tonnx__activation_gain(act, row->a_default, row->b_default);
    out->trained = act == TONNX_ACT_prelu;
    out->keeps_output = row->keeps == 'y';
    if (!isnan(row->below)) out->saturated_below = row->below;
    if (!isnan(row->above)) out->saturated_above = row->above;
}

tonnx_activation tonnx__activation_by_op(const char *op_type)
{
    for (int i = 0; i < TONNX_ACT_COUNT; i++)
        if (*tonnx__unless_none(rows[i].op) && !strcmp(rows[i].op, op_type)) return (tonnx_activation)i;
    return TONNX_ACT_NONE;
}

bool tonnx_activation_named(const char *name, tonnx_activation *out)
{
    for (int i = 0; i < TONNX_ACT_COUNT; i++)
        if (tonnx__same_name(name, strlen(name), rows[i].id)) {
            *out = (tonnx_activation)i;
            return true;
        }
    return false;
}

/* ":0.2" → 0.2 and what follows; the value stays where the text ends. False for anything that is no finite number. */
static bool parse_attribute(const char **text, double *value)
{
    char *end;
    if (**text == '\0') return true;
    if (**text != ':') return false;
    const double number = strtod(*text + 1, &end);
    if (end == *text + 1 || !isfinite(number) || isspace((unsigned char)(*text)[1])) return false;
    *text = end;
    *value = number;
    return true;
}

bool tonnx__activation_parse(const char *text, tonnx_activation *act, double *a, double *b)
{
    const size_t length = strcspn(text, ":");
    int i = 0;
    while (i < TONNX_ACT_COUNT && !tonnx__same_name(text, length, rows[i].id)) i++;
    if (i == TONNX_ACT_COUNT) return false;
    double first = rows[i].a_default, second = rows[i].b_default;
    text += length;
    if (*tonnx__unless_none(rows[i].a) && !parse_attribute(&text, &first)) return false;
    if (*tonnx__unless_none(rows[i].b) && !parse_attribute(&text, &second)) return false;
    if (*text) return false;
    *act = (tonnx_activation)i;
    *a = first;
    *b = second;
    return true;
}

/* Attributes come from files as floats: one that rounds to the same float is the same. */
static bool differs(double value, double otherwise)
{
    return (float)value != (float)otherwise;
}

void tonnx__activation_text(tonnx_activation act, double a, double b, char *text, size_t size)
{
    if (!valid(act)) {
        snprintf(text, size, "none");
        return;
    }
    const struct row *row = &rows[act];
    const bool has_a = *tonnx__unless_none(row->a), has_b = *tonnx__unless_none(row->b);
    if (has_b && differs(b, row->b_default)) snprintf(text, size, "%s:%.7g:%.7g", row->id, a, b);
    else if (has_a && differs(a, row->a_default)) snprintf(text, size, "%s:%.7g", row->id, a);
    else snprintf(text, size, "%s", row->id);
}

double tonnx__activation_f(tonnx_activation act, double x, double a, double b)
{
    switch (act) {
#define TONNX_ACTIVATION(id, ...)                                                                                      \
    case TONNX_ACT_##id:                                                                                               \
        return tonnx_act_f_##id##_f64(x, a, b);
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
    default:
        return x;
    }
}

double tonnx__activation_dxy(tonnx_activation act, double x, double y, double a, double b)
{
    switch (act) {
#define TONNX_ACTIVATION(id, ...)                                                                                      \
    case TONNX_ACT_##id:                                                                                               \
        return tonnx_act_d_##id##_f64(x, y, a, b);
#include "runtime/ops/activations.def"
#undef TONNX_ACTIVATION
    default:
        return 1.0;
    }
}

double tonnx__activation_d(tonnx_activation act, double x, double a, double b)
{
    return tonnx__activation_dxy(act, x, tonnx__activation_f(act, x, a, b), a, b);
}

double tonnx__activation_da(tonnx_activation act, double x, double a)
{
    (void)a; /* the output is linear in the one slope that is trained */
    return act == TONNX_ACT_prelu ? tonnx_act_da_prelu_f64(x) : 0.0;
}

void tonnx_activation_evaluate(tonnx_activation act, double x, double a, double b, double *y, double *slope)
{
    if (valid(act) && isnan(a)) a = rows[act].a_default;
    if (valid(act) && isnan(b)) b = rows[act].b_default;
    *y = tonnx__activation_f(act, x, a, b);
    *slope = tonnx__activation_dxy(act, x, *y, a, b);
}
