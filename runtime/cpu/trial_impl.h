/* Whether a program whose threads meet often is faster on all of them or on one: that hangs on how near each other the cores are
 * and on who else uses them, so runs of both tell, and now and again anew. No bit of a result depends on it. */
#ifndef TONNX_RUNTIME_CPU_TRIAL_IMPL_H
#define TONNX_RUNTIME_CPU_TRIAL_IMPL_H

#include <stdbool.h>

/* Off when all is 0: then no run is one thread's. */
typedef struct tonnx__trial {
    bool on;
    unsigned run, round; /* which run of a round is next, and how many it has; 0: the least */
    double least[2];     /* seconds a step, the least that was last tried: by all threads, by one */
} tonnx__trial;

/* Whether the next run is to be by one thread. */
bool tonnx__trial_alone(const tonnx__trial *trial);

/* That run has taken so many seconds a step. */
void tonnx__trial_ran(tonnx__trial *trial, double seconds);

#endif
