/* What `train --profile` prints: where a step's time went, against a clock of the command's own. */
#ifndef TONNX_CLI_PROFILE_H
#define TONNX_CLI_PROFILE_H

#include <stdio.h>

#include "runtime/train.h"

/* Seconds of a steady clock. */
double profile_clock(void);

/* Prints the trainer's profile. `wall`: seconds that the whole run took. Returns an exit code. */
int profile_print(const tonnx_trainer *trainer, double wall, FILE *out);

#endif
