/* Schedules: the learning rate of a step. Evaluated on the host, in double, one number per step. */
#include <math.h>
#include <string.h>

#include "runtime/ops/book_impl.h"
#include "runtime/ops/names_impl.h"

#define PI 3.141592653589793

static const char *const names[TONNX_SCHEDULE_COUNT] = {
#define TONNX_SCHEDULE(id, name) #name,
#include "runtime/ops/schedules.def"
#undef TONNX_SCHEDULE
};

const char *tonnx_schedule_name(tonnx_schedule schedule)
{
    return (unsigned)schedule < TONNX_SCHEDULE_COUNT ? names[schedule] : "unknown";
}

bool tonnx_schedule_named(const char *name, tonnx_schedule *out)
{
    for (int i = 0; i < TONNX_SCHEDULE_COUNT; i++)
        if (tonnx__same_name(name, strlen(name), names[i])) {
            *out = (tonnx_schedule)i;
            return true;
        }
    return false;
}

/* From `first` to `last` along half a cosine; `share` from 0 to 1. */
static double cosine(double first, double last, double share)
{
    return last + (first - last) * (1.0 + cos(PI * share)) / 2.0;
}

/* PyTorch's OneCycleLR with its defaults: up from rate/25 over three tenths of the steps, down to 1/10000 of that. */
static double one_cycle(double rate, double t, double total)
{
    const double peak = 0.3 * total - 1.0, end = total - 1.0, first = rate / 25.0;
    if (t <= peak) return peak > 0.0 ? cosine(first, rate, t / peak) : rate;
    return cosine(rate, first / 1e4, fmin(1.0, (t - peak) / (end - peak)));
}

double tonnx__schedule_rate(tonnx_schedule schedule, const struct tonnx_schedule_options *options, double rate,
                            uint64_t t, uint64_t total)
{
    const double share = total ? fmin(1.0, (double)t / (double)total) : 0.0;
    const uint64_t size = options->step_size ? options->step_size : 1;
    switch (schedule) {
    case TONNX_SCHEDULE_step:
        return rate * pow(options->gamma, (double)(t / size));
    case TONNX_SCHEDULE_exponential:
        return rate * pow(options->gamma, (double)t);
    case TONNX_SCHEDULE_linear:
        return rate + (options->min_rate - rate) * share;
    case TONNX_SCHEDULE_cosine:
        return cosine(rate, options->min_rate, share);
    case TONNX_SCHEDULE_one_cycle:
        return one_cycle(rate, (double)t, (double)total);
    case TONNX_SCHEDULE_plateau: /* the trainer lowers `rate` itself, by what it measures */
    case TONNX_SCHEDULE_constant:
    default:
        return rate;
    }
}

double tonnx_schedule_rate(tonnx_schedule schedule, const tonnx_schedule_options *options, double rate, uint64_t t,
                           uint64_t total)
{
    return tonnx__schedule_rate(schedule, options, rate, t, total);
}
