#include "runtime/evaluate.h"

#include <math.h>

#include "runtime/options_impl.h"
#include "runtime/sweep_impl.h"
#include "runtime/task_impl.h"

/* A model on a backend in inference mode. */
typedef struct bench {
    tonnx_net *net;
    tonnx__backend *backend;
    tonnx__state *state;
    bool *trained; /* all false */
} bench;

static void bench_clear(bench *b)
{
    tonnx__state_free(b->state);
    tonnx__backend_close(b->backend);
    tonnx_net_free(b->net);
    tonnx__free(b->trained);
}

static tonnx_status bench_new(bench *b, tonnx_model *model, const tonnx_evaluate_options *options)
{
    tonnx_net_options net_options = TONNX_NET_OPTIONS_DEFAULT;
    const tonnx__backend_options backend_options = { options->backend, options->threads, options->log, TONNX_FP32 };
    net_options.input = options->input;
    net_options.output = options->output;
    tonnx_status status = tonnx_net_new(&b->net, model, &net_options);
    if (!status) status = tonnx__backend_open(&b->backend, &backend_options);
    if (!status) status = tonnx__alloc(&b->trained, b->net->param_count, sizeof *b->trained);
    return status ? status : tonnx__state_new(&b->state, b->net, b->backend, b->trained, 0);
}

static tonnx_status take_options(tonnx_evaluate_options *to, const tonnx_evaluate_options *from)
{
    const tonnx_evaluate_options defaults = TONNX_EVALUATE_OPTIONS_DEFAULT;
    *to = defaults;
    const tonnx_status status = tonnx__options_lay(to, sizeof *to, from, "TONNX_EVALUATE_OPTIONS_DEFAULT");
    if (status || to->batch) return status;
    return tonnx__fail(TONNX_BAD_USAGE, "a batch of 0 samples: give 1 or more");
}

tonnx_status tonnx_evaluate(tonnx_metrics *out, tonnx_model *model, const tonnx_dataset *data,
                            const tonnx_evaluate_options *options)
{
    tonnx_evaluate_options o;
    tonnx__goal goal = { .keep_output = true };
    tonnx__sweep *sweep = NULL;
    bench b = { 0 };
    *out = (tonnx_metrics){ TONNX_LOSS_AUTO, 0, NAN, NAN, NAN, NAN, NAN };
    tonnx_status status = take_options(&o, options);
    if (!status) status = bench_new(&b, model, &o);
    if (!status) status = tonnx__task_fit(&goal, b.net, data, o.loss, o.huber_delta);
    if (!status) status = tonnx__sweep_new(&sweep, b.state, data, &goal, o.batch);
    if (!status) status = tonnx__measure(out, sweep, data, &goal);
    tonnx__sweep_free(sweep);
    bench_clear(&b);
    return status;
}

tonnx_status tonnx_predict(tonnx_model *model, const tonnx_dataset *data, const tonnx_evaluate_options *options,
                           tonnx_rows_fn rows, void *user)
{
    const tonnx__goal goal = { .keep_output = true, .loss_value = -1 };
    tonnx_evaluate_options o;
    tonnx__sweep *sweep = NULL;
    bench b = { 0 };
    tonnx_status status = take_options(&o, options);
    if (!status) status = bench_new(&b, model, &o);
    if (!status) status = tonnx__task_fit_features(b.net, data);
    if (!status) status = tonnx__sweep_new(&sweep, b.state, data, &goal, o.batch);
    if (!status) status = tonnx__sweep_run(sweep, rows, user, NULL);
    tonnx__sweep_free(sweep);
    bench_clear(&b);
    return status;
}
