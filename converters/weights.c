/* The front: which format a file has; out of models, and from file to file. */
#include <stdio.h>
#include <string.h>

#include "converters/weights_impl.h"
#include "format/file.h"

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

void tonnx__weights_free(tonnx__tensor *tensors, size_t count)
{
    for (size_t i = 0; tensors && i < count; i++) tonnx__tensor_clear(&tensors[i]);
    tonnx__free(tensors);
}

tonnx_status tonnx_weights_save(const tonnx_model *model, const char *path)
{
    const tonnx__weights_format *format = by_extension(path);
    size_t kept = 0;
    if (!format) return unknown_extension(path);
    for (size_t i = 0; i < model->tensor_count; i++) kept += !model->tensors[i].removed;
    if (!kept) return tonnx__fail(TONNX_BAD_MODEL, "%s: has no initializers to be converted", model->path);
    return format->write(path, model->tensors, model->tensor_count);
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
    tonnx__weights_free(tensors, count);
    return status;
}
