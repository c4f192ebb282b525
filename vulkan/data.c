/* Data sets on the device, in pieces that one binding can span. One that the caller can tell from others (its feed has
 * an identity) is sent once and stays, or as much of it as there is room for; of the rest, and of another, each run sends
 * the rows that it reads, through a ring of slots that the host sees. */
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

static size_t row_bytes(const tonnx__vk_data *data)
{
    return data->x.width * element_size(data->x.numbers) + (data->t.numbers ? data->t.width * 4 : 0);
}

/* What lies on the device of a data set; said where that is not all of it. */
static void say(const tonnx__vk *vk, const tonnx__vk_data *data, size_t samples)
{
    const double mib = (double)row_bytes(data) / 1048576.0;
    if (data->samples < samples)
        tonnx__say(&vk->log, TONNX_LOG_INFO,
                   "vulkan: the data takes %.1f MiB, and %s has room for %.1f MiB of it; the rest is sent as it is wanted",
                   mib * (double)samples, vk->card.properties.deviceName, mib * (double)data->samples);
}

/* As many samples as there is room for, and where even that fails, half as many, and so on. */
static tonnx_status keep_some(tonnx__vk *vk, tonnx__vk_data *data, const tonnx__feed *feed)
{
    const size_t room = tonnx__vk_data_room(vk) / row_bytes(data);
    size_t samples = feed->samples < room ? feed->samples : room;
    tonnx_status status = TONNX_OK;
    do {
        const tonnx__vk_data described = *data;
        status = samples ? make_tables(vk, data, samples, false) : TONNX_OK;
        if (status != TONNX_NO_MEMORY) return status;
        clear_table(vk, &data->x);
        clear_table(vk, &data->t);
        *data = described;
        samples /= 2;
    } while (true);
}

/* The data set sent, as far as there is room. */
static tonnx_status keep(tonnx__vk *vk, const tonnx__feed *feed, const tonnx__vk_data **out)
{
    tonnx__vk_data *data = NULL;
    tonnx_status status = tonnx__alloc(&data, 1, sizeof *data);
    if (status) return status;
    describe(data, feed);
    data->identity = feed->identity;
    status = keep_some(vk, data, feed);
    if (!status) status = send(vk, &data->x, features(feed));
    if (!status && data->t.numbers) status = send(vk, &data->t, targets(feed));
    if (status) {
        tonnx__vk_data_clear(vk, data);
        tonnx__free(data);
        return status;
    }
    say(vk, data, feed->samples);
    data->next = vk->data;
    vk->data = data;
    *out = data;
    return TONNX_OK;
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
    tonnx__vk *vk = tonnx__vk_of(exec);
    tonnx__vk_data wanted = { 0 };
    describe(&wanted, feed);
    const tonnx__vk_data *have = &exec->ring;
    if (have->samples == rows && have->x.numbers == wanted.x.numbers && have->x.width == wanted.x.width &&
        have->t.numbers == wanted.t.numbers && have->t.width == wanted.t.width)
        return TONNX_OK;
    tonnx__vk_unprepare(exec); /* what is recorded does not know it */
    tonnx__vk_data_clear(vk, &exec->ring);
    exec->ring = wanted;
    const tonnx_status status = rows ? make_tables(vk, &exec->ring, rows, true) : TONNX_OK;
    if (status) tonnx__vk_data_clear(vk, &exec->ring);
    return status;
}

/* The ring's rows count on from the last one that is kept. */
static tonnx_status join(tonnx__vk_table *to, const tonnx__vk_table *kept, size_t samples, const tonnx__vk_table *ring)
{
    const size_t before = kept ? kept->count : 0;
    const tonnx_status status = tonnx__alloc(&to->pieces, before + ring->count + 1, sizeof *to->pieces);
    if (status) return status;
    to->numbers = ring->numbers;
    to->width = ring->width;
    to->count = before + ring->count;
    for (size_t i = 0; i < before; i++) to->pieces[i] = kept->pieces[i];
    for (size_t i = 0; i < ring->count; i++) {
        to->pieces[before + i] = ring->pieces[i];
        to->pieces[before + i].first += samples;
    }
    return TONNX_OK;
}

tonnx_status tonnx__vk_source_make(tonnx__vk_exec *exec)
{
    const tonnx__vk_data *kept = exec->kept;
    tonnx__vk_source_free(exec);
    exec->source.samples = kept ? kept->samples : 0;
    tonnx_status status = join(&exec->source.x, kept ? &kept->x : NULL, exec->source.samples, &exec->ring.x);
    if (!status) status = join(&exec->source.t, kept ? &kept->t : NULL, exec->source.samples, &exec->ring.t);
    return status;
}

void tonnx__vk_source_free(tonnx__vk_exec *exec)
{
    tonnx__free(exec->source.x.pieces);
    tonnx__free(exec->source.t.pieces);
    exec->source = (tonnx__vk_data){ 0 };
}

void tonnx__vk_ring_put(tonnx__vk_exec *exec, const tonnx__feed *feed, size_t at, size_t sample)
{
    put_row(&exec->ring.x, at, features(feed), sample);
    if (exec->ring.t.numbers) put_row(&exec->ring.t, at, targets(feed), sample);
}
