/* When each dispatch of a step runs: as early as what it depends on lets it, and a barrier before each level of those
 * that wait for another. */
#include "vulkan/exec_impl.h"

static bool overlap(const tonnx__vk_window *a, const tonnx__vk_window *b)
{
    return a->buffer == b->buffer && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

/* Whether one of two dispatches writes what the other reads or writes. */
static bool conflict(const tonnx__vk_dispatch *a, const tonnx__vk_dispatch *b)
{
    for (uint32_t i = 0; i < a->operand_count; i++)
        for (uint32_t k = 0; k < b->operand_count; k++)
            if ((a->windows[i].write || b->windows[k].write) && overlap(&a->windows[i], &b->windows[k])) return true;
    return false;
}

/* A dispatch stands one level after the last one that it conflicts with: an update, which nothing in its step waits
 * for, beside the product that comes after. Returns how many levels there are. */
static size_t find_levels(tonnx__vk_exec *exec)
{
    size_t levels = 0;
    for (size_t i = 0; i < exec->count; i++) {
        tonnx__vk_dispatch *d = &exec->list[i];
        d->level = 0;
        for (size_t k = 0; k < i; k++)
            if (exec->list[k].level >= d->level && conflict(d, &exec->list[k])) d->level = exec->list[k].level + 1;
        if (d->level >= levels) levels = d->level + 1;
    }
    return levels;
}

/* The first of a step has a barrier for the step before. */
static void place_barriers(tonnx__vk_exec *exec)
{
    for (size_t i = 0; i < exec->count; i++)
        exec->list[i].barrier = i == 0 || exec->list[i].level != exec->list[i - 1].level;
}

tonnx_status tonnx__vk_schedule(tonnx__vk_exec *exec)
{
    tonnx__vk_dispatch *sorted = NULL, *tick = &exec->list[exec->count - 1];
    const size_t levels = find_levels(exec);
    const tonnx_status status = tonnx__alloc(&sorted, exec->count, sizeof *sorted);
    if (status) return status;
    tick->level = levels; /* the clock goes on when all is done */
    size_t count = 0;
    for (size_t level = 0; level <= levels; level++)
        for (size_t i = 0; i < exec->count; i++)
            if (exec->list[i].level == level) sorted[count++] = exec->list[i];
    tonnx__free(exec->list);
    exec->list = sorted;
    exec->room = exec->count;
    if (!tonnx__vk_of(exec)->no_barriers) place_barriers(exec);
    return TONNX_OK;
}
