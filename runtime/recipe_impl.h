/* A recipe: an initialisation scheme with its parameters, understood. One parser serves weights and biases, the command
 * and the library. */
#ifndef TONNX_RUNTIME_RECIPE_IMPL_H
#define TONNX_RUNTIME_RECIPE_IMPL_H

#include "runtime/init.h"
#include "runtime/ops/book_impl.h"
#include "runtime/status_impl.h"

typedef struct tonnx__recipe {
    tonnx_scheme scheme;
    tonnx__distribution distribution;
    tonnx__fan fan;
    double gain;  /* the deviation is gain/√fan; of a constant distribution, the constant */
    double bound; /* of uniform:R, R itself; else 0 */
} tonnx__recipe;

/* "he-normal", "normal:0.02", "variance-scaling:2:fan-avg:uniform" → recipe. TONNX_BAD_USAGE says what is wrong. */
tonnx_status tonnx__recipe_parse(tonnx__recipe *out, const char *text);

/* The recipe of a row that takes no parameters. */
tonnx__recipe tonnx__recipe_of(tonnx_scheme scheme);

/* What the options change in a recipe: --mode, --distribution, --gain or --nonlinearity, understood. */
typedef struct tonnx__recipe_changes {
    bool has_fan, has_distribution, has_gain;
    tonnx__fan fan;
    tonnx__distribution distribution;
    double gain;
} tonnx__recipe_changes;

tonnx_status tonnx__recipe_changes_read(tonnx__recipe_changes *out, const tonnx_init_options *options);

/* TONNX_BAD_USAGE where the recipe has no such thing: normal:0.02 has no fan. `auto` takes them all. */
tonnx_status tonnx__recipe_check(const tonnx__recipe *recipe, const tonnx__recipe_changes *changes);
void tonnx__recipe_change(tonnx__recipe *recipe, const tonnx__recipe_changes *changes);

/* The deviation of a weight of a layer of these fans, as torch.nn.init rounds it. */
double tonnx__recipe_std(const tonnx__recipe *recipe, double fan_in, double fan_out);

/* How wide a uniform of the recipe is: ±bound. */
double tonnx__recipe_bound(const tonnx__recipe *recipe, double fan_in, double fan_out);

/* A normal cut at ±2σ has this share of σ as its deviation. */
#define TONNX__TRUNCATED_STD 0.87962566103423978

#endif
