/* safetensors being written: the tensors of the widest types first, so that each begins at a multiple of its element.
 */
#include <string.h>

#include "format/data/bundle_impl.h"
#include "format/data/safetensors_impl.h"
#include "format/file.h"
#include "format/json_impl.h"

enum { WIDEST = 8 };

static size_t size_of(const tonnx__tensor *tensor)
{
    return tensor->count * tonnx_dtype_size(tensor->dtype);
}

/* Calls `visit` for every tensor, in the order of the file. */
static tonnx_status each(const tonnx__tensor *tensors, size_t count,
                         tonnx_status (*visit)(void *user, const tonnx__tensor *tensor), void *user)
{
    tonnx_status status = TONNX_OK;
    for (size_t width = WIDEST; width; width /= 2)
        for (size_t i = 0; i < count && !status; i++)
            if (!tensors[i].removed && tonnx_dtype_size(tensors[i].dtype) == width) status = visit(user, &tensors[i]);
    return status;
}

typedef struct header {
    json_t *root;
    size_t at; /* where the next tensor begins */
} header;

static tonnx_status add_tensor(void *user, const tonnx__tensor *tensor)
{
    header *h = user;
    const char *type = tonnx__safetensors_type(tensor->dtype);
    json_t *shape = json_array();
    const size_t end = h->at + size_of(tensor);
    int failed = 0;
    for (size_t d = 0; d < tensor->rank; d++) failed |= json_array_append_new(shape, json_integer(tensor->dims[d]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", type, "shape", shape, "data_offsets", (json_int_t)h->at,
                              (json_int_t)end);
    failed |= json_object_set_new(h->root, tensor->name, entry);
    h->at = end;
    return failed ? tonnx__fail(TONNX_NO_MEMORY, "out of memory for the header of safetensors") : TONNX_OK;
}

static tonnx_status put_elements(void *user, const tonnx__tensor *tensor)
{
    return tonnx_file_write(user, tensor->fresh ? tensor->fresh : tensor->bytes, size_of(tensor));
}

/* Eight bytes of length, the header, blanks to a multiple of eight. */
static tonnx_status put_header(tonnx_file *file, const json_t *root)
{
    static const char blanks[8] = "        ";
    unsigned char length[8];
    char *text = NULL;
    tonnx_status status = tonnx__json_dump(&text, root, JSON_COMPACT);
    if (status) return status;
    const size_t size = strlen(text), padding = (8 - size % 8) % 8;
    for (size_t i = 0; i < 8; i++) length[i] = (unsigned char)((size + padding) >> 8 * i);
    status = tonnx_file_write(file, length, sizeof length);
    if (!status) status = tonnx_file_write(file, text, size);
    if (!status) status = tonnx_file_write(file, blanks, padding);
    tonnx__free(text);
    return status;
}

/* Types that the format has, and no tensor by the name of its remarks. */
static tonnx_status check_tensors(const char *path, const tonnx__tensor *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!tensors[i].removed &&
            (!tonnx__safetensors_type(tensors[i].dtype) || !strcmp(tensors[i].name, "__metadata__")))
            return tonnx__fail(TONNX_BAD_MODEL, "%s: tensor '%s' of %s has no place in a safetensors file", path,
                               tensors[i].name, tonnx_dtype_name(tensors[i].dtype));
    return TONNX_OK;
}

tonnx_status tonnx__safetensors_write(const char *path, const tonnx__tensor *tensors, size_t count)
{
    tonnx_file *file = NULL;
    header h = { json_object(), 0 };
    tonnx_status status = h.root ? check_tensors(path, tensors, count) : tonnx__fail(TONNX_NO_MEMORY, "out of memory");
    if (!status) status = each(tensors, count, add_tensor, &h);
    if (!status) status = tonnx_file_create(&file, path);
    if (!status) status = put_header(file, h.root);
    if (!status) status = each(tensors, count, put_elements, file);
    json_decref(h.root);
    if (!status) return tonnx_file_finish(file);
    tonnx_file_discard(file);
    return status;
}
