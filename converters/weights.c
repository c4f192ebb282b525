/* The front: which format a file has; out of models, and from file to file. */
#include <stdio.h>
#include <string.h>

#include "converters/weights_impl.h"
#include "format/file.h"
#include "runtime/log_impl.h"

static const tonnx__weights_format *const formats[] = { &tonnx__npz_weights, &tonnx__safetensors_weights };

enum { FORMATS = sizeof formats / sizeof *formats, HEAD = 64 };

static const tonnx__weights_format *by_extension(const char *path)
{
    for (size_t i = 0; i < FORMATS; i++) {
        const size_t length = strlen(path), end = strlen(formats[i]->extension);
        if (length > end && !strcmp(path + length - end, formats[i]->extension)) return formats[i];
    }
    return NULL;
}

bool tonnx_weights_known(const char *path)
{
    return by_extension(path) != NULL;
}

static tonnx_status unknown_extension(const char *path)
{
    return tonnx__fail(TONNX_BAD_USAGE, "%s: weights are written as .npz or .safetensors", path);
}

tonnx_weights_options tonnx__weights_options(const tonnx_weights_options *given)
{
    tonnx_weights_options options = TONNX_WEIGHTS_OPTIONS_DEFAULT;
    if (given) memcpy(&options, given, given->size < sizeof options ? given->size : sizeof options);
    return options;
}

const char *tonnx__shape_text(const tonnx__tensor *tensor, char text[TONNX__SHAPE_TEXT])
{
    size_t at = (size_t)snprintf(text, TONNX__SHAPE_TEXT, "[");
    for (size_t d = 0; d < tensor->rank && at + 30 < TONNX__SHAPE_TEXT; d++)
        at += (size_t)snprintf(text + at, TONNX__SHAPE_TEXT - at, "%s%lld", d ? ", " : "", (long long)tensor->dims[d]);
    snprintf(text + at, TONNX__SHAPE_TEXT - at, "]");
    return text;
}

/* What a model is made of is a model's file: its faults are those of one. */
tonnx_status tonnx__weights_read(tonnx__tensor **out, size_t *count, const char *path)
{
    unsigned char head[HEAD];
    size_t size = 0, i = 0;
    *out = NULL;
    *count = 0;
    tonnx_status status = tonnx_file_head(path, head, sizeof head, &size);
    if (status) return status;
    while (i < FORMATS && !formats[i]->sniff(head, size)) i++;
    if (i == FORMATS) return tonnx__fail(TONNX_BAD_MODEL, "%s: is neither .npz nor .safetensors", path);
    status = formats[i]->read(out, count, path);
    return status == TONNX_BAD_DATA ? TONNX_BAD_MODEL : status;
}

/* The model's tensors, borrowed, those that are no numbers marked as `removed`; *kept are not. */
static tonnx_status borrow_numbers(tonnx__tensor **out, size_t *kept, const tonnx_model *model, const tonnx_log *log)
{
    const tonnx_status status = tonnx__alloc(out, model->tensor_count, sizeof **out);
    *kept = 0;
    for (size_t i = 0; !status && i < model->tensor_count; i++) {
        tonnx__tensor *tensor = &(*out)[i];
        *tensor = model->tensors[i];
        const bool number = tonnx_dtype_size(tensor->dtype) != 0;
        *kept += number && !tensor->removed;
        if (!number && !tensor->removed)
            tonnx__say(log, TONNX_LOG_WARNING, "%s: initializer '%.60s' of %s is left out: only numbers are converted",
                       model->path, tensor->name, tonnx_dtype_name(tensor->dtype));
        tensor->removed = tensor->removed || !number;
    }
    return status;
}

tonnx_status tonnx_weights_save(const tonnx_model *model, const char *path, const tonnx_weights_options *given)
{
    const tonnx_weights_options options = tonnx__weights_options(given);
    const tonnx__weights_format *format = by_extension(path);
    tonnx__tensor *borrowed = NULL;
    size_t kept = 0;
    if (!format) return unknown_extension(path);
    tonnx_status status = borrow_numbers(&borrowed, &kept, model, &options.log);
    if (!status && !kept) status = tonnx__fail(TONNX_BAD_MODEL, "%s: has no initializers to be converted", model->path);
    if (!status) status = format->write(path, borrowed, model->tensor_count);
    tonnx__free(borrowed);
    return status;
}

tonnx_status tonnx_weights_copy(const char *from, const char *to)
{
    const tonnx__weights_format *format = by_extension(to);
    tonnx__tensor *tensors = NULL;
    size_t count = 0;
    if (!format) return unknown_extension(to);
    if (tonnx_file_same(from, to))
        return tonnx__fail(TONNX_BAD_USAGE, "%s: is the file that is read, %s; write to another", to, from);
    tonnx_status status = tonnx__weights_read(&tensors, &count, from);
    if (!status) status = format->write(to, tensors, count);
    tonnx__tensors_free(tensors, count);
    return status;
}
