/* The state: what persists between steps, on a backend: parameters, gradients, moments, running statistics. */
#ifndef TONNX_RUNTIME_STATE_IMPL_H
#define TONNX_RUNTIME_STATE_IMPL_H

#include "runtime/backend_impl.h"
#include "runtime/net_impl.h"

/* A parameter's place begins at a multiple of this many elements: a cache line. */
enum { TONNX__PLACE_ALIGN = 16 };

/* Where the next place may begin after `end` elements. */
static inline size_t tonnx__place_end(size_t end)
{
    return (end + TONNX__PLACE_ALIGN - 1) / TONNX__PLACE_ALIGN * TONNX__PLACE_ALIGN;
}

/* Where each parameter of a net lives. Trained ones stand in PARAM in reverse layer order, so that backward fills the
 * gradient arena from front to back; all else in STATIC. */
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

/* Whether training changes that parameter: a trained one, or one of the running statistics where these move. */
bool tonnx__state_moves(const tonnx__state *state, size_t param, bool statistics);

/* The state's numbers into the model: trained parameters, and running statistics where `statistics`. Waits. */
tonnx_status tonnx__state_pull(tonnx__state *state, bool statistics);

/* A state's numbers on the host, arena by arena, of the kind that its backend holds or a file had; counts 0 and NULL where an
 * arena is not in it. */
typedef struct tonnx__image {
    size_t counts[TONNX__STATE_ARENAS];
    tonnx__numbers numbers[TONNX__STATE_ARENAS];
    void *values[TONNX__STATE_ARENAS]; /* owned; of `numbers` */
} tonnx__image;

/* Element i of an arena that the image has. */
static inline double tonnx__image_at(const tonnx__image *image, tonnx__arena arena, size_t i)
{
    const void *values = image->values[arena];
    return image->numbers[arena] == TONNX__F32 ? (double)((const float *)values)[i] : ((const double *)values)[i];
}

/* Sets of arenas: what persists beyond a step, and what a model is. */
enum {
    TONNX__ALL_ARENAS = 1 << TONNX__ARENA_PARAM | 1 << TONNX__ARENA_MOMENT1 | 1 << TONNX__ARENA_MOMENT2 |
                        1 << TONNX__ARENA_STATIC,
    TONNX__MODEL_ARENAS = 1 << TONNX__ARENA_PARAM | 1 << TONNX__ARENA_STATIC
};

/* The arenas of a set into *out (zeroed, or an image of such a state, which is overwritten); cleared on failure. And
 * back, all that the image holds. Wait. */
tonnx_status tonnx__state_read(tonnx__state *state, tonnx__image *out, unsigned arenas);
tonnx_status tonnx__state_write(tonnx__state *state, const tonnx__image *image);

/* Whether the image holds just these arenas of a state of that layout. */
bool tonnx__image_fits(const tonnx__image *image, const tonnx__layout *layout, unsigned arenas);
/* Room for `count` elements of an arena, in place of what the image has of it; the image owns it. */
tonnx_status tonnx__image_room(tonnx__image *image, tonnx__arena arena, size_t count, tonnx__numbers numbers);
tonnx_status tonnx__image_copy(tonnx__image *out, const tonnx__image *from);
void tonnx__image_clear(tonnx__image *image);

/* The name of the first trained parameter that holds NaN or Inf; NULL where none does. `image` has PARAM. */
const char *tonnx__image_not_finite(const tonnx__image *image, const tonnx__state *state);

#endif
