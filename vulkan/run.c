/* Running: what a run's steps read is sent, or lies on the device already; then they go out, many to a submit. */
#include <string.h>

#include "runtime/clock_impl.h"
#include "vulkan/exec_impl.h"

enum { SLOT_BYTES = 8 << 20 }; /* that a slot of the ring may have */

static void write_record(tonnx__vk_exec *exec, size_t step, const tonnx__record *record, size_t first)
{
    tonnx__vk_clock *clock = exec->clock.host;
    clock->records[step] = (tonnx__vk_tick){
        (float)record->rate,
        { (float)record->c[0], (float)record->c[1], (float)record->c[2], (float)record->c[3] },
        (uint32_t)first,
        (uint32_t)record->step,
        (uint32_t)(record->step >> 32),
    };
}

/* Room for the positions that a run reads; more of it is recorded anew. */
static tonnx_status want_order(tonnx__vk_exec *exec, size_t count)
{
    tonnx__vk *vk = tonnx__vk_of(exec);
    if (exec->order.bytes >= count * sizeof(uint32_t)) return TONNX_OK;
    tonnx__vk_unprepare(exec);
    tonnx__vk_buffer_free(vk, &exec->order);
    return tonnx__vk_buffer_new(vk, &exec->order, count * sizeof(uint32_t), true, "the order of the samples");
}

/* Rows of the ring's slots: those of the steps that fit into one, one at least. */
static size_t rows_of_slot(const tonnx__vk_exec *exec, const tonnx__feed *feed)
{
    const size_t rows = exec->base.program->rows, row_bytes = (feed->features + feed->width + 1) * sizeof(float);
    const size_t room = tonnx__vk_data_room(tonnx__vk_of(exec)) / TONNX__VK_SLOTS;
    const size_t steps = (room < SLOT_BYTES ? room : SLOT_BYTES) / row_bytes / rows;
    return rows * (steps < 1 ? 1 : steps > TONNX__MAX_STEPS ? TONNX__MAX_STEPS : steps);
}

/* What is kept on the device, and a ring for the rest; its size is chosen once, and halved where there is no room. */
static tonnx_status find_data(tonnx__vk_exec *exec, const tonnx__feed *feed)
{
    const tonnx__vk_data *kept = NULL;
    const size_t rows = exec->base.program->rows;
    tonnx_status status = tonnx__vk_data_find(tonnx__vk_of(exec), feed, &kept);
    if (status) return status;
    if (kept != exec->kept) {
        tonnx__vk_unprepare(exec);
        exec->slot_rows = 0;
    }
    exec->kept = kept;
    if (!exec->slot_rows && (!kept || kept->samples < feed->samples)) exec->slot_rows = rows_of_slot(exec, feed);
    while ((status = tonnx__vk_ring_want(exec, feed, TONNX__VK_SLOTS * exec->slot_rows)) == TONNX_NO_MEMORY &&
           exec->slot_rows > rows)
        exec->slot_rows = exec->slot_rows / 2 / rows > 1 ? exec->slot_rows / 2 / rows * rows : rows;
    return status;
}

/* `least` positions of the order at least. */
static tonnx_status ready_for(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t least)
{
    const size_t most = exec->base.program->rows * TONNX__MAX_STEPS;
    size_t positions = most < feed->samples ? most : feed->samples;
    if (positions < least) positions = least;
    tonnx_status status = find_data(exec, feed);
    if (exec->slot_rows) positions = TONNX__VK_SLOTS * exec->slot_rows;
    if (!status) status = want_order(exec, positions);
    if (status || exec->ready) return status;
    status = tonnx__vk_source_make(exec);
    return status ? status : tonnx__vk_prepare(exec);
}

static tonnx_status make_ready(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t least)
{
    tonnx_status status = tonnx__vk_wait(exec);
    if (status) return status;
    if (exec->gathers) return ready_for(exec, feed, least);
    return exec->ready ? TONNX_OK : tonnx__vk_prepare(exec);
}

tonnx_status tonnx__vk_make_ready(tonnx__vk_exec *exec, const tonnx__feed *feed)
{
    return make_ready(exec, feed, 0);
}

/* Where the run's rows lie in the order: from *low up to the value returned. */
static size_t span_of(const tonnx__record *records, size_t count, size_t *low)
{
    size_t high = 0;
    *low = SIZE_MAX;
    for (size_t s = 0; s < count; s++) {
        if (records[s].first < *low) *low = records[s].first;
        if (records[s].first + records[s].rows > high) high = records[s].first + records[s].rows;
    }
    return high;
}

/* A run, as its parts want it. */
typedef struct run {
    tonnx__vk_exec *exec;
    const tonnx__feed *feed;
    const uint32_t *order;
    const tonnx__record *records;
    size_t low, high; /* positions that it reads */
} run;

/* All samples lie on the device: the run's order is sent as it is. */
static void send_order(const run *r, size_t count)
{
    uint32_t *to = r->exec->order.host;
    for (size_t i = r->low; i < r->high; i++) to[i - r->low] = r->order ? r->order[i] : (uint32_t)i;
    for (size_t s = 0; s < count; s++) write_record(r->exec, s, &r->records[s], r->records[s].first - r->low);
}

/* Not all do: of each row of these steps either its place there, or the row itself into the next slot. */
static void fill_slot(const run *r, size_t from, size_t steps)
{
    tonnx__vk_exec *exec = r->exec;
    const size_t kept = exec->kept ? exec->kept->samples : 0;
    uint32_t *to = exec->order.host;
    size_t at = exec->submits % TONNX__VK_SLOTS * exec->slot_rows;
    for (size_t s = from; s < from + steps; s++) {
        write_record(exec, s, &r->records[s], at);
        for (size_t n = 0; n < r->records[s].rows; n++, at++) {
            const size_t position = r->records[s].first + n, sample = r->order ? r->order[position] : position;
            to[at] = (uint32_t)(sample < kept ? sample : kept + at);
            if (sample >= kept) tonnx__vk_ring_put(exec, r->feed, at, sample);
        }
    }
}

/* The next submit's rows. A long step has several submits, and so none of its own slot: it waits for all. */
static tonnx_status send_rows(const run *r, size_t from, size_t steps)
{
    const tonnx_status status = tonnx__vk_is_long(r->exec) ? tonnx__vk_wait(r->exec) : tonnx__vk_slot_free(r->exec);
    if (!status) fill_slot(r, from, steps);
    return status;
}

static tonnx_status leave(tonnx__vk_exec *exec)
{
    const tonnx_status status = tonnx__vk_wait(exec);
    return status ? status : tonnx__abandoned();
}

/* While a step's time is not known, one at a time, waited for. */
static tonnx_status go_on(const run *r, size_t count)
{
    tonnx__vk_exec *exec = r->exec;
    tonnx_status status = TONNX_OK;
    for (size_t done = 0, steps = 0; done < count && !status; done += steps) {
        steps = tonnx__vk_fitting(exec, count - done);
        const size_t most = exec->slot_rows / exec->base.program->rows;
        if (exec->slot_rows && steps > most) steps = most;
        if (exec->slot_rows) status = send_rows(r, done, steps);
        if (!status) status = tonnx__vk_go(exec, steps);
        if (status || done + steps == count) continue;
        if (tonnx__backend_stopped(&tonnx__vk_of(exec)->base)) status = leave(exec);
        else if (exec->step_seconds <= 0.0) status = tonnx__vk_wait(exec);
    }
    return status;
}

/* What came since then was the caller's thread's, but for the waits. */
static void count_handing(tonnx__vk_exec *exec, tonnx__vk_toll since, double begin)
{
    const tonnx__vk_toll *now = &tonnx__vk_of(exec)->toll;
    if (!exec->handing) return;
    exec->handing->submits += now->submits - since.submits;
    exec->handing->waits += now->waits - since.waits;
    exec->handing->seconds += tonnx__now() - begin - (now->waited - since.waited);
}

tonnx_status tonnx__vk_run(tonnx__exec *base, const tonnx__feed *feed, const uint32_t *order,
                           const tonnx__record *records, size_t count)
{
    run r = { (tonnx__vk_exec *)base, feed, order, records, 0, 0 };
    tonnx__vk_exec *exec = r.exec;
    r.high = span_of(records, count, &r.low);
    const double enter = tonnx__now();
    tonnx_status status = make_ready(exec, feed, r.high - r.low);
    const double begin = tonnx__now();
    const tonnx__vk_toll toll = tonnx__vk_of(exec)->toll;
    if (exec->handing) exec->handing->ready += begin - enter;
    if (status) return status;
    tonnx__vk_clock *clock = exec->clock.host;
    clock->count = 0;
    clock->scale = feed ? (float)feed->scale : 1.0f;
    memset(exec->results.host, 0, exec->results.bytes);
    exec->begun = begin;
    if (exec->gathers && !exec->slot_rows) send_order(&r, count);
    if (!exec->gathers)
        for (size_t s = 0; s < count; s++) write_record(exec, s, &records[s], 0);
    status = go_on(&r, count);
    count_handing(exec, toll, begin);
    return status;
}

tonnx_status tonnx__vk_results(tonnx__exec *base, size_t count, double *to)
{
    tonnx__vk_exec *exec = (tonnx__vk_exec *)base;
    const tonnx__vk_toll toll = tonnx__vk_of(exec)->toll;
    const double begin = tonnx__now();
    const tonnx_status status = tonnx__vk_wait(exec);
    const float *from = exec->results.host;
    for (size_t i = 0; i < count * TONNX__RESULTS && !status; i++) to[i] = (double)from[i];
    count_handing(exec, toll, begin);
    if (exec->handing) exec->handing->reads++;
    return status;
}
