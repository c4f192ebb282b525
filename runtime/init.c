#include "runtime/options_impl.h"
#include "runtime/init.h"

#include <fnmatch.h>
#include <math.h>

#include "runtime/net_impl.h"
#include "runtime/ops/book_impl.h"
#include "runtime/rng_impl.h"
#include "runtime/ties_impl.h"

/* A fresh model in the making: new numbers per parameter of the net, NULL where it keeps its own. */
typedef struct fresh {
    const tonnx_net *net;
    double **values;
    const char *const *globs;
    tonnx_scheme scheme, bias;
    uint64_t seed;
    const tonnx_log *log;
    size_t used[TONNX_INIT_COUNT]; /* dense layers per scheme */
} fresh;

static bool is_norm(const tonnx__layer *layer)
{
    return layer->kind == TONNX__LAYER_BATCH_NORM || layer->kind == TONNX__LAYER_LAYER_NORM ||
           layer->kind == TONNX__LAYER_RMS_NORM;
}

static bool reads(const tonnx__layer *layer, int value)
{
    for (size_t i = 0; i < layer->in_count; i++)
        if (layer->in[i].value == value) return true;
    return false;
}

/* What keeps the signal's kind: norms, dropout, and arithmetic with a parameter. */
static bool passes_through(const tonnx__layer *layer)
{
    const bool affine = layer->kind == TONNX__LAYER_BINARY && (layer->in[0].param >= 0 || layer->in[1].param >= 0);
    return is_norm(layer) || affine || layer->kind == TONNX__LAYER_DROPOUT;
}

/* The activation that follows a dense layer, norms and dropout between them aside; NULL where none does. */
static const tonnx__layer *activation_after(const tonnx_net *net, size_t dense)
{
    int value = net->layers[dense].out;
    for (size_t l = dense + 1; l < net->layer_count; l++) {
        const tonnx__layer *layer = &net->layers[l];
        if (!reads(layer, value)) continue;
        if (!passes_through(layer)) return layer->kind == TONNX__LAYER_ACTIVATION ? layer : NULL;
        value = layer->out;
    }
    return NULL;
}

/* What `auto` means for one layer: the scheme of its activation, and for a kink below zero the slope's own gain. */
static tonnx_scheme choose(const tonnx__layer *after, double *scale)
{
    const tonnx_activation act = after ? (tonnx_activation)after->act : TONNX_ACT_NONE;
    const tonnx_scheme scheme = tonnx__activation_scheme(act);
    *scale = tonnx__scheme_describe(scheme).scale;
    if (scheme == TONNX_INIT_he_uniform) {
        const double gain = tonnx__activation_gain(act, after->a, after->b);
        *scale = gain * gain;
    }
    return scheme;
}

/* Numbers of the given variance; each is a function of seed, stream and its place alone. */
static void draw(const fresh *f, double *values, size_t count, size_t stream, tonnx__distribution how, double variance)
{
    const double bound = sqrt(3.0 * variance), std = sqrt(variance);
    for (size_t i = 0; i < count; i++)
        values[i] = how == TONNX__DISTRIBUTION_uniform
                        ? bound * (2.0 * tonnx__rng_uniform(f->seed, TONNX__STREAM_INIT + stream, i) - 1.0)
                        : std * tonnx__rng_normal(f->seed, TONNX__STREAM_INIT + stream, i);
}

static void fill(double *values, size_t count, double value)
{
    for (size_t i = 0; i < count; i++) values[i] = value;
}

/* Room for a parameter's new numbers; *out is NULL where it has them already (a tie), or there is no such parameter. */
static tonnx_status room_for(fresh *f, int param, double **out, size_t *count)
{
    *out = NULL;
    if (param < 0 || f->values[param]) return TONNX_OK;
    *count = f->net->params[param].rows * f->net->params[param].cols;
    const tonnx_status status = tonnx__alloc(&f->values[param], *count, sizeof **out);
    *out = f->values[param];
    return status;
}

/* w[out,in]: variance scale/fan, or one constant. */
static tonnx_status init_weight(fresh *f, size_t dense)
{
    const tonnx__layer *layer = &f->net->layers[dense];
    const tonnx__param *param = &f->net->params[layer->weight];
    const double in = (double)param->cols, out = (double)param->rows;
    double *values, scale = tonnx__scheme_describe(f->scheme).scale;
    size_t count;
    const tonnx_scheme scheme =
        f->scheme == TONNX_INIT_auto ? choose(activation_after(f->net, dense), &scale) : f->scheme;
    const tonnx__scheme_info row = tonnx__scheme_describe(scheme);
    const tonnx_status status = room_for(f, layer->weight, &values, &count);
    if (status || !values) return status;
    f->used[scheme]++;
    if (row.distribution == TONNX__DISTRIBUTION_constant) fill(values, count, scale);
    else
        draw(f, values, count, (size_t)layer->weight, row.distribution,
             scale / (row.fan == TONNX__FAN_avg ? (in + out) / 2 : in));
    return TONNX_OK;
}

/* b[1,out]: one constant, or as wide as PyTorch's default for a layer of that fan-in. */
static tonnx_status init_bias(fresh *f, size_t dense)
{
    const tonnx__layer *layer = &f->net->layers[dense];
    const tonnx__scheme_info row = tonnx__scheme_describe(f->bias);
    double *values;
    size_t count;
    const tonnx_status status = room_for(f, layer->bias, &values, &count);
    if (status || !values) return status;
    if (row.distribution == TONNX__DISTRIBUTION_constant) fill(values, count, row.scale);
    else
        draw(f, values, count, (size_t)layer->bias, row.distribution,
             row.scale / (double)f->net->values[layer->in[0].value].features);
    return TONNX_OK;
}

/* What a parameter that is neither weight nor bias of a dense layer starts from. */
static tonnx_status init_role(fresh *f, int param)
{
    static const double starts[] = { [TONNX__ROLE_SCALE] = 1.0,
                                     [TONNX__ROLE_VARIANCE] = 1.0,
                                     [TONNX__ROLE_SLOPE] = 0.25,
                                     [TONNX__ROLE_CONSTANT] = 0.0 };
    double *values;
    size_t count;
    if (param < 0 || f->net->params[param].role == TONNX__ROLE_CONSTANT) return TONNX_OK;
    const tonnx_status status = room_for(f, param, &values, &count);
    if (!status && values) fill(values, count, starts[f->net->params[param].role]);
    return status;
}

static tonnx_status init_layer(fresh *f, size_t l)
{
    const tonnx__layer *layer = &f->net->layers[l];
    tonnx_status status = TONNX_OK;
    if (layer->kind == TONNX__LAYER_DENSE && f->net->params[layer->weight].derived) {
        tonnx__say(f->log, TONNX_LOG_WARNING,
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
    if (!f->globs) return true;
    for (const char *const *glob = f->globs; *glob; glob++)
        if (layer_matches(f->net, layer, *glob)) return true;
    return false;
}

static tonnx_status check_globs(const fresh *f)
{
    for (const char *const *glob = f->globs; glob && *glob; glob++) {
        size_t found = 0;
        for (size_t l = 0; l < f->net->layer_count; l++) found += layer_matches(f->net, &f->net->layers[l], *glob);
        if (!found)
            return tonnx__fail(TONNX_BAD_USAGE,
                               "%s: no layer with parameters is named '%s'; `tonnx inspect` lists them",
                               f->net->model->path, *glob);
    }
    return TONNX_OK;
}

static tonnx_status scheme_of(tonnx_scheme *out, const char *name)
{
    if (tonnx_scheme_named(name, out)) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_USAGE, "no initialisation scheme is named '%s'; `tonnx ops` lists them", name);
}

/* Biases are zero unless asked otherwise; PyTorch's default is a scheme for weight and bias together. */
static tonnx_status read_schemes(fresh *f, const tonnx_init_options *options)
{
    tonnx_status status = scheme_of(&f->scheme, options->scheme);
    f->bias = f->scheme == TONNX_INIT_torch_default ? TONNX_INIT_torch_default : TONNX_INIT_zeros;
    if (!status && options->bias) status = scheme_of(&f->bias, options->bias);
    if (status) return status;
    if (tonnx__scheme_describe(f->bias).distribution == TONNX__DISTRIBUTION_constant) return TONNX_OK;
    if (f->bias == TONNX_INIT_torch_default) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_USAGE, "scheme '%s' is for weights; a bias takes zeros, ones or torch-default",
                       options->bias);
}

static void say_chosen(const fresh *f, const tonnx_log *log)
{
    if (f->scheme != TONNX_INIT_auto) return;
    for (size_t s = 0; s < TONNX_INIT_COUNT; s++)
        if (f->used[s])
            tonnx__say(log, TONNX_LOG_INFO, "auto: %s for %zu layer%s", tonnx_scheme_name((tonnx_scheme)s), f->used[s],
                       f->used[s] == 1 ? "" : "s");
}

tonnx_status tonnx_init(tonnx_model *model, const tonnx_init_options *options)
{
    tonnx_net *net = NULL;
    tonnx_init_options o = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_net_options net_options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_status status = tonnx__options_lay(&o, sizeof o, options, "TONNX_INIT_OPTIONS_DEFAULT");
    if (status) return status;
    fresh f = { .globs = o.layers, .seed = o.seed, .log = &o.log };
    status = read_schemes(&f, &o);
    if (!status) status = tonnx_net_new(&net, model, &net_options);
    if (status) return status;
    f.net = net;
    status = check_globs(&f);
    if (!status) status = tonnx__alloc(&f.values, net->param_count, sizeof *f.values);
    for (size_t l = 0; l < net->layer_count && !status; l++)
        if (is_chosen(&f, &net->layers[l])) status = init_layer(&f, l);
    if (!status) status = tonnx__net_push(net, (const double *const *)f.values);
    if (!status) say_chosen(&f, &o.log);
    for (size_t p = 0; f.values && p < net->param_count; p++) tonnx__free(f.values[p]);
    tonnx__free(f.values);
    tonnx_net_free(net);
    return status;
}
