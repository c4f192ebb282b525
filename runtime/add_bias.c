/* Biases that an exporter dropped because they were zero, put back as zeros that can be trained. */
#include "runtime/add_bias_impl.h"

#include <stdio.h>
#include <string.h>

static bool lacks_bias(const tonnx__layer *layer)
{
    return layer->kind == TONNX__LAYER_DENSE && layer->bias < 0;
}

size_t tonnx__biases_missing(const tonnx_net *net)
{
    size_t count = 0;
    for (size_t l = 0; l < net->layer_count; l++) count += lacks_bias(&net->layers[l]);
    return count;
}

void tonnx__biases_say(const tonnx_net *net)
{
    const size_t missing = tonnx__biases_missing(net);
    size_t first = 0, dense = 0;
    for (size_t l = net->layer_count; l-- > 0;) {
        dense += net->layers[l].kind == TONNX__LAYER_DENSE;
        if (lacks_bias(&net->layers[l])) first = l;
    }
    if (missing)
        tonnx__say(
            &net->log, TONNX_LOG_INFO,
            "%zu of %zu dense layers have no bias ('%s'%s): exporters drop biases that are zero; --add-bias puts "
            "them in",
            missing, dense, net->layers[first].name, missing > 1 ? " …" : "");
}

static bool is_name_taken(const tonnx_model *model, const char *name)
{
    for (size_t i = 0; i < model->input_count; i++)
        if (!strcmp(model->inputs[i].name, name)) return true;
    for (size_t n = 0; n < model->node_count; n++)
        for (size_t i = 0; i < model->nodes[n].output_count; i++)
            if (!strcmp(model->nodes[n].outputs[i], name)) return true;
    return tonnx__model_find_tensor(model, name) >= 0;
}

/* STEM and SUFFIX, with a number where that is a name already. */
static void free_name(const tonnx_model *model, const char *stem, size_t length, const char *suffix, char text[560])
{
    snprintf(text, 560, "%.*s%s", (int)(length < 500 ? length : 500), stem, suffix);
    for (size_t i = 2; is_name_taken(model, text); i++)
        snprintf(text, 560, "%.*s%s.%zu", (int)(length < 500 ? length : 500), stem, suffix, i);
}

/* "fc1.bias" beside "fc1.weight", as the framework would call it; else after the layer. */
static void bias_name(const tonnx_net *net, const tonnx__layer *layer, char text[560])
{
    static const char ending[] = "weight";
    const char *weight = net->params[layer->weight].name;
    const size_t length = strlen(weight), end = sizeof ending - 1;
    if (length > end && !strcmp(weight + length - end, ending))
        free_name(net->model, weight, length - end, "bias", text);
    else free_name(net->model, layer->name, strlen(layer->name), ".bias", text);
}

static ptrdiff_t maker_of(const tonnx_model *model, const char *name)
{
    for (size_t n = 0; n < model->node_count; n++)
        for (size_t i = 0; i < model->nodes[n].output_count; i++)
            if (!model->nodes[n].removed && !strcmp(model->nodes[n].outputs[i], name)) return (ptrdiff_t)n;
    return -1;
}

/* The type in which a weight reaches its product: the stored one, or that of the last Cast on the way. A bias has to
 * have the same. The graph has no cycle, and names of the file are made before they are read. */
static tonnx_dtype computed_dtype(const tonnx_net *net, const tonnx__layer *layer, const tonnx__node *product)
{
    const tonnx_model *model = net->model;
    ptrdiff_t maker = maker_of(model, tonnx__node_input(product, 1));
    while (maker >= 0 && model->nodes[maker].input_count) {
        if (!strcmp(model->nodes[maker].op_type, "Cast"))
            return (tonnx_dtype)tonnx__node_int(&model->nodes[maker], "to", TONNX_FLOAT);
        maker = maker_of(model, model->nodes[maker].inputs[0]);
    }
    return tonnx__param_tensor(&net->params[layer->weight], net->model)->dtype;
}

/* y = product + bias, in place of the product's own y. */
static tonnx_status add_node(tonnx_model *model, size_t product, const char *bias)
{
    char inner[560], name[560];
    const tonnx__node *node = &model->nodes[product];
    const char *inputs[2] = { inner, bias };
    char *output = NULL;
    size_t at = 0;
    free_name(model, node->outputs[0], strlen(node->outputs[0]), "_product", inner);
    snprintf(name, sizeof name, "%.500s_bias", *node->name ? node->name : node->outputs[0]);
    tonnx_status status = tonnx__strdup(&output, node->outputs[0]);
    if (!status) status = tonnx__model_rename_output(model, product, inner);
    if (!status) status = tonnx__model_insert_node(model, product + 1, "Add", name, inputs, 2, output, &at);
    if (!status && tonnx__model_opset(model) < 7) { /* before opset 7 nothing is broadcast unasked */
        status = tonnx__node_add_int(&model->nodes[at], "broadcast", 1);
        if (!status) status = tonnx__node_add_int(&model->nodes[at], "axis", 1);
    }
    tonnx__free(output);
    return status;
}

static tonnx_status add_bias(tonnx_net *net, const tonnx__layer *layer)
{
    tonnx_model *model = net->model;
    const ptrdiff_t product = maker_of(model, net->values[layer->out].name);
    char name[560];
    const int64_t dims[1] = { (int64_t)net->values[layer->out].features };
    size_t tensor = 0;
    if (product < 0)
        return tonnx__fail(TONNX_BAD_MODEL, "%s: layer '%s' stands in a function; --add-bias cannot put a bias there",
                           model->path, layer->name);
    const tonnx__node *node = &model->nodes[product];
    const bool gemm = !*node->domain && !strcmp(node->op_type, "Gemm") && tonnx__node_float(node, "beta", 1) != 0;
    bias_name(net, layer, name);
    tonnx_status status = tonnx__model_add_tensor(model, name, computed_dtype(net, layer, node), 1, dims, &tensor);
    if (!status)
        status =
            gemm ? tonnx__model_rename_input(model, (size_t)product, 2, name) : add_node(model, (size_t)product, name);
    if (!status)
        tonnx__say(&net->log, TONNX_LOG_INFO, "'%s', %zu zeros, is the new bias of '%s'", name,
                   net->values[layer->out].features, layer->name);
    return status;
}

tonnx_status tonnx__biases_add(tonnx_net *net)
{
    tonnx_status status = TONNX_OK;
    for (size_t l = 0; l < net->layer_count && !status; l++)
        if (lacks_bias(&net->layers[l])) status = add_bias(net, &net->layers[l]);
    return status;
}
