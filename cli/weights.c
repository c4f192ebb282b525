#include "cli/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double *weights_read(const tonnx_model *model, size_t i, int *code)
{
    tonnx_tensor_info info;
    *code = 0;
    tonnx_model_tensor(model, i, &info);
    if (!tonnx_dtype_size(info.dtype)) return NULL;
    double *values = cli_alloc(info.count, sizeof *values);
    *code = cli_status(tonnx_model_read(model, i, values));
    if (!*code) return values;
    free(values);
    return NULL;
}

static void fill_histogram(const double *values, weight_stats *out)
{
    const double width = (out->max - out->min) / WEIGHT_BINS;
    for (size_t i = 0; i < out->count; i++) {
        const double bin = width > 0 ? (values[i] - out->min) / width : 0;
        out->histogram[bin < WEIGHT_BINS ? (size_t)bin : WEIGHT_BINS - 1]++; /* max itself belongs to the last bin */
    }
}

void weights_measure(const double *values, size_t count, weight_stats *out)
{
    double sum = 0, squares = 0;
    *out = (weight_stats){ .count = count, .mean = NAN, .std = NAN, .min = NAN, .max = NAN };
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]) && !out->not_finite++) out->first_not_finite = i;
        out->zeros += values[i] == 0.0;
        sum += values[i];
        out->min = i ? fmin(out->min, values[i]) : values[i];
        out->max = i ? fmax(out->max, values[i]) : values[i];
    }
    if (!count || out->not_finite) {
        out->min = out->max = NAN;
        return;
    }
    out->mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += (values[i] - out->mean) * (values[i] - out->mean);
    out->std = sqrt(squares / (double)count);
    fill_histogram(values, out);
}

void weights_measure_parameter(const tonnx_net *net, size_t i, weight_stats *out)
{
    tonnx_parameter_info info;
    tonnx_net_parameter(net, i, &info);
    double *values = cli_alloc(info.rows * info.cols, sizeof *values);
    tonnx_net_read(net, i, values);
    weights_measure(values, info.rows * info.cols, out);
    free(values);
}

void weights_shape(const tonnx_tensor_info *info, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "scalar");
    for (size_t i = 0; i < info->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? "x" : "", (long long)info->dims[i]);
}
