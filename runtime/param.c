#include "runtime/param_impl.h"

#include <math.h>

tonnx__tensor *tonnx__param_tensor(const tonnx__param *param, tonnx_model *model)
{
    return param->tensor >= 0 ? &model->tensors[param->tensor] : param->constant;
}

/* Where element (row, col) lies in the source tensor. */
static size_t source_index(const tonnx__view *view, size_t row, size_t col)
{
    return view->offset + row * view->row_stride + col * view->col_stride;
}

void tonnx__param_pull(const tonnx__param *param, tonnx_model *model, double *values)
{
    const tonnx__tensor *tensor = tonnx__param_tensor(param, model);
    for (size_t r = 0; r < param->rows; r++, values += param->cols) {
        tonnx__tensor_read(tensor, source_index(&param->view, r, 0), param->view.col_stride, param->cols, values);
        for (size_t c = 0; c < param->cols; c++) values[c] *= param->view.factor;
    }
}

/* Training computes in float, so a double of the file that was not trained comes back as its nearest float: that is no
 * change. NaN is equal to NaN here, for the bytes stay the same. */
static bool unchanged(double in_file, double value)
{
    return in_file == value || (double)(float)in_file == value || (isnan(in_file) && isnan(value));
}

tonnx_status tonnx__param_push(const tonnx__param *param, tonnx_model *model, const double *values)
{
    tonnx__tensor *tensor = tonnx__param_tensor(param, model);
    const double factor = param->view.factor;
    bool touched = false;
    for (size_t r = 0; r < param->rows; r++)
        for (size_t c = 0; c < param->cols; c++, values++) {
            const size_t i = source_index(&param->view, r, c);
            if (unchanged(factor * tonnx__tensor_get(tensor, i), *values)) continue;
            if (!touched) {
                const tonnx_status status = tonnx__tensor_touch(tensor);
                if (status) return status;
                touched = true;
            }
            tonnx__tensor_set(tensor, i, *values / factor);
        }
    return TONNX_OK;
}

bool tonnx__param_equals(const tonnx__param *param, tonnx_model *model, const double *values)
{
    const tonnx__tensor *tensor = tonnx__param_tensor(param, model);
    for (size_t r = 0; r < param->rows; r++)
        for (size_t c = 0; c < param->cols; c++, values++)
            if (!unchanged(param->view.factor * tonnx__tensor_get(tensor, source_index(&param->view, r, c)), *values))
                return false;
    return true;
}
