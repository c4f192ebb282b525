/* What `auto` chooses for a dense layer. */
#include "runtime/init_impl.h"
#include "runtime/mem_impl.h"

/* What layer l shows to those before it: itself, what comes after it, or nothing. */
static int shown(const tonnx_net *net, const int *after, size_t l)
{
    const tonnx__layer *layer = &net->layers[l];
    if (layer->kind == TONNX__LAYER_ACTIVATION) return (int)l;
    return layer->kind == TONNX__LAYER_DENSE || layer->kind == TONNX__LAYER_SOFTMAX ? -1 : after[layer->out];
}

/* Layers stand behind what they read, so from the last to the first each one's reader is known already. */
tonnx_status tonnx__activations_after(int **out, const tonnx_net *net)
{
    const tonnx_status status = tonnx__alloc(out, net->value_count, sizeof **out);
    for (size_t v = 0; v < net->value_count && !status; v++) (*out)[v] = -1;
    for (size_t l = net->layer_count; l-- > 0 && !status;) {
        const tonnx__layer *layer = &net->layers[l];
        const int seen = shown(net, *out, l);
        for (size_t i = 0; i < layer->in_count; i++) {
            const int value = layer->in[i].value;
            if (value >= 0 && seen >= 0 && ((*out)[value] < 0 || seen < (*out)[value])) (*out)[value] = seen;
        }
    }
    return status;
}

tonnx__recipe tonnx__recipe_chosen(const tonnx_net *net, int after)
{
    const tonnx__layer *layer = after < 0 ? NULL : &net->layers[after];
    const tonnx_activation act = layer ? (tonnx_activation)layer->act : TONNX_ACT_NONE;
    tonnx__recipe recipe = tonnx__recipe_of(tonnx__activation_scheme(act));
    if (recipe.scheme == TONNX_INIT_he_uniform) recipe.gain = tonnx__activation_gain(act, layer->a, layer->b);
    return recipe;
}
