/* How fast one thread multiplies, shape by shape: our kernels beside OpenBLAS, where that is installed, in GFLOP/s, best of
 * some rounds.
 *
 * usage: gemm [WORD]      built by CMake's target bench_gemm; WORD picks shapes whose name holds it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/clock_impl.h"
#include "runtime/cpu/cpu_impl.h"

#ifdef BENCH_OPENBLAS
#include <cblas.h>
#endif

/* C[m,n] = op(A)·op(B) as the layers of the workloads want them. */
static const struct shape {
    const char *name;
    size_t mnk[3];
    bool trans_a, trans_b;
} shapes[] = {
    { "C1 y1", { 32, 128, 784 }, false, true },    { "C1 y2", { 32, 10, 128 }, false, true },
    { "C1 dx", { 32, 128, 10 }, false, false },    { "C1 dw1", { 128, 784, 32 }, true, false },
    { "C1 dw2", { 10, 128, 32 }, true, false },    { "C2 y1", { 1024, 128, 784 }, false, true },
    { "C2 dw1", { 128, 784, 1024 }, true, false }, { "C7 y1", { 500, 500, 784 }, false, true },
    { "C7 dx", { 500, 500, 10 }, false, false },   { "C7 dw1", { 500, 784, 500 }, true, false },
    { "C4 y", { 256, 1024, 4096 }, false, true },  { "C4 dx", { 256, 1024, 4096 }, false, false },
    { "C4 dw", { 1024, 1024, 256 }, true, false }, { "C5 y", { 32, 1024, 4096 }, false, true },
    { "C5 dx", { 32, 1024, 4096 }, false, false }, { "C5 dw", { 1024, 1024, 32 }, true, false },
    { "C11 y", { 64, 64, 64 }, false, true },      { "C11 dx", { 64, 64, 64 }, false, false },
    { "C11 dw", { 64, 64, 64 }, true, false },
};

typedef void product_fn(const size_t mnk[3], float alpha, tonnx__lying a, tonnx__lying b, bool add, float *c, size_t stride,
                        tonnx__ahead *ahead);

static const tonnx__packed_kernels *packed;

static void packed_product(const size_t mnk[3], float alpha, tonnx__lying a, tonnx__lying b, bool add, float *c,
                           size_t stride, tonnx__ahead *ahead)
{
    (void)ahead;
    tonnx__packed_product(packed, mnk, alpha, a, b, add, c, stride);
}

#ifdef BENCH_OPENBLAS
static void openblas_product(const size_t mnk[3], float alpha, tonnx__lying a, tonnx__lying b, bool add, float *c,
                             size_t stride, tonnx__ahead *ahead)
{
    (void)ahead;
    cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
                (blasint)mnk[0], (blasint)mnk[1], (blasint)mnk[2], alpha, a.at, (blasint)a.stride, b.at,
                (blasint)b.stride, add ? 1.0f : 0.0f, c, (blasint)stride);
}
#else
static product_fn *const openblas_product = NULL;
#endif

/* Which kernels it chose, with one thread. */
static const char *openblas(void)
{
#ifdef BENCH_OPENBLAS
    openblas_set_num_threads(1);
    return openblas_get_corename();
#else
    return "not installed";
#endif
}

static float *numbers(size_t count)
{
    float *x = NULL;
    if (tonnx__alloc_aligned(&x, count, sizeof *x)) exit(EXIT_FAILURE);
    for (size_t i = 0; i < count; i++) x[i] = (float)((i * 2654435761u) % 1000) * 1e-3f - 0.5f;
    return x;
}

/* GFLOP/s at best, over about a tenth of a second; 0 where there is no product. */
static double measure(const struct shape *s, product_fn *product)
{
    if (!product) return 0;
    const size_t m = s->mnk[0], n = s->mnk[1], k = s->mnk[2];
    float *a = numbers(m * k), *b = numbers(n * k), *c = numbers(m * n);
    const tonnx__lying la = { a, s->trans_a ? m : k, s->trans_a }, lb = { b, s->trans_b ? k : n, s->trans_b };
    const double flops = 2.0 * (double)m * (double)n * (double)k, begin = tonnx__now();
    double best = 1e30;
    do {
        const double from = tonnx__now();
        int rounds = 0;
        for (; rounds == 0 || tonnx__now() < from + 2e-4; rounds++) product(s->mnk, 1.0f, la, lb, false, c, n, NULL);
        const double seconds = (tonnx__now() - from) / rounds;
        if (seconds < best) best = seconds;
    } while (tonnx__now() < begin + 0.1);
    tonnx__free(a);
    tonnx__free(b);
    tonnx__free(c);
    return flops / best * 1e-9;
}

int main(int argc, char **argv)
{
    int isa = 0;
    for (int i = 0; i < tonnx__isa_count(); i++)
        if (tonnx__isa_runs(i)) isa = i;
    const tonnx__kernels *kernels = tonnx__isa_kernels(isa);
    packed = kernels->packed;
    printf("%-8s %5s %5s %5s  %8s %8s %8s   GFLOP/s, one thread, %s, OpenBLAS %s\n", "shape", "M", "N", "K", "in place",
           "packed", "OpenBLAS", kernels->name, openblas());
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct shape *s = &shapes[i];
        if (argc > 1 && !strstr(s->name, argv[1])) continue;
        printf("%-8s %5zu %5zu %5zu  %8.1f %8.1f %8.1f\n", s->name, s->mnk[0], s->mnk[1], s->mnk[2],
               measure(s, kernels->gemm->product), measure(s, packed_product), measure(s, openblas_product));
    }
    return 0;
}
