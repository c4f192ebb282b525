#include "runtime/state_impl.h"

#include "runtime/ties_impl.h"

static size_t param_count(const tonnx__param *param)
{
    return param->rows * param->cols; /* fits: it did in the file */
}

/* Places one parameter at the end of its arena. */
static void place(tonnx__layout *layout, const tonnx_net *net, int param, const bool *trained, bool *placed)
{
    if (param < 0 || placed[param]) return;
    const tonnx__arena arena = trained[param] ? TONNX__ARENA_PARAM : TONNX__ARENA_STATIC;
    layout->places[param] = (struct tonnx__place){ arena, layout->sizes[arena] };
    layout->sizes[arena] += tonnx__place_end(param_count(&net->params[param]));
    placed[param] = true;
}

tonnx_status tonnx__layout_make(tonnx__layout *layout, const tonnx_net *net, const bool *trained, int moments)
{
    bool *placed = NULL;
    *layout = (tonnx__layout){ 0 };
    tonnx_status status = tonnx__alloc(&layout->places, net->param_count, sizeof *layout->places);
    if (!status) status = tonnx__alloc(&placed, net->param_count, sizeof *placed);
    for (size_t l = net->layer_count; l-- > 0 && !status;) {
        const tonnx__layer *layer = &net->layers[l];
        place(layout, net, layer->weight, trained, placed);
        place(layout, net, layer->bias, trained, placed);
        place(layout, net, layer->mean, trained, placed);
        place(layout, net, layer->variance, trained, placed);
        for (size_t i = 0; i < layer->in_count; i++) place(layout, net, layer->in[i].param, trained, placed);
    }
    layout->sizes[TONNX__ARENA_GRAD] = layout->sizes[TONNX__ARENA_PARAM];
    layout->sizes[TONNX__ARENA_MOMENT1] = moments > 0 ? layout->sizes[TONNX__ARENA_PARAM] : 0;
    layout->sizes[TONNX__ARENA_MOMENT2] = moments > 1 ? layout->sizes[TONNX__ARENA_PARAM] : 0;
    tonnx__free(placed);
    if (status) tonnx__layout_clear(layout);
    return status;
}

void tonnx__layout_clear(tonnx__layout *layout)
{
    tonnx__free(layout->places);
    *layout = (tonnx__layout){ 0 };
}

/* Every parameter of the net, out of the model and onto the device. */
static tonnx_status load(tonnx__state *state)
{
    tonnx_net *net = state->net;
    tonnx_status status = TONNX_OK;
    for (size_t p = 0; p < net->param_count && !status; p++) {
        const struct tonnx__place *at = &state->layout.places[p];
        const size_t count = param_count(&net->params[p]);
        double *values = NULL;
        status = tonnx__alloc(&values, count, sizeof *values);
        if (status) return status;
        tonnx__param_pull(&net->params[p], net->model, values);
        status = tonnx__device_state_write(state->device, at->arena, at->offset, count, values, TONNX__F64);
        tonnx__free(values);
    }
    return status;
}

tonnx_status tonnx__state_new(tonnx__state **out, tonnx_net *net, tonnx__backend *backend, const bool *trained,
                              int moments)
{
    tonnx__state *state = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&state, 1, sizeof *state);
    if (status) return status;
    state->net = net;
    status = tonnx__layout_make(&state->layout, net, trained, moments);
    if (!status) status = tonnx__device_state_new(&state->device, backend, state->layout.sizes);
    if (!status) status = load(state);
    if (status) tonnx__state_free(state);
    else *out = state;
    return status;
}

void tonnx__state_free(tonnx__state *state)
{
    if (!state) return;
    tonnx__device_state_free(state->device);
    tonnx__layout_clear(&state->layout);
    tonnx__free(state);
}

bool tonnx__state_moves(const tonnx__state *state, size_t param, bool statistics)
{
    const tonnx__role role = state->net->params[param].role;
    return state->layout.places[param].arena == TONNX__ARENA_PARAM ||
           (statistics && (role == TONNX__ROLE_MEAN || role == TONNX__ROLE_VARIANCE));
}

tonnx_status tonnx__state_pull(tonnx__state *state, bool statistics)
{
    tonnx_net *net = state->net;
    double **values = NULL;
    tonnx_status status = tonnx__alloc(&values, net->param_count, sizeof *values);
    if (status) return status;
    for (size_t p = 0; p < net->param_count && !status; p++) {
        const struct tonnx__place *at = &state->layout.places[p];
        const size_t count = param_count(&net->params[p]);
        if (!tonnx__state_moves(state, p, statistics)) continue;
        status = tonnx__alloc(&values[p], count, sizeof **values);
        if (!status)
            status = tonnx__device_state_read(state->device, at->arena, at->offset, count, values[p], TONNX__F64);
    }
    if (!status) status = tonnx__net_push(net, (const double *const *)values);
    for (size_t p = 0; p < net->param_count; p++) tonnx__free(values[p]);
    tonnx__free(values);
    return status;
}
