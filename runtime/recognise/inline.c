/* Model-local functions: a call is replaced, in memory, by the nodes of its function's body. The file keeps both.
 *
 * Inside a body, an input's name becomes what the call passes, the other names get the call's own output in front, and
 * an attribute that stands for one of the function's takes the call's value or the function's default. */
#include <stdio.h>
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

enum { DEPTH_MOST = 32, NODES_MOST = 1 << 16 };

/* A body's node as this call has it. Its types and attribute values are borrowed from the function and the call. */
struct tonnx__inlined {
    tonnx__node node;    /* first: a pointer to it is one to the whole */
    ptrdiff_t outermost; /* the graph's own node that it came from */
};

static void inlined_free(tonnx__inlined *inlined)
{
    for (size_t i = 0; i < inlined->node.input_count; i++) tonnx__free(inlined->node.inputs[i]);
    for (size_t i = 0; i < inlined->node.output_count; i++) tonnx__free(inlined->node.outputs[i]);
    tonnx__free(inlined->node.inputs);
    tonnx__free(inlined->node.outputs);
    tonnx__free(inlined->node.attributes);
    tonnx__free(inlined);
}

void tonnx__inlined_free(tonnx_net *net)
{
    for (size_t i = 0; i < net->inlined_count; i++) inlined_free(net->inlined[i]);
    tonnx__free(net->inlined);
}

static const tonnx__function *function_of(const tonnx_model *model, const tonnx__node *node)
{
    const char *overload = node->overload ? node->overload : "";
    for (size_t i = 0; i < model->function_count; i++) {
        const tonnx__function *f = &model->functions[i];
        if (!strcmp(f->name, node->op_type) && !strcmp(f->domain, node->domain) && !strcmp(f->overload, overload))
            return f;
    }
    return NULL;
}

/* What a body's name is called in the graph: "" where it is an input or output that the call leaves out. */
static tonnx_status outer_name(char **out, const tonnx__function *f, const tonnx__node *call, const char *name)
{
    char text[1024];
    if (!*name) return tonnx__strdup(out, "");
    for (size_t i = 0; i < f->input_count; i++)
        if (!strcmp(f->inputs[i], name)) return tonnx__strdup(out, tonnx__node_input(call, i));
    for (size_t i = 0; i < f->output_count; i++)
        if (!strcmp(f->outputs[i], name) && i < call->output_count && *call->outputs[i])
            return tonnx__strdup(out, call->outputs[i]);
    if ((size_t)snprintf(text, sizeof text, "%s/%s", call->outputs[0], name) >= sizeof text)
        return tonnx__fail(TONNX_BAD_MODEL, "function '%s': its names grow beyond any use; export it inlined", f->name);
    return tonnx__strdup(out, text);
}

static tonnx_status outer_names(char ***out, size_t *counted, const tonnx__function *f, const tonnx__node *call,
                                char *const *names, size_t count)
{
    tonnx_status status = tonnx__alloc(out, count, sizeof **out);
    for (; *counted < count && !status; *counted += !status)
        status = outer_name(&(*out)[*counted], f, call, names[*counted]);
    return status;
}

/* The value of the function's attribute `name` in this call; NULL where it has none. */
static const tonnx__attribute *passed(const tonnx__function *f, const tonnx__node *call, const char *name)
{
    const tonnx__attribute *given = tonnx__node_attribute(call, name);
    for (size_t i = 0; i < f->default_count && !given; i++)
        if (!strcmp(f->defaults[i].name, name)) given = &f->defaults[i];
    return given;
}

static tonnx_status outer_attributes(tonnx__node *out, const tonnx__function *f, const tonnx__node *call,
                                     const tonnx__node *inner)
{
    const tonnx_status status = tonnx__alloc(&out->attributes, inner->attribute_count, sizeof *out->attributes);
    for (size_t i = 0; i < inner->attribute_count && !status; i++) {
        const tonnx__attribute *own = &inner->attributes[i];
        const tonnx__attribute *value = own->stands_for ? passed(f, call, own->stands_for) : own;
        if (!value) continue;                      /* neither given nor a default: as if it were not there */
        if (!strcmp(inner->op_type, "Constant")) { /* its tensor belongs to the model, not to this copy */
            const tonnx_status made = tonnx__attribute_numbers((tonnx__attribute *)value);
            if (made) return made;
        }
        out->attributes[out->attribute_count] = *value;
        out->attributes[out->attribute_count++].name = own->name;
    }
    return status;
}

static tonnx_status inline_node(tonnx__builder *builder, const tonnx__function *f, const tonnx__node *call,
                                const tonnx__node *inner, tonnx__inlined **out)
{
    tonnx_net *net = builder->net;
    tonnx_status status = tonnx__grow(&net->inlined, &net->inlined_room, net->inlined_count + 1, sizeof *net->inlined);
    if (!status) status = tonnx__alloc(out, 1, sizeof **out);
    if (status) return status;
    net->inlined[net->inlined_count++] = *out;
    tonnx__node *node = &(*out)->node;
    node->name = inner->name;
    node->op_type = inner->op_type;
    node->domain = inner->domain;
    node->overload = inner->overload;
    node->source_at = TONNX__NOT_IN_SOURCE;
    status = outer_names(&node->inputs, &node->input_count, f, call, inner->inputs, inner->input_count);
    if (!status)
        status = outer_names(&node->outputs, &node->output_count, f, call, inner->outputs, inner->output_count);
    return status ? status : outer_attributes(node, f, call, inner);
}

static tonnx_status add_node(tonnx__builder *builder, const tonnx__node *node, ptrdiff_t outermost, size_t depth)
{
    const tonnx__function *f = function_of(builder->model, node);
    if (builder->node_count > builder->model->node_count + NODES_MOST)
        return tonnx__node_fail(builder, node,
                                "the model's functions grow beyond any use when they are inlined; export with fewer");
    if (f && depth == DEPTH_MOST)
        return tonnx__node_fail(builder, node,
                                "functions call one another without an end; mend the file, ONNX allows no recursion");
    if (!f || !node->output_count) {
        const tonnx_status status =
            tonnx__grow(&builder->nodes, &builder->node_room, builder->node_count + 1, sizeof *builder->nodes);
        if (!status) builder->nodes[builder->node_count++] = node;
        return status;
    }
    for (size_t i = 0; i < f->node_count; i++) {
        tonnx__inlined *inlined = NULL;
        tonnx_status status = inline_node(builder, f, node, &f->nodes[i], &inlined);
        if (status) return status;
        inlined->outermost = outermost;
        status = add_node(builder, &inlined->node, outermost, depth + 1);
        if (status) return status;
    }
    return TONNX_OK;
}

tonnx_status tonnx__inline_functions(tonnx__builder *builder)
{
    tonnx_status status = TONNX_OK;
    for (size_t n = 0; n < builder->model->node_count && !status; n++)
        if (!builder->model->nodes[n].removed) status = add_node(builder, &builder->model->nodes[n], (ptrdiff_t)n, 0);
    return status;
}

ptrdiff_t tonnx__node_index(const tonnx__builder *builder, const tonnx__node *node)
{
    const uintptr_t at = (uintptr_t)node, first = (uintptr_t)builder->model->nodes;
    const bool own = at >= first && at < first + builder->model->node_count * sizeof *node;
    return own ? node - builder->model->nodes : -1;
}

void tonnx__node_use(const tonnx__builder *builder, const tonnx__node *node, size_t input, ptrdiff_t *use_node,
                     ptrdiff_t *use_input)
{
    *use_node = tonnx__node_index(builder, node);
    *use_input = (ptrdiff_t)input;
    if (*use_node >= 0) return;
    const tonnx__inlined *inlined = (const tonnx__inlined *)node;
    const tonnx__node *call = &builder->model->nodes[inlined->outermost];
    const char *name = tonnx__node_input(node, input);
    for (size_t i = 0; i < call->input_count; i++)
        if (*name && !strcmp(call->inputs[i], name)) {
            *use_node = inlined->outermost;
            *use_input = (ptrdiff_t)i;
            return;
        }
}
