/* tonnx init: fresh weights for a model that is there. */
#include <limits.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/init_args.h"
#include "cli/probe_args.h"
#include "runtime/init.h"

typedef struct args {
    opt_common common;
    const char *model, *out, *scheme;
    const char **layers;
    init_args init;
    probe_args probe;
    run_args run;
} args;

#define AT(field) offsetof(args, field)
static const opt options[] = {
    { "out", 'o', OPT_FILE, AT(out), "OUT", NULL, "the model with fresh weights", NULL, OPT_NEEDED },
    { "scheme", 0, OPT_WORD, AT(scheme), "SCHEME", "auto", "initialisation (auto: by the activation that follows)",
      &scheme_words, OPT_FREE },
    { "layer", 0, OPT_LIST, AT(layers), "GLOB", NULL, "only layers or weights of that name", NULL, OPT_FREE },
    { 0 },
};
static const opt lsuv_options[] = {
    { "data", 0, OPT_FILE, AT(probe.data.data), "FILE|gaussian:N", NULL,
      "samples that lsuv measures on; gaussian:1000 makes unit-normal ones", NULL, OPT_FREE },
    { 0 },
};

/* data_options' first row insists on --data, which only lsuv wants. */
static const opt_group groups[] = { { "Initialisation", options, 0 },
                                    { "How numbers are drawn", init_shared_options, AT(init) },
                                    { "Data, for lsuv", lsuv_options, 0 },
                                    { "How the data is read", data_options + 1, AT(probe.data) },
                                    { "Running, for lsuv", run_options, AT(run) },
                                    { 0 } };
static const opt_operand operands[] = { { "MODEL", AT(model), false, "the ONNX file; it is never written to" }, { 0 } };
static const char *const examples[] = {
    "tonnx init model.onnx -o fresh.onnx",
    "tonnx init model.onnx --scheme he-normal --layer 'fc*' --seed 7 -o fresh.onnx",
    "tonnx init model.onnx --scheme kaiming-uniform --nonlinearity leaky_relu:0.2 --rng torch --seed 0 -o fresh.onnx",
    "tonnx init model.onnx --scheme lsuv --data x.npy --limit 1024 -o fresh.onnx",
    NULL,
};

static int init(void *opaque)
{
    args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    const char *const read[] = { a->model, a->probe.data.data };
    tonnx_init_options init_options = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    data_sets sets = { 0 };
    a->probe.seed = a->init.seed;
    init_args_apply(&a->init, &init_options);
    init_options.scheme = a->scheme;
    init_options.layers = a->layers;
    init_options.log = log;
    init_options.backend = a->run.backend;
    init_options.threads = a->run.threads > INT_MAX ? INT_MAX : (int)a->run.threads;
    init_options.batch = a->run.batch;
    init_options.input = a->probe.data.input;
    init_options.output = a->probe.data.output_name;
    int code = cli_check_output("-o", a->out, read, a->probe.data.data ? 2 : 1);
    if (!code) code = cli_load(&model, a->model, &log);
    if (!code) code = probe_load(&sets, &a->probe, NULL, model, &log);
    init_options.data = sets.data;
    if (!code) code = cli_status(tonnx_init(model, &init_options));
    if (!code) code = cli_save(model, a->out, &log);
    data_free(&sets);
    tonnx_model_free(model);
    return code;
}

const command cmd_init = {
    "init",
    "re-initialises a model's weights",
    "Norms get scale 1 and shift 0, running statistics 0 and 1, slopes 0.25.",
    examples,
    operands,
    groups,
    sizeof(args),
    init,
};
