#include "runtime/map_impl.h"

#include <string.h>

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *name; name++) h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return h;
}

/* The slot that holds `name`, or the free one where it belongs. There is always a free one: the map is at most half
 * full. */
static tonnx__map_slot *find(const tonnx__map *map, const char *name)
{
    size_t i = (size_t)hash(name) & (map->room - 1);
    while (map->slots[i].name && strcmp(map->slots[i].name, name) != 0) i = (i + 1) & (map->room - 1);
    return &map->slots[i];
}

static tonnx_status rehash(tonnx__map *map)
{
    tonnx__map wider = { NULL, map->room ? 2 * map->room : 64, map->count };
    const tonnx_status status = tonnx__alloc(&wider.slots, wider.room, sizeof *wider.slots);
    if (status) return status;
    for (size_t i = 0; i < map->room; i++)
        if (map->slots[i].name) *find(&wider, map->slots[i].name) = map->slots[i];
    tonnx__free(map->slots);
    *map = wider;
    return TONNX_OK;
}

tonnx_status tonnx__map_set(tonnx__map *map, const char *name, ptrdiff_t number)
{
    if (2 * (map->count + 1) > map->room) {
        const tonnx_status status = rehash(map);
        if (status) return status;
    }
    tonnx__map_slot *slot = find(map, name);
    map->count += !slot->name;
    *slot = (tonnx__map_slot){ name, number };
    return TONNX_OK;
}

ptrdiff_t tonnx__map_get(const tonnx__map *map, const char *name)
{
    if (!map->room) return -1;
    const tonnx__map_slot *slot = find(map, name);
    return slot->name ? slot->number : -1;
}

void tonnx__map_clear(tonnx__map *map)
{
    tonnx__free(map->slots);
    *map = (tonnx__map){ 0 };
}
