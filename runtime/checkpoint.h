/* A checkpoint: a state outside its trainer, with what it takes to go on to the very bits that the run would have come
 * to. Made by tonnx_trainer_checkpoint (train.h), kept in files by format/checkpoint.h. */
#ifndef TONNX_RUNTIME_CHECKPOINT_H
#define TONNX_RUNTIME_CHECKPOINT_H

#include <stdint.h>

#include "status.h"

TONNX_BEGIN

typedef struct tonnx_checkpoint tonnx_checkpoint;

typedef struct tonnx_checkpoint_info {
    const char *backend, *device; /* what computed; borrowed from the checkpoint */
    uint64_t step, epoch;         /* done */
    uint64_t total_steps;         /* of the run that made it */
} tonnx_checkpoint_info;

/* What a checkpoint was made by, and how far its run had come. */
TONNX_API void tonnx_checkpoint_describe(const tonnx_checkpoint *checkpoint, tonnx_checkpoint_info *out);

/* NULL is welcome. */
TONNX_API void tonnx_checkpoint_free(tonnx_checkpoint *checkpoint);

TONNX_END

#endif
