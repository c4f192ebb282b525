/* How a product is cut into workgroups: which of the variants serves which shape, and whether it may be believed. */
#ifndef TONNX_VULKAN_VARIANT_IMPL_H
#define TONNX_VULKAN_VARIANT_IMPL_H

#include "vulkan/cut_impl.h"

/* As constant 8 of shaders/gemm.glsl has them. JOIN adds up K's slices, and is no variant to choose. */
typedef enum tonnx__vk_way { TONNX__VK_TILED, TONNX__VK_DIRECT, TONNX__VK_TEXELS, TONNX__VK_WAYS, TONNX__VK_JOIN = TONNX__VK_WAYS } tonnx__vk_way;

typedef struct tonnx__vk_variant {
    const char *name;
    tonnx__vk_way way;
    uint32_t bm, bn, bk, tm, tn;
} tonnx__vk_variant;

/* How the factors lie, in a number below TONNX__VK_LIES: what is stored transposed, what may be read by fours. */
enum { TONNX__VK_TRANS_A = 1, TONNX__VK_TRANS_B = 2, TONNX__VK_WIDE_A = 4, TONNX__VK_WIDE_B = 8, TONNX__VK_LIES = 16 };
enum { TONNX__VK_SLICED = TONNX__VK_LIES }; /* beside these, of what is tried: K in slices */
enum { TONNX__VK_SLICE_UNIT = 32 };         /* a slice's depth is a multiple of this, and this of every variant's BK */

/* C[m,n] = op(A)[m,k]·op(B)[k,n] */
typedef struct tonnx__vk_product {
    size_t m, n, k;
    uint32_t lie;
    bool loss;            /* the loss of what it makes comes with it */
    size_t slices, depth; /* of K; tonnx__vk_slice */
} tonnx__vk_product;

/* Cuts K by the product's sizes alone, as it shows in the bits: into one slice where it has work for a device as it is. */
void tonnx__vk_slice(tonnx__vk_product *p);
/* As what it has to be tried: how its factors lie, SLICED. */
uint32_t tonnx__vk_lie(const tonnx__vk_product *p);

const tonnx__vk_variant *tonnx__vk_variant_row(size_t row);
uint32_t tonnx__vk_variant_invocations(const tonnx__vk_variant *v);
/* The laws that shaders take for granted. */
bool tonnx__vk_variant_lawful(const tonnx__vk_variant *v, const tonnx__vk_limits *limits);
/* Whether it makes such a product here, and has not been found wrong. */
bool tonnx__vk_variant_serves(const tonnx__vk *vk, size_t row, const tonnx__vk_product *p);
/* Where the row that was measured for such a product is kept, from 1 on; 0: none was. */
uint8_t *tonnx__vk_measured(tonnx__vk *vk, const tonnx__vk_product *p);
/* The variant for a product, by its shape alone. One that this driver has not run yet is tried first. */
tonnx_status tonnx__vk_variant_choose(tonnx__vk *vk, const tonnx__vk_product *p, const tonnx__vk_variant **out);
/* variant_check.c: *right: whether the variant multiplies, for factors that lie so (and SLICED); known, or tried now. */
tonnx_status tonnx__vk_variant_is_right(tonnx__vk *vk, size_t row, uint32_t lie, bool *right);

/* A product as a program of its own, of `p`'s sizes, run with one variant: to try it, and to time it. */
typedef struct tonnx__vk_bench {
    tonnx__program *program;
    tonnx__device_state *state;
    tonnx__exec *exec;
    int a, b, c; /* its buffers */
} tonnx__vk_bench;

tonnx_status tonnx__vk_bench_open(tonnx__vk_bench *bench, tonnx__vk *vk, const tonnx__vk_product *p, size_t row);
void tonnx__vk_bench_close(tonnx__vk_bench *bench);
/* tune.c: measures what is fastest for a shape, and says it in a line; for all shapes, and keeps it. */
enum { TONNX__VK_TUNED = 160 };
tonnx_status tonnx__vk_tune_shape(tonnx__vk *vk, tonnx__vk_shape shape, uint32_t lie, char text[TONNX__VK_TUNED]);
tonnx_status tonnx__vk_tune(tonnx__backend *backend, void (*line)(void *user, const char *text), void *user);

#endif
