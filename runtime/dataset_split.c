/* Which samples, and in which order: limits, splits, and the shuffle of an epoch. */
#include <math.h>
#include <string.h>

#include "runtime/dataset_impl.h"
#include "runtime/rng_impl.h"

void tonnx_dataset_limit(tonnx_dataset *data, size_t samples)
{
    if (samples && samples < data->samples) data->samples = samples;
}

/* Fisher–Yates from the end; word i of the stream, multiplied into 0…i (Lemire, ACM TOMACS 2019, without the rejection:
 * with 32-bit words the bias is below samples / 2^32). */
static void permute(uint32_t *order, size_t count, uint64_t seed, uint64_t stream)
{
    for (size_t i = count; i-- > 1;) {
        const size_t j = (size_t)(((uint64_t)tonnx__rng_word(seed, stream, i) * (i + 1)) >> 32);
        const uint32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

void tonnx__shuffle(uint32_t *order, size_t samples, uint64_t seed, uint64_t epoch)
{
    for (size_t i = 0; i < samples; i++) order[i] = (uint32_t)i;
    permute(order, samples, seed, TONNX__STREAM_SHUFFLE + epoch);
}

/* Samples listed class after class: those of class k are order[starts[k]] … order[starts[k + 1] − 1]. */
typedef struct strata {
    size_t count;
    size_t *starts; /* [count + 2]: one more than needed, while sorting */
    uint32_t *order;
} strata;

static size_t stratum(const tonnx_dataset *data, size_t sample)
{
    return data->classes ? (size_t)data->classes[sample] : 0;
}

/* A counting sort: counts, then ends, then (backwards, so that order within a class stays) starts. */
static void sort_by_class(strata *by, const tonnx_dataset *data)
{
    size_t *ends = by->starts + 1;
    for (size_t i = 0; i < data->samples; i++) ends[stratum(data, i)]++;
    for (size_t k = 1; k < by->count; k++) ends[k] += ends[k - 1];
    for (size_t i = data->samples; i-- > 0;) by->order[--ends[stratum(data, i)]] = (uint32_t)i;
    memmove(by->starts, ends, by->count * sizeof *ends);
    by->starts[by->count] = data->samples;
}

/* chosen[n] = 1 for the samples that leave; returns how many. Where one side would be empty, one sample changes sides.
 */
static size_t choose(unsigned char *chosen, const strata *by, double share, uint64_t seed)
{
    const size_t samples = by->starts[by->count];
    size_t moved = 0;
    for (size_t k = 0; k < by->count; k++) {
        uint32_t *members = by->order + by->starts[k];
        const size_t count = by->starts[k + 1] - by->starts[k], take = (size_t)lround(share * (double)count);
        permute(members, count, seed, TONNX__STREAM_SPLIT + k);
        for (size_t i = 0; i < take; i++) chosen[members[i]] = 1;
        moved += take;
    }
    if (moved && moved < samples) return moved;
    chosen[by->order[0]] ^= 1;
    return moved ? moved - 1 : 1;
}

/* Copies the chosen rows of `width` bytes to `to` (NULL: nowhere) and closes the gaps they leave in `rows`. */
static void move_rows(unsigned char *to, void *rows, size_t width, const unsigned char *chosen, size_t samples)
{
    unsigned char *from = rows, *kept = rows;
    for (size_t i = 0; rows && i < samples; i++, from += width) {
        unsigned char **place = chosen[i] ? &to : &kept;
        if (*place != from) memcpy(*place, from, width);
        *place += width;
    }
}

static tonnx_status copy_names(char ***out, char *const *names, size_t count)
{
    tonnx_status status = names ? tonnx__alloc(out, count, sizeof(char *)) : TONNX_OK;
    for (size_t i = 0; names && !status && i < count; i++) status = tonnx__strdup(&(*out)[i], names[i]);
    return status;
}

/* A data set like `data` with room for `samples` samples, none of them filled. */
static tonnx_status make_like(tonnx_dataset **out, const tonnx_dataset *data, size_t samples)
{
    tonnx_dataset *like = NULL;
    tonnx_status status = tonnx__alloc(&like, 1, sizeof *like);
    if (status) return status;
    like->samples = samples;
    like->features = data->features;
    like->scale = data->scale;
    like->target_kind = data->target_kind;
    like->target_width = data->target_width;
    like->class_count = data->class_count;
    if (data->x) status = tonnx__alloc(&like->x, samples * data->features, sizeof(float));
    if (!status && data->x_bytes) status = tonnx__alloc(&like->x_bytes, samples * data->features, 1);
    if (!status && data->classes) status = tonnx__alloc(&like->classes, samples, sizeof(int32_t));
    if (!status && data->targets) status = tonnx__alloc(&like->targets, samples * data->target_width, sizeof(float));
    if (!status) status = copy_names(&like->class_names, data->class_names, data->class_count);
    if (!status) status = copy_names(&like->column_names, data->column_names, data->features);
    if (!status) status = tonnx__strdup(&like->target_name, data->target_name);
    if (!status) status = tonnx__strdup(&like->path, data->path);
    if (!status) status = tonnx__strdup(&like->target_path, data->target_path);
    if (status) tonnx_dataset_free(like);
    else *out = like;
    return status;
}

static void move_samples(tonnx_dataset *to, tonnx_dataset *data, const unsigned char *chosen)
{
    const size_t n = data->samples;
    move_rows((unsigned char *)to->x, data->x, data->features * sizeof(float), chosen, n);
    move_rows(to->x_bytes, data->x_bytes, data->features, chosen, n);
    move_rows((unsigned char *)to->classes, data->classes, sizeof(int32_t), chosen, n);
    move_rows((unsigned char *)to->targets, data->targets, data->target_width * sizeof(float), chosen, n);
    data->samples -= to->samples;
}

/* Every so manieth row of `width` bytes, `count` of `samples` in all. */
static void copy_rows(void *to, const void *rows, size_t width, size_t count, size_t samples)
{
    for (size_t i = 0; rows && i < count; i++)
        memcpy((unsigned char *)to + i * width, (const unsigned char *)rows + i * samples / count * width, width);
}

tonnx_status tonnx__dataset_sample(tonnx_dataset **out, const tonnx_dataset *data, size_t count)
{
    const size_t n = data->samples;
    tonnx_dataset *to = NULL;
    *out = NULL;
    const tonnx_status status = make_like(&to, data, count);
    if (status) return status;
    copy_rows(to->x, data->x, data->features * sizeof(float), count, n);
    copy_rows(to->x_bytes, data->x_bytes, data->features, count, n);
    copy_rows(to->classes, data->classes, sizeof(int32_t), count, n);
    copy_rows(to->targets, data->targets, data->target_width * sizeof(float), count, n);
    tonnx__dataset_renew(to);
    *out = to;
    return TONNX_OK;
}

tonnx_status tonnx_dataset_split(tonnx_dataset **out, tonnx_dataset *data, double share, uint64_t seed)
{
    strata by = { .count = data->classes ? data->class_count : 1 };
    unsigned char *chosen = NULL;
    *out = NULL;
    if (!(share > 0.0 && share < 1.0))
        return tonnx__fail(TONNX_BAD_USAGE, "a split's share is between 0 and 1, not %g", share);
    if (data->samples < 2) return tonnx__fail(TONNX_BAD_DATA, "%s: one sample cannot be split in two", data->path);
    tonnx_status status = tonnx__alloc(&chosen, data->samples, 1);
    if (!status) status = tonnx__alloc(&by.order, data->samples, sizeof *by.order);
    if (!status) status = tonnx__alloc(&by.starts, by.count + 2, sizeof *by.starts);
    if (status) goto out;
    sort_by_class(&by, data);
    status = make_like(out, data, choose(chosen, &by, share, seed));
    if (!status) move_samples(*out, data, chosen);
out:
    tonnx__free(chosen);
    tonnx__free(by.order);
    tonnx__free(by.starts);
    return status;
}
