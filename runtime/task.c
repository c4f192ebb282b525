#include "runtime/task_impl.h"

#include <math.h>

tonnx_status tonnx__task_fit_features(const tonnx_net *net, const tonnx_dataset *data)
{
    const size_t wanted = net->values[net->input].features;
    if (data->features == wanted) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "the data has %zu features a sample, input '%s' of %s takes %zu", data->features,
                       net->values[net->input].name, net->model->path, wanted);
}

/* Every target is 0 or 1, or with `whole` any class index below `classes`. */
static bool targets_are(const tonnx_dataset *data, bool whole, size_t classes)
{
    const size_t count = data->samples * data->target_width;
    for (size_t i = 0; i < count && data->targets; i++) {
        const float t = data->targets[i];
        if (whole ? t < 0 || t != floorf(t) || t >= (float)classes : t != 0 && t != 1) return false;
    }
    return data->targets != NULL;
}

static bool has_sigmoid_head(const tonnx_net *net)
{
    int head = -1;
    tonnx__net_logits(net, &head);
    return head >= 0 && net->layers[head].kind == TONNX__LAYER_ACTIVATION;
}

static tonnx_loss choose(const tonnx_net *net, const tonnx_dataset *data, size_t width)
{
    if (data->target_kind == TONNX_TARGET_CLASS)
        return width > 1 ? TONNX_CROSS_ENTROPY : data->class_count <= 2 ? TONNX_BCE : TONNX_MSE;
    if (data->target_width == width && ((width == 1 && has_sigmoid_head(net)) || targets_are(data, false, 0)))
        return TONNX_BCE;
    return TONNX_MSE;
}

static bool reads_logits(tonnx_loss loss)
{
    return loss == TONNX_CROSS_ENTROPY || loss == TONNX_NLL || loss == TONNX_BCE;
}

/* One class index per sample, for losses over a row of outputs: from class targets, or whole numbers. */
static tonnx_status fit_classes(tonnx__goal *goal, const tonnx_dataset *data, size_t width)
{
    if (data->target_kind == TONNX_TARGET_NUMBER && data->target_width == width && width > 1) {
        goal->target_width = width; /* a distribution over the classes */
        return TONNX_OK;
    }
    goal->classes = true;
    goal->target_width = 1;
    if (data->target_kind == TONNX_TARGET_CLASS && data->class_count > width)
        return tonnx__fail(TONNX_BAD_DATA, "the targets hold class %zu, the model has %zu outputs (classes 0 to %zu)",
                           data->class_count - 1, width, width - 1);
    if (data->target_kind == TONNX_TARGET_NUMBER && !(data->target_width == 1 && targets_are(data, true, width)))
        return tonnx__fail(TONNX_BAD_DATA,
                           "%s wants class indices below %zu or %zu numbers a sample; the targets are neither",
                           tonnx_loss_name(goal->loss), width, width);
    return TONNX_OK;
}

/* As many numbers as outputs; a class index is one number. */
static tonnx_status fit_numbers(tonnx__goal *goal, const tonnx_dataset *data, size_t width)
{
    goal->target_width = data->target_width;
    if (data->target_width != width)
        return tonnx__fail(TONNX_BAD_DATA, "%s wants %zu numbers a sample, one per output; the targets have %zu",
                           tonnx_loss_name(goal->loss), width, data->target_width);
    if (goal->loss == TONNX_BCE && data->target_kind == TONNX_TARGET_CLASS && data->class_count > 2)
        return tonnx__fail(TONNX_BAD_DATA, "bce wants targets 0 and 1; the targets hold class %zu",
                           data->class_count - 1);
    return TONNX_OK;
}

tonnx_status tonnx__task_fit(tonnx__goal *goal, const tonnx_net *net, const tonnx_dataset *data, tonnx_loss loss,
                             double huber_delta)
{
    const size_t width = net->values[net->output].features;
    int head = -1;
    const tonnx_status status = tonnx__task_fit_features(net, data);
    if (status) return status;
    if (data->target_kind == TONNX_TARGET_NONE)
        return tonnx__fail(TONNX_BAD_DATA, "the data has no targets: name them with --target");
    goal->loss = loss == TONNX_LOSS_AUTO ? choose(net, data, width) : loss;
    goal->loss_a = huber_delta;
    goal->classes = false;
    goal->loss_value = reads_logits(goal->loss) ? tonnx__net_logits(net, &head) : net->output;
    if (goal->loss == TONNX_NLL && head >= 0) goal->loss = TONNX_CROSS_ENTROPY; /* of log-softmax: of its logits */
    return goal->loss == TONNX_CROSS_ENTROPY || goal->loss == TONNX_NLL ? fit_classes(goal, data, width)
                                                                        : fit_numbers(goal, data, width);
}
