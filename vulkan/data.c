/* Data sets on the device, in pieces that one binding can span. One that the caller can tell from others (its feed has
 * an identity) is sent once and stays; of another, or of one that is larger than the device has room for, each run
 * sends the rows that it reads. */
#include <string.h>

#include "vulkan/exec_impl.h"

static size_t element_size(tonnx__vk_numbers numbers)
{
    return numbers == TONNX__VK_BYTES ? 1 : 4;
}

static void clear_table(tonnx__vk *vk, tonnx__vk_table *table)
{
    for (size_t i = 0; i < table->count; i++) tonnx__vk_buffer_free(vk, &table->pieces[i].buffer);
    tonnx__free(table->pieces);
    *table = (tonnx__vk_table){ 0 };
}

void tonnx__vk_data_clear(tonnx__vk *vk, tonnx__vk_data *data)
{
    clear_table(vk, &data->x);
    clear_table(vk, &data->t);
    *data = (tonnx__vk_data){ 0 };
}

void tonnx__vk_data_free_all(tonnx__vk *vk)
{
    while (vk->data) {
        tonnx__vk_data *data = vk->data;
        vk->data = data->next;
        tonnx__vk_data_clear(vk, data);
        tonnx__free(data);
    }
}

/* Room for `samples` rows of `width` numbers. */
static tonnx_status make_table(tonnx__vk *vk, tonnx__vk_table *table, size_t samples, bool host, const char *what)
{
    const size_t row = table->width * element_size(table->numbers);
    const size_t least = vk->limits.range < vk->limits.allocation ? vk->limits.range : vk->limits.allocation;
    const size_t most = (least - sizeof(uint32_t)) / row, pieces = most ? (samples + most - 1) / most : 0;
    tonnx_status status = TONNX_OK;
    if (!pieces)
        return tonnx__fail(TONNX_BAD_DEVICE, "vulkan: a sample of %zu bytes is more than a binding of %s spans", row,
                           vk->card.properties.deviceName);
    status = tonnx__alloc(&table->pieces, pieces, sizeof *table->pieces);
    for (; table->count < pieces && !status; table->count += !status) {
        tonnx__vk_piece *piece = &table->pieces[table->count];
        piece->first = table->count * most;
        piece->count = samples - piece->first < most ? samples - piece->first : most;
        status = tonnx__vk_buffer_new(vk, &piece->buffer, piece->count * row, host, what);
    }
    return status;
}

static void describe(tonnx__vk_data *data, const tonnx__feed *feed)
{
    data->x.numbers = feed->x ? TONNX__VK_FLOATS : TONNX__VK_BYTES;
    data->x.width = feed->features;
    data->t.numbers = feed->classes ? TONNX__VK_INTS : feed->targets ? TONNX__VK_FLOATS : TONNX__VK_NONE;
    data->t.width = feed->classes ? 1 : feed->width;
}

static const char *features(const tonnx__feed *feed)
{
    return feed->x ? (const char *)feed->x : (const char *)feed->x_bytes;
}

static const char *targets(const tonnx__feed *feed)
{
    return feed->classes ? (const char *)feed->classes : (const char *)feed->targets;
}

static tonnx_status make_tables(tonnx__vk *vk, tonnx__vk_data *data, size_t samples, bool host)
{
    tonnx_status status = make_table(vk, &data->x, samples, host, "the data");
    if (!status && data->t.numbers) status = make_table(vk, &data->t, samples, host, "the targets");
    data->samples = samples;
    return status;
}

static tonnx_status send(tonnx__vk *vk, const tonnx__vk_table *table, const char *from)
{
    const size_t row = table->width * element_size(table->numbers);
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < table->count && !status; i++) {
        const tonnx__vk_piece *piece = &table->pieces[i];
        status = tonnx__vk_write_bytes(vk, &piece->buffer, 0, from + piece->first * row, piece->count * row);
    }
    return status;
}

static size_t feed_bytes(const tonnx__vk_data *data, size_t samples)
{
    return samples * (data->x.width * element_size(data->x.numbers) + data->t.width * 4);
}

/* The data set sent whole; *out NULL where it is larger than half of the device's memory. */
static tonnx_status keep(tonnx__vk *vk, const tonnx__feed *feed, const tonnx__vk_data **out)
{
    tonnx__vk_data *data = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&data, 1, sizeof *data);
    if (status) return status;
    describe(data, feed);
    data->identity = feed->identity;
    if (feed_bytes(data, feed->samples) <= vk->limits.resident) {
        status = make_tables(vk, data, feed->samples, false);
        if (!status) status = send(vk, &data->x, features(feed));
        if (!status && data->t.numbers) status = send(vk, &data->t, targets(feed));
        if (!status) {
            data->next = vk->data;
            vk->data = data;
            *out = data;
            return TONNX_OK;
        }
    }
    tonnx__vk_data_clear(vk, data);
    tonnx__free(data);
    return status == TONNX_NO_MEMORY ? TONNX_OK : status; /* then by the run */
}

tonnx_status tonnx__vk_data_find(tonnx__vk *vk, const tonnx__feed *feed, const tonnx__vk_data **out)
{
    *out = NULL;
    if (!feed->identity) return TONNX_OK;
    for (const tonnx__vk_data *data = vk->data; data; data = data->next)
        if (data->identity == feed->identity) *out = data;
    return *out ? TONNX_OK : keep(vk, feed, out);
}

/* Row `sample` of the feed into row `at` of the table. */
static void put_row(const tonnx__vk_table *table, size_t at, const char *from, size_t sample)
{
    const size_t row = table->width * element_size(table->numbers);
    const tonnx__vk_piece *piece = table->pieces;
    while (at >= piece->first + piece->count) piece++;
    memcpy((char *)piece->buffer.host + (at - piece->first) * row, from + sample * row, row);
}

tonnx_status tonnx__vk_ring_want(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t rows)
{
    tonnx__vk *vk = (tonnx__vk *)exec->base.state->backend;
    tonnx__vk_data wanted = { 0 };
    describe(&wanted, feed);
    const tonnx__vk_data *have = &exec->ring;
    if (have->samples >= rows && have->x.numbers == wanted.x.numbers && have->x.width == wanted.x.width &&
        have->t.numbers == wanted.t.numbers && have->t.width == wanted.t.width)
        return TONNX_OK;
    tonnx__vk_data_clear(vk, &exec->ring);
    exec->ring = wanted;
    exec->data = NULL; /* what is recorded does not know it */
    const tonnx_status status = make_tables(vk, &exec->ring, rows, true);
    if (status) tonnx__vk_data_clear(vk, &exec->ring);
    return status;
}

void tonnx__vk_ring_put(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t at, size_t sample)
{
    put_row(&exec->ring.x, at, features(feed), sample);
    if (exec->ring.t.numbers) put_row(&exec->ring.t, at, targets(feed), sample);
}
