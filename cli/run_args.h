/* Where and how evaluation runs: shared by eval and predict. */
#ifndef TONNX_CLI_RUN_ARGS_H
#define TONNX_CLI_RUN_ARGS_H

#include "cli/cli.h"
#include "runtime/evaluate.h"

typedef struct run_args {
    const char *backend;
    uint64_t threads, batch;
} run_args;

extern const opt run_options[];

/* Words of --backend and --loss. */
extern const opt_words backend_words, loss_words;

/* The loss of a word that loss_words took. */
tonnx_loss loss_of(const char *word);

void run_args_apply(const run_args *args, tonnx_evaluate_options *options);

#endif
