#include "runtime/net_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/add_bias_impl.h"
#include "runtime/batch_dim_impl.h"
#include "runtime/options_impl.h"
#include "runtime/recognise/recognise_impl.h"
#include "runtime/ties_impl.h"

const char *tonnx__layer_kind_name(tonnx__layer_kind kind)
{
    static const char *const names[TONNX__LAYER_KINDS] = {
        [TONNX__LAYER_DENSE] = "dense",          [TONNX__LAYER_ACTIVATION] = "activation",
        [TONNX__LAYER_BATCH_NORM] = "batchnorm", [TONNX__LAYER_LAYER_NORM] = "layernorm",
        [TONNX__LAYER_RMS_NORM] = "rmsnorm",     [TONNX__LAYER_DROPOUT] = "dropout",
        [TONNX__LAYER_BINARY] = "binary",        [TONNX__LAYER_CONCAT] = "concat",
        [TONNX__LAYER_SLICE] = "slice",          [TONNX__LAYER_SOFTMAX] = "softmax",
    };
    return names[kind];
}

static void clear_layer(tonnx__layer *layer)
{
    tonnx__free(layer->name);
    tonnx__free(layer->op);
    tonnx__free(layer->in);
}

void tonnx_net_free(tonnx_net *net)
{
    if (!net) return;
    for (size_t i = 0; i < net->layer_count; i++) clear_layer(&net->layers[i]);
    for (size_t i = 0; i < net->param_count; i++) tonnx__free(net->params[i].name);
    for (size_t i = 0; i < net->value_count; i++) tonnx__free(net->values[i].name);
    for (size_t i = 0; i < net->derived_count; i++) {
        tonnx__tensor_clear(net->derived[i]);
        tonnx__free(net->derived[i]);
    }
    tonnx__free(net->derived);
    tonnx__inlined_free(net);
    for (size_t i = 0; i < net->copy_count; i++) tonnx__free(net->copies[i].param.name);
    tonnx__free(net->copies);
    tonnx__free(net->layers);
    tonnx__free(net->params);
    tonnx__free(net->values);
    tonnx__free(net);
}

static bool is_float(tonnx_dtype dtype)
{
    return dtype == TONNX_FLOAT || dtype == TONNX_DOUBLE || dtype == TONNX_FLOAT16 || dtype == TONNX_BFLOAT16;
}

static bool is_named(const tonnx__value *value, const char *name)
{
    return !name || !strcmp(value->name, name);
}

static tonnx_status fail_inputs(const tonnx_model *model, size_t count)
{
    char names[200] = "";
    for (size_t i = 0; i < model->input_count; i++) {
        const size_t used = strlen(names);
        if (model->inputs[i].is_initializer) continue;
        snprintf(names + used, sizeof names - used, "%s'%.60s'", used ? ", " : "", model->inputs[i].name);
    }
    return tonnx__fail(TONNX_BAD_MODEL, "%s: the graph has %zu inputs (%s); choose one with --input", model->path, count, names);
}

/* The input that data is fed to: the named one, or the only one that is no initializer. */
static tonnx_status choose_input(const tonnx_model *model, const char *name, const tonnx__value **out)
{
    size_t found = 0;
    *out = NULL;
    for (size_t i = 0; i < model->input_count; i++) {
        const tonnx__value *value = &model->inputs[i];
        if (value->is_initializer || !is_named(value, name)) continue;
        found++;
        *out = value;
    }
    if (!found && name)
        return tonnx__fail(TONNX_BAD_USAGE, "%s: no input is named '%s'; `tonnx inspect` lists them", model->path,
                           name);
    if (!found)
        return tonnx__fail(TONNX_BAD_MODEL, "%s: the graph has no input to feed; export it with one", model->path);
    if (found > 1) return fail_inputs(model, found);
    if (!is_float((*out)->dtype))
        return tonnx__fail(TONNX_BAD_MODEL, "%s: input '%s' is %s; tonnx feeds floats: choose another with --input",
                           model->path, (*out)->name, tonnx_dtype_name((*out)->dtype));
    return TONNX_OK;
}

/* The output to train towards: the named one, or the first float one, or a label, whose tail is then cut off. */
static tonnx_status choose_output(const tonnx_model *model, const char *name, const tonnx__value **out)
{
    *out = NULL;
    for (size_t i = 0; i < model->output_count && !*out; i++) {
        const tonnx__value *value = &model->outputs[i];
        if (is_named(value, name) && (is_float(value->dtype) || value->dtype == TONNX_DTYPE_NONE)) *out = value;
    }
    if (!*out && !name && model->output_count) *out = &model->outputs[0];
    if (*out) return TONNX_OK;
    return name ? tonnx__fail(TONNX_BAD_USAGE, "%s: no float output is named '%s'; `tonnx inspect` lists them",
                              model->path, name)
                : tonnx__fail(TONNX_BAD_MODEL, "%s: the graph has no float output; export it with one", model->path);
}

/* The features of [N, d1, d2, …]: the product of all but the batch, which must be known. */
static tonnx_status bind_input(tonnx__builder *builder, const tonnx__value *input)
{
    tonnx__fact like = { .rank = input->rank };
    size_t features = 1;
    if (!input->has_shape || input->rank < 1 || input->rank > TONNX__MAX_RANK)
        return tonnx__fail(TONNX_BAD_MODEL, "%s: input '%s' has no shape that tonnx reads; it needs [N, features]",
                           builder->path, input->name);
    for (size_t i = 1; i < input->rank; i++) {
        if (input->dims[i] < 1)
            return tonnx__fail(TONNX_BAD_MODEL,
                               "%s: input '%s', dimension %zu is not fixed; only the batch may be open: export it so",
                               builder->path, input->name, i);
        like.dims[i] = (size_t)input->dims[i];
        if (!tonnx__mul(&features, features, like.dims[i]) || features > INT32_MAX)
            return tonnx__fail(TONNX_BAD_MODEL, "%s: input '%s' is too wide: at most %d features", builder->path,
                               input->name, INT32_MAX);
    }
    if (input->dims[0] > 0 && !builder->opens_batch)
        tonnx__say(&builder->net->log, TONNX_LOG_INFO,
                   "input '%s' is declared for a batch of %lld: any number of samples is computed; the file stays as it is (train "
                   "--dynamic-batch opens it)",
                   input->name, (long long)input->dims[0]);
    return tonnx__value_add(builder, &builder->net->input, input->name, features, &like);
}

/* Marks the layers that `value` depends on, walking back: a layer's inputs stand before it. */
static void mark_live(const tonnx_net *net, bool *layers, bool *values)
{
    for (size_t l = net->layer_count; l-- > 0;) {
        const tonnx__layer *layer = &net->layers[l];
        layers[l] = values[layer->out];
        for (size_t i = 0; i < layer->in_count && layers[l]; i++)
            if (layer->in[i].value >= 0) values[layer->in[i].value] = true;
    }
}

/* Drops layers that the output does not depend on. Values and parameters keep their numbers. */
static tonnx_status prune_layers(tonnx_net *net)
{
    bool *layers = NULL, *values = NULL;
    size_t kept = 0;
    tonnx_status status = tonnx__alloc(&layers, net->layer_count, sizeof *layers);
    if (!status) status = tonnx__alloc(&values, net->value_count, sizeof *values);
    if (status) goto out;
    values[net->output] = true;
    mark_live(net, layers, values);
    for (size_t l = 0; l < net->layer_count; l++) {
        if (layers[l]) net->layers[kept++] = net->layers[l];
        else clear_layer(&net->layers[l]);
    }
    net->layer_count = kept;
out:
    tonnx__free(layers);
    tonnx__free(values);
    return status;
}

static void visit_params(tonnx__layer *layer, void (*visit)(void *user, int *param), void *user)
{
    int *slots[] = { &layer->weight, &layer->bias, &layer->mean, &layer->variance };
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (*slots[i] >= 0) visit(user, slots[i]);
    for (size_t i = 0; i < layer->in_count; i++)
        if (layer->in[i].param >= 0) visit(user, &layer->in[i].param);
}

void tonnx__net_each_param(tonnx_net *net, void (*visit)(void *user, int *param), void *user)
{
    for (size_t l = 0; l < net->layer_count; l++) visit_params(&net->layers[l], visit, user);
}

static void note_number(void *user, int *param)
{
    ((int *)user)[*param] = 0;
}

static void renumber(void *user, int *param)
{
    *param = ((const int *)user)[*param];
}

/* Drops parameters that no layer reads, and numbers the rest anew. */
static tonnx_status prune_params(tonnx_net *net)
{
    int *numbers = NULL, kept = 0;
    const tonnx_status status = tonnx__alloc(&numbers, net->param_count, sizeof *numbers);
    if (status) return status;
    for (size_t p = 0; p < net->param_count; p++) numbers[p] = -1;
    tonnx__net_each_param(net, note_number, numbers);
    for (size_t p = 0; p < net->param_count; p++) {
        if (numbers[p] < 0) {
            tonnx__free(net->params[p].name);
            continue;
        }
        numbers[p] = kept;
        net->params[kept++] = net->params[p];
    }
    net->param_count = (size_t)kept;
    for (size_t i = 0; i < net->copy_count; i++) net->copies[i].original = numbers[net->copies[i].original];
    tonnx__net_each_param(net, renumber, numbers);
    tonnx__free(numbers);
    return TONNX_OK;
}

/* What would be trained, had the exporter not left it to be computed from other constants. */
static void say_derived(const tonnx_net *net)
{
    for (size_t p = 0; p < net->param_count; p++)
        if (net->params[p].derived && net->params[p].role != TONNX__ROLE_CONSTANT)
            tonnx__say(&net->log, TONNX_LOG_INFO,
                       "'%s' is computed from other constants of the file: it is not trained", net->params[p].name);
}

/* A Mul by a trained row is how a folded batch norm is written: its affine part trains, its statistics are gone. */
static void say_affine(const tonnx_net *net)
{
    for (size_t l = 0; l < net->layer_count; l++)
        for (size_t i = 0; i < net->layers[l].in_count && net->layers[l].kind == TONNX__LAYER_BINARY; i++) {
            const int p = net->layers[l].in[i].param;
            if (p < 0 || net->params[p].role != TONNX__ROLE_SCALE || !net->params[p].trained) continue;
            tonnx__say(
                &net->log, TONNX_LOG_INFO,
                "'%s' scales each feature and is trained so; a batch norm that was folded into such rows follows "
                "no batch's statistics any more (--freeze keeps them)",
                net->params[p].name);
            return;
        }
}

static tonnx_status build(tonnx_net *net, const tonnx_net_options *options)
{
    tonnx_model *model = net->model;
    tonnx__builder builder = { .net = net, .model = model, .path = model->path, .opset = tonnx__model_opset(model),
                               .opens_batch = options->dynamic_batch };
    const tonnx__value *input = NULL, *output = NULL;
    tonnx_status status = choose_input(model, options->input, &input);
    if (!status) status = choose_output(model, options->output, &output);
    if (!status) status = bind_input(&builder, input);
    if (!status) status = tonnx__walk(&builder, output->name, &net->output);
    if (!status && options->dynamic_batch) status = tonnx__batch_look(&builder, input, output);
    if (!status) status = prune_layers(net);
    if (!status) status = prune_params(net);
    if (!status && !net->layer_count)
        status = tonnx__fail(TONNX_BAD_MODEL,
                             "%s: the graph computes nothing: it has no layer; choose another output with --output",
                             model->path);
    tonnx__builder_clear(&builder);
    if (!status) status = tonnx__ties_resolve(net);
    if (!status) status = prune_params(net);
    if (!status) status = tonnx__gates_name(net);
    if (!status) say_derived(net);
    if (!status) say_affine(net);
    return status;
}

static tonnx_status net_make(tonnx_net **out, tonnx_model *model, const tonnx_net_options *options)
{
    tonnx_net *net = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&net, 1, sizeof *net);
    if (status) return status;
    net->model = model;
    net->log = options->log;
    net->bn_momentum = options->bn_momentum;
    net->keep_ties = options->keep_ties;
    net->untie = options->untie;
    status = build(net, options);
    if (status) tonnx_net_free(net);
    else *out = net;
    return status;
}

tonnx_status tonnx_net_new(tonnx_net **out, tonnx_model *model, const tonnx_net_options *options)
{
    tonnx_net_options o = TONNX_NET_OPTIONS_DEFAULT;
    *out = NULL;
    tonnx_status status = tonnx__options_lay(&o, sizeof o, options, "TONNX_NET_OPTIONS_DEFAULT");
    if (!status) status = net_make(out, model, &o);
    if (!status) status = tonnx__batch_check(*out);
    if (!status && o.add_bias && tonnx__biases_missing(*out)) {
        status = tonnx__biases_add(*out);
        tonnx_net_free(*out);
        *out = NULL;
        if (!status) status = net_make(out, model, &o);
    } else if (!status) {
        tonnx__biases_say(*out);
    }
    if (!status && o.dynamic_batch) status = tonnx__batch_open(*out);
    if (!status) return TONNX_OK;
    tonnx_net_free(*out);
    *out = NULL;
    return status;
}

/* The layer that makes a value; -1 for the input. */
static int maker_of(const tonnx_net *net, int value)
{
    for (size_t l = 0; l < net->layer_count; l++)
        if (net->layers[l].out == value) return (int)l;
    return -1;
}

int tonnx__net_logits(const tonnx_net *net, int *head)
{
    const int last = maker_of(net, net->output);
    const tonnx__layer *layer = last < 0 ? NULL : &net->layers[last];
    const bool is_head = layer && (layer->kind == TONNX__LAYER_SOFTMAX ||
                                   (layer->kind == TONNX__LAYER_ACTIVATION && layer->act == TONNX_ACT_sigmoid));
    *head = is_head ? last : -1;
    return is_head ? layer->in[0].value : net->output;
}
