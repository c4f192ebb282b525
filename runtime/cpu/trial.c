#include "runtime/cpu/trial_impl.h"

/* Of so many runs the first few are tried: by all threads, by one, and both again, as the first has caches to fill. A run
 * is a tenth of a second or two. */
enum { RUNS = 32, TRIED = 4 };

bool tonnx__trial_alone(const tonnx__trial *trial)
{
    const unsigned run = trial->runs % RUNS;
    if (!trial->on) return false;
    return run < TRIED ? run % 2 : trial->least[1] < trial->least[0];
}

void tonnx__trial_ran(tonnx__trial *trial, double seconds)
{
    const unsigned run = trial->runs % RUNS;
    double *least = &trial->least[run % 2];
    if (run < TRIED && (run < 2 || seconds < *least)) *least = seconds;
    trial->runs++;
}
