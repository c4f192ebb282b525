#include "runtime/rng_torch_impl.h"

#include <math.h>

#include "runtime/mem_impl.h"

#define PI 3.14159265358979323846

/* MT19937 (Matsumoto and Nishimura 1998), seeded as in their init_genrand. */
void tonnx__torch_seed(tonnx__torch_rng *rng, uint64_t seed)
{
    uint32_t *s = rng->state;
    s[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < TONNX__TORCH_WORDS; i++) s[i] = 1812433253u * (s[i - 1] ^ (s[i - 1] >> 30)) + i;
    rng->next = TONNX__TORCH_WORDS;
    rng->has_spare = false;
}

/* The next 624 words, each from its own, its neighbour's and one 397 further on. */
static void twist(uint32_t *s)
{
    for (size_t i = 0; i < TONNX__TORCH_WORDS; i++) {
        const uint32_t next = s[(i + 1) % TONNX__TORCH_WORDS];
        const uint32_t y = (s[i] & 0x80000000u) | (next & 0x7fffffffu);
        s[i] = s[(i + 397) % TONNX__TORCH_WORDS] ^ (y >> 1) ^ (next & 1u ? 0x9908b0dfu : 0u);
    }
}

static uint32_t word(tonnx__torch_rng *rng)
{
    if (rng->next == TONNX__TORCH_WORDS) {
        twist(rng->state);
        rng->next = 0;
    }
    uint32_t y = rng->state[rng->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* [0, 1) by 24 bits. */
static float uniform24(tonnx__torch_rng *rng)
{
    return (float)(word(rng) & 0xffffffu) * 0x1p-24f;
}

/* [0, 1) by 53 bits of two words, the high one first. */
static double uniform53(tonnx__torch_rng *rng)
{
    const uint64_t high = word(rng), low = word(rng);
    return (double)((high << 32 | low) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

void tonnx__torch_uniform(tonnx__torch_rng *rng, float *values, size_t count, double from, double to)
{
    const float low = (float)from, width = (float)to - low;
    for (size_t i = 0; i < count; i++) values[i] = fmaf(uniform24(rng), width, low);
}

/* Below 16 elements: Box–Muller in double, whose second number waits for the next call. */
static double normal_one(tonnx__torch_rng *rng)
{
    if (rng->has_spare) {
        rng->has_spare = false;
        return rng->spare;
    }
    const double u1 = uniform53(rng), u2 = uniform53(rng);
    const double radius = sqrt(-2.0 * log1p(-u2)), angle = 2.0 * PI * u1;
    rng->spare = radius * sin(angle);
    rng->has_spare = true;
    return radius * cos(angle);
}

/* ln x for normal x > 0, after Cephes' logf: x = m·2ᵉ with m in [√½, √2), a polynomial in m − 1. Where PyTorch's compiler
 * joins a product with the sum that follows, so does this. */
static float fast_log(float x)
{
    static const float p[] = { 7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                               -1.6668057665e-1f, 2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f };
    int exponent;
    float m = frexpf(x, &exponent), y = p[0];
    float e = (float)exponent;
    if (m < 0.707106781186547524f) {
        e -= 1.0f;
        m = (m - 1.0f) + m;
    } else m -= 1.0f;
    const float z = m * m;
    for (size_t i = 1; i < sizeof p / sizeof *p; i++) y = fmaf(y, m, p[i]);
    y = fmaf(y * m, z, e * -2.12194440e-4f);
    y = fmaf(-z, 0.5f, y);
    return fmaf(e, 0.693359375f, m + y);
}

/* sin and cos of x ≥ 0, after Cephes' sinf and cosf: the octant, the rest within ±π/4 with π/4 in three parts. */
static void fast_sin_cos(float x, float *sine, float *cosine)
{
    const int octant = ((int)(x * 1.27323954473516f) + 1) & ~1;
    const float j = (float)octant;
    x = fmaf(j, -0.78515625f, x);
    x = fmaf(j, -2.4187564849853515625e-4f, x);
    x = fmaf(j, -3.77489497744594108e-8f, x);
    const float z = x * x;
    float c = fmaf(2.443315711809948e-5f, z, -1.388731625493765e-3f), s = fmaf(-1.9515295891e-4f, z, 8.3321608736e-3f);
    c = fmaf(c, z, 4.166664568298827e-2f);
    c = fmaf(c * z, z, -(z * 0.5f)) + 1.0f;
    s = fmaf(s, z, -1.6666654611e-1f);
    s = fmaf(s * z, x, x);
    const bool swapped = octant & 2;
    *sine = swapped ? c : s;
    *cosine = swapped ? s : c;
    if (octant & 4) *sine = -*sine;
    if ((octant + 2) & 4) *cosine = -*cosine;
}

/* Sixteen uniforms become sixteen normals: eight pairs (i, i + 8). */
static void normal_16(float *values, float mean, float std)
{
    for (size_t i = 0; i < 8; i++) {
        float sine, cosine;
        const float radius = sqrtf(-2.0f * fast_log(1.0f - values[i]));
        fast_sin_cos((float)(2.0 * PI) * values[i + 8], &sine, &cosine);
        values[i] = fmaf(radius * cosine, std, mean);
        values[i + 8] = fmaf(radius * sine, std, mean);
    }
}

/* From 16 elements on: uniforms all over, made normal by sixteens; for a rest the last sixteen are drawn anew. */
static void normal_many(tonnx__torch_rng *rng, float *values, size_t count, float mean, float std)
{
    float *last = values + count - 16;
    for (size_t i = 0; i < count; i++) values[i] = uniform24(rng);
    for (size_t i = 0; i + 16 <= count; i += 16) normal_16(values + i, mean, std);
    if (count % 16 == 0) return;
    for (size_t i = 0; i < 16; i++) last[i] = uniform24(rng);
    normal_16(last, mean, std);
}

void tonnx__torch_normal(tonnx__torch_rng *rng, float *values, size_t count, double mean, double std)
{
    if (count >= 16) {
        normal_many(rng, values, count, (float)mean, (float)std);
        return;
    }
    for (size_t i = 0; i < count; i++) values[i] = (float)(normal_one(rng) * std + mean);
}

static double normal_cdf(double x)
{
    return (1.0 + erf(x / sqrt(2.0))) / 2.0;
}

/* A normal of deviation std between a < 0 and b > 0. */
typedef struct cut {
    double std, a, b;
} cut;

/* Where much of the normal lies within: a normal, and for as long as elements lie outside, another whole tensor of normals
 * to replace those. `room` has `count` elements. */
static void cut_normals(tonnx__torch_rng *rng, float *values, size_t count, const cut *c, float *room)
{
    const float low = (float)c->a, high = (float)c->b;
    bool again = true;
    tonnx__torch_normal(rng, values, count, 0.0, c->std);
    while (again) {
        again = false;
        for (size_t i = 0; i < count; i++) again |= values[i] < low || values[i] > high;
        if (again) tonnx__torch_normal(rng, room, count, 0.0, c->std);
        for (size_t i = 0; i < count && again; i++)
            if (values[i] < low || values[i] > high) values[i] = room[i];
    }
}

/* Else uniforms, each accepted with its density's share of the peak, which stands at 0; all are drawn again while one is
 * not. `room` has 3·count elements. */
static void accept_uniforms(tonnx__torch_rng *rng, float *values, size_t count, const cut *c, float *room)
{
    const float std = (float)c->std;
    float *candidates = room, *chances = room + count, *accepted = room + 2 * count;
    size_t left = count;
    for (size_t i = 0; i < count; i++) accepted[i] = 0.0f;
    while (left) {
        tonnx__torch_uniform(rng, candidates, count, c->a, c->b);
        tonnx__torch_uniform(rng, chances, count, 0.0, 1.0);
        for (size_t i = 0; i < count; i++) {
            const float z = candidates[i] / std;
            if (accepted[i] != 0.0f) continue;
            values[i] = candidates[i];
            if (logf(chances[i]) > z * z * -0.5f) continue;
            accepted[i] = 1.0f;
            left--;
        }
    }
}

tonnx_status tonnx__torch_trunc_normal(tonnx__torch_rng *rng, float *values, size_t count, double std, double a, double b)
{
    const cut c = { std, a, b };
    float *room = NULL;
    size_t elements;
    tonnx__mul(&elements, count, 3);
    const tonnx_status status = tonnx__alloc(&room, elements, sizeof *room);
    if (status) return status;
    if (normal_cdf(b / std) - normal_cdf(a / std) > 0.3) cut_normals(rng, values, count, &c, room);
    else accept_uniforms(rng, values, count, &c, room);
    tonnx__free(room);
    return TONNX_OK;
}
