/* A state's numbers on the host, arena by arena. */
#include <math.h>
#include <string.h>

#include "runtime/state_impl.h"

void tonnx__image_clear(tonnx__image *image)
{
    for (int a = 0; a < TONNX__STATE_ARENAS; a++) tonnx__free(image->values[a]);
    *image = (tonnx__image){ 0 };
}

tonnx_status tonnx__state_read(tonnx__state *state, tonnx__image *out, unsigned arenas)
{
    tonnx_status status = TONNX_OK;
    for (int a = 0; a < TONNX__STATE_ARENAS && !status; a++) {
        const size_t count = arenas & 1u << a ? state->layout.sizes[a] : 0;
        if (!count) continue;
        if (!out->values[a]) status = tonnx__alloc(&out->values[a], count, sizeof(double));
        if (status) break;
        out->counts[a] = count;
        status = tonnx__device_state_read(state->device, (tonnx__arena)a, 0, count, out->values[a], TONNX__F64);
    }
    if (status) tonnx__image_clear(out);
    return status;
}

tonnx_status tonnx__state_write(tonnx__state *state, const tonnx__image *image)
{
    tonnx_status status = TONNX_OK;
    for (int a = 0; a < TONNX__STATE_ARENAS && !status; a++)
        if (image->counts[a])
            status = tonnx__device_state_write(state->device, (tonnx__arena)a, 0, image->counts[a], image->values[a],
                                               TONNX__F64);
    return status;
}

bool tonnx__image_fits(const tonnx__image *image, const tonnx__layout *layout, unsigned arenas)
{
    for (int a = 0; a < TONNX__STATE_ARENAS; a++)
        if (image->counts[a] != (arenas & 1u << a ? layout->sizes[a] : 0)) return false;
    return true;
}

tonnx_status tonnx__image_copy(tonnx__image *out, const tonnx__image *from)
{
    tonnx_status status = TONNX_OK;
    *out = (tonnx__image){ 0 };
    for (int a = 0; a < TONNX__STATE_ARENAS && !status; a++) {
        if (!from->counts[a]) continue;
        status = tonnx__alloc(&out->values[a], from->counts[a], sizeof(double));
        if (!status) memcpy(out->values[a], from->values[a], from->counts[a] * sizeof(double));
        out->counts[a] = from->counts[a];
    }
    if (status) tonnx__image_clear(out);
    return status;
}

/* The first trained parameter that holds NaN or Inf. */
const char *tonnx__image_not_finite(const tonnx__image *image, const tonnx__state *state)
{
    for (size_t p = 0; p < state->net->param_count; p++) {
        const tonnx__param *param = &state->net->params[p];
        const struct tonnx__place *at = &state->layout.places[p];
        if (at->arena != TONNX__ARENA_PARAM) continue;
        for (size_t i = 0; i < param->rows * param->cols; i++)
            if (!isfinite(image->values[TONNX__ARENA_PARAM][at->offset + i])) return param->name;
    }
    return NULL;
}
