/* Running: many steps a submit, each submit short, none waited for until the results are. */
#include <string.h>
#include <time.h>

#include "vulkan/exec_impl.h"

/* A submit takes no longer than drivers allow, and than a stop may wait for. Bytes that a slot of the ring may have. */
static const double SUBMIT_SECONDS = 0.1;
enum { SLOT_BYTES = 8 << 20, MOST_COMMANDS = TONNX__MAX_STEPS };

static tonnx__vk *device_of(const tonnx__vk_exec *exec)
{
    return (tonnx__vk *)exec->base.state->backend;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static tonnx_status wait_for(tonnx__vk_exec *exec, size_t slot)
{
    tonnx__vk *vk = device_of(exec);
    if (!exec->flying[slot]) return TONNX_OK;
    tonnx_status status =
        tonnx__vk_check(vk, vk->api->WaitForFences(vk->device, 1, &exec->fences[slot], VK_TRUE, UINT64_MAX), "a run");
    if (!status) status = tonnx__vk_check(vk, vk->api->ResetFences(vk->device, 1, &exec->fences[slot]), "a run");
    exec->flying[slot] = false;
    return status;
}

tonnx_status tonnx__vk_wait(tonnx__vk_exec *exec)
{
    tonnx__vk *vk = device_of(exec);
    tonnx_status status = vk->lost ? tonnx__vk_check(vk, VK_ERROR_DEVICE_LOST, "a run") : TONNX_OK;
    for (size_t i = 0; i < TONNX__VK_SLOTS && !status; i++)
        status = wait_for(exec, (exec->submits + i) % TONNX__VK_SLOTS);
    if (!status && exec->run_steps) exec->step_seconds = (now() - exec->begun) / (double)exec->run_steps;
    exec->run_steps = 0;
    return status ? status : tonnx__vk_meter_read(exec);
}

/* The commands of `steps` steps, large rungs first, as one submit. */
static tonnx_status submit(tonnx__vk_exec *exec, size_t steps)
{
    tonnx__vk *vk = device_of(exec);
    VkCommandBuffer list[MOST_COMMANDS];
    VkSubmitInfo info = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .pCommandBuffers = list };
    const size_t slot = exec->submits % TONNX__VK_SLOTS;
    tonnx_status status = wait_for(exec, slot);
    for (int i = TONNX__VK_RUNGS - 1; i >= 0 && !status; i--)
        for (; steps >= exec->rungs[i].steps && !status; steps -= exec->rungs[i].steps) {
            status = tonnx__vk_record(exec, &exec->rungs[i]);
            list[info.commandBufferCount++] = exec->rungs[i].commands;
            exec->rungs[i].ran += exec->rungs[i].steps;
        }
    if (!status)
        status = tonnx__vk_check(vk, vk->api->QueueSubmit(vk->queue, 1, &info, exec->fences[slot]), "a submit");
    exec->flying[slot] = !status;
    exec->submits += !status;
    return status;
}

/* Steps of the next submit: as many as run in the time, one while that is not known. */
static size_t fitting(const tonnx__vk_exec *exec, size_t steps)
{
    if (exec->step_seconds <= 0.0) return 1;
    const double fit = SUBMIT_SECONDS / exec->step_seconds;
    if ((double)steps <= fit) return steps;
    return fit < 1.0 ? 1 : (size_t)fit;
}

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
    tonnx__vk *vk = device_of(exec);
    if (exec->order.bytes >= count * sizeof(uint32_t)) return TONNX_OK;
    tonnx__vk_buffer_free(vk, &exec->order);
    exec->data = NULL;
    return tonnx__vk_buffer_new(vk, &exec->order, count * sizeof(uint32_t), true, "the order of the samples");
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

/* The commands know the data that they gather from. */
static tonnx_status bind_data(tonnx__vk_exec *exec, const tonnx__vk_data *data)
{
    if (exec->ready && exec->data == data) return TONNX_OK;
    tonnx__vk_unprepare(exec);
    exec->data = data;
    return tonnx__vk_prepare(exec);
}

static tonnx_status ready_resident(tonnx__vk_exec *exec, const tonnx__vk_data *data, size_t least)
{
    const size_t most = exec->base.program->rows * TONNX__MAX_STEPS;
    const size_t room = most < data->samples ? most : data->samples;
    const tonnx_status status = want_order(exec, room < least ? least : room);
    return status ? status : bind_data(exec, data);
}

/* The data lies on the device: only the order of the run's samples is sent. */
static tonnx_status run_resident(tonnx__vk_exec *exec, const tonnx__vk_data *data, const uint32_t *order,
                                 const tonnx__record *records, size_t count)
{
    size_t low = 0;
    const size_t high = span_of(records, count, &low);
    tonnx_status status = ready_resident(exec, data, high - low);
    if (status) return status;
    uint32_t *to = exec->order.host;
    for (size_t i = low; i < high; i++) to[i - low] = order ? order[i] : (uint32_t)i;
    for (size_t s = 0; s < count; s++) write_record(exec, s, &records[s], records[s].first - low);
    for (size_t done = 0; done < count && !status;) {
        const size_t steps = fitting(exec, count - done);
        status = submit(exec, steps);
        if (!status && exec->step_seconds <= 0.0)
            exec->run_steps = exec->submits > 1, status = tonnx__vk_wait(exec), exec->begun = now();
        else exec->run_steps += steps;
        done += steps;
    }
    return status;
}

/* The rows of `steps` steps into the next slot. */
static void fill_slot(tonnx__vk_exec *exec, const tonnx__feed *feed, const uint32_t *order,
                      const tonnx__record *records, size_t from, size_t steps)
{
    size_t at = exec->submits % TONNX__VK_SLOTS * exec->slot_rows;
    for (size_t s = from; s < from + steps; s++) {
        write_record(exec, s, &records[s], at);
        for (size_t n = 0; n < records[s].rows; n++, at++) {
            const size_t position = records[s].first + n;
            tonnx__vk_ring_put(exec, feed, at, order ? order[position] : position);
        }
    }
}

static tonnx_status ready_ring(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t slot_rows)
{
    if (exec->slot_rows < slot_rows) exec->slot_rows = slot_rows;
    tonnx_status status = tonnx__vk_ring_want(exec, feed, TONNX__VK_SLOTS * exec->slot_rows);
    if (!status) status = want_order(exec, TONNX__VK_SLOTS * exec->slot_rows);
    if (!status) status = bind_data(exec, &exec->ring);
    for (size_t i = 0; i < TONNX__VK_SLOTS * exec->slot_rows && !status; i++)
        ((uint32_t *)exec->order.host)[i] = (uint32_t)i;
    return status;
}

/* The data does not: its rows go through a ring of slots, one filled while the device works on the others. */
static tonnx_status run_ring(tonnx__vk_exec *exec, const tonnx__feed *feed, const uint32_t *order,
                             const tonnx__record *records, size_t count)
{
    const size_t rows = exec->base.program->rows, row_bytes = (feed->features + feed->width + 1) * sizeof(float);
    size_t at_once = SLOT_BYTES / row_bytes / rows;
    at_once = at_once < 1 ? 1 : at_once > count ? count : at_once;
    tonnx_status status = ready_ring(exec, feed, at_once * rows);
    for (size_t done = 0; done < count && !status;) {
        size_t steps = fitting(exec, count - done);
        if (steps > exec->slot_rows / rows) steps = exec->slot_rows / rows;
        status = wait_for(exec, exec->submits % TONNX__VK_SLOTS);
        if (!status) fill_slot(exec, feed, order, records, done, steps);
        if (!status) status = submit(exec, steps);
        exec->run_steps += steps;
        done += steps;
    }
    return status;
}

static tonnx_status run_plain(tonnx__vk_exec *exec, const tonnx__record *records, size_t count)
{
    tonnx_status status = exec->ready ? TONNX_OK : tonnx__vk_prepare(exec);
    for (size_t s = 0; s < count; s++) write_record(exec, s, &records[s], 0);
    for (size_t done = 0; done < count && !status;) {
        const size_t steps = fitting(exec, count - done);
        status = submit(exec, steps);
        exec->run_steps += steps;
        done += steps;
    }
    return status;
}

tonnx_status tonnx__vk_run(tonnx__exec *base, const tonnx__feed *feed, const uint32_t *order,
                           const tonnx__record *records, size_t count)
{
    tonnx__vk_exec *exec = (tonnx__vk_exec *)base;
    const tonnx__vk_data *data = NULL;
    tonnx_status status = tonnx__vk_wait(exec);
    if (!status && exec->gathers) status = tonnx__vk_data_find(device_of(exec), feed, &data);
    if (status) return status;
    tonnx__vk_clock *clock = exec->clock.host;
    clock->count = 0;
    clock->scale = feed ? (float)feed->scale : 1.0f;
    memset(exec->results.host, 0, exec->results.bytes);
    exec->begun = now();
    if (!exec->gathers) return run_plain(exec, records, count);
    return data ? run_resident(exec, data, order, records, count) : run_ring(exec, feed, order, records, count);
}

tonnx_status tonnx__vk_results(tonnx__exec *base, size_t count, double *to)
{
    tonnx__vk_exec *exec = (tonnx__vk_exec *)base;
    const tonnx_status status = tonnx__vk_wait(exec);
    const float *from = exec->results.host;
    for (size_t i = 0; i < count * TONNX__RESULTS && !status; i++) to[i] = (double)from[i];
    return status;
}

tonnx_status tonnx__vk_make_ready(tonnx__vk_exec *exec, const tonnx__feed *feed)
{
    const tonnx__vk_data *data = NULL;
    tonnx_status status = tonnx__vk_wait(exec);
    if (status || exec->ready) return status;
    if (!exec->gathers) return tonnx__vk_prepare(exec);
    status = tonnx__vk_data_find(device_of(exec), feed, &data);
    if (status) return status;
    return data ? ready_resident(exec, data, 0) : ready_ring(exec, feed, exec->base.program->rows);
}
