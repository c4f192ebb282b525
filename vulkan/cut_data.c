/* A batch out of the data set: a dispatch for each two pieces of X, which takes the rows that lie there. T goes with the
 * first of them where it is in one piece, and has dispatches of its own else. */
#include "vulkan/cut_impl.h"

typedef struct gathering {
    const tonnx__vk_table *table[2];                /* of X, of T; NULL: not in this dispatch */
    const tonnx__vk_piece *piece, *second, *target; /* of X, the one behind it; of T. NULL: there is none */
} gathering;

/* A whole piece as an operand, in words. */
static tonnx__vk_operand words_of(const tonnx__vk_piece *piece)
{
    if (!piece) return (tonnx__vk_operand){ 0 };
    return (tonnx__vk_operand){ &piece->buffer, 0, piece->buffer.bytes / sizeof(uint32_t), 1, false };
}

static void emit_gather(tonnx__vk_cut *cut, const gathering *g, size_t from, size_t rows)
{
    const tonnx__vk_operand order = { &cut->exec->order, 0, cut->exec->order.bytes / sizeof(uint32_t), 1, false };
    const tonnx__vk_operand none = { 0 }, x = cut->out[0], t = cut->out[1];
    const tonnx__vk_piece *piece = g->piece ? g->piece : g->target;
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_gather);
    d.specs[1] = g->table[0] ? (uint32_t)g->table[0]->numbers : TONNX__VK_NONE;
    d.specs[2] = g->table[1] ? (uint32_t)g->table[1]->numbers : TONNX__VK_NONE;
    const size_t each = x.at % 4 ? 1 : x.cols % 16 == 0 ? 16 : x.cols % 4 == 0 ? 4 : 1; /* of X's numbers to an invocation */
    d.specs[3] = (uint32_t)each;
    d.specs[4] = g->second != NULL;
    d.push.n = (uint32_t)rows;
    d.push.f = (uint32_t)x.cols;
    d.push.k = (uint32_t)t.cols;
    d.push.u[0] = (uint32_t)piece->first;
    d.push.u[1] = (uint32_t)(piece->first + piece->count);
    if (g->second) d.push.u[2] = (uint32_t)(g->second->first + g->second->count);
    d.push.u[TONNX__VK_U_ROW] = (uint32_t)from;
    tonnx__vk_takes(&d, words_of(g->piece));
    tonnx__vk_takes(&d, words_of(g->target));
    tonnx__vk_takes(&d, order);
    tonnx__vk_takes_clock(cut, &d);
    tonnx__vk_gives(&d, g->table[0] ? tonnx__vk_rows_of(x, from, rows) : none);
    tonnx__vk_gives(&d, g->table[1] ? tonnx__vk_rows_of(t, from, rows) : none);
    tonnx__vk_takes(&d, words_of(g->second));
    const size_t count = rows * ((g->table[0] ? x.cols / each : 0) + (g->table[1] ? t.cols : 0));
    const size_t groups = (count + d.specs[0] - 1) / d.specs[0], most = cut->vk->limits.groups;
    tonnx__vk_emit(cut, &d, groups < most ? groups : most, groups < most ? 1 : (groups + most - 1) / most);
}

/* X[n,f] = data[order[first + n]]·scale; T[n,w] = targets of the same rows */
void tonnx__vk_cut_GATHER(tonnx__vk_cut *cut)
{
    const tonnx__vk_data *data = &cut->exec->source;
    const size_t rows = cut->out[0].rows,
                 widest = cut->out[0].cols > cut->out[1].cols ? cut->out[0].cols : cut->out[1].cols;
    const size_t at_once = tonnx__vk_span(cut, rows, widest, 1);
    const bool targets = cut->out[1].buffer != NULL, whole = data->t.count == 1;
    for (size_t from = 0; from < rows && !cut->status; from += at_once) {
        const size_t here = rows - from < at_once ? rows - from : at_once;
        for (size_t i = 0; i < data->x.count; i += 2) {
            const bool with = targets && whole && i == 0;
            const tonnx__vk_piece *piece = &data->x.pieces[i];
            emit_gather(cut,
                        &(gathering){ { &data->x, with ? &data->t : NULL },
                                      piece,
                                      i + 1 < data->x.count ? piece + 1 : NULL,
                                      with ? data->t.pieces : NULL },
                        from, here);
        }
        for (size_t i = 0; i < data->t.count && targets && !whole; i++)
            emit_gather(cut, &(gathering){ { NULL, &data->t }, NULL, NULL, &data->t.pieces[i] }, from, here);
    }
}
