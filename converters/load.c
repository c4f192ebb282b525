/* Weights into a model that is there: by name, shape by shape, bit for bit where the types agree. */
#include <math.h>
#include <string.h>

#include "converters/weights_impl.h"
#include "runtime/log_impl.h"

typedef struct load {
    tonnx_model *model;
    const char *path;
    const tonnx_weights_options *options;
    bool *filled; /* per initializer */
    size_t rounded, taken, left; /* elements; arrays */
} load;

/* PyTorch counts batches where ONNX does not. */
static bool is_counter(const char *name)
{
    static const char end[] = "num_batches_tracked";
    const size_t length = strlen(name), tail = sizeof end - 1;
    return length >= tail && !strcmp(name + length - tail, end);
}

static tonnx_status check_shape(const load *l, const tonnx__tensor *to, const tonnx__tensor *from)
{
    char theirs[TONNX__SHAPE_TEXT], ours[TONNX__SHAPE_TEXT];
    if (to->rank == from->rank && (!to->rank || !memcmp(to->dims, from->dims, to->rank * sizeof *to->dims)))
        return TONNX_OK;
    const bool flipped =
        to->rank == 2 && from->rank == 2 && to->dims[0] == from->dims[1] && to->dims[1] == from->dims[0];
    return tonnx__fail(TONNX_BAD_MODEL, "%s: array '%.60s' is %s, the initializer of %s is %s%s", l->path, from->name,
                       tonnx__shape_text(from, theirs), l->model->path, tonnx__shape_text(to, ours),
                       flipped ? ": save it transposed" : "");
}

/* Values into another type of floats; none may become infinite on the way. */
static tonnx_status round_into(load *l, tonnx__tensor *to, const tonnx__tensor *from)
{
    size_t inexact = 0;
    if (!tonnx__is_float(to->dtype) || !tonnx__is_float(from->dtype))
        return tonnx__fail(TONNX_BAD_MODEL, "%s: array '%.60s' is %s, the initializer of %s is %s", l->path, from->name,
                           tonnx_dtype_name(from->dtype), l->model->path, tonnx_dtype_name(to->dtype));
    for (size_t i = 0; i < to->count; i++) {
        const double value = tonnx__tensor_get(from, i);
        tonnx__tensor_set(to, i, value);
        const double rounded = tonnx__tensor_get(to, i);
        inexact += rounded != value && !isnan(value);
        if (isfinite(value) && !isfinite(rounded))
            return tonnx__fail(TONNX_BAD_MODEL, "%s: array '%.60s': element %zu, %g, is beyond the %s of %s", l->path,
                               from->name, i, value, tonnx_dtype_name(to->dtype), l->model->path);
    }
    l->rounded += inexact;
    return TONNX_OK;
}

static tonnx_status load_array(load *l, const tonnx__tensor *from)
{
    const ptrdiff_t at = tonnx__model_find_tensor(l->model, from->name);
    if (at < 0 && (is_counter(from->name) || l->options->partial)) {
        l->left++;
        return TONNX_OK;
    }
    if (at < 0)
        return tonnx__fail(TONNX_BAD_MODEL,
                           "%s: array '%.60s': %s has no initializer of that name (--partial passes over it)", l->path,
                           from->name, l->model->path);
    tonnx__tensor *to = &l->model->tensors[at];
    tonnx_status status = check_shape(l, to, from);
    if (!status) status = tonnx__tensor_touch(to);
    if (status) return status;
    l->filled[at] = true;
    l->taken++;
    if (to->dtype != from->dtype) return round_into(l, to, from);
    if (to->count) memcpy(to->fresh, from->bytes, to->count * tonnx_dtype_size(to->dtype));
    return TONNX_OK;
}

/* Shapes, axes and single numbers belong to the graph; several floats are weights. */
static tonnx_status check_filled(const load *l)
{
    size_t kept = 0;
    if (l->left && !l->taken)
        return tonnx__fail(TONNX_BAD_MODEL, "%s: none of its arrays has the name of an initializer of %s", l->path,
                           l->model->path);
    for (size_t i = 0; i < l->model->tensor_count; i++) {
        const tonnx__tensor *tensor = &l->model->tensors[i];
        if (l->filled[i] || tensor->removed || !tonnx__is_float(tensor->dtype) || tensor->count < 2) continue;
        kept++;
        if (!l->options->partial)
            return tonnx__fail(TONNX_BAD_MODEL,
                               "%s: has no array for the initializer '%.60s' of %s (--partial keeps it)", l->path,
                               tensor->name, l->model->path);
    }
    if (kept || l->left)
        tonnx__say(&l->options->log, TONNX_LOG_WARNING, "%s: %zu initializer%s kept, %zu array%s passed over", l->path,
                   kept, kept == 1 ? "" : "s", l->left, l->left == 1 ? "" : "s");
    return TONNX_OK;
}

tonnx_status tonnx_weights_load(tonnx_model *model, const char *path, const tonnx_weights_options *given)
{
    const tonnx_weights_options options = tonnx__weights_options(given);
    load l = { .model = model, .path = path, .options = &options };
    tonnx__tensor *tensors = NULL;
    size_t count = 0;
    tonnx_status status = tonnx__weights_read(&tensors, &count, path);
    if (!status) status = tonnx__alloc(&l.filled, model->tensor_count, sizeof *l.filled);
    for (size_t i = 0; !status && i < count; i++) status = load_array(&l, &tensors[i]);
    if (!status) status = check_filled(&l);
    if (!status && l.rounded)
        tonnx__say(&options.log, TONNX_LOG_WARNING, "%s: %zu elements were rounded into the types of %s", path,
                   l.rounded, model->path);
    tonnx__free(l.filled);
    tonnx__tensors_free(tensors, count);
    return status;
}
