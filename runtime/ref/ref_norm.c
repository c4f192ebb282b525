/* Norms: x̂ = (x − mean)·rstd, y = x̂·scale + shift. By columns over the batch (batch norm), with given statistics, and
 * by rows over the features (layer norm, RMS norm). Backward goes through mean and rstd: with g = dy·scale, dx =
 * rstd·(g − mean(g) − x̂·mean(g·x̂)), the means over what the statistics were taken over. */
#include "runtime/ref/ref_impl.h"

#include <math.h>

/* Mean, and as the value population variance, of `count` elements, `stride` apart. */
static double statistics(const double *x, size_t count, size_t stride, double *mean)
{
    double sum = 0.0, square = 0.0;
    for (size_t i = 0; i < count; i++) sum += x[i * stride];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) square += (x[i * stride] - *mean) * (x[i * stride] - *mean);
    return square / (double)count;
}

static void blend(tonnx__matrix running, size_t f, double momentum, double batch)
{
    if (running.at) running.at[f] = momentum * running.at[f] + (1.0 - momentum) * batch;
}

/* Y[n,f] = (X[n,f] − mean[f])·rstd[f]·scale[f] + shift[f]; running = momentum·running + (1 − momentum)·batch */
void tonnx__ref_BATCH_NORM(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], scale = call->in[1], shift = call->in[2];
    const tonnx__matrix y = call->out[0], mean = call->out[1], rstd = call->out[2];
    const double n_rows = (double)x.rows;
    for (size_t f = 0; f < x.cols; f++) {
        const double variance = statistics(x.at + f, x.rows, x.cols, &mean.at[f]);
        const bool unbiased = (call->code->flags & TONNX__UNBIASED) && x.rows > 1;
        rstd.at[f] = 1.0 / sqrt(variance + call->code->epsilon);
        for (size_t n = 0; n < x.rows; n++)
            y.at[n * x.cols + f] = (x.at[n * x.cols + f] - mean.at[f]) * rstd.at[f] * tonnx__ref_or(scale, 0, f, 1.0) +
                                   tonnx__ref_or(shift, 0, f, 0.0);
        blend(call->out[3], f, call->code->momentum, mean.at[f]);
        blend(call->out[4], f, call->code->momentum, unbiased ? variance * n_rows / (n_rows - 1.0) : variance);
    }
}

/* dshift[f] = Σₙ dY; dscale[f] = Σₙ dY·x̂; dX = scale·rstd·(dY − dshift/N − x̂·dscale/N) */
void tonnx__ref_BATCH_NORM_BACK(const tonnx__ref_call *call)
{
    const tonnx__matrix dy = call->in[0], x = call->in[1], scale = call->in[2], mean = call->in[3], rstd = call->in[4];
    const tonnx__matrix dscale = call->out[1], dshift = call->out[2];
    const size_t cols = x.cols;
    const double rows = (double)x.rows;
    for (size_t f = 0; f < cols; f++) {
        double sum = 0.0, dot = 0.0;
        for (size_t n = 0; n < x.rows; n++) {
            sum += dy.at[n * cols + f];
            dot += dy.at[n * cols + f] * (x.at[n * cols + f] - mean.at[f]) * rstd.at[f];
        }
        for (size_t n = 0; n < x.rows; n++) {
            const double hat = (x.at[n * cols + f] - mean.at[f]) * rstd.at[f];
            const double centred = dy.at[n * cols + f] - sum / rows - hat * dot / rows;
            tonnx__ref_put(call, n * cols + f, tonnx__ref_or(scale, 0, f, 1.0) * rstd.at[f] * centred);
        }
        if (dscale.at) dscale.at[f] = dot;
        if (dshift.at) dshift.at[f] = sum;
    }
}

/* Y[n,f] = (X[n,f] − mean[f])/√(var[f] + epsilon)·scale[f] + shift[f] */
void tonnx__ref_FIXED_NORM(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], scale = call->in[1], shift = call->in[2], mean = call->in[3],
                        var = call->in[4];
    for (size_t n = 0; n < x.rows; n++)
        for (size_t f = 0; f < x.cols; f++)
            call->out[0].at[n * x.cols + f] = (x.at[n * x.cols + f] - mean.at[f]) /
                                                  sqrt(var.at[f] + call->code->epsilon) *
                                                  tonnx__ref_or(scale, 0, f, 1.0) +
                                              tonnx__ref_or(shift, 0, f, 0.0);
}

/* dX[n,f] = dY[n,f]·scale[f]/√(var[f] + epsilon) */
void tonnx__ref_FIXED_NORM_BACK(const tonnx__ref_call *call)
{
    const tonnx__matrix dy = call->in[0], scale = call->in[1], var = call->in[2];
    for (size_t n = 0; n < dy.rows; n++)
        for (size_t f = 0; f < dy.cols; f++)
            tonnx__ref_put(call, n * dy.cols + f,
                           dy.at[n * dy.cols + f] * tonnx__ref_or(scale, 0, f, 1.0) /
                               sqrt(var.at[f] + call->code->epsilon));
}

/* Y[n] = (X[n] − mean[n])·rstd[n] ∘ scale + shift; RMS: mean 0, rstd[n] = 1/√(mean(X[n]²) + epsilon) */
void tonnx__ref_ROW_NORM(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], scale = call->in[1], shift = call->in[2];
    const tonnx__matrix y = call->out[0], mean = call->out[1], rstd = call->out[2];
    const size_t cols = x.cols;
    const bool rms = call->code->flags & TONNX__RMS;
    for (size_t n = 0; n < x.rows; n++) {
        double centre = 0.0;
        double variance = statistics(x.at + n * cols, cols, 1, &centre);
        if (rms) variance += centre * centre; /* E[x²] = Var[x] + E[x]² */
        if (rms) centre = 0.0;
        rstd.at[n] = 1.0 / sqrt(variance + call->code->epsilon);
        if (mean.at) mean.at[n] = centre;
        for (size_t f = 0; f < cols; f++)
            y.at[n * cols + f] = (x.at[n * cols + f] - centre) * rstd.at[n] * tonnx__ref_or(scale, 0, f, 1.0) +
                                 tonnx__ref_or(shift, 0, f, 0.0);
    }
}

/* dscale[f] = Σₙ dY·x̂; dshift[f] = Σₙ dY */
static void row_norm_sums(const tonnx__ref_call *call)
{
    const tonnx__matrix dy = call->in[0], x = call->in[1], mean = call->in[3], rstd = call->in[4];
    const tonnx__matrix dscale = call->out[1], dshift = call->out[2];
    for (size_t f = 0; f < x.cols; f++) {
        double sum = 0.0, dot = 0.0;
        for (size_t n = 0; n < x.rows; n++) {
            sum += dy.at[n * x.cols + f];
            dot += dy.at[n * x.cols + f] * (x.at[n * x.cols + f] - tonnx__ref_or(mean, n, 0, 0.0)) * rstd.at[n];
        }
        if (dscale.at) dscale.at[f] = dot;
        if (dshift.at) dshift.at[f] = sum;
    }
}

/* With g = dY ∘ scale: dX[n] = rstd[n]·(g − mean(g) − x̂·mean(g·x̂)); RMS: without mean(g) */
void tonnx__ref_ROW_NORM_BACK(const tonnx__ref_call *call)
{
    const tonnx__matrix dy = call->in[0], x = call->in[1], scale = call->in[2], mean = call->in[3], rstd = call->in[4];
    const size_t cols = x.cols;
    const bool rms = call->code->flags & TONNX__RMS;
    row_norm_sums(call);
    for (size_t n = 0; n < x.rows; n++) {
        const double centre = rms ? 0.0 : mean.at[n];
        double sum = 0.0, dot = 0.0;
        for (size_t f = 0; f < cols; f++) {
            const double g = dy.at[n * cols + f] * tonnx__ref_or(scale, 0, f, 1.0);
            sum += rms ? 0.0 : g;
            dot += g * (x.at[n * cols + f] - centre) * rstd.at[n];
        }
        for (size_t f = 0; f < cols; f++) {
            const double g = dy.at[n * cols + f] * tonnx__ref_or(scale, 0, f, 1.0);
            const double hat = (x.at[n * cols + f] - centre) * rstd.at[n];
            tonnx__ref_put(call, n * cols + f, rstd.at[n] * (g - sum / (double)cols - hat * dot / (double)cols));
        }
    }
}
