#include "runtime/recipe_impl.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ops/names_impl.h"

tonnx__recipe tonnx__recipe_of(tonnx_scheme scheme)
{
    const tonnx__scheme_info row = tonnx__scheme_describe(scheme);
    return (tonnx__recipe){ scheme, row.distribution, row.fan, row.gain, 0.0 };
}

/* ":0.02" → 0.02, and *text at what follows. False for anything but a finite number. */
static bool take_number(const char **text, double *out)
{
    char *end;
    if (**text != ':' || isspace((unsigned char)(*text)[1])) return false;
    *out = strtod(*text + 1, &end);
    if (end == *text + 1 || !isfinite(*out)) return false;
    *text = end;
    return true;
}

/* ":fan-avg" → "fan-avg" and its length, and *text at what follows. */
static const char *take_word(const char **text, size_t *length)
{
    const char *word = *text + 1;
    if (**text != ':') return NULL;
    *length = strcspn(word, ":");
    *text = word + *length;
    return word;
}

/* :SCALE:MODE:DIST, Keras' VarianceScaling: the variance is SCALE/fan. */
static bool take_scaling(tonnx__recipe *recipe, const char **text)
{
    double scale;
    size_t length = 0;
    if (!take_number(text, &scale) || scale <= 0.0) return false;
    recipe->gain = sqrt(scale);
    const char *mode = take_word(text, &length);
    if (!mode || !tonnx__fan_named(mode, length, &recipe->fan)) return false;
    const char *distribution = take_word(text, &length);
    return distribution && tonnx__distribution_named(distribution, length, &recipe->distribution);
}

/* What the row says is to follow its name. */
static bool take_parameters(tonnx__recipe *recipe, const char **text)
{
    double number = 0;
    switch (tonnx__scheme_describe(recipe->scheme).takes) {
    case TONNX__TAKES_none:
        return true;
    case TONNX__TAKES_VALUE:
        return take_number(text, &recipe->gain);
    case TONNX__TAKES_STD:
        return take_number(text, &recipe->gain) && recipe->gain >= 0.0;
    case TONNX__TAKES_RANGE:
        if (!take_number(text, &number) || number < 0.0) return false;
        recipe->bound = number;
        recipe->gain = number / sqrt(3.0);
        return true;
    case TONNX__TAKES_SCALING:
        return take_scaling(recipe, text);
    }
    return false;
}

static const char *example_of(tonnx__scheme_takes takes)
{
    return takes == TONNX__TAKES_SCALING ? "SCALE above 0, MODE fan-in, fan-out or fan-avg, DIST uniform, normal or "
                                           "truncated"
           : takes == TONNX__TAKES_none  ? "it takes no number"
           : takes == TONNX__TAKES_VALUE ? "V any number"
           : takes == TONNX__TAKES_STD   ? "STD a number from 0"
                                         : "R a number from 0, for [-R, R)";
}

tonnx_status tonnx__recipe_parse(tonnx__recipe *out, const char *text)
{
    const size_t length = strcspn(text, ":");
    const char *rest = text + length;
    tonnx_scheme scheme;
    if (!tonnx__scheme_find(text, length, &scheme))
        return tonnx__fail(TONNX_BAD_USAGE, "no initialisation scheme is named '%s'; `tonnx ops` lists them", text);
    *out = tonnx__recipe_of(scheme);
    if (take_parameters(out, &rest) && !*rest) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_USAGE, "scheme '%s': want %s, %s", text, tonnx_scheme_usage(scheme),
                       example_of(tonnx__scheme_describe(scheme).takes));
}

/* PyTorch's calculate_gain, and the op book's for what that does not know; "linear" is no activation. */
static tonnx_status read_nonlinearity(double *gain, const char *text)
{
    tonnx_activation act = TONNX_ACT_NONE;
    double a = 0, b = 0;
    const bool linear = tonnx__same_name(text, strlen(text), "linear") || tonnx__same_name(text, strlen(text), "none");
    if (!linear && !tonnx__activation_parse(text, &act, &a, &b))
        return tonnx__fail(TONNX_BAD_USAGE,
                           "no nonlinearity is '%s': want linear or an activation, as in tanh or leaky_relu:0.2", text);
    *gain = tonnx__activation_gain(act, a, b);
    return TONNX_OK;
}

static tonnx_status read_gain(tonnx__recipe_changes *out, const tonnx_init_options *options)
{
    out->gain = options->gain;
    out->has_gain = !isnan(options->gain) || options->nonlinearity;
    if (!isnan(options->gain) && options->nonlinearity)
        return tonnx__fail(TONNX_BAD_USAGE, "a gain and a nonlinearity both set the gain: give one");
    if (options->nonlinearity) return read_nonlinearity(&out->gain, options->nonlinearity);
    if (out->has_gain && !(options->gain > 0.0 && isfinite(options->gain)))
        return tonnx__fail(TONNX_BAD_USAGE, "a gain of %g: want a number above 0", options->gain);
    return TONNX_OK;
}

tonnx_status tonnx__recipe_changes_read(tonnx__recipe_changes *out, const tonnx_init_options *options)
{
    const char *mode = options->mode, *distribution = options->distribution;
    *out = (tonnx__recipe_changes){ .has_fan = mode, .has_distribution = distribution };
    if (mode && !tonnx__fan_named(mode, strlen(mode), &out->fan))
        return tonnx__fail(TONNX_BAD_USAGE, "no mode is '%s': want fan-in, fan-out or fan-avg", mode);
    if (distribution && !tonnx__distribution_named(distribution, strlen(distribution), &out->distribution))
        return tonnx__fail(TONNX_BAD_USAGE, "no distribution is '%s': want uniform, normal or truncated", distribution);
    return read_gain(out, options);
}

static bool is_random(const tonnx__recipe *recipe)
{
    return recipe->distribution <= TONNX__DISTRIBUTION_truncated;
}

static tonnx_status has_none(const tonnx__recipe *recipe, const char *what)
{
    return tonnx__fail(TONNX_BAD_USAGE, "scheme '%s' has no %s to set", tonnx_scheme_name(recipe->scheme), what);
}

tonnx_status tonnx__recipe_check(const tonnx__recipe *recipe, const tonnx__recipe_changes *changes)
{
    const bool scaled = recipe->fan != TONNX__FAN_none;
    const bool fixed = recipe->distribution == TONNX__DISTRIBUTION_orthogonal ||
                       recipe->distribution == TONNX__DISTRIBUTION_identity;
    if (recipe->distribution == TONNX__DISTRIBUTION_chosen) return TONNX_OK;
    if (changes->has_fan && !scaled) return has_none(recipe, "mode");
    if (changes->has_distribution && !is_random(recipe)) return has_none(recipe, "distribution");
    if (changes->has_gain && !scaled && !fixed) return has_none(recipe, "gain");
    return TONNX_OK;
}

void tonnx__recipe_change(tonnx__recipe *recipe, const tonnx__recipe_changes *changes)
{
    if (changes->has_fan) recipe->fan = changes->fan;
    if (changes->has_distribution) recipe->distribution = changes->distribution;
    if (changes->has_gain) recipe->gain = changes->gain;
}

double tonnx__recipe_std(const tonnx__recipe *recipe, double fan_in, double fan_out)
{
    switch (recipe->fan) {
    case TONNX__FAN_avg:
        return recipe->gain * sqrt(2.0 / (fan_in + fan_out));
    case TONNX__FAN_none:
        return recipe->gain;
    default:
        return recipe->gain / sqrt(recipe->fan == TONNX__FAN_in ? fan_in : fan_out);
    }
}

double tonnx__recipe_bound(const tonnx__recipe *recipe, double fan_in, double fan_out)
{
    return recipe->bound > 0.0 ? recipe->bound : sqrt(3.0) * tonnx__recipe_std(recipe, fan_in, fan_out);
}
