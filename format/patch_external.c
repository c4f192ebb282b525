/* External data, as the model's own file speaks of it: another name of the data file, or the elements moved in. */
#include <string.h>

#include "format/external_impl.h"
#include "format/patch_impl.h"

enum { TENSOR_RAW = 9, TENSOR_EXTERNAL = 13, TENSOR_LOCATION = 14, ENTRY_KEY = 1, ENTRY_VALUE = 2 };

static bool is_text(const unsigned char *source, const tonnx__field *field, const char *text)
{
    const size_t size = strlen(text);
    return field->end - field->content == size && !memcmp(source + field->content, text, size);
}

/* raw_data in place of what said where the elements lie. */
static tonnx_status move_in(const tonnx__patch *p, const tonnx__tensor *tensor, const tonnx__field *message)
{
    const unsigned char *elements =
        tensor->fresh ? tensor->fresh : p->model->data_files[tensor->file - 1].bytes + tensor->file_at;
    const size_t head = tonnx__wire_put_head(NULL, TENSOR_RAW, tensor->file_size), size = head + tensor->file_size;
    unsigned char *bytes = NULL;
    tonnx__field field;
    tonnx_status status = TONNX_OK;
    for (size_t at = message->content; at < message->end && !status;) {
        if (tonnx__wire_next(p->source, message->end, &at, &field)) break; /* scanned: cannot be */
        if (field.number == TENSOR_EXTERNAL || field.number == TENSOR_LOCATION)
            status = tonnx__splice_add(p->splice, message->content, field.at, field.end - field.at, NULL, 0);
    }
    if (!status) status = tonnx__alloc(&bytes, size, 1);
    if (status) return status;
    tonnx__wire_put_head(bytes, TENSOR_RAW, tensor->file_size);
    if (tensor->file_size) memcpy(bytes + head, elements, tensor->file_size);
    return tonnx__splice_take(p->splice, message->content, message->end, 0, bytes, size);
}

/* One entry of external_data: a location that is another now, a checksum that no longer holds. */
static tonnx_status patch_entry(const tonnx__patch *p, const tonnx__data_target *target, const tonnx__field *message,
                                const tonnx__field *entry)
{
    tonnx__wire_walk keys = { p->source, entry->content, entry->end, ENTRY_KEY };
    tonnx__wire_walk values = { p->source, entry->content, entry->end, ENTRY_VALUE };
    unsigned char *bytes = NULL;
    size_t size = 0;
    tonnx__field key, value;
    if (!tonnx__wire_each(&keys, &key)) return TONNX_OK;
    if (target->changed && is_text(p->source, &key, "checksum"))
        return tonnx__splice_add(p->splice, message->content, entry->at, entry->end - entry->at, NULL, 0);
    if (!is_text(p->source, &key, "location") || !tonnx__wire_each(&values, &value) ||
        is_text(p->source, &value, target->location))
        return TONNX_OK;
    const tonnx_status status = tonnx__onnx_pack_text(ENTRY_VALUE, target->location, &bytes, &size);
    return status ? status : tonnx__splice_take(p->splice, entry->content, value.at, value.end - value.at, bytes, size);
}

tonnx_status tonnx__patch_external(const tonnx__patch *p, const tonnx__tensor *tensor, const tonnx__field *message)
{
    tonnx__wire_walk walk = { p->source, message->content, message->end, TENSOR_EXTERNAL };
    tonnx__field entry;
    tonnx_status status = TONNX_OK;
    if (!p->targets || tonnx__external_moves_in(tensor)) return move_in(p, tensor, message);
    while (!status && tonnx__wire_each(&walk, &entry))
        status = patch_entry(p, &p->targets[tensor->file - 1], message, &entry);
    return status;
}
