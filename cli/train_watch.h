/* train --watch: a table of the layers as they learn, drawn anew in its place on a terminal, printed once an epoch
 * where stderr is none. */
#ifndef TONNX_CLI_TRAIN_WATCH_H
#define TONNX_CLI_TRAIN_WATCH_H

#include "runtime/train.h"

typedef struct train_watch train_watch;
train_watch *train_watch_new(void);
void train_watch_free(train_watch *watch);

/* Takes a stats event. */
void train_watch_hear(train_watch *watch, const tonnx_event *event);

/* Around what else is printed: takes the live table off the terminal; draws it again, or prints it. */
void train_watch_clear(train_watch *watch);
void train_watch_show(train_watch *watch);

/* Every how many steps it wants statistics, of an epoch of so many. */
uint64_t train_watch_interval(uint64_t steps_per_epoch);

#endif
