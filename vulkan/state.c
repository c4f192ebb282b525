#include "vulkan/vulkan_impl.h"

void tonnx__vk_state_free(tonnx__device_state *base)
{
    tonnx__vk_state *state = (tonnx__vk_state *)base;
    tonnx__vk *vk = (tonnx__vk *)base->backend;
    tonnx__vk_finish(&vk->base);
    for (int a = 0; a < TONNX__STATE_ARENAS; a++) tonnx__vk_buffer_free(vk, &state->arenas[a]);
    tonnx__free(state);
}

tonnx_status tonnx__vk_state_new(tonnx__backend *backend, const size_t *sizes, tonnx__device_state **out)
{
    static const char *const names[] = { "the parameters' arena", "the gradients' arena", "the first moments' arena",
                                         "the second moments' arena", "the arena of what is frozen" };
    tonnx__vk *vk = (tonnx__vk *)backend;
    tonnx__vk_state *state = NULL;
    size_t whole = 0;
    for (int a = 0; a < TONNX__STATE_ARENAS; a++) whole += sizes[a] * sizeof(float);
    tonnx_status status = tonnx__vk_memory_want(vk, whole, "the state (parameters, gradients, moments)");
    if (!status) status = tonnx__alloc(&state, 1, sizeof *state);
    if (status) return status;
    state->base.backend = backend;
    for (int a = 0; a < TONNX__STATE_ARENAS && !status; a++) {
        status = tonnx__vk_buffer_new(vk, &state->arenas[a], sizes[a] * sizeof(float), false, names[a]);
        if (!status) status = tonnx__vk_zero(vk, &state->arenas[a]);
    }
    if (status) tonnx__vk_state_free(&state->base);
    else *out = &state->base;
    return status;
}

tonnx_status tonnx__vk_state_write(tonnx__device_state *base, tonnx__arena arena, size_t offset, size_t count,
                                   const void *from, tonnx__numbers numbers)
{
    tonnx__vk_state *state = (tonnx__vk_state *)base;
    return tonnx__vk_write((tonnx__vk *)base->backend, &state->arenas[arena], offset, count, from, numbers);
}

tonnx_status tonnx__vk_state_read(tonnx__device_state *base, tonnx__arena arena, size_t offset, size_t count, void *to,
                                  tonnx__numbers numbers)
{
    tonnx__vk_state *state = (tonnx__vk_state *)base;
    return tonnx__vk_read((tonnx__vk *)base->backend, &state->arenas[arena], offset, count, to, numbers);
}
