/* The trainer: what is trained, towards which loss, by which steps. The stepping itself is in train_loop.c. */
#include "runtime/train_impl.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "runtime/speed_impl.h"
#include "runtime/task_impl.h"

static bool matches(const char *const *globs, const char *name)
{
    for (; globs && *globs; globs++)
        if (!fnmatch(*globs, name, 0)) return true;
    return false;
}

/* Every glob must name something: a typo would train what was meant to stay. */
static tonnx_status check_globs(const tonnx_net *net, const char *const *globs, const char *option)
{
    for (; globs && *globs; globs++) {
        bool found = false;
        for (size_t p = 0; p < net->param_count; p++)
            found |= net->params[p].trained && !fnmatch(*globs, net->params[p].name, 0);
        if (!found) return tonnx__fail_no_parameter(net, option, *globs);
    }
    return TONNX_OK;
}

/* --freeze-bn leaves scale and shift alone too. */
static void freeze_batch_norm(tonnx_trainer *trainer)
{
    for (size_t l = 0; l < trainer->net->layer_count; l++) {
        const tonnx__layer *layer = &trainer->net->layers[l];
        if (layer->kind != TONNX__LAYER_BATCH_NORM) continue;
        if (layer->weight >= 0) trainer->trained[layer->weight] = false;
        if (layer->bias >= 0) trainer->trained[layer->bias] = false;
    }
}

static bool any(const bool *flags, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (flags[i]) return true;
    return false;
}

static tonnx_status choose_trained(tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    const tonnx_net *net = trainer->net;
    tonnx_status status = tonnx__alloc(&trainer->trained, net->param_count, sizeof *trainer->trained);
    if (!status) status = check_globs(net, o->freeze, "--freeze");
    if (!status) status = check_globs(net, o->only, "--only");
    for (size_t p = 0; p < net->param_count && !status; p++)
        trainer->trained[p] = net->params[p].trained && !matches(o->freeze, net->params[p].name) &&
                              (!o->only || matches(o->only, net->params[p].name));
    if (!status && o->freeze_bn) freeze_batch_norm(trainer);
    if (!status && !any(trainer->trained, net->param_count))
        tonnx__say(&o->log, TONNX_LOG_WARNING, "no tensor is left to train: the steps only measure");
    return status;
}

static bool has_layer(const tonnx_net *net, tonnx__layer_kind kind)
{
    for (size_t l = 0; l < net->layer_count; l++)
        if (net->layers[l].kind == kind) return true;
    return false;
}

/* PyTorch keeps N/(N−1) of the batch's variance, ONNX and Keras the batch's: `auto` asks who made the file. */
static bool choose_unbiased(const tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    const tonnx_model *model = trainer->net->model;
    const bool pytorch = model->producer && strstr(model->producer, "pytorch");
    if (o->bn != TONNX_BN_AUTO) return o->bn == TONNX_BN_UNBIASED;
    if (has_layer(trainer->net, TONNX__LAYER_BATCH_NORM) && !o->freeze_bn)
        tonnx__say(&o->log, TONNX_LOG_INFO, "batch norm keeps the %s variance, as %s does (--bn chooses)",
                   pytorch ? "unbiased" : "biased", pytorch ? "PyTorch" : "ONNX");
    return pytorch;
}

static void fill_goal(tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    tonnx__goal *goal = &trainer->goal;
    goal->train = true;
    goal->freeze_bn = o->freeze_bn;
    goal->dropout = o->dropout;
    goal->unbiased = choose_unbiased(trainer);
    goal->clip_norm = o->clip_norm;
    goal->clip_value = o->clip_value;
    goal->want_grad_norm = o->log_grad_norm;
    goal->seed = o->seed;
}

/* Batches of a pass over the data. The last one may be smaller; a single row has no variance, so batch norm skips it.
 */
static tonnx_status count_steps(tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    const size_t samples = trainer->data->samples, batch = o->batch < samples ? o->batch : samples;
    size_t rest = samples % batch;
    if (o->drop_last) rest = 0;
    if (o->drop_last && o->batch > samples)
        return tonnx__fail(TONNX_BAD_DATA, "%zu samples make no batch of %zu, and --drop-last leaves out smaller ones",
                           samples, o->batch);
    if (rest == 1 && has_layer(trainer->net, TONNX__LAYER_BATCH_NORM) && !o->freeze_bn) {
        tonnx__say(&o->log, TONNX_LOG_WARNING,
                   "the last batch of an epoch is a single row, which batch norm cannot normalise: it is skipped");
        rest = 0;
    }
    if (batch == 1 && has_layer(trainer->net, TONNX__LAYER_BATCH_NORM) && !o->freeze_bn)
        return tonnx__fail(TONNX_BAD_USAGE,
                           "batch norm cannot normalise batches of 1 row: use a larger --batch, or --freeze-bn");
    trainer->goal.rows = batch;
    trainer->pass_steps = samples / batch + (rest > 0);
    trainer->steps_per_epoch = o->steps_per_epoch ? o->steps_per_epoch : trainer->pass_steps;
    trainer->total_steps = o->epochs * trainer->steps_per_epoch;
    if (o->epochs && trainer->total_steps / o->epochs != trainer->steps_per_epoch) trainer->total_steps = UINT64_MAX;
    if (!o->epochs || (o->steps && o->steps < trainer->total_steps)) trainer->total_steps = o->steps;
    return TONNX_OK;
}

static tonnx_status compile(tonnx_trainer *trainer, int which, size_t rows)
{
    tonnx__goal goal = trainer->goal;
    goal.rows = rows;
    tonnx_status status = tonnx__lower(&trainer->programs[which], trainer->net, &trainer->state->layout, &goal);
    if (!status) status = tonnx__exec_new(&trainer->execs[which], trainer->state->device, trainer->programs[which]);
    if (!status && goal.class_weights)
        status = tonnx__exec_write(trainer->execs[which], trainer->programs[which]->class_weights, goal.class_weights,
                                   TONNX__F64);
    return status;
}

static tonnx_status compile_all(tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    const size_t samples = trainer->data->samples, batch = trainer->goal.rows;
    tonnx_status status = compile(trainer, 0, batch);
    if (!status && trainer->pass_steps > samples / batch) status = compile(trainer, 1, samples % batch);
    if (!status && o->validation) {
        status = tonnx__task_fit(&trainer->validation_goal, trainer->net, o->validation, trainer->goal.loss, o->huber_delta);
        trainer->validation_goal.keep_output = true;
        if (!status)
            status =
                tonnx__sweep_new(&trainer->validation, trainer->state, o->validation, &trainer->validation_goal, 1024);
        if (!status) tonnx__sweep_heed(trainer->validation, &trainer->stop);
    }
    return status;
}

static tonnx_status bind_net(tonnx_trainer *trainer, tonnx_model *model)
{
    const tonnx_train_options *o = &trainer->options;
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    options.input = o->input;
    options.output = o->output;
    options.keep_ties = o->keep_ties;
    options.untie = o->untie;
    options.add_bias = o->add_bias;
    options.dynamic_batch = o->dynamic_batch;
    options.bn_momentum = o->bn_momentum;
    options.log = o->log;
    return tonnx_net_new(&trainer->net, model, &options);
}

/* What the run is, about: backward twice forward's products; of each activation and parameter four passes. */
static tonnx__workload work_of(const tonnx_trainer *trainer)
{
    const tonnx_net *net = trainer->net;
    const double rows = (double)trainer->goal.rows;
    tonnx__workload work = { .chain = 2.0 * (double)net->layer_count + 1,
                         .steps = (double)trainer->total_steps,
                         .parameters = tonnx_net_parameters(net) };
    work.bytes = 8.0 * sizeof(float) * (double)work.parameters;
    for (size_t l = 0; l < net->layer_count; l++) {
        tonnx_layer_info layer;
        tonnx_net_layer(net, l, &layer);
        work.flops += 3 * rows * layer.flops;
        work.bytes += 4 * sizeof(float) * rows * (double)layer.fan_out;
    }
    return work;
}

/* A loss that is hardly meant. */
static void warn_of_loss(const tonnx_trainer *trainer)
{
    int head = -1;
    const tonnx_train_options *o = &trainer->options;
    tonnx__net_logits(trainer->net, &head);
    const bool softmax = head >= 0 && trainer->net->layers[head].kind == TONNX__LAYER_SOFTMAX;
    if (trainer->goal.loss == TONNX_NLL)
        tonnx__say(&o->log, TONNX_LOG_WARNING,
                   "nll reads log-probabilities, and no LogSoftmax or Softmax ends this model: "
                   "cross-entropy is the loss of plain outputs");
    if (softmax && o->loss == TONNX_LOSS_AUTO && trainer->goal.loss != TONNX_CROSS_ENTROPY)
        tonnx__say(&o->log, TONNX_LOG_WARNING,
                   "the model ends in Softmax or LogSoftmax, but its targets are neither classes nor one-hot: the loss is %s; "
                   "--loss cross-entropy takes any distribution",
                   tonnx_loss_name(trainer->goal.loss));
}

static tonnx_status prepare(tonnx_trainer *trainer, tonnx_model *model)
{
    const tonnx_train_options *o = &trainer->options;
    const bool as_before = o->resume && !strcmp(o->backend, "auto");
    const tonnx__backend_options backend_options = { as_before ? o->resume->backend : o->backend, o->threads, o->log,
                                                     o->precision };
    tonnx_status status = bind_net(trainer, model);
    if (!status) status = tonnx__task_fit(&trainer->goal, trainer->net, trainer->data, o->loss, o->huber_delta);
    if (!status) warn_of_loss(trainer);
    if (!status) status = tonnx__train_weigh(trainer);
    if (!status) status = choose_trained(trainer);
    if (!status) {
        tonnx__options_warn(o);
        tonnx__options_fill(&trainer->options, &trainer->goal);
        fill_goal(trainer);
        status = count_steps(trainer);
    }
    tonnx__workload work = { 0 };
    if (!status) work = work_of(trainer);
    if (!status) status = tonnx__backend_open_for(&trainer->backend, &backend_options, &work);
    if (!status)
        status =
            tonnx__state_new(&trainer->state, trainer->net, trainer->backend, trainer->trained, trainer->goal.moments);
    if (!status) status = compile_all(trainer);
    if (!status) status = tonnx__verify_new(trainer);
    if (!status && o->profile) status = tonnx__train_profile(trainer);
    if (!status && o->shuffle) status = tonnx__alloc(&trainer->order, trainer->data->samples, sizeof *trainer->order);
    trainer->prints[0] = tonnx__fingerprint_model(model);
    if (!status && o->resume) status = tonnx__train_resume(trainer, o->resume);
    trainer->options.resume = NULL;
    return status;
}

tonnx_status tonnx_trainer_new(tonnx_trainer **out, tonnx_model *model, const tonnx_dataset *data,
                               const tonnx_train_options *options)
{
    tonnx_trainer *trainer = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&trainer, 1, sizeof *trainer);
    if (status) return status;
    trainer->data = data;
    trainer->at =
        (tonnx__progress){ .plateau_factor = 1, .plateau_best = INFINITY, .best_loss = INFINITY, .last_loss = NAN };
    trainer->order_pass = UINT64_MAX;
    tonnx__dataset_feed(data, &trainer->feed);
    status = tonnx__options_copy(&trainer->options, options);
    if (!status) status = prepare(trainer, model);
    if (status) tonnx_trainer_free(trainer);
    else *out = trainer;
    return status;
}

void tonnx_trainer_free(tonnx_trainer *trainer)
{
    if (!trainer) return;
    tonnx__sweep_free(trainer->validation);
    tonnx__verify_free(trainer->verify);
    for (int i = 0; i < 2; i++) {
        tonnx__exec_free(trainer->execs[i]);
        tonnx__program_free(trainer->programs[i]);
    }
    tonnx__state_free(trainer->state);
    tonnx__backend_close(trainer->backend);
    tonnx_net_free(trainer->net);
    tonnx__free(trainer->trained);
    tonnx__free(trainer->order);
    tonnx__free(trainer->class_weights);
    for (int i = 0; i < 2; i++) tonnx__free(trainer->spent[i]);
    tonnx__image_clear(&trainer->guarded);
    tonnx__image_clear(&trainer->best);
    tonnx__image_clear(&trainer->before);
    tonnx_dataset_free(trainer->sample);
    tonnx_checkpoint_free(trainer->good);
    tonnx__free(trainer);
}

bool tonnx_trainer_done(const tonnx_trainer *trainer)
{
    const bool at_end = trainer->at.step >= trainer->total_steps;
    return !trainer->at.step_in_epoch && (at_end || tonnx__is_out_of_patience(trainer));
}

void tonnx_trainer_stop(tonnx_trainer *trainer)
{
    atomic_store(&trainer->stop, true);
}

tonnx_loss tonnx_trainer_loss(const tonnx_trainer *trainer)
{
    return trainer->goal.loss;
}

double tonnx_trainer_last_loss(const tonnx_trainer *trainer)
{
    return trainer->at.last_loss;
}

tonnx_status tonnx_trainer_plan(const tonnx_trainer *trainer, void (*line)(void *user, const char *text), void *user)
{
    tonnx__program_print(trainer->programs[0], line, user);
    return tonnx__exec_plan(trainer->execs[0], &trainer->feed, line, user);
}
