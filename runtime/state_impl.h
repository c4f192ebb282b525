/* The state: what persists between steps, on a backend: parameters, gradients, moments, running statistics. */
#ifndef TONNX_RUNTIME_STATE_IMPL_H
#define TONNX_RUNTIME_STATE_IMPL_H

#include "runtime/backend_impl.h"
#include "runtime/net_impl.h"

/* Where each parameter of a net lives. Trained ones stand in PARAM in reverse layer order, so that backward fills the
 * gradient arena from front to back; all else in STATIC. Offsets are multiples of 16 elements (a cache line). */
typedef struct tonnx__layout {
    struct tonnx__place {
        tonnx__arena arena; /* PARAM or STATIC */
        size_t offset;
    } * places; /* one per parameter */
    size_t sizes[TONNX__STATE_ARENAS];
} tonnx__layout;

/* `trained[p]` says which parameters are trained; `moments` is 0, 1 or 2. */
tonnx_status tonnx__layout_make(tonnx__layout *layout, const tonnx_net *net, const bool *trained, int moments);
void tonnx__layout_clear(tonnx__layout *layout);

typedef struct tonnx__state {
    tonnx_net *net; /* borrowed */
    tonnx__layout layout;
    tonnx__device_state *device;
} tonnx__state;

/* A state on `backend` with the model's numbers in it. */
tonnx_status tonnx__state_new(tonnx__state **out, tonnx_net *net, tonnx__backend *backend, const bool *trained,
                              int moments);
void tonnx__state_free(tonnx__state *state);

/* The state's numbers into the model: trained parameters, and running statistics where `statistics`. Waits. */
tonnx_status tonnx__state_pull(tonnx__state *state, bool statistics);

#endif
