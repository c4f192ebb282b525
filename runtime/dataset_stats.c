/* What the features look like: per column, over all samples, in double. */
#include <math.h>
#include <string.h>

#include "runtime/dataset_impl.h"

/* x[sample, feature] after the scale. */
static inline double value_at(const tonnx_dataset *data, size_t sample, size_t feature)
{
    const size_t at = sample * data->features + feature;
    return (data->x_bytes ? (double)data->x_bytes[at] : (double)data->x[at]) * data->scale;
}

/* mean[features], std[features] of x[samples, features]: the mean first, then the squares of what is left, so that a
 * large mean costs the deviation no digits. */
void tonnx_dataset_mean_std(const tonnx_dataset *data, double *mean, double *std)
{
    const size_t n = data->samples, features = data->features;
    for (size_t j = 0; j < features; j++) mean[j] = std[j] = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < features; j++) mean[j] += value_at(data, i, j);
    for (size_t j = 0; j < features; j++) mean[j] /= (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < features; j++) {
            const double off = value_at(data, i, j) - mean[j];
            std[j] += off * off;
        }
    for (size_t j = 0; j < features; j++) std[j] = sqrt(std[j] / (double)n);
}

/* min[features], max[features] of x[samples, features]. */
void tonnx_dataset_min_max(const tonnx_dataset *data, double *min, double *max)
{
    for (size_t j = 0; j < data->features; j++) min[j] = max[j] = value_at(data, 0, j);
    for (size_t i = 1; i < data->samples; i++)
        for (size_t j = 0; j < data->features; j++) {
            const double value = value_at(data, i, j);
            if (value < min[j]) min[j] = value;
            if (value > max[j]) max[j] = value;
        }
}
