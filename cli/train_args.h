/* Options of training, shared by train and plan. */
#ifndef TONNX_CLI_TRAIN_ARGS_H
#define TONNX_CLI_TRAIN_ARGS_H

#include "cli/cli.h"
#include "runtime/train.h"

typedef struct train_args {
    uint64_t epochs, steps, batch, seed, threads, warmup, step_size, steps_per_epoch, patience;
    bool best, drop_last, no_shuffle, nesterov, freeze_bn, keep_ties, untie, add_bias;
    const char *loss, *class_weights, *optimizer, *schedule, *bn, *dropout, *backend, *precision;
    double huber_delta, label_smoothing, lr, momentum, beta1, beta2, eps, rho, weight_decay, gamma, min_lr, clip_norm,
        clip_value, bn_momentum;
    const char **freeze, **only;
} train_args;

/* Tables over the one struct, one for each heading; a command may do without some. */
extern const opt train_run_options[], train_batch_options[], train_optimizer_options[], train_rate_options[],
    train_net_options[];

extern const opt_words optimizer_words;

/* Fills the fields of *out that these options speak of. 0, or EXIT_USAGE where two exclude each other. */
int train_args_apply(const train_args *args, tonnx_train_options *out);

/* --class-weights into *out; the numbers stand in *held, for the caller to free. An exit code. */
int train_args_weigh(const train_args *args, tonnx_train_options *out, double **held);

#endif
