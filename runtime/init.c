#include "runtime/options_impl.h"
#include "runtime/init_impl.h"

#include <fnmatch.h>
#include <string.h>

#include "runtime/mem_impl.h"
#include "runtime/ties_impl.h"

/* A fresh model in the making: new numbers per parameter of the net, NULL where it keeps its own. */
typedef struct fresh {
    const tonnx_net *net;
    const tonnx_init_options *options;
    double **values;
    double **defaults; /* what constructing the module drew; NULL where nothing draws before the schemes */
    bool *chosen;      /* layers */
    int *after;        /* per value: the activation that it reaches */
    tonnx__recipe weight, bias;
    tonnx__recipe_changes changes;
    tonnx__source source;
    size_t used[TONNX_INIT_COUNT]; /* dense layers per scheme */
} fresh;

static void fill(double *values, size_t count, double value)
{
    for (size_t i = 0; i < count; i++) values[i] = value;
}

/* Room for a parameter's new numbers; *out is NULL where it has them already (a tie), or there is no such parameter. */
static tonnx_status room_for(fresh *f, int param, double **out)
{
    *out = NULL;
    if (param < 0 || f->values[param]) return TONNX_OK;
    const tonnx_status status =
        tonnx__alloc(&f->values[param], f->net->params[param].rows * f->net->params[param].cols, sizeof **out);
    *out = f->values[param];
    return status;
}

/* Draws a parameter of a dense layer. The layer computes `factor` times what stands in the file. */
static tonnx_status draw(fresh *f, const tonnx__layer *layer, int param, const tonnx__recipe *recipe, double factor)
{
    const tonnx__param *p = &f->net->params[param];
    const tonnx__drawn drawn = { .values = f->values[param],
                                 .rows = p->rows,
                                 .cols = p->cols,
                                 .fan_in = (double)f->net->values[layer->in[0].value].features,
                                 .fan_out = (double)f->net->values[layer->out].features,
                                 .bias = param == layer->bias,
                                 .stream = (size_t)param };
    const bool drawn_before = f->defaults && recipe->scheme == TONNX_INIT_torch_default;
    if (drawn_before) memcpy(drawn.values, f->defaults[param], p->rows * p->cols * sizeof *drawn.values);
    const tonnx_status status = drawn_before ? TONNX_OK : tonnx__draw(&f->source, recipe, &drawn);
    for (size_t i = 0; !status && factor != 1.0 && factor != 0.0 && i < p->rows * p->cols; i++)
        drawn.values[i] /= factor;
    return status;
}

/* w[out,in] by the scheme, or by the one that auto chooses for the layer. */
static tonnx_status init_weight(fresh *f, size_t dense)
{
    const tonnx__layer *layer = &f->net->layers[dense];
    const bool chooses = f->weight.distribution == TONNX__DISTRIBUTION_chosen;
    tonnx__recipe recipe = chooses ? tonnx__recipe_chosen(f->net, f->after[layer->out]) : f->weight;
    double *values;
    const tonnx_status status = room_for(f, layer->weight, &values);
    if (status || !values) return status;
    f->used[recipe.scheme]++;
    tonnx__recipe_change(&recipe, &f->changes);
    return draw(f, layer, layer->weight, &recipe, layer->alpha);
}

/* b[1,out] */
static tonnx_status init_bias(fresh *f, size_t dense)
{
    const tonnx__layer *layer = &f->net->layers[dense];
    double *values;
    if (layer->bias < 0 || f->net->params[layer->bias].role != TONNX__ROLE_BIAS) return TONNX_OK;
    const tonnx_status status = room_for(f, layer->bias, &values);
    return status || !values ? status : draw(f, layer, layer->bias, &f->bias, layer->beta);
}

/* What a parameter that is neither weight nor bias of a dense layer starts from. */
static tonnx_status init_role(fresh *f, int param)
{
    static const double starts[] = { [TONNX__ROLE_SCALE] = 1.0,
                                     [TONNX__ROLE_VARIANCE] = 1.0,
                                     [TONNX__ROLE_SLOPE] = 0.25,
                                     [TONNX__ROLE_CONSTANT] = 0.0 };
    double *values;
    if (param < 0 || f->net->params[param].role == TONNX__ROLE_CONSTANT) return TONNX_OK;
    const tonnx__param *p = &f->net->params[param];
    const tonnx_status status = room_for(f, param, &values);
    if (!status && values) fill(values, p->rows * p->cols, starts[p->role]);
    return status;
}

static tonnx_status init_layer(fresh *f, size_t l)
{
    const tonnx__layer *layer = &f->net->layers[l];
    tonnx_status status = TONNX_OK;
    if (layer->kind == TONNX__LAYER_DENSE && f->net->params[layer->weight].derived) {
        tonnx__say(&f->options->log, TONNX_LOG_WARNING,
                   "layer '%s': its weight is computed from constants of the graph, and stays", layer->name);
        return TONNX_OK;
    }
    if (layer->kind == TONNX__LAYER_DENSE) {
        status = init_weight(f, l);
        return status ? status : init_bias(f, l);
    }
    const int slots[] = { layer->weight, layer->bias, layer->mean, layer->variance };
    for (size_t i = 0; i < sizeof slots / sizeof *slots && !status; i++) status = init_role(f, slots[i]);
    for (size_t i = 0; i < layer->in_count && !status; i++) status = init_role(f, layer->in[i].param);
    return status;
}

static bool param_matches(const tonnx_net *net, int param, const char *glob)
{
    return param >= 0 && !fnmatch(glob, net->params[param].name, 0);
}

/* A glob names a layer with parameters by its own name or by its weight's. */
static bool layer_matches(const tonnx_net *net, const tonnx__layer *layer, const char *glob)
{
    bool has_params = layer->weight >= 0, matches = param_matches(net, layer->weight, glob);
    for (size_t i = 0; i < layer->in_count; i++) {
        has_params |= layer->in[i].param >= 0;
        matches |= param_matches(net, layer->in[i].param, glob);
    }
    return has_params && (matches || !fnmatch(glob, layer->name, 0));
}

static bool is_chosen(const fresh *f, const tonnx__layer *layer)
{
    if (!f->options->layers) return true;
    for (const char *const *glob = f->options->layers; *glob; glob++)
        if (layer_matches(f->net, layer, *glob)) return true;
    return false;
}

static tonnx_status choose_layers(fresh *f)
{
    const tonnx_net *net = f->net;
    tonnx_status status = tonnx__alloc(&f->chosen, net->layer_count, sizeof *f->chosen);
    for (size_t l = 0; l < net->layer_count && !status; l++) f->chosen[l] = is_chosen(f, &net->layers[l]);
    for (const char *const *glob = f->options->layers; !status && glob && *glob; glob++) {
        size_t found = 0;
        for (size_t l = 0; l < net->layer_count; l++) found += layer_matches(net, &net->layers[l], *glob);
        if (!found)
            status =
                tonnx__fail(TONNX_BAD_USAGE, "%s: no layer with parameters is named '%s'; `tonnx inspect` lists them",
                            net->model->path, *glob);
    }
    return status;
}

/* A bias has no fan of its own: only PyTorch's default says what it takes of its layer's. Where that has drawn already,
 * it stays, as a call for a weight leaves it in PyTorch. */
static tonnx_status read_bias(fresh *f, bool after_default)
{
    const tonnx__scheme_info row = tonnx__scheme_describe(f->weight.scheme);
    const bool torch = row.torch_bias || after_default;
    f->bias = tonnx__recipe_of(torch ? TONNX_INIT_torch_default : TONNX_INIT_zeros);
    if (!f->options->bias) return TONNX_OK;
    const tonnx_status status = tonnx__recipe_parse(&f->bias, f->options->bias);
    const bool plain = f->bias.fan == TONNX__FAN_none && f->bias.distribution <= TONNX__DISTRIBUTION_constant;
    if (status || plain || f->bias.scheme == TONNX_INIT_torch_default) return status;
    if (f->bias.scheme == TONNX_INIT_keras_default) {
        f->bias = tonnx__recipe_of(TONNX_INIT_zeros);
        return TONNX_OK;
    }
    return tonnx__fail(TONNX_BAD_USAGE,
                       "scheme '%s' is for weights; a bias takes zeros, ones, constant:V, normal:STD, uniform:R, "
                       "truncated-normal:STD or torch-default",
                       f->options->bias);
}

static tonnx_status read_rng(fresh *f, bool *after_default)
{
    const char *rng = f->options->rng;
    *after_default = !strcmp(rng, "torch-after-default");
    f->source = (tonnx__source){ .torch = *after_default || !strcmp(rng, "torch"), .seed = f->options->seed };
    if (f->source.torch) tonnx__torch_seed(&f->source.sequence, f->options->seed);
    else if (strcmp(rng, "tonnx") != 0)
        return tonnx__fail(TONNX_BAD_USAGE, "no generator is '%s': want tonnx, torch or torch-after-default", rng);
    return TONNX_OK;
}

static tonnx_status read_options(fresh *f, bool *after_default)
{
    tonnx_status status = tonnx__recipe_parse(&f->weight, f->options->scheme);
    if (!status) status = tonnx__recipe_changes_read(&f->changes, f->options);
    if (!status) status = tonnx__recipe_check(&f->weight, &f->changes);
    if (!status) status = read_rng(f, after_default);
    if (!status) status = read_bias(f, *after_default);
    if (!status && f->weight.scheme == TONNX_INIT_lsuv && !f->options->data)
        status = tonnx__fail(TONNX_BAD_USAGE, "lsuv scales layers by what they make of data: give samples with --data");
    return status;
}

static void free_numbers(const fresh *f, double **values)
{
    for (size_t p = 0; values && p < f->net->param_count; p++) tonnx__free(values[p]);
    tonnx__free(values);
}

/* Constructing the module draws every layer's own default first, weight then bias. A scheme or bias of torch-default is
 * that; for any other, only the sequence has moved on. */
static tonnx_status draw_defaults(fresh *f)
{
    const tonnx__recipe recipe = tonnx__recipe_of(TONNX_INIT_torch_default);
    tonnx_status status = TONNX_OK;
    for (size_t l = 0; l < f->net->layer_count && !status; l++) {
        const tonnx__layer *layer = &f->net->layers[l];
        const int params[] = { layer->weight, layer->bias };
        for (size_t i = 0; i < 2 && layer->kind == TONNX__LAYER_DENSE && !status; i++) {
            double *values;
            status = room_for(f, params[i], &values);
            if (!status && values) status = draw(f, layer, params[i], &recipe, 1.0);
        }
    }
    f->defaults = f->values;
    f->values = NULL;
    return status ? status : tonnx__alloc(&f->values, f->net->param_count, sizeof *f->values);
}

static void say_chosen(const fresh *f)
{
    if (f->weight.scheme != TONNX_INIT_auto) return;
    for (size_t s = 0; s < TONNX_INIT_COUNT; s++)
        if (f->used[s])
            tonnx__say(&f->options->log, TONNX_LOG_INFO, "auto: %s for %zu layer%s", tonnx_scheme_name((tonnx_scheme)s),
                       f->used[s], f->used[s] == 1 ? "" : "s");
}

static tonnx_status init_net(fresh *f, tonnx_net *net, bool after_default)
{
    tonnx_status status = choose_layers(f);
    if (!status) status = tonnx__activations_after(&f->after, net);
    if (!status) status = tonnx__alloc(&f->values, net->param_count, sizeof *f->values);
    if (!status && after_default) status = draw_defaults(f);
    for (size_t l = 0; l < net->layer_count && !status; l++)
        if (f->chosen[l]) status = init_layer(f, l);
    if (!status) status = tonnx__net_push(net, (const double *const *)f->values);
    if (!status && f->weight.scheme == TONNX_INIT_lsuv) status = tonnx__init_lsuv(net, f->chosen, f->options);
    if (!status) say_chosen(f);
    free_numbers(f, f->values);
    free_numbers(f, f->defaults);
    tonnx__free(f->chosen);
    tonnx__free(f->after);
    return status;
}

tonnx_status tonnx_init(tonnx_model *model, const tonnx_init_options *options)
{
    tonnx_net *net = NULL;
    tonnx_init_options o = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_net_options net_options = TONNX_NET_OPTIONS_DEFAULT;
    bool after_default = false;
    tonnx_status status = tonnx__options_lay(&o, sizeof o, options, "TONNX_INIT_OPTIONS_DEFAULT");
    if (status) return status;
    fresh f = { .options = &o };
    net_options.input = o.input;
    net_options.output = o.output;
    status = read_options(&f, &after_default);
    if (!status) status = tonnx_net_new(&net, model, &net_options);
    if (status) return status;
    f.net = net;
    status = init_net(&f, net, after_default);
    tonnx_net_free(net);
    return status;
}
