#include "runtime/task_impl.h"

#include <math.h>

tonnx_status tonnx__task_fit_features(const tonnx_net *net, const tonnx_dataset *data)
{
    const size_t wanted = net->values[net->input].features;
    if (data->features == wanted) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: has %zu feature%s a sample, input '%s' of %s takes %zu", data->path,
                       data->features, data->features == 1 ? "" : "s", net->values[net->input].name, net->model->path,
                       wanted);
}

static bool is_zero_or_one(float t, size_t classes)
{
    (void)classes;
    return t == 0 || t == 1;
}

static bool is_probability(float t, size_t classes)
{
    (void)classes;
    return t >= 0 && t <= 1;
}

static bool is_class(float t, size_t classes)
{
    return t >= 0 && t == floorf(t) && t < (float)classes;
}

/* The first number target that is not what `test` wants; as many as there are where all are, or there are none. */
static size_t first_other(const tonnx_dataset *data, bool (*test)(float t, size_t classes), size_t classes)
{
    const size_t count = data->samples * data->target_width;
    for (size_t i = 0; i < count && data->targets; i++)
        if (!test(data->targets[i], classes)) return i;
    return count;
}

static bool targets_are(const tonnx_dataset *data, bool (*test)(float t, size_t classes), size_t classes)
{
    return data->targets && first_other(data, test, classes) == data->samples * data->target_width;
}

static bool has_head(const tonnx_net *net, tonnx__layer_kind kind)
{
    int head = -1;
    tonnx__net_logits(net, &head);
    return head >= 0 && net->layers[head].kind == kind;
}

/* A single 1 among 0s in each sample's targets: a class as Keras spells it. */
static bool are_one_hot(const tonnx_dataset *data)
{
    if (!targets_are(data, is_zero_or_one, 0)) return false;
    for (size_t n = 0; n < data->samples; n++) {
        size_t ones = 0;
        for (size_t c = 0; c < data->target_width; c++) ones += data->targets[n * data->target_width + c] == 1;
        if (ones != 1) return false;
    }
    return true;
}

/* What `auto` means. Numbers that are whole may be classes or not: where one output would have to tell more than two
 * apart, they are numbers, unless they have names or the output is a probability. */
static tonnx_loss choose(const tonnx_net *net, const tonnx_dataset *data, size_t width)
{
    const bool probability = width == 1 && has_head(net, TONNX__LAYER_ACTIVATION);
    if (data->target_kind == TONNX_TARGET_CLASS && width > 1) return TONNX_CROSS_ENTROPY;
    if (data->target_kind == TONNX_TARGET_CLASS)
        return data->class_count <= 2 || data->class_names || probability ? TONNX_BCE : TONNX_MSE;
    if (data->target_width != width) return TONNX_MSE;
    if (width > 1 && has_head(net, TONNX__LAYER_SOFTMAX) && are_one_hot(data)) return TONNX_CROSS_ENTROPY;
    return probability || targets_are(data, is_zero_or_one, 0) ? TONNX_BCE : TONNX_MSE;
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
        return tonnx__fail(TONNX_BAD_DATA,
                           "%s: the targets hold class %zu, the model has %zu outputs (classes 0 to %zu)",
                           data->target_path, data->class_count - 1, width, width - 1);
    if (data->target_kind == TONNX_TARGET_NUMBER && !(data->target_width == 1 && targets_are(data, is_class, width)))
        return tonnx__fail(TONNX_BAD_DATA,
                           "%s: %s wants class indices below %zu or %zu numbers a sample; the targets are neither",
                           data->target_path, tonnx_loss_name(goal->loss), width, width);
    return TONNX_OK;
}

/* bce reads its targets as probabilities. */
static tonnx_status check_probabilities(const tonnx_dataset *data)
{
    const size_t other = first_other(data, is_probability, 0);
    if (data->target_kind == TONNX_TARGET_CLASS && data->class_count > 2)
        return tonnx__fail(TONNX_BAD_DATA,
                           "%s: %zu classes, and the model has 1 output, which tells 2 apart: it needs %zu outputs",
                           data->target_path, data->class_count, data->class_count);
    if (!data->targets || other == data->samples * data->target_width) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA,
                       "%s: bce wants targets from 0 to 1; sample %zu has %g: --loss mse takes any number",
                       data->target_path, other / data->target_width + 1, (double)data->targets[other]);
}

/* As many numbers as outputs; a class index is one number. */
static tonnx_status fit_numbers(tonnx__goal *goal, const tonnx_dataset *data, size_t width)
{
    const bool classes = data->target_kind == TONNX_TARGET_CLASS;
    const bool look_so = !classes && data->target_width == 1 && targets_are(data, is_class, width);
    goal->target_width = data->target_width;
    if (data->target_width != width)
        return tonnx__fail(TONNX_BAD_DATA, "%s: %s wants %zu numbers a sample, one per output; the targets %s %zu%s",
                           data->target_path, tonnx_loss_name(goal->loss), width,
                           classes ? "are class indices," : "have", data->target_width,
                           classes   ? " a sample: cross-entropy takes them"
                           : look_so ? ": as class indices, --loss cross-entropy takes them"
                                     : "");
    return goal->loss == TONNX_BCE ? check_probabilities(data) : TONNX_OK;
}

tonnx_status tonnx__task_fit(tonnx__goal *goal, const tonnx_net *net, const tonnx_dataset *data, tonnx_loss loss,
                             double huber_delta)
{
    const size_t width = net->values[net->output].features;
    int head = -1;
    const tonnx_status status = tonnx__task_fit_features(net, data);
    if (status) return status;
    if (data->target_kind == TONNX_TARGET_NONE)
        return tonnx__fail(TONNX_BAD_DATA, "%s: no targets: name them with --target", data->path);
    goal->loss = loss == TONNX_LOSS_AUTO ? choose(net, data, width) : loss;
    goal->loss_a = huber_delta;
    goal->classes = false;
    goal->loss_value = reads_logits(goal->loss) ? tonnx__net_logits(net, &head) : net->output;
    if (goal->loss == TONNX_NLL && head >= 0) goal->loss = TONNX_CROSS_ENTROPY; /* of log-softmax: of its logits */
    return goal->loss == TONNX_CROSS_ENTROPY || goal->loss == TONNX_NLL ? fit_classes(goal, data, width)
                                                                        : fit_numbers(goal, data, width);
}
