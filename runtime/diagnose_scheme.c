#include "runtime/diagnose_scheme_impl.h"

#include <math.h>
#include <stdio.h>

#include "runtime/recipe_impl.h"

/* Every scheme is a hypothesis: a distribution of a known width. Its likelihood follows from the count, the mean square
 * and the largest element alone, as those are all that a uniform, a normal and a cut normal depend on. The likeliest
 * wins, less what it costs to believe in it: nothing for the defaults of the frameworks, more for numbers that somebody
 * had to choose. Whether the winner fits at all is then judged by the sampling errors of mean, variance and kurtosis.
 */

enum { DISTRIBUTIONS = 3, MOST_HYPOTHESES = 48 };

/* Kurtosis, n times the variance of a sample's kurtosis, and n times the relative variance of a sample's variance; by
 * tonnx__distribution. */
static const struct {
    double kurtosis, spread, variance_spread;
} shapes[DISTRIBUTIONS] = { { 1.8, 1.317, 0.8 }, { 3.0, 24.0, 2.0 }, { 2.3655, 3.848, 1.3655 } };

/* How far from what a scheme says a fresh tensor can be, in standard errors and in nats of likelihood. */
#define MOST_ERRORS 5.0
#define MOST_LOSS   12.0

typedef struct hypothesis {
    tonnx_scheme scheme;
    tonnx__fan fan;
    tonnx__distribution distribution;
    double std;
    double number; /* what stands in the name: STD, R or SCALE; 0 where nothing does */
    double score;  /* log-likelihood less cost */
    int key;       /* the same for the same scheme in other tensors of the model */
    int digits;    /* of `number`; 0: a common one */
} hypothesis;

typedef struct hypotheses {
    const tonnx__scheme_facts *facts;
    hypothesis list[MOST_HYPOTHESES];
    size_t count;
} hypotheses;

/* A scheme with a fan, in its uniform and normal form (TONNX_INIT_COUNT: it has none), and its cost in nats. */
typedef struct family {
    tonnx_scheme uniform, normal;
    tonnx__fan fan;
    double gain; /* 0: that of the activation that follows */
    double cost;
} family;

static const family families[] = {
    { TONNX_INIT_he_uniform, TONNX_INIT_he_normal, TONNX__FAN_in, 1.4142135623730951, 0.0 },
    { TONNX_INIT_glorot_uniform, TONNX_INIT_glorot_normal, TONNX__FAN_avg, 1.0, 0.0 },
    { TONNX_INIT_torch_default, TONNX_INIT_COUNT, TONNX__FAN_in, 0.5773502691896257, 0.0 },
    { TONNX_INIT_lecun_uniform, TONNX_INIT_lecun_normal, TONNX__FAN_in, 1.0, 0.5 },
    { TONNX_INIT_he_uniform, TONNX_INIT_he_normal, TONNX__FAN_in, 0.0, 2.0 },
    { TONNX_INIT_glorot_uniform, TONNX_INIT_glorot_normal, TONNX__FAN_avg, 1.6666666666666667, 3.0 },
    { TONNX_INIT_he_uniform, TONNX_INIT_he_normal, TONNX__FAN_in, 1.6666666666666667, 4.0 },
};
enum { FAMILIES = sizeof families / sizeof *families };

/* Keys beyond those of families: schemes whose width is a number, and variance-scaling by fan; then "trained". */
enum {
    KEY_FREE = FAMILIES * DISTRIBUTIONS,
    KEY_SCALING = KEY_FREE + DISTRIBUTIONS,
    KEYS = KEY_SCALING + 3 * DISTRIBUTIONS
};

static double most_of(const tonnx__scheme_facts *f)
{
    return fmax(fabs(f->least), fabs(f->most));
}

/* Largest |element| ÷ deviation of the distribution: √3, none, 2 before the deviation is put right. */
static double reach(tonnx__distribution distribution)
{
    return distribution == TONNX__DISTRIBUTION_uniform  ? sqrt(3.0)
           : distribution == TONNX__DISTRIBUTION_normal ? INFINITY
                                                        : 2.0 / TONNX__TRUNCATED_STD;
}

/* ln p(all elements | distribution of deviation std around 0), but for terms that every hypothesis has. */
static double likelihood(const tonnx__scheme_facts *f, tonnx__distribution distribution, double std)
{
    const double n = (double)f->count, square = f->variance + f->mean * f->mean;
    const double slack = 1.0 + 1e-6 + 2.0 * f->rounding;
    if (most_of(f) > reach(distribution) * std * slack) return -INFINITY;
    if (distribution == TONNX__DISTRIBUTION_uniform) return -n * log(2.0 * sqrt(3.0) * std);
    const bool cut = distribution == TONNX__DISTRIBUTION_truncated;
    const double s = cut ? std / TONNX__TRUNCATED_STD : std, inside = cut ? 0.9544997361036416 : 1.0;
    return -n * (log(s * inside * 2.5066282746310002) + square / (2.0 * s * s));
}

/* The deviation that makes the elements likeliest. A cut normal's is taken from its variance. */
static double likeliest_std(const tonnx__scheme_facts *f, tonnx__distribution distribution)
{
    const double std = sqrt(f->variance + f->mean * f->mean);
    if (distribution == TONNX__DISTRIBUTION_uniform) return most_of(f) / sqrt(3.0);
    return distribution == TONNX__DISTRIBUTION_normal ? std : fmax(std, most_of(f) / reach(distribution));
}

static void suppose(hypotheses *h, hypothesis one, double cost)
{
    one.score = likelihood(h->facts, one.distribution, one.std) - cost;
    if (isfinite(one.score)) h->list[h->count++] = one;
}

/* Numbers that people write, the likelier first. */
static const double common_stds[] = { 1.0, 0.02, 0.01, 0.05, 0.1, 0 }, common_scales[] = { 1.0, 2.0, 0 };

/* The number of fewest digits within [low, high]; *digits says how many. */
static double shortest(double low, double high, int *digits)
{
    const double middle = (low + high) / 2.0;
    for (*digits = 1; *digits < 6; ++*digits) {
        const double unit = pow(10.0, floor(log10(middle)) + 1 - *digits);
        const double number = round(middle / unit) * unit;
        if (number >= low && number <= high) return number;
        if (ceil(low / unit) * unit <= high) return ceil(low / unit) * unit;
    }
    return middle;
}

/* A common number (*digits: 0) that lies in the range or as much beside it, else the shortest in the range. */
static double likely_number(double low, double high, const double *common, int *digits)
{
    const double margin = (high - low) / 2.0;
    for (*digits = 0; *common > 0.0; common++)
        if (*common >= low - margin && *common <= high + margin) return *common;
    return shortest(low, high, digits);
}

/* Deviations that the tensor may have been drawn with: two standard errors, or where the largest element tells it, from
 * there to where it would be missed by e⁻⁵. */
static void plausible(const tonnx__scheme_facts *f, tonnx__distribution distribution, double *low, double *high)
{
    const double n = (double)f->count, std = likeliest_std(f, distribution);
    const double error = sqrt(shapes[distribution].variance_spread / n);
    const bool uniform = distribution == TONNX__DISTRIBUTION_uniform;
    *low = uniform ? std * (1.0 - 1e-6 - 2.0 * f->rounding) : std * (1.0 - fmin(error, 0.5));
    *high = uniform ? std * (1.0 + 5.0 / n) : std * (1.0 + error);
}

/* normal:STD, uniform:R, truncated-normal:STD, with the likeliest number that fits. */
static void suppose_free(hypotheses *h, tonnx__distribution distribution)
{
    static const tonnx_scheme schemes[] = { TONNX_INIT_uniform, TONNX_INIT_normal, TONNX_INIT_truncated_normal };
    const double unit = distribution == TONNX__DISTRIBUTION_uniform ? sqrt(3.0) : 1.0;
    hypothesis one = { .scheme = schemes[distribution], .fan = TONNX__FAN_none, .distribution = distribution };
    double low, high;
    plausible(h->facts, distribution, &low, &high);
    one.number = likely_number(low * unit, high * unit, common_stds, &one.digits);
    one.std = one.number / unit;
    one.key = KEY_FREE + (int)distribution;
    suppose(h, one, one.digits ? 2.5 + 2.0 * one.digits : 2.0);
}

static double fan_of(const tonnx__scheme_facts *f, tonnx__fan fan)
{
    const double in = (double)f->fan_in, out = (double)f->fan_out;
    return fan == TONNX__FAN_in ? in : fan == TONNX__FAN_out ? out : fan == TONNX__FAN_avg ? (in + out) / 2.0 : 1.0;
}

/* variance-scaling:SCALE:MODE:DIST, with the likeliest scale that fits. */
static void suppose_scaling(hypotheses *h, tonnx__fan fan, tonnx__distribution distribution)
{
    const double size = fan_of(h->facts, fan);
    hypothesis one = { .scheme = TONNX_INIT_variance_scaling, .fan = fan, .distribution = distribution };
    double low, high;
    plausible(h->facts, distribution, &low, &high);
    one.number = likely_number(low * low * size, high * high * size, common_scales, &one.digits);
    one.std = sqrt(one.number / size);
    one.key = KEY_SCALING + (int)fan * DISTRIBUTIONS + (int)distribution;
    suppose(h, one, one.digits ? 4.5 + 2.5 * one.digits : 2.5);
}

/* LeCun's is what SELU asks for, and seldom anything else's. */
static bool suits_selu(const tonnx__scheme_facts *f, const family *row)
{
    return f->gain == 0.75 && row->normal == TONNX_INIT_lecun_normal;
}

static void suppose_family(hypotheses *h, int which, tonnx__distribution distribution)
{
    const family *row = &families[which];
    const bool uniform = distribution == TONNX__DISTRIBUTION_uniform;
    const double gain = row->gain > 0.0 ? row->gain : h->facts->gain;
    hypothesis one = { .scheme = uniform ? row->uniform : row->normal, .fan = row->fan, .distribution = distribution };
    if (one.scheme == TONNX_INIT_COUNT || !(gain > 0.0)) return;
    one.std = gain / sqrt(fan_of(h->facts, row->fan));
    one.key = which * DISTRIBUTIONS + (int)distribution;
    suppose(h, one,
            row->cost + (distribution == TONNX__DISTRIBUTION_truncated ? 0.7 : 0.0) -
                (suits_selu(h->facts, row) ? 2.5 : 0.0));
}

/* A bias has no fan of its own; PyTorch's default gives it its layer's. */
static void suppose_bias(hypotheses *h)
{
    hypothesis one = { .scheme = TONNX_INIT_torch_default, .fan = TONNX__FAN_in };
    one.std = 1.0 / sqrt(3.0 * (double)h->facts->fan_in);
    one.key = 2 * DISTRIBUTIONS;
    suppose(h, one, 0.0);
}

static void suppose_all(hypotheses *h, const tonnx__scheme_facts *facts)
{
    h->facts = facts;
    h->count = 0;
    if (facts->bias) suppose_bias(h);
    for (int d = 0; d < DISTRIBUTIONS; d++) {
        const tonnx__distribution distribution = (tonnx__distribution)d;
        suppose_free(h, distribution);
        if (facts->bias) continue;
        for (int i = 0; i < FAMILIES; i++) suppose_family(h, i, distribution);
        for (int fan = 0; fan < 3; fan++) suppose_scaling(h, (tonnx__fan)fan, distribution);
    }
}

static const hypothesis *best_of(const hypotheses *h, const double *votes)
{
    const hypothesis *best = NULL;
    double most = -INFINITY;
    for (size_t i = 0; i < h->count; i++) {
        const double score = h->list[i].score + (votes ? votes[h->list[i].key] : 0.0);
        if (best && score <= most) continue;
        best = &h->list[i];
        most = score;
    }
    return best;
}

/* Could a tensor drawn so have this mean, this shape, this spread? */
static bool fits(const tonnx__scheme_facts *f, const hypothesis *one)
{
    const double n = (double)f->count;
    const tonnx__distribution d = one->distribution;
    if (fabs(f->mean) > MOST_ERRORS * one->std / sqrt(n)) return false;
    if (f->count >= 8 && fabs(f->kurtosis - shapes[d].kurtosis) > MOST_ERRORS * sqrt(shapes[d].spread / n) + 4.0 / n)
        return false;
    return likelihood(f, d, likeliest_std(f, d)) - likelihood(f, d, one->std) < MOST_LOSS;
}

/* "he-normal", "normal:0.02", "variance-scaling:2:fan-avg:uniform" */
static void name_of(const hypothesis *one, char *name, size_t size)
{
    const char *scheme = tonnx_scheme_name(one->scheme);
    if (one->scheme == TONNX_INIT_variance_scaling)
        snprintf(name, size, "%s:%.5g:%s:%s", scheme, one->number, tonnx__fan_name(one->fan),
                 tonnx__distribution_name(one->distribution));
    else if (one->number > 0.0) snprintf(name, size, "%s:%.5g", scheme, one->number);
    else snprintf(name, size, "%s", scheme);
}

static void answer(const tonnx__scheme_facts *f, const hypothesis *one, tonnx__scheme_match *out)
{
    const double said = one->std * one->std;
    const double error = said * sqrt(shapes[one->distribution].variance_spread / (double)f->count);
    *out = (tonnx__scheme_match){ .trained = !fits(f, one),
                                  .scheme = one->scheme,
                                  .distribution = one->distribution,
                                  .gain = one->std * sqrt(fan_of(f, one->fan)),
                                  .variance = said,
                                  .z = (f->variance - said) / error };
    if (out->trained) snprintf(out->name, sizeof out->name, "trained");
    else name_of(one, out->name, sizeof out->name);
}

/* An answer that needs no sampling theory. */
static void answer_fixed(tonnx__scheme_match *out, tonnx_scheme scheme, double gain, double variance)
{
    *out = (tonnx__scheme_match){ .scheme = scheme, .gain = gain, .variance = variance, .z = (double)NAN };
    out->distribution = tonnx__scheme_describe(scheme).distribution;
    snprintf(out->name, sizeof out->name, "%s", tonnx_scheme_name(scheme));
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-3 * fabs(b);
}

/* Orthogonal matrices of a length that nobody would ask for were scaled by what data made of them. */
static void answer_orthogonal(const tonnx__scheme_facts *f, tonnx__scheme_match *out)
{
    const double gain = f->orthogonal_gain, longest = fmax((double)f->fan_in, (double)f->fan_out);
    const bool asked = near(gain, 1.0) || near(gain, sqrt(2.0)) || near(gain, 5.0 / 3.0) || near(gain, f->gain);
    answer_fixed(out, asked ? TONNX_INIT_orthogonal : TONNX_INIT_lsuv, gain, gain * gain / longest);
}

/* Numbers so far out that no distribution can be thought of. */
static void answer_none(tonnx__scheme_match *out)
{
    answer_fixed(out, TONNX_INIT_constant, (double)NAN, (double)NAN);
    out->trained = true;
    snprintf(out->name, sizeof out->name, "trained");
}

/* Constants, the identity, orthogonal matrices; numbers that no scheme draws. False where the rest decides. */
static bool is_fixed(const tonnx__scheme_facts *f, tonnx__scheme_match *out)
{
    const bool constant = f->count && f->least == f->most;
    if (!f->count || !isfinite(f->variance) || !isfinite(most_of(f))) answer_none(out);
    else if (constant && (f->least == 0.0 || f->least == 1.0))
        answer_fixed(out, f->least == 0.0 ? TONNX_INIT_zeros : TONNX_INIT_ones, f->least, 0.0);
    else if (f->identity) answer_fixed(out, TONNX_INIT_identity, f->most, (double)NAN);
    else if (f->orthogonal_gain > 0.0) answer_orthogonal(f, out);
    else if (constant) {
        answer_fixed(out, TONNX_INIT_constant, f->least, 0.0);
        snprintf(out->name, sizeof out->name, "constant:%.6g", f->least);
    } else return false;
    return true;
}

void tonnx__scheme_closest(const tonnx__scheme_facts *facts, tonnx__scheme_match *out)
{
    tonnx__schemes_closest(facts, 1, out);
}

/* Adds, by key, the share of belief that each hypothesis has: all of one tensor's together are 1. */
static void vote(const hypotheses *h, double weight, double *votes)
{
    const hypothesis *best = best_of(h, NULL);
    double sum = 0;
    for (size_t i = 0; i < h->count; i++) sum += exp(h->list[i].score - best->score);
    for (size_t i = 0; i < h->count; i++) votes[h->list[i].key] += weight * exp(h->list[i].score - best->score) / sum;
}

/* What the other tensors make of a scheme, in nats: ln(¼ + their votes). */
static void answer_among(const tonnx__scheme_facts *facts, const double *votes, tonnx__scheme_match *out)
{
    hypotheses h;
    double own[KEYS];
    suppose_all(&h, facts);
    for (int key = 0; key < KEYS; key++) own[key] = votes[key];
    if (!h.count) {
        answer_none(out);
        return;
    }
    vote(&h, -1.0, own);
    for (int key = 0; key < KEYS; key++) own[key] = log(0.25 + fmax(own[key], 0.0));
    answer(facts, best_of(&h, own), out);
}

void tonnx__schemes_closest(const tonnx__scheme_facts *facts, size_t count, tonnx__scheme_match *out)
{
    double votes[2][KEYS] = { { 0 } }; /* of weights, of biases */
    hypotheses h;
    for (size_t i = 0; i < count; i++) {
        if (is_fixed(&facts[i], &out[i])) continue;
        suppose_all(&h, &facts[i]);
        if (h.count && fits(&facts[i], best_of(&h, NULL))) vote(&h, 1.0, votes[facts[i].bias]);
    }
    for (size_t i = 0; i < count; i++)
        if (!is_fixed(&facts[i], &out[i])) answer_among(&facts[i], votes[facts[i].bias], &out[i]);
}

/* A weight as vectors along its longer side. */
typedef struct view {
    tonnx__element_fn at;
    const void *user;
    size_t vectors, length;
    bool by_rows;
} view;

static double element(const view *v, size_t vector, size_t i)
{
    return v->by_rows ? v->at(v->user, vector, i) : v->at(v->user, i, vector);
}

static double product(const view *v, size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = 0; i < v->length; i++) sum += element(v, a, i) * element(v, b, i);
    return sum;
}

/* A few vectors, none twice: *count of them into `picked`. */
enum { MOST_PICKED = 4 };
static size_t pick(const view *v, size_t picked[MOST_PICKED])
{
    const size_t wanted[MOST_PICKED] = { 0, v->vectors / 3, v->vectors / 2, v->vectors - 1 };
    size_t count = 0;
    for (size_t i = 0; i < MOST_PICKED; i++)
        if (!count || wanted[i] > picked[count - 1]) picked[count++] = wanted[i];
    return count;
}

/* One element on the diagonal per vector: the count of zeros says so for all, a few vectors for themselves. */
static bool looks_identical(const tonnx__scheme_facts *f, const view *v)
{
    size_t picked[MOST_PICKED];
    const size_t count = pick(v, picked);
    if (f->zeros != f->count - v->vectors || f->least < 0.0) return false;
    for (size_t i = 0; i < count; i++)
        if (element(v, picked[i], picked[i]) != f->most) return false;
    return f->most > 0.0;
}

/* The vectors' common length where a few of them are orthogonal. A single vector always is: only length 1 says
 * something. */
static double look_orthogonal(const tonnx__scheme_facts *f, const view *v)
{
    size_t picked[MOST_PICKED];
    const size_t count = pick(v, picked);
    const double square = product(v, picked[0], picked[0]);
    const double slack = (2e-5 + 4.0 * f->rounding / sqrt((double)v->length)) * square;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j <= i; j++)
            if (fabs(product(v, picked[i], picked[j]) - (i == j ? square : 0.0)) > slack) return 0.0;
    return count > 1 || fabs(square - 1.0) < slack ? sqrt(square) : 0.0;
}

void tonnx__scheme_look(tonnx__scheme_facts *facts, tonnx__element_fn at, const void *user)
{
    const bool by_rows = facts->fan_out <= facts->fan_in;
    const view v = { at, user, by_rows ? facts->fan_out : facts->fan_in, by_rows ? facts->fan_in : facts->fan_out,
                     by_rows };
    facts->identity = false;
    facts->orthogonal_gain = 0.0;
    if (facts->bias || !facts->count || facts->least == facts->most) return;
    facts->identity = looks_identical(facts, &v);
    facts->orthogonal_gain = look_orthogonal(facts, &v);
}
