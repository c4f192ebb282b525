/* A state's numbers on the host, arena by arena. */
#include <math.h>
#include <string.h>

#include "runtime/state_impl.h"

void tonnx__image_clear(tonnx__image *image)
{
    for (int a = 0; a < TONNX__STATE_ARENAS; a++) tonnx__free(image->values[a]);
    *image = (tonnx__image){ 0 };
}

tonnx_status tonnx__image_room(tonnx__image *image, tonnx__arena arena, size_t count, tonnx__numbers numbers)
{
    tonnx__free(image->values[arena]);
    image->counts[arena] = 0;
    const tonnx_status status = tonnx__alloc(&image->values[arena], count, tonnx__numbers_size(numbers));
    if (status) return status;
    image->counts[arena] = count;
    image->numbers[arena] = numbers;
    return TONNX_OK;
}

tonnx_status tonnx__state_read(tonnx__state *state, tonnx__image *out, unsigned arenas)
{
    const tonnx__numbers numbers = state->device->backend->kind->numbers;
    tonnx_status status = TONNX_OK;
    for (int a = 0; a < TONNX__STATE_ARENAS && !status; a++) {
        const tonnx__arena arena = (tonnx__arena)a;
        const size_t count = arenas & 1u << a ? state->layout.sizes[a] : 0;
        if (!count) continue;
        if (!out->values[a] || out->numbers[a] != numbers) status = tonnx__image_room(out, arena, count, numbers);
        if (!status) status = tonnx__device_state_read(state->device, arena, 0, count, out->values[a], numbers);
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
                                               image->numbers[a]);
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
        status = tonnx__image_room(out, (tonnx__arena)a, from->counts[a], from->numbers[a]);
        if (!status) memcpy(out->values[a], from->values[a], from->counts[a] * tonnx__numbers_size(from->numbers[a]));
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
            if (!isfinite(tonnx__image_at(image, TONNX__ARENA_PARAM, at->offset + i))) return param->name;
    }
    return NULL;
}
