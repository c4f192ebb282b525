#include "cli/init_words.h"

#include <stdio.h>
#include <string.h>

#include "runtime/ops/book.h"

static const char *scheme_at(size_t i)
{
    return i < TONNX_INIT_COUNT ? tonnx_scheme_name((tonnx_scheme)i) : NULL;
}

static bool scheme_alias(const char *word)
{
    tonnx_scheme scheme;
    return tonnx_scheme_named(word, &scheme);
}

static const char *activation_at(size_t i)
{
    tonnx_activation_info info;
    if (i == TONNX_ACT_COUNT) return "none";
    if (i > TONNX_ACT_COUNT) return NULL;
    tonnx_activation_describe((tonnx_activation)i, &info);
    return info.name;
}

/* A name with attributes, "leaky_relu:0.2"; what they may be is for the library to say. */
static bool activation_with_attributes(const char *word)
{
    char name[64];
    tonnx_activation act;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, ":"), word);
    return tonnx_activation_named(name, &act);
}

static const char *output_act_at(size_t i)
{
    static const char *const words[] = { "none", "softmax", "sigmoid" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

const opt_words output_act_words = { output_act_at, NULL };
const opt_words scheme_words = { scheme_at, scheme_alias };
const opt_words activation_words = { activation_at, activation_with_attributes };
