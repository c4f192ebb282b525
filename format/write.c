#include <limits.h>

#include "format/external_impl.h"
#include "format/file.h"
#include "format/onnx.h"
#include "format/patch_impl.h"

/* What is written: the bytes to start from and the edits on them; and the data files beside them. */
typedef struct draft {
    const tonnx_model *model;
    const unsigned char *base;
    unsigned char *owned; /* the base of a model without a source */
    size_t base_size, size;
    tonnx__splice splice;
    tonnx__data_target *targets; /* NULL: external data moves into the model */
} draft;

static void draft_clear(draft *d)
{
    tonnx__external_plan_free(d->targets, d->model->data_file_count);
    tonnx__splice_clear(&d->splice);
    tonnx__free(d->owned);
}

/* `path`: where the model goes, which says where its data files go; NULL: into memory. */
static tonnx_status draft_make(draft *d, const char *path, const tonnx_log *log)
{
    tonnx_status status = tonnx__sparse_gather(d->model, log);
    d->base = d->model->source;
    d->base_size = d->model->source_size;
    if (!status && !d->model->source) {
        status = tonnx__onnx_pack_head(d->model, &d->owned, &d->base_size);
        d->base = d->owned;
    }
    if (!status && path) status = tonnx__external_plan(d->model, path, &d->targets);
    if (!status) status = tonnx__onnx_patch(&(tonnx__patch){ d->model, d->base, d->targets, &d->splice }, d->base_size);
    if (!status) status = tonnx__splice_size(&d->splice, d->base, d->base_size, &d->size);
    if (!status && d->size > INT_MAX)
        status = tonnx__fail(TONNX_BAD_MODEL, "the model would be %zu bytes, an ONNX file ends at 2 GiB", d->size);
    return status;
}

tonnx_status tonnx_onnx_write(const tonnx_model *model, unsigned char **bytes, size_t *size)
{
    draft d = { .model = model };
    *bytes = NULL;
    *size = 0;
    tonnx_status status = draft_make(&d, NULL, NULL);
    if (!status) status = tonnx__splice_bytes(&d.splice, d.base, d.base_size, bytes, size);
    draft_clear(&d);
    return status;
}

static tonnx_status put_file(void *user, const void *bytes, size_t size)
{
    return tonnx_file_write(user, bytes, size);
}

/* Everything is written under temporary names before anything gets its own: the data first, then the model that reads
 * it. */
static tonnx_status save_draft(draft *d, const char *path)
{
    tonnx_file *file = NULL;
    tonnx_status status = tonnx_file_create(&file, path);
    if (!status) status = tonnx__external_write(d->model, d->targets);
    if (!status) status = tonnx__splice_run(&d->splice, d->base, d->base_size, &(tonnx__sink){ put_file, file });
    for (size_t f = 0; f < d->model->data_file_count && !status; f++) {
        status = tonnx_file_finish(d->targets[f].out);
        d->targets[f].out = NULL;
    }
    if (!status) return tonnx_file_finish(file);
    tonnx_file_discard(file);
    return status;
}

static void say_targets(const draft *d, const tonnx_log *log)
{
    for (size_t f = 0; f < d->model->data_file_count; f++)
        tonnx__say(log, TONNX_LOG_INFO, "external data '%s' goes to %s", d->model->data_files[f].location,
                   d->targets[f].path);
}

tonnx_status tonnx_onnx_check_path(const tonnx_model *model, const char *path)
{
    if (*model->path && tonnx_file_same(model->path, path))
        return tonnx__fail(TONNX_BAD_USAGE, "%s: is the model's own source %s; write to another file", path,
                           model->path);
    for (size_t f = 0; f < model->data_file_count; f++)
        if (tonnx_file_same(model->data_files[f].path, path))
            return tonnx__fail(TONNX_BAD_USAGE, "%s: holds the external data of %s; write to another file", path,
                               model->path);
    return TONNX_OK;
}

tonnx_status tonnx_onnx_save(const tonnx_model *model, const char *path, const tonnx_log *log)
{
    draft d = { .model = model };
    tonnx_status status = tonnx_onnx_check_path(model, path);
    if (status) return status;
    status = draft_make(&d, path, log);
    if (status) tonnx__fail_in(status, path);
    if (!status) status = save_draft(&d, path);
    if (!status) say_targets(&d, log);
    draft_clear(&d);
    return status;
}
