/* The ops that an expression knows: ONNX's element-wise ones as formulas, reductions along the features, and what only
 * moves a value about. */
#include "runtime/recognise/step_impl.h"

#include <math.h>
#include <string.h>

#define FORMULA(name, value)                                                                                           \
    static double f_##name(double a, double b, double c)                                                               \
    {                                                                                                                  \
        (void)a, (void)b, (void)c;                                                                                     \
        return value;                                                                                                  \
    }

FORMULA(abs, fabs(a))
FORMULA(neg, -a)
FORMULA(exp, exp(a))
FORMULA(log, log(a))
FORMULA(sqrt, sqrt(a))
FORMULA(reciprocal, 1 / a)
FORMULA(erf, erf(a))
FORMULA(sign, (a > 0) - (a < 0))
FORMULA(not, a == 0)
FORMULA(is_nan, isnan(a) != 0)
FORMULA(is_true, a != 0)
FORMULA(whole, trunc(a))
FORMULA(add, a + b)
FORMULA(sub, a - b)
FORMULA(mul, a *b)
FORMULA(div, a / b)
FORMULA(pow, pow(a, b))
FORMULA(max, isnan(b) || b > a ? b : a)
FORMULA(min, isnan(b) || b < a ? b : a)
FORMULA(greater, a > b)
FORMULA(less, a < b)
FORMULA(greater_equal, a >= b)
FORMULA(less_equal, a <= b)
FORMULA(equal, a == b)
FORMULA(and, a != 0 && b != 0)
FORMULA(or, a != 0 || b != 0)
FORMULA(where, a != 0 ? b : c)
FORMULA(clip, a<b ? b : a> c ? c : a)

static double fold_sum(double sum, double x)
{
    return sum + x;
}

static double fold_square(double sum, double x)
{
    return sum + x * x;
}

static double fold_exp(double sum, double x)
{
    return sum + exp(x);
}

static double fold_max(double sum, double x)
{
    return x > sum ? x : sum;
}

static double end_sum(double sum, size_t count)
{
    (void)count;
    return sum;
}

static double end_mean(double sum, size_t count)
{
    return sum / (double)count;
}

static double end_root(double sum, size_t count)
{
    (void)count;
    return sqrt(sum);
}

static double end_log(double sum, size_t count)
{
    (void)count;
    return log(sum);
}

#define MOVES(op)                                                                                                      \
    {                                                                                                                  \
        .op_type = op, .class = TONNX__STEP_MOVES, .inputs = 1                                                         \
    }
#define TAKES(op, count, f)                                                                                            \
    {                                                                                                                  \
        .op_type = op, .class = TONNX__STEP_FORMULA, .inputs = count, .formula = f_##f                                 \
    }
#define REDUCES(op, from, f, e)                                                                                        \
    {                                                                                                                  \
        .op_type = op, .class = TONNX__STEP_REDUCES, .inputs = 1, .start = from, .fold = fold_##f, .end = end_##e      \
    }

static const tonnx__step_op ops[] = {
    MOVES("Identity"),
    MOVES("Reshape"),
    MOVES("Expand"),
    MOVES("Squeeze"),
    MOVES("Unsqueeze"),
    TAKES("Abs", 1, abs),
    TAKES("Neg", 1, neg),
    TAKES("Exp", 1, exp),
    TAKES("Log", 1, log),
    TAKES("Sqrt", 1, sqrt),
    TAKES("Reciprocal", 1, reciprocal),
    TAKES("Erf", 1, erf),
    TAKES("Sign", 1, sign),
    TAKES("Not", 1, not ),
    TAKES("IsNaN", 1, is_nan),
    TAKES("Add", 2, add),
    TAKES("Sum", 2, add),
    TAKES("Sub", 2, sub),
    TAKES("Mul", 2, mul),
    TAKES("Div", 2, div),
    TAKES("Pow", 2, pow),
    TAKES("Max", 2, max),
    TAKES("Min", 2, min),
    TAKES("Greater", 2, greater),
    TAKES("Less", 2, less),
    TAKES("GreaterOrEqual", 2, greater_equal),
    TAKES("LessOrEqual", 2, less_equal),
    TAKES("Equal", 2, equal),
    TAKES("And", 2, and),
    TAKES("Or", 2, or),
    TAKES("Where", 3, where),
    TAKES("Clip", 3, clip),
    REDUCES("ReduceSum", 0, sum, sum),
    REDUCES("ReduceMean", 0, sum, mean),
    REDUCES("ReduceMax", -INFINITY, max, sum),
    REDUCES("ReduceSumSquare", 0, square, sum),
    REDUCES("ReduceL2", 0, square, root),
    REDUCES("ReduceLogSumExp", 0, exp, log),
};

/* Cast moves numbers between float types; to a truth value or a whole number it computes. */
static const tonnx__step_op *cast_op(const tonnx__node *node)
{
    static const tonnx__step_op move = MOVES("Cast"), truth = TAKES("Cast", 1, is_true),
                                whole = TAKES("Cast", 1, whole);
    switch (tonnx__node_int(node, "to", 0)) {
    case TONNX_FLOAT:
    case TONNX_DOUBLE:
    case TONNX_FLOAT16:
    case TONNX_BFLOAT16:
        return &move;
    case TONNX_BOOL:
        return &truth;
    case TONNX_INT32:
    case TONNX_INT64:
        return &whole;
    default:
        return NULL;
    }
}

bool tonnx__node_activation(const tonnx__node *node, tonnx_activation *act, double *a, double *b)
{
    const tonnx__attribute *approximate = tonnx__node_attribute(node, "approximate");
    tonnx_activation_info row;
    *act = tonnx__activation_by_op(node->op_type);
    if (*act == TONNX_ACT_NONE || *act == TONNX_ACT_prelu || *act == TONNX_ACT_hard_tanh) return false;
    if (*act == TONNX_ACT_gelu && approximate && approximate->s && !strcmp(approximate->s, "tanh"))
        *act = TONNX_ACT_gelu_tanh;
    tonnx_activation_describe(*act, &row);
    *a = *row.a_name ? tonnx__node_float(node, row.a_name, row.a_default) : row.a_default;
    *b = *row.b_name ? tonnx__node_float(node, row.b_name, row.b_default) : row.b_default;
    return true;
}

const tonnx__step_op *tonnx__step_op_of(const tonnx__node *node)
{
    static const tonnx__step_op book = { .class = TONNX__STEP_BOOK, .inputs = 1 };
    tonnx_activation act;
    double a, b;
    if (*node->domain && strcmp(node->domain, "ai.onnx") != 0) return NULL;
    if (!strcmp(node->op_type, "Cast")) return cast_op(node);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (strcmp(node->op_type, ops[i].op_type) != 0) continue;
        const bool any_count = ops[i].inputs != 2; /* Max, Min and Sum take any number: two are read */
        return any_count || node->input_count == 2 ? &ops[i] : NULL;
    }
    return tonnx__node_activation(node, &act, &a, &b) ? &book : NULL;
}
