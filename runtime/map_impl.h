/* Names → numbers: the one hash map, for value, tensor and node names. */
#ifndef TONNX_RUNTIME_MAP_IMPL_H
#define TONNX_RUNTIME_MAP_IMPL_H

#include "runtime/mem_impl.h"

typedef struct tonnx__map_slot {
    const char *name; /* borrowed; NULL marks a free slot */
    ptrdiff_t number;
} tonnx__map_slot;

typedef struct tonnx__map {
    tonnx__map_slot *slots;
    size_t room, count; /* room is a power of two, or 0 */
} tonnx__map;

/* Maps `name` (borrowed, must outlive the map) to `number`; a later one replaces an earlier one. */
tonnx_status tonnx__map_set(tonnx__map *map, const char *name, ptrdiff_t number);

/* The number of `name`; -1 where it has none. */
ptrdiff_t tonnx__map_get(const tonnx__map *map, const char *name);

void tonnx__map_clear(tonnx__map *map);

#endif
