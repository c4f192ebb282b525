/* Options that keep a run's state and take it up again, and the file that it is kept in. */
#ifndef TONNX_CLI_CHECKPOINT_ARGS_H
#define TONNX_CLI_CHECKPOINT_ARGS_H

#include "cli/cli.h"
#include "runtime/train.h"

typedef struct checkpoint_args {
    const char *file, *every, *resume;
} checkpoint_args;

extern const opt checkpoint_options[];

/* What a run holds of them while it lasts. */
typedef struct checkpoints {
    const char *file;         /* --checkpoint; NULL: none */
    char *fallback;           /* OUT.ckpt, where an interrupt's state goes else; NULL where OUT is stdout */
    tonnx_checkpoint *resume; /* NULL: from the start */
    uint64_t step;            /* of the last one that was written */
    bool written;
} checkpoints;

/* Checks names (no path of `read` may be written to) and loads --resume; sets the fields of *options that these options
 * speak of. Returns an exit code; `held` is freed by checkpoints_free in any case. */
int checkpoints_open(checkpoints *held, const checkpoint_args *args, const char *out, const char *const *read,
                     size_t count);
int checkpoints_apply(checkpoints *held, const checkpoint_args *args, tonnx_train_options *options);

/* The trainer's state, after an interrupt; says where it went unless `quiet`. Returns an exit code. */
int checkpoints_interrupted(checkpoints *held, tonnx_trainer *trainer, bool quiet);

/* Says, after a divergence or the loss of the device, where the last good state is. */
void checkpoints_failed(const checkpoints *held, tonnx_status status);

void checkpoints_free(checkpoints *held);

#endif
