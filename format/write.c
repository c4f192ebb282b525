#include <limits.h>

#include "format/file.h"
#include "format/onnx.h"
#include "format/patch_impl.h"

/* What is written: the bytes to start from and the edits on them. */
typedef struct draft {
    const unsigned char *base;
    unsigned char *owned; /* the base of a model without a source */
    size_t base_size, size;
    tonnx__splice splice;
} draft;

static void draft_clear(draft *d)
{
    tonnx__splice_clear(&d->splice);
    tonnx__free(d->owned);
}

static tonnx_status draft_make(draft *d, const tonnx_model *model)
{
    tonnx_status status = TONNX_OK;
    d->base = model->source;
    d->base_size = model->source_size;
    if (!model->source) {
        status = tonnx__onnx_pack_head(model, &d->owned, &d->base_size);
        d->base = d->owned;
    }
    if (!status) status = tonnx__onnx_patch(model, d->base, d->base_size, &d->splice);
    if (!status) status = tonnx__splice_size(&d->splice, d->base, d->base_size, &d->size);
    if (!status && d->size > INT_MAX)
        status = tonnx__fail(TONNX_BAD_MODEL, "the model would be %zu bytes, an ONNX file ends at 2 GiB", d->size);
    return status;
}

tonnx_status tonnx_onnx_write(const tonnx_model *model, unsigned char **bytes, size_t *size)
{
    draft d = { 0 };
    *bytes = NULL;
    *size = 0;
    tonnx_status status = draft_make(&d, model);
    if (!status) status = tonnx__splice_bytes(&d.splice, d.base, d.base_size, bytes, size);
    draft_clear(&d);
    return status;
}

static tonnx_status put_file(void *user, const void *bytes, size_t size)
{
    return tonnx_file_write(user, bytes, size);
}

static tonnx_status save_draft(draft *d, const char *path)
{
    tonnx_file *file = NULL;
    tonnx_status status = tonnx_file_create(&file, path);
    if (status) return status;
    status = tonnx__splice_run(&d->splice, d->base, d->base_size, &(tonnx__sink){ put_file, file });
    if (!status) return tonnx_file_finish(file);
    tonnx_file_discard(file);
    return status;
}

tonnx_status tonnx_onnx_save(const tonnx_model *model, const char *path, const tonnx_log *log)
{
    draft d = { 0 };
    (void)log;
    if (*model->path && tonnx_file_same(model->path, path))
        return tonnx__fail(TONNX_BAD_USAGE, "%s: is the model's own source %s; write to another file", path,
                           model->path);
    tonnx_status status = draft_make(&d, model);
    if (status) tonnx__fail_in(status, path);
    if (!status) status = save_draft(&d, path);
    draft_clear(&d);
    return status;
}
