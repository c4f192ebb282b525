/* The trainer: what is trained, towards which loss, by which steps. The stepping itself is in train_loop.c. */
#include "runtime/train_impl.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "runtime/task_impl.h"

static double default_to(double given, double otherwise)
{
    return isnan(given) ? otherwise : given;
}

/* The optimizer's own defaults where the caller gave none, and the hyper-parameters as instructions want them. */
static void fill_hyper(tonnx_train_options *o, tonnx__goal *goal)
{
    tonnx_optimizer_info row;
    tonnx_optimizer_describe(o->optimizer, &row);
    o->rate = default_to(o->rate, row.rate);
    o->momentum = default_to(o->momentum, row.momentum);
    o->beta1 = default_to(o->beta1, row.beta1);
    o->beta2 = default_to(o->beta2, row.beta2);
    o->rho = default_to(o->rho, row.rho);
    o->eps = default_to(o->eps, row.eps);
    o->weight_decay = default_to(o->weight_decay, row.decay);
    const bool has_momentum = !isnan(row.momentum);
    goal->optimizer = o->optimizer;
    goal->moments = row.moments - (has_momentum && o->momentum == 0);
    goal->h[TONNX__H_BETA1] = default_to(has_momentum ? o->momentum : o->beta1, 0);
    goal->h[TONNX__H_BETA2] = default_to(isnan(row.rho) ? o->beta2 : o->rho, 0);
    goal->h[TONNX__H_EPS] = default_to(o->eps, 0);
    goal->h[TONNX__H_DECAY] = o->weight_decay;
    goal->h[TONNX__H_NESTEROV] = o->nesterov;
}

static tonnx_status check_options(const tonnx_train_options *o)
{
    if (!o->batch) return tonnx__fail(TONNX_BAD_USAGE, "a batch of 0 samples: give 1 or more");
    if (!o->epochs && !o->steps) return tonnx__fail(TONNX_BAD_USAGE, "0 epochs and 0 steps: there is nothing to do");
    if (!isnan(o->rate) && !(o->rate >= 0 && isfinite(o->rate)))
        return tonnx__fail(TONNX_BAD_USAGE, "learning rate %g: give a finite number, 0 or more", o->rate);
    if (o->clip_norm < 0 || o->clip_value < 0) return tonnx__fail(TONNX_BAD_USAGE, "a clipping limit below 0");
    if (o->nesterov && !(o->optimizer == TONNX_SGD && o->momentum > 0))
        return tonnx__fail(TONNX_BAD_USAGE, "nesterov needs sgd with a momentum above 0");
    return TONNX_OK;
}

/* Options of an older caller are shorter: what it does not know keeps its default. */
static tonnx_status copy_options(tonnx_train_options *to, const tonnx_train_options *from)
{
    const tonnx_train_options defaults = TONNX_TRAIN_OPTIONS_DEFAULT;
    *to = defaults;
    if (from && (!from->size || from->size > sizeof *to))
        return tonnx__fail(TONNX_BAD_USAGE,
                           "options of %zu bytes; this library knows %zu: start from TONNX_TRAIN_OPTIONS_DEFAULT",
                           from->size, sizeof *to);
    if (from) memcpy(to, from, from->size);
    return check_options(to);
}

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
        if (!found)
            return tonnx__fail(TONNX_BAD_USAGE, "%s '%s' matches no trained tensor of %s; `tonnx inspect` lists them",
                               option, *globs, net->model->path);
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

/* Batches of an epoch. The last one may be smaller; a single row has no variance, so batch norm skips it. */
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
    trainer->steps_per_epoch = samples / batch + (rest > 0);
    trainer->total_steps = o->epochs * trainer->steps_per_epoch;
    if (o->epochs && trainer->total_steps / o->epochs != trainer->steps_per_epoch) trainer->total_steps = UINT64_MAX;
    if (!o->epochs || (o->steps && o->steps < trainer->total_steps)) trainer->total_steps = o->steps;
    return TONNX_OK;
}

static tonnx_status compile(tonnx_trainer *trainer, int which, size_t rows)
{
    tonnx__goal goal = trainer->goal;
    goal.rows = rows;
    const tonnx_status status = tonnx__lower(&trainer->programs[which], trainer->net, &trainer->state->layout, &goal);
    return status ? status : tonnx__exec_new(&trainer->execs[which], trainer->state->device, trainer->programs[which]);
}

static tonnx_status compile_all(tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    const size_t samples = trainer->data->samples, batch = trainer->goal.rows;
    tonnx_status status = compile(trainer, 0, batch);
    if (!status && trainer->steps_per_epoch > samples / batch) status = compile(trainer, 1, samples % batch);
    if (!status && o->validation) {
        status = tonnx__task_fit(&trainer->validation_goal, trainer->net, o->validation, o->loss, o->huber_delta);
        trainer->validation_goal.keep_output = true;
        if (!status)
            status =
                tonnx__sweep_new(&trainer->validation, trainer->state, o->validation, &trainer->validation_goal, 1024);
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
    options.bn_momentum = o->bn_momentum;
    options.log = o->log;
    return tonnx_net_new(&trainer->net, model, &options);
}

static tonnx_status prepare(tonnx_trainer *trainer, tonnx_model *model)
{
    const tonnx_train_options *o = &trainer->options;
    const tonnx__backend_options backend_options = { o->backend, o->threads, o->log };
    tonnx_status status = bind_net(trainer, model);
    if (!status) status = tonnx__task_fit(&trainer->goal, trainer->net, trainer->data, o->loss, o->huber_delta);
    if (!status) status = choose_trained(trainer);
    if (!status) {
        fill_hyper(&trainer->options, &trainer->goal);
        fill_goal(trainer);
        status = count_steps(trainer);
    }
    if (!status) status = tonnx__backend_open(&trainer->backend, &backend_options);
    if (!status)
        status =
            tonnx__state_new(&trainer->state, trainer->net, trainer->backend, trainer->trained, trainer->goal.moments);
    if (!status) status = compile_all(trainer);
    if (!status && o->shuffle) status = tonnx__alloc(&trainer->order, trainer->data->samples, sizeof *trainer->order);
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
    trainer->plateau_factor = 1;
    trainer->plateau_best = INFINITY;
    trainer->last_loss = NAN;
    tonnx__dataset_feed(data, &trainer->feed);
    status = copy_options(&trainer->options, options);
    if (!status) status = prepare(trainer, model);
    if (status) tonnx_trainer_free(trainer);
    else *out = trainer;
    return status;
}

void tonnx_trainer_free(tonnx_trainer *trainer)
{
    if (!trainer) return;
    tonnx__sweep_free(trainer->validation);
    for (int i = 0; i < 2; i++) {
        tonnx__exec_free(trainer->execs[i]);
        tonnx__program_free(trainer->programs[i]);
    }
    tonnx__state_free(trainer->state);
    tonnx__backend_close(trainer->backend);
    tonnx_net_free(trainer->net);
    tonnx__free(trainer->trained);
    tonnx__free(trainer->order);
    tonnx__free(trainer);
}

bool tonnx_trainer_done(const tonnx_trainer *trainer)
{
    return trainer->step >= trainer->total_steps;
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
    return trainer->last_loss;
}

tonnx_status tonnx_trainer_pull(tonnx_trainer *trainer, tonnx_model *model)
{
    if (model != trainer->net->model)
        return tonnx__fail(TONNX_BAD_USAGE, "the trainer was made with another model than the one it is pulled into");
    return tonnx__state_pull(trainer->state, !trainer->options.freeze_bn);
}

tonnx_status tonnx_trainer_plan(const tonnx_trainer *trainer, void (*line)(void *user, const char *text), void *user)
{
    tonnx__program_print(trainer->programs[0], line, user);
    return TONNX_OK;
}
