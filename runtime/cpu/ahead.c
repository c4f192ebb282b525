/* Shuffled samples lie anywhere in memory, and what gathering them costs is the way there. So while a step is computed, the
 * batch after the next is asked for, some cache lines behind each block of a product that is made of operands as they lie: few enough that
 * arithmetic never waits for them. What is left, as of other tiles, comes behind the tile. */
#include "runtime/cpu/cpu_impl.h"

enum { LINE = 64 }; /* bytes */

static size_t sample_bytes(const tonnx__feed *feed, size_t features)
{
    return features * (feed->x_bytes ? 1 : sizeof *feed->x);
}

tonnx__ahead tonnx__ahead_of(const tonnx__cpu_task *gather, const tonnx__cpu_step *step, tonnx__span tiles)
{
    const tonnx__feed *feed = step->feed;
    const size_t bytes = sample_bytes(feed, gather->cols), first = step->record->first;
    if (tiles.from >= tiles.to) return (tonnx__ahead){ 0 };
    const tonnx__span rows = { tiles.from * gather->tall, tiles.to * gather->tall };
    return (tonnx__ahead){ .data = feed->x_bytes ? (const char *)feed->x_bytes : (const char *)feed->x,
                           .order = step->order,
                           .bytes = bytes,
                           .position = first + rows.from,
                           .end = first + (rows.to < gather->rows ? rows.to : gather->rows) };
}

void tonnx__ahead_some(tonnx__ahead *a, size_t lines)
{
    lines = tonnx__least(lines, a->left);
    a->left -= lines;
    for (; lines && a->position < a->end; lines--) {
        const size_t sample = a->order ? a->order[a->position] : a->position;
        __builtin_prefetch(a->data + sample * a->bytes + a->at, 0, 2);
        a->at += LINE;
        if (a->at < a->bytes) continue;
        a->at = 0;
        a->position++;
    }
}

void tonnx__spread_ahead(tonnx__cpu_task *tasks, size_t count, const tonnx__program *program)
{
    double work = 0;
    const tonnx__cpu_task *gather = NULL;
    for (size_t i = 0; i < count; i++) {
        work += tonnx__instruction_flops(program, tasks[i].code);
        if (tasks[i].code->kind == TONNX__GATHER) gather = &tasks[i];
    }
    for (size_t i = 0; i < count && gather && work > 0; i++) {
        const double share = tonnx__instruction_flops(program, tasks[i].code) / work / (double)tasks[i].tiles;
        const double lines = (double)(gather->rows * (gather->cols * sizeof(float) / LINE + 1));
        tasks[i].ahead = share > 0 ? 1 + (size_t)(1.2 * share * lines) : 0; /* some more: not all tiles are alike */
    }
}
