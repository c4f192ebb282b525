/* Drawing a tensor's numbers: by the library's own generator, where each is a function of seed, stream and place, or in
 * PyTorch's sequence, as float. */
#include <math.h>

#include "runtime/init_impl.h"
#include "runtime/mem_impl.h"
#include "runtime/orthogonal_impl.h"
#include "runtime/rng_impl.h"

/* Attempts of a normal that was cut off, above all streams of parameters. */
#define NEXT_ATTEMPT (UINT64_C(1) << 40)

static size_t count_of(const tonnx__drawn *drawn)
{
    return drawn->rows * drawn->cols;
}

/* A normal within ±2: drawn again where it falls outside, from a stream per attempt. */
static double normal_within_two(uint64_t seed, uint64_t stream, uint64_t index)
{
    double z;
    do {
        z = tonnx__rng_normal(seed, stream, index);
        stream += NEXT_ATTEMPT;
    } while (!(fabs(z) <= 2.0));
    return z;
}

/* By distribution: ±width of a uniform, the deviation of a normal, the deviation before the cut of a truncated one. */
static void draw_own(uint64_t seed, const tonnx__drawn *drawn, tonnx__distribution distribution, double width)
{
    const uint64_t stream = TONNX__STREAM_INIT + drawn->stream;
    for (size_t i = 0; i < count_of(drawn); i++)
        drawn->values[i] = width * (distribution == TONNX__DISTRIBUTION_uniform
                                        ? 2.0 * tonnx__rng_uniform(seed, stream, i) - 1.0
                                    : distribution == TONNX__DISTRIBUTION_normal ? tonnx__rng_normal(seed, stream, i)
                                                                                 : normal_within_two(seed, stream, i));
}

/* The same as calls of torch.nn.init: uniform_(-width, width), normal_(0, width), trunc_normal_(std=width, a, b). The scheme
 * truncated-normal:STD is that call as it stands, cut at ±2 whatever the deviation. */
static tonnx_status draw_torch(tonnx__torch_rng *rng, const tonnx__drawn *drawn, const tonnx__recipe *recipe,
                               double width)
{
    float *values = NULL;
    const size_t count = count_of(drawn);
    const bool absolute = recipe->scheme == TONNX_INIT_truncated_normal;
    const double std = absolute ? recipe->gain : width, cut = absolute ? 2.0 : 2.0 * width;
    tonnx_status status = tonnx__alloc(&values, count, sizeof *values);
    if (status) return status;
    if (recipe->distribution == TONNX__DISTRIBUTION_uniform) tonnx__torch_uniform(rng, values, count, -width, width);
    else if (recipe->distribution == TONNX__DISTRIBUTION_normal) tonnx__torch_normal(rng, values, count, 0.0, width);
    else status = tonnx__torch_trunc_normal(rng, values, count, std, -cut, cut);
    for (size_t i = 0; i < count && !status; i++) drawn->values[i] = (double)values[i];
    tonnx__free(values);
    return status;
}

/* What the distribution's draw takes; PyTorch's default gives biases 1/√fan_in. */
static double width_of(const tonnx__recipe *recipe, const tonnx__drawn *drawn)
{
    if (drawn->bias && recipe->scheme == TONNX_INIT_torch_default) return 1.0 / sqrt(drawn->fan_in);
    if (recipe->distribution == TONNX__DISTRIBUTION_uniform)
        return tonnx__recipe_bound(recipe, drawn->fan_in, drawn->fan_out);
    const double std = tonnx__recipe_std(recipe, drawn->fan_in, drawn->fan_out);
    return recipe->distribution == TONNX__DISTRIBUTION_normal ? std : std / TONNX__TRUNCATED_STD;
}

static tonnx_status draw_random(tonnx__source *source, const tonnx__recipe *recipe, const tonnx__drawn *drawn)
{
    const double width = width_of(recipe, drawn);
    if (source->torch) return draw_torch(&source->sequence, drawn, recipe, width);
    draw_own(source->seed, drawn, recipe->distribution, width);
    return TONNX_OK;
}

static void fill(const tonnx__drawn *drawn, double value)
{
    for (size_t i = 0; i < count_of(drawn); i++) drawn->values[i] = value;
}

static void draw_identity(const tonnx__drawn *drawn, double gain)
{
    fill(drawn, 0.0);
    for (size_t i = 0; i < drawn->rows && i < drawn->cols; i++) drawn->values[i * drawn->cols + i] = gain;
}

/* PyTorch rounds the matrix to float before it multiplies it by the gain. */
static tonnx_status draw_orthogonal(tonnx__source *source, const tonnx__recipe *recipe, const tonnx__drawn *drawn)
{
    tonnx__recipe normal = tonnx__recipe_of(TONNX_INIT_normal);
    tonnx_status status = draw_random(source, &normal, drawn);
    if (!status) status = tonnx__orthogonal(drawn->values, drawn->rows, drawn->cols);
    for (size_t i = 0; i < count_of(drawn) && !status; i++)
        drawn->values[i] = source->torch ? (double)((float)drawn->values[i] * (float)recipe->gain)
                                         : drawn->values[i] * recipe->gain;
    return status;
}

tonnx_status tonnx__draw(tonnx__source *source, const tonnx__recipe *recipe, const tonnx__drawn *drawn)
{
    switch (recipe->distribution) {
    case TONNX__DISTRIBUTION_constant:
        fill(drawn, recipe->gain);
        return TONNX_OK;
    case TONNX__DISTRIBUTION_identity:
        draw_identity(drawn, recipe->gain);
        return TONNX_OK;
    case TONNX__DISTRIBUTION_orthogonal:
    case TONNX__DISTRIBUTION_scaled:
        return draw_orthogonal(source, recipe, drawn);
    default:
        return draw_random(source, recipe, drawn);
    }
}
