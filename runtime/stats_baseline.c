/* What a net that knows nothing would lose: the yardstick of the initial loss. */
#include <math.h>
#include <stdlib.h>

#include "runtime/stats_impl.h"

static double target(const tonnx_dataset *data, size_t sample, size_t output)
{
    return data->classes ? (double)data->classes[sample] : (double)data->targets[sample * data->target_width + output];
}

static double entropy_term(double share)
{
    return share > 0 ? -share * log(share) : 0;
}

/* −Σ p·ln p over the classes' shares; class targets, or distributions. */
static tonnx_status class_entropy(const tonnx_dataset *data, bool classes, size_t width, double *out)
{
    double *shares = NULL;
    const tonnx_status status = tonnx__alloc(&shares, width, sizeof *shares);
    *out = 0;
    if (status) return status;
    for (size_t n = 0; n < data->samples; n++) {
        if (classes) shares[(size_t)target(data, n, 0)] += 1.0 / (double)data->samples;
        else
            for (size_t c = 0; c < width; c++) shares[c] += target(data, n, c) / (double)data->samples;
    }
    for (size_t c = 0; c < width; c++) *out += entropy_term(shares[c]);
    tonnx__free(shares);
    return TONNX_OK;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The mean loss of one output's best constant answer: the mean for squares and for bce's probability, the median for
 * absolute errors; huber takes the median too, which is near its own. `column` is sorted. */
static double constant_loss(const double *column, size_t samples, const tonnx__goal *goal)
{
    double mean = 0, loss = 0;
    for (size_t n = 0; n < samples; n++) mean += column[n] / (double)samples;
    if (goal->loss == TONNX_BCE) return entropy_term(mean) + entropy_term(1 - mean);
    const double answer = goal->loss == TONNX_MSE ? mean : column[samples / 2];
    for (size_t n = 0; n < samples; n++)
        loss += tonnx__loss_f(goal->loss, answer, column[n], goal->loss_a) / (double)samples;
    return loss;
}

static tonnx_status number_loss(const tonnx_dataset *data, const tonnx__goal *goal, double *out, double *mean)
{
    const size_t width = goal->target_width;
    double *column = NULL;
    const tonnx_status status = tonnx__alloc(&column, data->samples, sizeof *column);
    *out = 0;
    *mean = 0;
    for (size_t c = 0; c < width && !status; c++) {
        for (size_t n = 0; n < data->samples; n++) {
            column[n] = target(data, n, c);
            *mean += column[n] / (double)(data->samples * width);
        }
        qsort(column, data->samples, sizeof *column, ascending);
        *out += constant_loss(column, data->samples, goal) / (double)width;
    }
    tonnx__free(column);
    return status;
}

tonnx_status tonnx__stats_baseline(tonnx_stats *stats, const tonnx_net *net, const tonnx_dataset *data,
                                   const tonnx__goal *goal)
{
    const size_t width = net->values[goal->loss_value].features;
    stats->loss_kind = goal->loss;
    if (goal->loss == TONNX_CROSS_ENTROPY || goal->loss == TONNX_NLL) {
        stats->baseline_loss = log((double)width);
        return class_entropy(data, goal->classes, width, &stats->share_loss);
    }
    const tonnx_status status = number_loss(data, goal, &stats->share_loss, &stats->target_mean);
    stats->baseline_loss = goal->loss == TONNX_BCE ? log(2) : stats->share_loss;
    return status;
}
