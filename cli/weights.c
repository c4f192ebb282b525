#include "cli/weights.h"

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

void weights_shape(const tonnx_tensor_info *info, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "scalar");
    for (size_t i = 0; i < info->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? "x" : "", (long long)info->dims[i]);
}
