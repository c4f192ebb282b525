/* The built-in source: what a net does with inputs as theory has them. */
#include "runtime/dataset_impl.h"
#include "runtime/rng_impl.h"

typedef struct source {
    uint64_t seed;
    size_t features, classes;
} source;

static int sample(void *user, size_t i, float *x, float *target)
{
    const source *s = user;
    for (size_t f = 0; f < s->features; f++)
        x[f] = (float)tonnx__rng_normal(s->seed, TONNX__STREAM_SAMPLES, i * s->features + f);
    if (s->classes > 1)
        *target = (float)(uint32_t)(tonnx__rng_uniform(s->seed, TONNX__STREAM_SAMPLES + 1, i) * (double)s->classes);
    else *target = (float)tonnx__rng_normal(s->seed, TONNX__STREAM_SAMPLES + 2, i);
    return 0;
}

tonnx_status tonnx_dataset_gaussian(tonnx_dataset **out, size_t samples, size_t features, size_t classes, uint64_t seed)
{
    source s = { seed, features, classes };
    const tonnx_dataset_source callback = { .size = sizeof callback,
                                            .samples = samples,
                                            .features = features,
                                            .kind = classes > 1 ? TONNX_TARGET_CLASS : TONNX_TARGET_NUMBER,
                                            .target_width = 1,
                                            .sample = sample,
                                            .user = &s };
    const tonnx_status status = tonnx_dataset_from_callback(out, &callback);
    if (!status && classes > (*out)->class_count) (*out)->class_count = classes;
    return status;
}
