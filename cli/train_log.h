/* The story of a run, told to the log file as JSON lines, to stderr for people, and to the report. */
#ifndef TONNX_CLI_TRAIN_LOG_H
#define TONNX_CLI_TRAIN_LOG_H

#include <stdio.h>

#include "cli/cli.h"
#include "cli/report/report.h"
#include "cli/train_watch.h"
#include "runtime/train.h"

typedef struct train_log {
    FILE *file;        /* NULL: no log */
    const char *path;  /* of the file, as it was named on the command line */
    int error;         /* errno of the first line that could not be written; 0: none */
    const char *model; /* as it was named on the command line */
    const char *optimizer, *loss;
    uint64_t seed, batch;
    uint64_t log_every; /* step lines of the file; 0: none */
    report_run *report; /* hears all; NULL: none */
    train_watch *watch; /* hears of statistics; NULL: none */
    bool stats;        /* statistics stand in the file too */
    bool quiet;
    uint64_t steps_per_epoch, total_epochs, step; /* known from the start event on */
    double watched_at; /* when the live table was, s */
    double shown_at;                              /* when the live line was last drawn, s */
} train_log;

/* Opens the file ("-": stdout); a run that goes on adds to what is there. Returns an exit code. */
int train_log_open(train_log *log, const char *path, bool go_on);

/* A tonnx_train_options.event: `user` is the train_log. */
void train_log_event(void *user, const tonnx_event *event);

/* Step events that are worth asking the trainer for: those of the file, and about 50 an epoch for a live line. */
uint64_t train_log_step_interval(const train_log *log, size_t samples);

/* Closes the file. Returns an exit code: a log that could not be written is a failed run. One that has failed already,
 * with `code`, keeps its code, and nothing more is said. */
int train_log_close(train_log *log, int code);

#endif
