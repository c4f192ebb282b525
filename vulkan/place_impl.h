/* Where the threads of a driver run whose device is the CPU. */
#ifndef TONNX_VULKAN_PLACE_IMPL_H
#define TONNX_VULKAN_PLACE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TONNX__VK_MAX_PLACED = 64, TONNX__VK_NAME_SIZE = 16 /* as Linux has it */ };

typedef struct tonnx__vk_placed {
    int thread;
    uint64_t ran, waited; /* ns, when last looked at */
} tonnx__vk_placed;

typedef struct tonnx__vk_place {
    char mark[TONNX__VK_NAME_SIZE]; /* what the driver's threads are known by */
    uint64_t allowed[16];           /* a cpu_set_t: the cores that who opened the device could use */
    tonnx__vk_placed threads[TONNX__VK_MAX_PLACED];
    size_t count; /* 0: the scheduler's, for good */
    bool bound;   /* each to a core */
    double since; /* s */
} tonnx__vk_place;

/* place.c: before what makes the driver's threads, which begin with a name of ours, and after it; `name` is kept in
 * between. Neither fails: what cannot be placed runs where it did. */
void tonnx__vk_place_begin(tonnx__vk_place *place, char *name);
void tonnx__vk_place_end(tonnx__vk_place *place, const char *name);
/* Now and then: whether a core is shared with someone else, who is then left alone for a while. */
void tonnx__vk_place_look(tonnx__vk_place *place);

#endif
