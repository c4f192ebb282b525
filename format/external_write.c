/* External data, writing: every data file of the model is written anew beside the output; only the bytes of trained
 * elements differ. */
#include "format/external_impl.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool tonnx__external_moves_in(const tonnx__tensor *tensor)
{
    return tensor->file && tensor->file_shared && tonnx__tensor_differs(tensor);
}

/* Whether the tensor's new elements go into that data file. */
static bool goes_into(const tonnx__tensor *tensor, size_t file)
{
    return tensor->file == file + 1 && !tensor->file_shared && !tensor->removed && tonnx__tensor_differs(tensor);
}

bool tonnx_onnx_is_source(const tonnx_model *model, const char *path)
{
    if (*model->path && tonnx_file_same(model->path, path)) return true;
    for (size_t i = 0; i < model->data_file_count; i++)
        if (tonnx_file_same(model->data_files[i].path, path)) return true;
    return false;
}

/* Where the output's folder ends in its path: 0, or one past the last '/'. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash + 1 - path) : 0;
}

static tonnx_status set_target(tonnx__data_target *target, const char *folder, size_t folder_size, const char *name)
{
    const size_t size = folder_size + strlen(name) + 1;
    tonnx__free(target->path);
    tonnx__free(target->location);
    target->location = NULL;
    tonnx_status status = tonnx__alloc(&target->path, size, 1);
    if (!status) status = tonnx__strdup(&target->location, name);
    if (!status) snprintf(target->path, size, "%.*s%s", (int)folder_size, folder, name);
    return status;
}

/* Whether another data file, or the model itself, goes by that name. */
static bool is_chosen(const tonnx__data_target *targets, size_t count, const char *output)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(targets[i].path, targets[count].path)) return true;
    return !strcmp(output, targets[count].path);
}

/* A name of the output's own: OUT.data, OUT.data2 … What an earlier run left there is replaced, as OUT itself is. */
static tonnx_status own_name(const tonnx_model *model, const char *path, tonnx__data_target *targets, size_t f)
{
    const size_t folder = folder_length(path), room = strlen(path) + 32;
    char *name = NULL;
    tonnx_status status = tonnx__alloc(&name, room, 1);
    for (size_t number = 1; !status; number++) {
        struct stat info;
        char digits[24] = "";
        if (number > 1) snprintf(digits, sizeof digits, "%zu", number);
        snprintf(name, room, "%s.data%s", path + folder, digits);
        status = set_target(&targets[f], path, folder, name);
        const bool there = !status && !lstat(targets[f].path, &info);
        if (!status && !is_chosen(targets, f, path) &&
            (!there || (S_ISREG(info.st_mode) && !tonnx_onnx_is_source(model, targets[f].path))))
            break;
    }
    tonnx__free(name);
    return status;
}

static tonnx_status plan_file(const tonnx_model *model, const char *path, tonnx__data_target *targets, size_t f)
{
    const char *location = model->data_files[f].location, *slash = strrchr(location, '/');
    struct stat info;
    const tonnx_status status = set_target(&targets[f], path, folder_length(path), slash ? slash + 1 : location);
    if (status || (lstat(targets[f].path, &info) && !is_chosen(targets, f, path))) return status;
    return own_name(model, path, targets, f);
}

tonnx_status tonnx__external_plan(const tonnx_model *model, const char *path, tonnx__data_target **out)
{
    const size_t count = model->data_file_count;
    tonnx__tensor **all = NULL;
    size_t tensors = 0;
    tonnx_status status = tonnx__alloc(out, count, sizeof **out);
    for (size_t f = 0; f < count && !status; f++) status = plan_file(model, path, *out, f);
    if (!status) status = tonnx__model_each_tensor(model, &all, &tensors);
    for (size_t f = 0; f < count && !status; f++)
        for (size_t i = 0; i < tensors; i++) (*out)[f].changed |= goes_into(all[i], f);
    tonnx__free(all);
    if (!status) return TONNX_OK;
    tonnx__external_plan_free(*out, count);
    *out = NULL;
    return status;
}

void tonnx__external_plan_free(tonnx__data_target *targets, size_t count)
{
    for (size_t i = 0; targets && i < count; i++) {
        tonnx_file_discard(targets[i].out);
        tonnx__free(targets[i].path);
        tonnx__free(targets[i].location);
    }
    tonnx__free(targets);
}

static tonnx_status write_file(const tonnx_model *model, size_t f, tonnx__tensor *const *tensors, size_t count,
                               tonnx_file *out)
{
    const tonnx__data_file *file = &model->data_files[f];
    tonnx_status status = TONNX_OK;
    size_t done = 0;
    for (size_t i = 0; i < count && !status; i++) {
        const tonnx__tensor *tensor = tensors[i];
        if (!goes_into(tensor, f)) continue;
        status = tonnx_file_write(out, file->bytes + done, tensor->file_at - done);
        if (!status) status = tonnx_file_write(out, tensor->fresh, tensor->file_size);
        done = tensor->file_at + tensor->file_size;
    }
    return status ? status : tonnx_file_write(out, file->bytes + done, file->size - done);
}

tonnx_status tonnx__external_write(const tonnx_model *model, tonnx__data_target *targets)
{
    tonnx__tensor **tensors = NULL;
    size_t count = 0;
    tonnx_status status = tonnx__external_in_order(model, &tensors, &count);
    for (size_t f = 0; f < model->data_file_count && !status; f++) {
        status = tonnx_file_create(&targets[f].out, targets[f].path);
        if (!status) status = write_file(model, f, tensors, count, targets[f].out);
    }
    tonnx__free(tensors);
    return status;
}
