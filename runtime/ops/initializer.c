/* Initialisation schemes by number and by name. */
#include <string.h>

#include "runtime/ops/book_impl.h"
#include "runtime/ops/names_impl.h"

static const struct row {
    const char *name;
    tonnx__scheme_info info;
} rows[TONNX_INIT_COUNT] = {
#define TONNX_INITIALIZER(id, name, scale, fan, distribution)                                                          \
    { #name, { scale, TONNX__FAN_##fan, TONNX__DISTRIBUTION_##distribution } },
#include "runtime/ops/initializers.def"
#undef TONNX_INITIALIZER
};

/* Other houses' names for the same thing. */
static const struct alias {
    const char *prefix, *means;
} aliases[] = { { "xavier-", "glorot-" }, { "kaiming-", "he-" } };

const char *tonnx_scheme_name(tonnx_scheme scheme)
{
    return (unsigned)scheme < TONNX_INIT_COUNT ? rows[scheme].name : "unknown";
}

tonnx__scheme_info tonnx__scheme_describe(tonnx_scheme scheme)
{
    return rows[scheme].info;
}

/* Whether `name` spells `row`, or does with `prefix` in place of the row's `means`. */
static bool aliased(const char *name, const struct alias *alias, const char *row)
{
    const size_t from = strlen(alias->prefix), to = strlen(alias->means);
    if (strncmp(row, alias->means, to) || strlen(name) < from) return false;
    return tonnx__same_name(name, from, alias->prefix) && tonnx__same_name(name + from, strlen(name + from), row + to);
}

static bool names_row(const char *name, const char *row)
{
    if (tonnx__same_name(name, strlen(name), row)) return true;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (aliased(name, &aliases[i], row)) return true;
    return false;
}

bool tonnx_scheme_named(const char *name, tonnx_scheme *out)
{
    for (int i = 0; i < TONNX_INIT_COUNT; i++)
        if (names_row(name, rows[i].name)) {
            *out = (tonnx_scheme)i;
            return true;
        }
    return false;
}
