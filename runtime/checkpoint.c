#include "runtime/checkpoint_impl.h"

void tonnx_checkpoint_describe(const tonnx_checkpoint *checkpoint, tonnx_checkpoint_info *out)
{
    *out = (tonnx_checkpoint_info){ .backend = checkpoint->backend,
                                    .device = checkpoint->device,
                                    .step = checkpoint->progress.step,
                                    .epoch = checkpoint->progress.epoch,
                                    .total_steps = checkpoint->total_steps };
}

void tonnx_checkpoint_free(tonnx_checkpoint *checkpoint)
{
    if (!checkpoint) return;
    tonnx__image_clear(&checkpoint->state);
    tonnx__image_clear(&checkpoint->best);
    tonnx__free(checkpoint->path);
    tonnx__free(checkpoint->backend);
    tonnx__free(checkpoint->device);
    tonnx__free(checkpoint->options);
    tonnx__free(checkpoint);
}
