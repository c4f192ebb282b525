/* Which variant of a product serves a shape: what was measured on this device and driver, else what is built in, else
 * the next one that is lawful and not found wrong. */
#include <string.h>

#include "vulkan/variant_impl.h"

static const char kind[] = "variants";

static const tonnx__vk_variant rows[] = {
#define TONNX_VARIANT(id, way, bm, bn, bk, tm, tn) { #id, TONNX__VK_##way, bm, bn, bk, tm, tn },
#include "vulkan/variants.def"
#undef TONNX_VARIANT
};

enum {
#define TONNX_VARIANT(id, way, bm, bn, bk, tm, tn) id,
#include "vulkan/variants.def"
#undef TONNX_VARIANT
};

static const uint8_t built_in[TONNX__VK_SHAPES][TONNX__VK_WAYS] = {
#define TONNX_SHAPE(id, tiled, direct, texels, m, n, k) { tiled, direct, texels },
#include "vulkan/shapes.def"
#undef TONNX_SHAPE
};

const tonnx__vk_variant *tonnx__vk_variant_row(size_t row)
{
    return &rows[row];
}

uint32_t tonnx__vk_variant_invocations(const tonnx__vk_variant *v)
{
    return v->bm / v->tm * (v->bn / v->tn);
}

bool tonnx__vk_variant_lawful(const tonnx__vk_variant *v, const tonnx__vk_limits *limits)
{
    const bool whole = v->bm % v->tm == 0 && v->bn % v->tn == 0;
    const bool by_fours = v->way == TONNX__VK_TILED || (v->tm % 4 == 0 && v->tn % 4 == 0);
    const bool shown = v->way != TONNX__VK_TEXELS || limits->views >= TONNX__VK_MAX_VIEWS;
    return whole && by_fours && shown && TONNX__VK_SLICE_UNIT % v->bk == 0 &&
           tonnx__vk_variant_invocations(v) <= limits->invocations &&
           (size_t)(v->bm + v->bn) * (v->way == TONNX__VK_TILED ? v->bk : 1) * sizeof(float) <= limits->shared;
}

/* Whether a view shows the largest of its matrices, or of the parts that they come in. */
static bool fits_view(const tonnx__vk_limits *limits, const tonnx__vk_product *p)
{
    const size_t ab = p->m > p->n ? p->m * p->k : p->n * p->k, c = p->m * p->n;
    const size_t bytes = (ab > c ? ab : c) * sizeof(float) + limits->align;
    return (bytes < limits->range ? bytes : limits->range) / sizeof(float) < limits->texels;
}

bool tonnx__vk_variant_serves(const tonnx__vk *vk, size_t row, const tonnx__vk_product *p)
{
    return tonnx__vk_variant_lawful(&rows[row], &vk->limits) && !vk->choices.wrong[row] &&
           (!p->loss || p->n <= rows[row].bn) && (rows[row].way != TONNX__VK_TEXELS || fits_view(&vk->limits, p));
}

/* By sizes alone. */
static tonnx__vk_shape shape_of(const tonnx__vk_product *p)
{
    if (p->loss) return p->n <= 16 ? TONNX__VK_NARROW : TONNX__VK_LOSS;
    if (p->slices > 1 && (p->n <= 16 || p->m <= 16)) return TONNX__VK_DEEP;
    if (p->m <= 8) return TONNX__VK_FLAT;
    if ((double)p->m * (double)p->n * (double)p->k < 1e6) return TONNX__VK_SMALL;
    return p->m >= 256 && p->n >= 256 ? TONNX__VK_LARGE : TONNX__VK_MIDDLE;
}

/* Slices of 128 and more, for about as many tiles as a large device works on at once. What A transposed makes, a weight's
 * gradient, nothing of its step waits for but its update, where another product is made meanwhile; other products hold the
 * step up by one more dispatch, and so have to be long. */
void tonnx__vk_slice(tonnx__vk_product *p)
{
    enum { TILE = 32, TILES = 128, SHORTEST = 128, LONG_GRADIENT = 256, LONG = 2048 };
    const size_t tiles = ((p->m + TILE - 1) / TILE) * ((p->n + TILE - 1) / TILE), most = p->k / SHORTEST;
    const size_t wanted = TILES / tiles < most ? TILES / tiles : most;
    const bool is_long = p->k >= (p->lie & TONNX__VK_TRANS_A ? LONG_GRADIENT : LONG);
    p->slices = is_long && wanted > 1 ? wanted : 1;
    p->depth = ((p->k - 1) / p->slices / TONNX__VK_SLICE_UNIT + 1) * TONNX__VK_SLICE_UNIT;
    p->slices = (p->k - 1) / p->depth + 1;
}

uint32_t tonnx__vk_lie(const tonnx__vk_product *p)
{
    return p->lie | (p->slices > 1 ? TONNX__VK_SLICED : 0u);
}

uint8_t *tonnx__vk_measured(tonnx__vk *vk, const tonnx__vk_product *p)
{
    return &vk->choices.best[shape_of(p)][p->lie % TONNX__VK_WIDE_A];
}

/* The row to try at a turn; TONNX__VK_VARIANTS: none. A CPU reads for itself, by vectors where it can, unless it plays
 * another device. */
static size_t candidate(tonnx__vk *vk, const tonnx__vk_product *p, size_t turn)
{
    const bool direct = vk->card.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU && !vk->card.tiled;
    const size_t best = *tonnx__vk_measured(vk, p);
    if (turn == 0) return best ? best - 1 : TONNX__VK_VARIANTS;
    if (turn == 1) return built_in[shape_of(p)][direct ? TONNX__VK_TEXELS : TONNX__VK_TILED];
    return turn == 2 ? built_in[shape_of(p)][direct ? TONNX__VK_DIRECT : TONNX__VK_TILED] : turn - 3;
}

tonnx_status tonnx__vk_variant_choose(tonnx__vk *vk, const tonnx__vk_product *p, const tonnx__vk_variant **out)
{
    *out = &rows[vk->forced ? vk->forced - 1 : 0];
    if (vk->forced) return TONNX_OK;
    for (size_t turn = 0; turn < TONNX__VK_VARIANTS + 3; turn++) {
        const size_t row = candidate(vk, p, turn);
        bool right = row < TONNX__VK_VARIANTS && tonnx__vk_variant_serves(vk, row, p);
        const tonnx_status status = right ? tonnx__vk_variant_is_right(vk, row, tonnx__vk_lie(p), &right) : TONNX_OK;
        *out = &rows[row % TONNX__VK_VARIANTS];
        if (status || right) return status;
    }
    return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: no variant of a product computes right on %s: use --backend cpu",
                       vk->card.properties.deviceName);
}

/* What is kept: good for these rows alone. */
typedef struct kept {
    uint64_t rows;
    tonnx__vk_choices choices;
} kept;

static uint64_t hash_of_rows(void)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < TONNX__VK_VARIANTS; i++) {
        const uint32_t row[] = { rows[i].way, rows[i].bm, rows[i].bn, rows[i].bk, rows[i].tm, rows[i].tn };
        hash = hash * 31 + tonnx__vk_hash(row, sizeof row);
    }
    return hash;
}

/* A row that is none is none's choice. */
static bool is_sound(const kept *k, size_t count)
{
    if (count != sizeof *k || k->rows != hash_of_rows()) return false;
    for (size_t i = 0; i < sizeof k->choices.best; i++)
        if ((&k->choices.best[0][0])[i] > TONNX__VK_VARIANTS) return false;
    return true;
}

void tonnx__vk_variants_open(tonnx__vk *vk)
{
    char name[4096];
    size_t count = 0;
    bool foreign = false;
    kept *data = vk->card.tiled ? NULL : tonnx__vk_kept(vk, kind, &count, &foreign);
    if (data && is_sound(data, count)) vk->choices = data->choices;
    else if ((data || foreign) && tonnx__vk_kept_name(vk, kind, name, sizeof name))
        tonnx__say(&vk->log, TONNX_LOG_WARNING,
                   "vulkan: %s is damaged, or of another driver or version, and is not used: 'tonnx bench --tune' makes "
                   "it anew",
                   name);
    vk->kept_choices = vk->choices;
    tonnx__free(data);
}

void tonnx__vk_variants_close(tonnx__vk *vk)
{
    const kept k = { hash_of_rows(), vk->choices };
    if (vk->lost || vk->card.tiled || !memcmp(&vk->choices, &vk->kept_choices, sizeof vk->choices)) return;
    tonnx__vk_keep(vk, kind, &k, sizeof k);
    vk->kept_choices = vk->choices;
}
