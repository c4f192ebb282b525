/* tonnx init: fresh weights for a model that is there. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/init_words.h"
#include "runtime/init.h"

typedef struct args {
    opt_common common;
    const char *model, *out, *scheme, *bias;
    const char **layers;
    uint64_t seed;
} args;

#define AT(field) offsetof(args, field)
static const opt options[] = {
    { "out", 'o', OPT_FILE, AT(out), "OUT", NULL, "the model with fresh weights", NULL, OPT_NEEDED },
    { "scheme", 0, OPT_WORD, AT(scheme), "SCHEME", "auto", "initialisation (auto: by the activation that follows)",
      &scheme_words, OPT_FREE },
    { "layer", 0, OPT_LIST, AT(layers), "GLOB", NULL, "only layers or weights of that name", NULL, OPT_FREE },
    { "bias", 0, OPT_WORD, AT(bias), "SCHEME", NULL, "of the biases [zeros, or what the scheme says]", &scheme_words,
      OPT_FREE },
    { "seed", 0, OPT_COUNT, AT(seed), "N", "0", "same seed, same bits", NULL, OPT_FREE },
    { 0 },
};

static const opt_group groups[] = { { "Initialisation", options, 0 }, { 0 } };
static const opt_operand operands[] = { { "MODEL", AT(model), false, "the ONNX file; it is never written to" }, { 0 } };
static const char *const examples[] = {
    "tonnx init model.onnx -o fresh.onnx",
    "tonnx init model.onnx --scheme he-normal --layer 'fc*' --seed 7 -o fresh.onnx",
    NULL,
};

static int init(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    const char *const read[] = { a->model };
    tonnx_init_options init_options = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    init_options.scheme = a->scheme;
    init_options.bias = a->bias;
    init_options.layers = a->layers;
    init_options.seed = a->seed;
    init_options.log = log;
    int code = cli_check_output("-o", a->out, read, 1);
    if (!code) code = cli_load(&model, a->model, &log);
    if (!code) code = cli_status(tonnx_init(model, &init_options));
    if (!code) code = cli_save(model, a->out, &log);
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
