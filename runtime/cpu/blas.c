/* The one place where OpenBLAS is called. Its thread count is global to the process: it is set to one while any CPU
 * backend is open, and put back by the last that closes. */
#include "runtime/cpu/cpu_impl.h"

#include <cblas.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int claims, threads_before;

void tonnx__blas_claim(void)
{
    pthread_mutex_lock(&lock);
    if (claims++ == 0) {
        threads_before = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&lock);
}

void tonnx__blas_release(void)
{
    pthread_mutex_lock(&lock);
    if (--claims == 0) openblas_set_num_threads(threads_before);
    pthread_mutex_unlock(&lock);
}

const char *tonnx__blas_core(void)
{
    return openblas_get_corename();
}

/* C[m,n] (+)= alpha·op(A)[m,k]·op(B)[k,n] */
void tonnx__blas_gemm(const size_t mnk[3], float alpha, tonnx__lying a, tonnx__lying b, bool add, float *c,
                      size_t stride)
{
    cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
                (blasint)mnk[0], (blasint)mnk[1], (blasint)mnk[2], alpha, a.at, (blasint)a.stride, b.at,
                (blasint)b.stride, add ? 1.0f : 0.0f, c, (blasint)stride);
}
