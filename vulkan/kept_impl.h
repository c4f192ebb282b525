/* What one run learns of a device and its driver for the next, and the files that keep it. */
#ifndef TONNX_VULKAN_KEPT_IMPL_H
#define TONNX_VULKAN_KEPT_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/status.h"

typedef struct tonnx__vk tonnx__vk;

/* variants.def and shapes.def: how products are cut, and which shapes are cut alike. */
enum {
#define TONNX_VARIANT(id, way, bm, bn, bk, tm, tn) TONNX__VK_VARIANT_##id,
#include "vulkan/variants.def"
#undef TONNX_VARIANT
    TONNX__VK_VARIANTS
};
typedef enum tonnx__vk_shape {
#define TONNX_SHAPE(id, tiled, direct, texels, m, n, k) TONNX__VK_##id,
#include "vulkan/shapes.def"
#undef TONNX_SHAPE
    TONNX__VK_SHAPES
} tonnx__vk_shape;

/* What this device and driver are known to do best, and right. `best`: a variant's row, from 1 on; 0: not measured. By
 * shape, and by what is stored transposed. `right`: a bit for each way the factors may lie, with K whole and in slices. */
typedef struct tonnx__vk_choices {
    uint8_t best[TONNX__VK_SHAPES][4];
    uint8_t wrong[TONNX__VK_VARIANTS];
    uint32_t right[TONNX__VK_VARIANTS];
} tonnx__vk_choices;

/* keep.c: what was kept under that name for this device and driver, to be freed; NULL where there is nothing, or what
 * there is is not whole or another driver's (*foreign). Keeping it. Where it lies; false where there is no folder. */
void *tonnx__vk_kept(const tonnx__vk *vk, const char *kind, size_t *count, bool *foreign);
void tonnx__vk_keep(const tonnx__vk *vk, const char *kind, const void *data, size_t count);
bool tonnx__vk_kept_name(const tonnx__vk *vk, const char *kind, char *name, size_t size);
uint64_t tonnx__vk_hash(const void *data, size_t count);

/* cache.c, variant.c: pipelines and choices of earlier runs, out of the user's cache folder, and back into it. */
tonnx_status tonnx__vk_cache_open(tonnx__vk *vk);
void tonnx__vk_cache_close(tonnx__vk *vk);
void tonnx__vk_variants_open(tonnx__vk *vk);
void tonnx__vk_variants_close(tonnx__vk *vk);

#endif
