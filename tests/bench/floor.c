/* What this machine can do at best, measured now: multiply-adds per second and bytes per second, on one thread and on
 * all that are asked for. Prints one JSON object.
 *
 * usage: floor THREADS          compile with -O3 -march=native -ffp-contract=fast -pthread */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined __AVX512F__
#define LANES 16
#define ISA   "avx512"
#elif defined __AVX2__ && defined __FMA__
#define LANES 8
#define ISA   "avx2"
#else
#define LANES 4
#define ISA   "portable"
#endif

typedef float vector __attribute__((vector_size(4 * LANES)));

/* Independent chains hide an FMA's latency (4 or 5 cycles on 2 units); with the two factors they fill 14 registers. */
enum { CHAINS = 12, ROUNDS = 8, MAX_THREADS = 256 };
static const long FMA_STEPS = 20 * 1000 * 1000;
static const size_t ELEMENTS = 32 * 1024 * 1024; /* per array and run: 128 MiB, beyond any cache's share */

typedef struct Job {
    pthread_barrier_t *start;
    int index, threads;
    float *a, *b;
    double seconds;
    float sink; /* a result that is read cannot be optimised away */
} Job;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* acc[c] = acc[c]·scale + shift, CHAINS at once */
static void *fma_worker(void *argument)
{
    Job *job = argument;
    vector acc[CHAINS], scale, shift;
    for (int l = 0; l < LANES; l++) scale[l] = 0.999999F, shift[l] = 1e-6F * (float)job->index;
    for (int c = 0; c < CHAINS; c++) acc[c] = scale * (float)(c + 1);
    pthread_barrier_wait(job->start);
    const double begin = now();
    for (long i = 0; i < FMA_STEPS; i++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++) acc[c] = acc[c] * scale + shift;
    }
    job->seconds = now() - begin;
    for (int c = 0; c < CHAINS; c++) job->sink += acc[c][0];
    return NULL;
}

/* a[i] = a[i] + s·b[i], each thread its own slice: reads 8 bytes and writes 4, and no line is fetched only to be
 * overwritten, as an optimizer's update does. */
static void *update_worker(void *argument)
{
    Job *job = argument;
    const size_t part = ELEMENTS / (size_t)job->threads, first = part * (size_t)job->index;
    float *restrict a = job->a + first;
    const float *restrict b = job->b + first;
    pthread_barrier_wait(job->start);
    const double begin = now();
    for (size_t i = 0; i < part; i++) a[i] = a[i] + 1e-3F * b[i];
    job->seconds = now() - begin;
    job->sink = a[part / 2];
    return NULL;
}

/* Least time, over the rounds, in which `threads` workers finish. */
static double least(void *(*worker)(void *), int threads, float *a, float *b)
{
    double best = 1e30;
    for (int round = 0; round < ROUNDS; round++) {
        Job jobs[MAX_THREADS];
        pthread_t ids[MAX_THREADS];
        pthread_barrier_t start;
        pthread_barrier_init(&start, NULL, (unsigned)threads);
        for (int t = 0; t < threads; t++) {
            jobs[t] = (Job){ &start, t, threads, a, b, 0, 0 };
            if (pthread_create(&ids[t], NULL, worker, &jobs[t])) exit(EXIT_FAILURE);
        }
        double slowest = 0;
        for (int t = 0; t < threads; t++) {
            pthread_join(ids[t], NULL);
            slowest = jobs[t].seconds > slowest ? jobs[t].seconds : slowest;
        }
        pthread_barrier_destroy(&start);
        best = slowest < best ? slowest : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    const int most = argc > 1 ? atoi(argv[1]) : 1;
    if (most < 1 || most > MAX_THREADS) return fprintf(stderr, "floor: 1 to %d threads\n", MAX_THREADS), EXIT_FAILURE;
    float *a = malloc(ELEMENTS * sizeof *a), *b = malloc(ELEMENTS * sizeof *b);
    if (!a || !b) return fprintf(stderr, "floor: out of memory\n"), EXIT_FAILURE;
    for (size_t i = 0; i < ELEMENTS; i++) a[i] = 1.0F, b[i] = 0.5F;
    printf("{\"isa\":\"%s\",\"runs\":[", ISA);
    for (int threads = 1;; threads = most) {
        const double fma = least(fma_worker, threads, a, b), update = least(update_worker, threads, a, b);
        const double flops = 2.0 * CHAINS * LANES * (double)FMA_STEPS * threads / fma;
        const double bytes = 12.0 * (double)(ELEMENTS / (size_t)threads) * threads / update;
        printf("%s{\"threads\":%d,\"flops\":%.6g,\"bandwidth\":%.6g}", threads > 1 ? "," : "", threads, flops, bytes);
        if (threads == most) break;
    }
    printf("]}\n");
    free(a);
    free(b);
    return EXIT_SUCCESS;
}
