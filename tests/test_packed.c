/* Products from packed operands, in flat panels, and of operands as they lie, of every instruction set that runs here, beside sums in double. */
#include <math.h>
#include <string.h>

#include "runtime/cpu/cpu_impl.h"
#include "support.h"

/* Small whole numbers over 64: products and sums are exact in float, whatever their order. */
static float *exact(size_t count, uint32_t seed)
{
    float *x = NULL;
    ck_assert_int_eq(tonnx__alloc_aligned(&x, count, sizeof *x), TONNX_OK);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)((int32_t)(seed >> 28) - 8) / 64.0f;
    }
    return x;
}

static double at(tonnx__lying x, size_t m, size_t n)
{
    return (double)x.at[x.transposed ? n * x.stride + m : m * x.stride + n];
}

/* C (+)= 0.5·op(A)·op(B) by kernels of its kind. */
typedef void multiplier(const void *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b, bool add, float *c, size_t stride);

static void as_they_are(const void *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b, bool add, float *c, size_t stride)
{
    ((const tonnx__gemm_kernels *)kernels)->product(mnk, 0.5f, a, b, add, c, stride, NULL);
}

static void packed(const void *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b, bool add, float *c, size_t stride)
{
    tonnx__packed_product(kernels, mnk, 0.5f, a, b, add, c, stride);
}

typedef struct target {
    float *c;
    size_t stride;
    bool add;
} target;

static void take(void *user, tonnx__span rows, tonnx__span cols, const float *sum, size_t stride)
{
    const target *to = user;
    for (size_t m = rows.from; m < rows.to; m++, sum += stride)
        for (size_t n = cols.from; n < cols.to; n++) {
            float *c = to->c + m * to->stride + n;
            *c = 0.5f * sum[n - cols.from] + (to->add ? *c : 0.0f);
        }
}

/* Flat panels, beside which so many matrices are asked for: here C, some times. No sum depends on it. */
typedef struct flat_kernels {
    const tonnx__packed_kernels *packed;
    size_t beside, kept;
} flat_kernels;

static void flat(const void *kernels, const size_t mnk[3], tonnx__lying a, tonnx__lying b, bool add, float *c, size_t stride)
{
    const flat_kernels *by = kernels;
    const tonnx__beside beside = { .at = { c, c, c }, .count = by->beside, .stride = stride };
    target to = { c, stride, add };
    tonnx__flat_pieces(by->packed, mnk, a, b, &beside, by->kept, take, &to);
}

static void check_product(multiplier *multiply, const void *kernels, const size_t mnk[3], bool ta, bool tb, bool add)
{
    enum { WIDER = 3 }; /* C's rows lie further apart than they are long, and what is between them stays */
    const size_t m = mnk[0], n = mnk[1], k = mnk[2], stride = n + WIDER;
    float *a = exact(m * k, 1), *b = exact(k * n, 2), *c = exact(m * stride, 3), *before = exact(m * stride, 3);
    const tonnx__lying la = { a, ta ? m : k, ta }, lb = { b, tb ? k : n, tb };
    multiply(kernels, mnk, la, lb, add, c, stride);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < stride; j++) {
            double want = add || j >= n ? (double)before[i * stride + j] : 0.0;
            for (size_t d = 0; d < k && j < n; d++) want += 0.5 * at(la, i, d) * at(lb, d, j);
            ck_assert_msg((double)c[i * stride + j] == want, "%zu %zu %zu, %d %d %d: [%zu,%zu] is %g, not %g", m, n, k, ta, tb,
                          add, i, j, (double)c[i * stride + j], want);
        }
    tonnx__free(a);
    tonnx__free(b);
    tonnx__free(c);
    tonnx__free(before);
}

static void check_shapes(const tonnx__packed_kernels *kernels)
{
    const size_t shapes[][3] = { { 1, 1, 1 },    { 3, 5, 2 },      { 8, 48, 128 },   { 9, 49, 129 },
                                 { 33, 17, 31 }, { 257, 20, 140 }, { 20, 400, 160 }, { 64, 100, 300 },
                                 { 300, 430, 300 } };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int how = 0; how < 8; how++) check_product(packed, kernels, shapes[s], how & 1, how & 2, how & 4);
}

/* Of one part of k and of two; with op(B)'s strips kept for all columns, and for some at a time. */
static void check_flat(const tonnx__packed_kernels *kernels)
{
    const size_t shapes[][3] = { { 1, 1, 1 }, { 7, 800, 3 }, { 67, 49, 130 }, { 35, 801, 33 }, { 17, 500, 255 }, { 9, 1000, 255 } };
    for (size_t beside = 0; beside <= 3; beside++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            for (int how = 0; how < 8; how++)
                check_product(flat, &(flat_kernels){ kernels, beside, beside % 2 ? 1 << 20 : 1 << 16 }, shapes[s], how & 1, how & 2, how & 4);
}

START_TEST(floats)
{
    if (!tonnx__isa_runs(_i)) return;
    check_shapes(tonnx__isa_kernels(_i)->packed);
    check_flat(tonnx__isa_kernels(_i)->packed);
}
END_TEST

/* A long k goes by parts: dots, rows of a B that are far apart, strips of B that are turned, or of A where its rows are few. */
START_TEST(as_they_lie)
{
    const size_t shapes[][3] = { { 1, 1, 1 }, { 9, 49, 129 }, { 5, 19, 1024 }, { 6, 11, 1537 }, { 9, 2051, 130 }, { 49, 37, 1030 },
                                 { 30, 301, 1030 }, { 47, 50, 1537 }, { 32, 48, 1024 }, { 51, 37, 2061 }, { 31, 50, 2061 }, { 49, 2051, 70 } };
    if (!tonnx__isa_runs(_i)) return;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int how = 0; how < 8; how++)
            if ((how & 3) != 3) check_product(as_they_are, tonnx__isa_kernels(_i)->gemm, shapes[s], how & 1, how & 2, how & 4);
}
END_TEST

/* The numbers have few bits, so that rounding them to bf16 changes none. */
START_TEST(bf16)
{
    const tonnx__packed_kernels *kernels = tonnx__bf16_kernels(_i);
    if (!kernels) return;
    check_shapes(kernels);
    check_flat(kernels);
}
END_TEST

/* Of numbers with many bits the product differs by what rounding both operands to 8 bits takes: each by 2⁻⁹ at most, and
 * evenly spread by a third of that squared. */
START_TEST(bf16_rounds)
{
    enum { SIDE = 64, DEEP = 320 };
    const tonnx__packed_kernels *kernels = tonnx__bf16_kernels(_i);
    static float a[SIDE * DEEP], b[SIDE * DEEP], c[SIDE * SIDE];
    double off = 0, size = 0;
    if (!kernels) return;
    for (size_t i = 0; i < SIDE * DEEP; i++) {
        a[i] = (float)sin(1.0 + (double)i);
        b[i] = (float)cos(0.7 * (double)(i * i % 4099));
    }
    tonnx__packed_product(kernels, (const size_t[3]){ SIDE, SIDE, DEEP }, 1.0f, (tonnx__lying){ a, DEEP, false },
                          (tonnx__lying){ b, DEEP, true }, false, c, SIDE);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        double want = 0;
        for (size_t k = 0; k < DEEP; k++) want += (double)a[i / SIDE * DEEP + k] * (double)b[i % SIDE * DEEP + k];
        off += ((double)c[i] - want) * ((double)c[i] - want);
        size += want * want;
    }
    ck_assert_double_gt(off, 0.0);
    ck_assert_double_le(off, 2.0 * 0x1p-18 * size);
}
END_TEST

static Suite *packed_suite(void)
{
    Suite *suite = suite_create("packed");
    TCase *tcase = tcase_create("packed");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, floats, 0, tonnx__isa_count());
    tcase_add_loop_test(tcase, as_they_lie, 0, tonnx__isa_count());
    tcase_add_loop_test(tcase, bf16, 0, 2);
    tcase_add_loop_test(tcase, bf16_rounds, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(packed_suite());
}
