/* Options of how weights are drawn, shared by new and init; and their words. */
#ifndef TONNX_CLI_INIT_ARGS_H
#define TONNX_CLI_INIT_ARGS_H

#include "cli/opt.h"
#include "runtime/init.h"

typedef struct init_args {
    const char *bias, *mode, *distribution, *nonlinearity, *rng;
    double gain;
    uint64_t seed;
} init_args;

extern const opt init_shared_options[];

extern const opt_words scheme_words, activation_words, output_act_words;

/* What the options say, but for the scheme and the log. */
void init_args_apply(const init_args *args, tonnx_init_options *options);

#endif
