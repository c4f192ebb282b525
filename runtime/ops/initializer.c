/* Initialisation schemes by number and by name, and the words of their lists. */
#include <string.h>

#include "runtime/ops/book_impl.h"
#include "runtime/ops/names_impl.h"

/* What a row's text looks like: the name, and what is to follow it. */
#define USAGE_none(name)    name
#define USAGE_VALUE(name)   name ":V"
#define USAGE_STD(name)     name ":STD"
#define USAGE_RANGE(name)   name ":R"
#define USAGE_SCALING(name) name ":SCALE:MODE:DIST"

enum { BIAS_zeros, BIAS_torch };

static const struct row {
    const char *name, *usage;
    tonnx__scheme_info info;
} rows[TONNX_INIT_COUNT] = {
#define TONNX_INITIALIZER(id, name, takes, gain, fan, distribution, bias)                                              \
    { #name, USAGE_##takes(#name),                                                                                     \
      { TONNX__TAKES_##takes, gain, TONNX__FAN_##fan, TONNX__DISTRIBUTION_##distribution, BIAS_##bias } },
#include "runtime/ops/initializers.def"
#undef TONNX_INITIALIZER
};

/* Other houses' names for the same thing. */
static const struct alias {
    const char *prefix, *means;
} aliases[] = { { "xavier-", "glorot-" }, { "kaiming-", "he-" } };

static const char *const fans[] = { "fan-in", "fan-out", "fan-avg" };
static const char *const distributions[] = { "uniform",  "normal",     "truncated", "constant",
                                             "identity", "orthogonal", "scaled",    "chosen" };

const char *tonnx_scheme_name(tonnx_scheme scheme)
{
    return (unsigned)scheme < TONNX_INIT_COUNT ? rows[scheme].name : "unknown";
}

const char *tonnx_scheme_usage(tonnx_scheme scheme)
{
    return (unsigned)scheme < TONNX_INIT_COUNT ? rows[scheme].usage : "unknown";
}

tonnx__scheme_info tonnx__scheme_describe(tonnx_scheme scheme)
{
    return rows[scheme].info;
}

/* Whether `name` spells `row`, or does with `prefix` in place of the row's `means`. */
static bool aliased(const char *name, size_t length, const struct alias *alias, const char *row)
{
    const size_t from = strlen(alias->prefix), to = strlen(alias->means);
    if (strncmp(row, alias->means, to) || length < from) return false;
    return tonnx__same_name(name, from, alias->prefix) && tonnx__same_name(name + from, length - from, row + to);
}

static bool names_row(const char *name, size_t length, const char *row)
{
    if (tonnx__same_name(name, length, row)) return true;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (aliased(name, length, &aliases[i], row)) return true;
    return false;
}

bool tonnx__scheme_find(const char *text, size_t length, tonnx_scheme *out)
{
    for (int i = 0; i < TONNX_INIT_COUNT; i++)
        if (names_row(text, length, rows[i].name)) {
            *out = (tonnx_scheme)i;
            return true;
        }
    return false;
}

bool tonnx_scheme_named(const char *name, tonnx_scheme *out)
{
    return tonnx__scheme_find(name, strlen(name), out);
}

const char *tonnx__fan_name(tonnx__fan fan)
{
    return fan < TONNX__FAN_none ? fans[fan] : "none";
}

const char *tonnx__distribution_name(tonnx__distribution distribution)
{
    return distributions[distribution];
}

bool tonnx__fan_named(const char *text, size_t length, tonnx__fan *out)
{
    for (int i = 0; i < TONNX__FAN_none; i++)
        if (tonnx__same_name(text, length, fans[i])) {
            *out = (tonnx__fan)i;
            return true;
        }
    return false;
}

/* Keras calls them truncated_normal and untruncated_normal. */
bool tonnx__distribution_named(const char *text, size_t length, tonnx__distribution *out)
{
    static const struct {
        const char *name;
        tonnx__distribution is;
    } words[] = { { "uniform", TONNX__DISTRIBUTION_uniform },
                  { "normal", TONNX__DISTRIBUTION_normal },
                  { "truncated", TONNX__DISTRIBUTION_truncated },
                  { "truncated-normal", TONNX__DISTRIBUTION_truncated },
                  { "untruncated-normal", TONNX__DISTRIBUTION_normal } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (tonnx__same_name(text, length, words[i].name)) {
            *out = words[i].is;
            return true;
        }
    return false;
}
