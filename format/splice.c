#include "format/splice_impl.h"

#include <stdlib.h>
#include <string.h>

static tonnx_status push(tonnx__splice *splice, const tonnx__edit *edit)
{
    const tonnx_status status = tonnx__grow(&splice->edits, &splice->room, splice->count + 1, sizeof *splice->edits);
    if (status) {
        tonnx__free(edit->owned);
        return status;
    }
    splice->edits[splice->count] = *edit;
    splice->edits[splice->count].order = splice->count;
    splice->count++;
    return TONNX_OK;
}

tonnx_status tonnx__splice_add(tonnx__splice *splice, size_t owner, size_t at, size_t remove, const void *bytes,
                               size_t size)
{
    tonnx__edit *last = splice->count ? &splice->edits[splice->count - 1] : NULL;
    if (!size && last && !last->size && last->owner == owner && last->at + last->remove == at) {
        last->remove += remove;
        return TONNX_OK;
    }
    return push(splice, &(tonnx__edit){ .owner = owner, .at = at, .remove = remove, .bytes = bytes, .size = size });
}

tonnx_status tonnx__splice_take(tonnx__splice *splice, size_t owner, size_t at, size_t remove, unsigned char *bytes,
                                size_t size)
{
    return push(splice, &(tonnx__edit){
                            .owner = owner, .at = at, .remove = remove, .bytes = bytes, .owned = bytes, .size = size });
}

tonnx_status tonnx__splice_varint(tonnx__splice *splice, size_t owner, size_t at, size_t remove, uint64_t value)
{
    tonnx__edit edit = { .owner = owner, .at = at, .remove = remove };
    edit.size = tonnx__wire_put(edit.small, value);
    return push(splice, &edit);
}

void tonnx__splice_clear(tonnx__splice *splice)
{
    for (size_t i = 0; i < splice->count; i++) tonnx__free(splice->edits[i].owned);
    tonnx__free(splice->edits);
    *splice = (tonnx__splice){ 0 };
}

/* By place. At one place the inner message's end comes before the outer's, so the later owner first; then as added. */
static int compare_edits(const void *a, const void *b)
{
    const tonnx__edit *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    if (x->owner != y->owner) return x->owner > y->owner ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* One pass over the source. Without a sink it only counts. */
typedef struct pass {
    const unsigned char *source;
    const tonnx__edit *edits;
    size_t count, next; /* edits[next] is the first not yet done */
    const tonnx__sink *sink;
    size_t total;
} pass;

static tonnx_status put(pass *p, const void *bytes, size_t size)
{
    p->total += size;
    return p->sink && size ? p->sink->put(p->sink->user, bytes, size) : TONNX_OK;
}

static tonnx_status splice_message(pass *p, size_t content, size_t end);

/* A field's length, and its content with the edits in it. */
static tonnx_status splice_child(pass *p, const tonnx__field *field)
{
    unsigned char length[TONNX__VARINT_MOST];
    pass counted = *p;
    counted.sink = NULL;
    counted.total = 0;
    tonnx_status status = splice_message(&counted, field->content, field->end);
    const bool same = counted.total == field->end - field->content; /* then its length keeps its spelling too */
    const size_t size = same ? field->content - field->length_at : tonnx__wire_put(length, counted.total);
    if (!status) status = put(p, same ? p->source + field->length_at : length, size);
    if (!status && p->sink) return splice_message(p, field->content, field->end);
    p->total += counted.total; /* counting: this very pass has just been made */
    p->next = counted.next;
    return status;
}

/* The field, from *walk on, whose content the edit changes. */
static bool find_child(const pass *p, size_t owner, size_t *walk, size_t end, tonnx__field *field)
{
    while (*walk < end && !tonnx__wire_next(p->source, end, walk, field))
        if (field->type == TONNX__WIRE_BYTES && field->content <= owner && owner <= field->end) return true;
    return false;
}

static tonnx_status splice_message(pass *p, size_t content, size_t end)
{
    tonnx_status status = TONNX_OK;
    size_t done = content, walk = content;
    while (!status && p->next < p->count) {
        const tonnx__edit *edit = &p->edits[p->next];
        tonnx__field child;
        if (edit->owner < content || edit->owner > end) break;
        if (edit->owner == content) {
            status = put(p, p->source + done, edit->at - done);
            if (!status) status = put(p, edit->bytes ? edit->bytes : edit->small, edit->size);
            done = edit->at + edit->remove;
            p->next++;
        } else {
            if (!find_child(p, edit->owner, &walk, end, &child))
                return tonnx__fail(TONNX_BAD_MODEL, "the change at byte %zu lies in no field", edit->at);
            status = put(p, p->source + done, child.length_at - done);
            if (!status) status = splice_child(p, &child);
            done = child.end;
        }
    }
    return status ? status : put(p, p->source + done, end - done);
}

tonnx_status tonnx__splice_size(tonnx__splice *splice, const unsigned char *source, size_t size, size_t *out)
{
    pass p = { .source = source, .edits = splice->edits, .count = splice->count };
    if (splice->count) qsort(splice->edits, splice->count, sizeof *splice->edits, compare_edits);
    const tonnx_status status = splice_message(&p, 0, size);
    *out = p.total;
    return status;
}

tonnx_status tonnx__splice_run(tonnx__splice *splice, const unsigned char *source, size_t size, const tonnx__sink *sink)
{
    pass p = { .source = source, .edits = splice->edits, .count = splice->count, .sink = sink };
    return splice_message(&p, 0, size);
}

static tonnx_status put_memory(void *user, const void *bytes, size_t size)
{
    unsigned char **to = user;
    memcpy(*to, bytes, size);
    *to += size;
    return TONNX_OK;
}

tonnx_status tonnx__splice_bytes(tonnx__splice *splice, const unsigned char *source, size_t size, unsigned char **out,
                                 size_t *out_size)
{
    *out = NULL;
    tonnx_status status = tonnx__splice_size(splice, source, size, out_size);
    if (!status) status = tonnx__alloc(out, *out_size, 1);
    if (status) return status;
    unsigned char *to = *out;
    status = tonnx__splice_run(splice, source, size, &(tonnx__sink){ put_memory, &to });
    if (!status) return TONNX_OK;
    tonnx__free(*out);
    *out = NULL;
    return status;
}
