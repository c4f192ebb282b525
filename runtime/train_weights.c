/* What a class counts in the loss: weights given or from how often it occurs, and how far its label is smoothed. */
#include <math.h>

#include "runtime/train_impl.h"

static tonnx_status check(const tonnx_trainer *trainer, size_t classes)
{
    const tonnx_train_options *o = &trainer->options;
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1))
        return tonnx__fail(TONNX_BAD_USAGE, "label smoothing %g: give a number from 0 to 1", o->label_smoothing);
    if (trainer->goal.loss != TONNX_CROSS_ENTROPY)
        return tonnx__fail(TONNX_BAD_USAGE, "label smoothing and class weights are for cross-entropy; the loss is %s",
                           tonnx_loss_name(trainer->goal.loss));
    if (o->balance_classes && o->class_weights)
        return tonnx__fail(TONNX_BAD_USAGE, "class weights are either balanced or given, not both");
    if (o->balance_classes && !trainer->goal.classes)
        return tonnx__fail(TONNX_BAD_USAGE, "balanced class weights need classes as targets, not distributions");
    if (o->class_weights && o->class_weight_count != classes)
        return tonnx__fail(TONNX_BAD_USAGE, "%zu class weights for %zu classes: give one per class",
                           o->class_weight_count, classes);
    return TONNX_OK;
}

static tonnx_status take_given(double *weights, const double *given, size_t classes)
{
    double sum = 0;
    for (size_t c = 0; c < classes; c++) {
        if (!(given[c] >= 0 && isfinite(given[c])))
            return tonnx__fail(TONNX_BAD_USAGE, "the weight of class %zu is %g: give a finite number, 0 or more", c,
                               given[c]);
        weights[c] = given[c];
        sum += given[c];
    }
    return sum > 0 ? TONNX_OK : tonnx__fail(TONNX_BAD_USAGE, "every class weight is 0: nothing would be learnt");
}

/* w[c] = N/(K·n[c]), K the number of classes that occur, as scikit-learn balances; 0 for one that does not occur. */
static void balance(double *weights, const tonnx_dataset *data, size_t classes)
{
    size_t present = 0;
    for (size_t i = 0; i < data->samples; i++)
        weights[data->classes ? (size_t)data->classes[i] : (size_t)data->targets[i]]++;
    for (size_t c = 0; c < classes; c++) present += weights[c] > 0;
    for (size_t c = 0; c < classes; c++)
        if (weights[c] > 0) weights[c] = (double)data->samples / ((double)present * weights[c]);
}

tonnx_status tonnx__train_weigh(tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    const size_t classes = trainer->net->values[trainer->goal.loss_value].features;
    if (o->label_smoothing == 0 && !o->class_weights && !o->balance_classes) return TONNX_OK;
    tonnx_status status = check(trainer, classes);
    trainer->goal.smoothing = o->label_smoothing;
    if (status || (!o->class_weights && !o->balance_classes)) return status;
    status = tonnx__alloc(&trainer->class_weights, classes, sizeof(double));
    if (status) return status;
    if (o->balance_classes) balance(trainer->class_weights, trainer->data, classes);
    else status = take_given(trainer->class_weights, o->class_weights, classes);
    trainer->goal.class_weights = trainer->class_weights;
    return status;
}
