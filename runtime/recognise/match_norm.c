/* Norms and softmax that are spelled out: an expression in one value and up to four constants per feature is one of
 * them where it has the same values. Which constant is the mean, the variance, the scale or the shift is found by
 * trying. */
#include <math.h>
#include <string.h>

#include "runtime/fold_impl.h"
#include "runtime/recognise/expression_impl.h"

/* The roles of a norm's constants: row_of[role] is the expression's row, or -1. */
enum { SCALE, SHIFT, MEAN, VARIANCE, ROLES };

/* The divisor is √(variance + epsilon) + more, or the floor where that is less. */
typedef struct norm {
    int row_of[ROLES];
    double epsilon, more, floor;
} norm;

/* Samples asked about: modest ones; great ones, where e^x may overflow in a spelling that is right: of both signs, all
 * below every bound, all above; none but zeros, and ones; and two for each of a few small numbers that may be an
 * epsilon, so near to zero that it shows. Of two features a norm says little more than which is the greater. */
enum { MODEST = 3, BELOW = MODEST + 1, ABOVE, ZEROS, ONES, NEAR, SMALL = 4, ROWS = NEAR + 2 * SMALL };
enum { NARROW = 8, WIDEST = 1 << 14 };

typedef struct trial {
    const tonnx__expression *expression;
    double small[SMALL]; /* its numbers that may be an epsilon, or a divisor's least value */
    size_t small_count, rows, cols;
    double *x, *y, *row[TONNX__MAX_ROWS];
} trial;

/* A number in (0, 1) that is anyone's guess: Weyl's sequence. */
static double guess(size_t i)
{
    const double product = (double)(i + 1) * 0.61803398874989485;
    return product - floor(product);
}

/* Beyond every number of the expression that could be a bound: a Clip must show. */
static double beyond_bounds(const tonnx__expression *e)
{
    double most = 0;
    for (int i = 0; i < e->count; i++) {
        const double size = e->steps[i].kind == TONNX__STEP_NUMBER ? fabs(e->steps[i].number) : 0;
        if (e->steps[i].needed && size > most && size < 1e6) most = size;
    }
    return 10 * (1 + most);
}

/* The least of the expression's numbers below ½, each once. */
static void find_small_numbers(trial *t)
{
    const tonnx__expression *e = t->expression;
    for (int i = 0; i < e->count; i++) {
        const double number = e->steps[i].kind == TONNX__STEP_NUMBER && e->steps[i].needed ? e->steps[i].number : 0;
        size_t at = 0, last = t->small_count;
        while (at < last && t->small[at] < number) at++;
        if (!(number > 0 && number < 0.5) || at == SMALL || (at < last && t->small[at] == number)) continue;
        if (last < SMALL) t->small_count++;
        for (size_t k = t->small_count - 1; k > at; k--) t->small[k] = t->small[k - 1];
        t->small[at] = number;
    }
}

/* How large each sample's numbers are. */
static void choose_sizes(const trial *t, double great, double size[ROWS])
{
    for (size_t r = 0; r < ROWS; r++) size[r] = 1;
    for (size_t i = 0; i < t->small_count; i++) {
        size[NEAR + 2 * i] = 0.01 * sqrt(t->small[i]);
        size[NEAR + 2 * i + 1] = 0.01 * t->small[i];
    }
    size[0] = 2;
    size[1] = 0.3;
    size[2] = 0.01;
    size[MODEST] = great;
}

/* x differs in size from sample to sample, and every other constant comes near zero, so that an epsilon shows. */
static void choose_values(trial *t)
{
    const double great = beyond_bounds(t->expression);
    double size[ROWS];
    choose_sizes(t, great, size);
    for (size_t i = 0; i < t->rows * t->cols; i++) t->x[i] = size[i / t->cols] * (2 * guess(i) - 0.9);
    t->x[MODEST * t->cols] = 100 * great * (double)t->cols; /* where one stands out, a norm comes near √cols */
    for (size_t c = 0; c < t->cols; c++) {
        t->x[BELOW * t->cols + c] = -great * (1 + guess(c));
        t->x[ABOVE * t->cols + c] = great * (1 + guess(c));
        t->x[ZEROS * t->cols + c] = 0;
        t->x[ONES * t->cols + c] = 1;
    }
    for (size_t k = 0; k < TONNX__MAX_ROWS; k++)
        for (size_t c = 0; c < t->cols; c++) {
            const double g = guess(c * TONNX__MAX_ROWS + k + 17);
            const bool tiny = !t->expression->reduces && c % 2 && c / 2 < t->small_count; /* a variance beside an epsilon */
            t->row[k][c] = tiny ? t->small[c / 2] * (g + 0.5) : c % 2 ? pow(g, 3) + 1e-3 : great * (g + 0.5);
        }
}

static tonnx_status trial_new(trial *t, const tonnx__expression *e, size_t cols)
{
    double *all = NULL;
    *t = (trial){ .expression = e, .cols = cols };
    find_small_numbers(t);
    t->rows = NEAR + 2 * t->small_count;
    const tonnx_status status = tonnx__alloc(&all, (2 * t->rows + TONNX__MAX_ROWS) * cols, sizeof *all);
    if (status) return status;
    t->x = all;
    t->y = all + t->rows * cols;
    for (size_t k = 0; k < TONNX__MAX_ROWS; k++) t->row[k] = all + (2 * t->rows + k) * cols;
    choose_values(t);
    const tonnx__probe probe = { t->rows, cols, t->x, { t->row[0], t->row[1], t->row[2], t->row[3] } };
    return tonnx__expression_values(e, &probe, t->y);
}

static bool close_to(double y, double wanted)
{
    return fabs(y - wanted) <= 1e-6 * (fabs(wanted) + 1e-2);
}

static double constant_of(const trial *t, const norm *n, int role, size_t c, double otherwise)
{
    return n->row_of[role] < 0 ? otherwise : t->row[n->row_of[role]][c];
}

/* y = scale·(x − mean)/max(√(variance + ε) + more, floor) + shift, the mean and the variance given. Of equal numbers a norm
 * without an epsilon is 0/0, where a spelling may have another divisor. */
static bool row_fits(const trial *t, const norm *n, size_t r, double mean, double variance)
{
    for (size_t c = 0; c < t->cols; c++) {
        const double m = constant_of(t, n, MEAN, c, mean), v = constant_of(t, n, VARIANCE, c, variance);
        const double divisor = fmax(sqrt(v + n->epsilon) + n->more, n->floor);
        const double wanted =
            constant_of(t, n, SCALE, c, 1) * (t->x[r * t->cols + c] - m) / divisor + constant_of(t, n, SHIFT, c, 0);
        const bool any = (r == ZEROS || r == ONES) && isnan(wanted);
        if (!any && !close_to(t->y[r * t->cols + c], wanted)) return false;
    }
    return true;
}

static double mean_of(const double *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += x[i];
    return sum / (double)count;
}

/* The mean of (x − around)². */
static double spread_of(const double *x, size_t count, double around)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (x[i] - around) * (x[i] - around);
    return sum / (double)count;
}

static bool fits(const trial *t, tonnx__layer_kind kind, const norm *n)
{
    for (size_t r = 0; r < t->rows; r++) {
        const double *x = t->x + r * t->cols;
        const double mean = kind == TONNX__LAYER_LAYER_NORM ? mean_of(x, t->cols) : 0;
        const double variance = kind == TONNX__LAYER_BATCH_NORM ? 0 : spread_of(x, t->cols, mean);
        if (!row_fits(t, n, r, mean, variance)) return false;
    }
    return true;
}

/* What a small number e may be to the root r of the mean square, or of the variance: √(r² + e); r + e, max(r, e) and
 * max(r, √e); and with the norm, √n·r, in place of the root, the same of e/√n and √(e/n). All but the first are read
 * where they are too small to matter but to a sample of zeros: as an epsilon, squared, they do the same but around that
 * value. */
enum { ADDED, ROOT_AND, LEAST_ROOT, LEAST_SQUARE, NORM_AND, LEAST_NORM, LEAST_SQUARES, WAYS };

/* False where the number is too large for that. */
static bool set_epsilon(norm *n, int way, double e, size_t cols)
{
    const double of_norm = way >= NORM_AND ? sqrt((double)cols) : 1;
    const double least = (way == LEAST_SQUARE || way == LEAST_SQUARES ? sqrt(e) : e) / of_norm;
    const bool more = way == ROOT_AND || way == NORM_AND;
    n->epsilon = way == ADDED ? e : 0;
    n->more = more ? least : 0;
    n->floor = way == ADDED || more ? 0 : least;
    return way == ADDED || least <= 1e-6;
}

/* Tries no epsilon, and every small number of the expression in all ways. */
static bool fits_with_epsilon(const trial *t, tonnx__layer_kind kind, norm *n)
{
    set_epsilon(n, ADDED, 0, t->cols);
    if (fits(t, kind, n)) return true;
    for (size_t i = 0; i < t->small_count; i++)
        for (int way = ADDED; way < WAYS; way++) {
            if (!set_epsilon(n, way, t->small[i], t->cols) || !fits(t, kind, n)) continue;
            n->epsilon += n->more * n->more + n->floor * n->floor;
            return true;
        }
    return false;
}

/* The next way of giving rows roles: `way` counts in base ROLES. False where two rows get one role, or a role that this
 * kind of norm does not take from a constant, or lacks one that it must have. */
static bool give_roles(norm *n, size_t way, size_t rows, tonnx__layer_kind kind)
{
    const bool batch = kind == TONNX__LAYER_BATCH_NORM;
    for (size_t role = 0; role < ROLES; role++) n->row_of[role] = -1;
    for (size_t k = 0; k < rows; k++, way /= ROLES) {
        const size_t role = way % ROLES;
        if (n->row_of[role] >= 0 || (role >= MEAN && !batch) || (role == SHIFT && kind == TONNX__LAYER_RMS_NORM))
            return false;
        n->row_of[role] = (int)k;
    }
    return !batch || (n->row_of[MEAN] >= 0 && n->row_of[VARIANCE] >= 0);
}

static bool find_norm(const trial *t, tonnx__layer_kind kind, norm *n)
{
    const size_t rows = t->expression->row_count;
    size_t ways = 1;
    for (size_t k = 0; k < rows; k++) ways *= ROLES;
    for (size_t way = 0; way < ways; way++)
        if (give_roles(n, way, rows, kind) && fits_with_epsilon(t, kind, n)) return true;
    return false;
}

/* A row of softmax, or of its logarithm. A spelling that is right may overflow in great numbers; what it gives there is
 * none. */
static bool is_softmax_row(const double *x, const double *y, size_t cols, bool in_logs, bool great)
{
    double most = -INFINITY, sum = 0;
    for (size_t c = 0; c < cols; c++) most = fmax(most, x[c]);
    for (size_t c = 0; c < cols; c++) sum += exp(x[c] - most);
    for (size_t c = 0; c < cols; c++) {
        const double wanted = in_logs ? x[c] - most - log(sum) : exp(x[c] - most) / sum;
        if (!close_to(y[c], wanted) && !(great && !isfinite(y[c]))) return false;
    }
    return true;
}

/* y = e^x / Σe^x, or its logarithm. */
static bool is_softmax(const trial *t, bool in_logs)
{
    for (size_t r = 0; r < t->rows; r++) {
        const bool great = r >= MODEST && r <= ABOVE;
        if (!is_softmax_row(t->x + r * t->cols, t->y + r * t->cols, t->cols, in_logs, great)) return false;
    }
    return true;
}

static tonnx_status add_layer(tonnx__builder *builder, tonnx__layer **out, const tonnx__expression *e,
                              const tonnx__node *node, tonnx__layer_kind kind)
{
    const tonnx__fact *x = tonnx__fact_of(builder, e->steps[e->x].name);
    const tonnx__operand in = { x->value, -1 };
    char ops[128];
    const tonnx_status status =
        tonnx__layer_add(builder, out, kind, node, &in, 1, builder->net->values[x->value].features, NULL);
    if (status) return status;
    tonnx__expression_ops(e, ops, sizeof ops);
    tonnx__free((*out)->op);
    return tonnx__strdup(&(*out)->op, ops);
}

/* A batch norm without a scale or a shift of its own: ones or zeros, which are not trained. */
static tonnx_status add_neutral(tonnx__builder *builder, int *out, const tonnx__expression *e, const tonnx__node *node,
                                int role)
{
    const tonnx__fact *x = tonnx__fact_of(builder, e->steps[e->x].name);
    const size_t dims[1] = { builder->net->values[x->value].features };
    tonnx__derivation d;
    tonnx_status status = tonnx__derive_start(&d, builder, node, TONNX_FLOAT, 1, dims);
    for (size_t i = 0; i < dims[0] && !status; i++)
        status = tonnx__derive_put(&d, i, (tonnx__number){ role == SCALE ? 1 : 0, 0 });
    return status ? status : tonnx__param_vector(builder, out, TONNX__ROLE_CONSTANT, &d.fact, node, 0);
}

static tonnx_status add_param(tonnx__builder *builder, int *out, const tonnx__expression *e, const tonnx__node *node,
                              tonnx__layer_kind kind, const norm *n, int role)
{
    static const tonnx__role roles[ROLES] = { TONNX__ROLE_SCALE, TONNX__ROLE_SHIFT, TONNX__ROLE_MEAN,
                                              TONNX__ROLE_VARIANCE };
    if (n->row_of[role] < 0)
        return kind == TONNX__LAYER_BATCH_NORM ? add_neutral(builder, out, e, node, role) : TONNX_OK;
    const tonnx__step *step = &e->steps[e->rows[n->row_of[role]]];
    return tonnx__param_vector(builder, out, roles[role], tonnx__fact_of(builder, step->name), step->user,
                               step->user_input);
}

static tonnx_status add_norm(tonnx__builder *builder, const tonnx__expression *e, const tonnx__node *node,
                             tonnx__layer_kind kind, const norm *n)
{
    int params[ROLES] = { -1, -1, -1, -1 };
    tonnx__layer *layer = NULL;
    tonnx_status status = TONNX_OK;
    for (int role = 0; role < ROLES && !status; role++)
        status = add_param(builder, &params[role], e, node, kind, n, role);
    if (!status) status = add_layer(builder, &layer, e, node, kind);
    if (status) return status;
    layer->weight = params[SCALE];
    layer->bias = params[SHIFT];
    layer->mean = params[MEAN];
    layer->variance = params[VARIANCE];
    layer->epsilon = n->epsilon;
    layer->momentum = kind == TONNX__LAYER_BATCH_NORM ? tonnx__producer_momentum(builder, node) : 0;
    return TONNX_OK;
}

static tonnx_status match(tonnx__builder *builder, const trial *t, const tonnx__node *node, bool *known)
{
    static const tonnx__layer_kind kinds[] = { TONNX__LAYER_BATCH_NORM, TONNX__LAYER_LAYER_NORM,
                                               TONNX__LAYER_RMS_NORM };
    const tonnx__expression *e = t->expression;
    tonnx__layer *layer = NULL;
    tonnx_status status = TONNX_OK;
    norm n;
    for (size_t k = 0; k < 3 && !*known; k++) {
        if (e->reduces != (kinds[k] != TONNX__LAYER_BATCH_NORM) || !find_norm(t, kinds[k], &n)) continue;
        *known = true;
        status = add_norm(builder, e, node, kinds[k], &n);
    }
    for (int in_logs = 0; in_logs < 2 && e->reduces && !e->row_count && !*known; in_logs++) {
        if (!is_softmax(t, in_logs)) continue;
        *known = true;
        status = add_layer(builder, &layer, e, node, TONNX__LAYER_SOFTMAX);
        if (!status) layer->log = in_logs;
    }
    return status;
}

/* True where every row holds one number per feature of [N, F]. */
static bool rows_fit(const tonnx__builder *builder, const tonnx__expression *e, const tonnx__fact *x)
{
    for (size_t k = 0; k < e->row_count; k++)
        if (!tonnx__fact_is_row(tonnx__fact_of(builder, e->steps[e->rows[k]].name),
                                builder->net->values[x->value].features))
            return false;
    return x->rank == 2 && !x->transposed;
}

tonnx_status tonnx__match_norm(tonnx__builder *builder, const tonnx__expression *e, const tonnx__node *node,
                               bool *known)
{
    const tonnx__fact *x = tonnx__fact_of(builder, e->steps[e->x].name);
    const size_t features = builder->net->values[x->value].features;
    trial t = { 0 };
    /* A batch norm has a mean and a variance, the others a reduction: no other expression is worth the trouble. */
    if ((!e->reduces && e->row_count < 2) || features > WIDEST || !rows_fit(builder, e, x)) return TONNX_OK;
    tonnx_status status = trial_new(&t, e, e->reduces ? features : NARROW);
    if (!status) status = match(builder, &t, node, known);
    tonnx__free(t.x);
    return status;
}
