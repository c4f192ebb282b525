#include "runtime/cpu/trial_impl.h"

/* The first runs of a round are tried: by all threads, by one, and both again, as the first has caches to fill. A round is twice as
 * long as the one before where that was clear, so that what it costs to try the slower one is soon a small part of the whole. A run
 * is a tenth of a second, or what is left of an epoch. */
enum { TRIED = 4, LEAST = 32, MOST = 1024 };
static const double CLEAR = 1.25; /* times as long */

bool tonnx__trial_alone(const tonnx__trial *trial)
{
    if (!trial->on) return false;
    return trial->run < TRIED ? trial->run % 2 : trial->least[1] < trial->least[0];
}

static unsigned next_round(const tonnx__trial *trial)
{
    const double *least = trial->least;
    const bool clear = least[0] > CLEAR * least[1] || least[1] > CLEAR * least[0];
    return clear && trial->round < MOST ? 2 * trial->round : clear ? trial->round : LEAST;
}

void tonnx__trial_ran(tonnx__trial *trial, double seconds)
{
    double *least = &trial->least[trial->run % 2];
    if (!trial->round) trial->round = LEAST;
    if (trial->run < TRIED && (trial->run < 2 || seconds < *least)) *least = seconds;
    if (++trial->run < trial->round) return;
    trial->run = 0;
    trial->round = next_round(trial);
}
