/* Singular values of the weights, on the host in double: one-sided Jacobi (Hestenes 1958), which is short and accurate.
 */
#include <math.h>

#include "runtime/stats_impl.h"

/* A column is one of the matrix's shorter side; `length` numbers each, one after the other. */
typedef struct columns {
    double *at;
    size_t count, length;
} columns;

/* Turns two columns so that they stand at right angles; how far they were from it, as a cosine. */
static double rotate(double *a, double *b, size_t n)
{
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) aa += a[i] * a[i], bb += b[i] * b[i], ab += a[i] * b[i];
    const double size = sqrt(aa * bb);
    if (size == 0 || fabs(ab) <= 1e-14 * size) return 0;
    const double z = (bb - aa) / (2 * ab), t = (z < 0 ? -1 : 1) / (fabs(z) + sqrt(1 + z * z));
    const double c = 1 / sqrt(1 + t * t), s = c * t;
    for (size_t i = 0; i < n; i++) {
        const double x = a[i], y = b[i];
        a[i] = c * x - s * y;
        b[i] = s * x + c * y;
    }
    return fabs(ab) / size;
}

/* Rounds of all pairs until the columns are orthogonal; their lengths are the singular values then. */
static void orthogonalise(const columns *m)
{
    enum { ROUNDS = 40 };
    double worst = 1;
    for (int round = 0; round < ROUNDS && worst > 1e-9; round++) {
        worst = 0;
        for (size_t i = 0; i + 1 < m->count; i++)
            for (size_t j = i + 1; j < m->count; j++)
                worst = fmax(worst, rotate(m->at + i * m->length, m->at + j * m->length, m->length));
    }
}

static void judge(const columns *m, tonnx_weight_stats *out)
{
    double sum = 0, most = 0, entropy = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t c = 0; c < m->count; c++) {
            double square = 0;
            for (size_t i = 0; i < m->length; i++) square += m->at[c * m->length + i] * m->at[c * m->length + i];
            const double value = sqrt(square), share = pass && sum > 0 ? value / sum : 0;
            if (!pass) sum += value, most = fmax(most, value);
            if (share > 0) entropy -= share * log(share);
        }
    out->spectral_norm = most;
    out->effective_rank = sum > 0 ? exp(entropy) : 0;
}

static tonnx_status measure(const tonnx_net *net, size_t p, tonnx_weight_stats *out)
{
    const tonnx__param *param = &net->params[p];
    const bool tall = param->rows >= param->cols; /* then its columns are the few */
    const columns m = { NULL, tall ? param->cols : param->rows, tall ? param->rows : param->cols };
    columns own = m;
    double *values = NULL;
    tonnx_status status = tonnx__alloc(&own.at, param->rows * param->cols, sizeof *own.at);
    if (!status) status = tonnx__alloc(&values, param->rows * param->cols, sizeof *values);
    if (!status) {
        tonnx__param_pull(param, net->model, values);
        for (size_t r = 0; r < param->rows; r++)
            for (size_t c = 0; c < param->cols; c++)
                own.at[tall ? c * own.length + r : r * own.length + c] = values[r * param->cols + c];
        orthogonalise(&own);
        judge(&own, out);
    }
    tonnx__free(own.at);
    tonnx__free(values);
    return status;
}

tonnx_status tonnx__stats_spectra(tonnx_stats *stats, const tonnx_net *net)
{
    tonnx_status status = TONNX_OK;
    for (size_t p = 0; p < net->param_count && !status; p++) {
        const tonnx__param *param = &net->params[p];
        if (param->role == TONNX__ROLE_WEIGHT && param->rows > 1 && param->cols > 1 && !stats->weights[p].not_finite)
            status = measure(net, p, &stats->weights[p]);
    }
    return status;
}
