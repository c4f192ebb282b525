#include "cli/init_args.h"

#include <stdio.h>
#include <string.h>

#include "runtime/ops/book.h"

static const char *scheme_at(size_t i)
{
    return i < TONNX_INIT_COUNT ? tonnx_scheme_usage((tonnx_scheme)i) : NULL;
}

/* What stands before the first colon; what may follow it is for the library to say. */
static const char *head_of(const char *word, char *text, size_t size)
{
    snprintf(text, size, "%.*s", (int)strcspn(word, ":"), word);
    return text;
}

static bool scheme_with_parameters(const char *word)
{
    char name[64];
    tonnx_scheme scheme;
    return tonnx_scheme_named(head_of(word, name, sizeof name), &scheme);
}

static const char *activation_at(size_t i)
{
    tonnx_activation_info info;
    if (i == TONNX_ACT_COUNT) return "none";
    if (i > TONNX_ACT_COUNT) return NULL;
    tonnx_activation_describe((tonnx_activation)i, &info);
    return info.name;
}

/* A name with attributes, "leaky_relu:0.2". */
static bool activation_with_attributes(const char *word)
{
    char name[64];
    tonnx_activation act;
    return tonnx_activation_named(head_of(word, name, sizeof name), &act);
}

static bool linear_or_activation(const char *word)
{
    return !strcmp(word, "linear") || activation_with_attributes(word);
}

static const char *output_act_at(size_t i)
{
    static const char *const words[] = { "none", "softmax", "sigmoid" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *mode_at(size_t i)
{
    static const char *const words[] = { "fan-in", "fan-out", "fan-avg" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static bool mode_alias(const char *word)
{
    return !strcmp(word, "fan_in") || !strcmp(word, "fan_out") || !strcmp(word, "fan_avg");
}

static const char *distribution_at(size_t i)
{
    static const char *const words[] = { "uniform", "normal", "truncated" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *rng_at(size_t i)
{
    static const char *const words[] = { "tonnx", "torch", "torch-after-default" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

const opt_words output_act_words = { output_act_at, NULL };
const opt_words scheme_words = { scheme_at, scheme_with_parameters };
const opt_words activation_words = { activation_at, activation_with_attributes };
static const opt_words nonlinearity_words = { activation_at, linear_or_activation };
static const opt_words mode_words = { mode_at, mode_alias }, distribution_words = { distribution_at, NULL },
                       rng_words = { rng_at, NULL };

#define AT(field) offsetof(init_args, field)
const opt init_shared_options[] = {
    { "bias", 0, OPT_WORD, AT(bias), "SCHEME", NULL, "of the biases [zeros, or what the scheme says]", &scheme_words,
      OPT_FREE },
    { "mode", 0, OPT_WORD, AT(mode), "FAN", NULL, "the fan that the variance is divided by [the scheme's]", &mode_words,
      OPT_FREE },
    { "distribution", 0, OPT_WORD, AT(distribution), "NAME", NULL,
      "truncated: a normal cut at two deviations, as Keras' he_normal [the scheme's]", &distribution_words, OPT_FREE },
    { "gain", 0, OPT_REAL, AT(gain), "G", NULL, "deviation G/√fan, in place of the scheme's own gain", NULL, OPT_FREE },
    { "nonlinearity", 0, OPT_WORD, AT(nonlinearity), "NAME", NULL,
      "the gain by name, as PyTorch's calculate_gain: tanh, leaky_relu:0.2", &nonlinearity_words, OPT_FREE },
    { "seed", 0, OPT_COUNT, AT(seed), "N", "0", "same seed, same bits", NULL, OPT_FREE },
    { "rng", 0, OPT_WORD, AT(rng), "WHOSE", "tonnx",
      "torch: the bits of torch.manual_seed(N) and torch.nn.init; torch-after-default: once every layer has drawn its "
      "default",
      &rng_words, OPT_FREE },
    { 0 },
};

void init_args_apply(const init_args *args, tonnx_init_options *options)
{
    options->bias = args->bias;
    options->mode = args->mode;
    options->distribution = args->distribution;
    options->nonlinearity = args->nonlinearity;
    options->rng = args->rng;
    options->gain = args->gain;
    options->seed = args->seed;
}
