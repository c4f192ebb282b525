/* tonnx convert: between ONNX and files of weights. */
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/init_args.h"
#include "converters/weights.h"

typedef struct args {
    opt_common common;
    const char *in, *out, *model, *act, *output_act;
    uint64_t opset;
    bool partial;
} args;

#define AT(field) offsetof(args, field)
static const opt options[] = {
    { "model", 'm', OPT_FILE, AT(model), "MODEL", NULL,
      "the ONNX file whose graph is kept: weights go into it by name [a new MLP, inferred]", NULL, OPT_FREE },
    { "partial", 0, OPT_FLAG, AT(partial), NULL, NULL, "with --model: leave alone what only one side has", NULL,
      OPT_FREE },
    { "act", 0, OPT_WORD, AT(act), "NAME", "relu", "hidden activation of a new MLP", &activation_words, OPT_FREE },
    { "output-act", 0, OPT_WORD, AT(output_act), "NAME", "none", "what stands at its end", &output_act_words,
      OPT_FREE },
    { "opset", 0, OPT_POSITIVE, AT(opset), "N", "17", "its ONNX opset", NULL, OPT_FREE },
    { 0 },
};
#undef AT

static const opt_group groups[] = { { "Conversion", options, 0 }, { 0 } };
static const opt_operand operands[] = {
    { "IN", offsetof(args, in), false, ".onnx, .npz or .safetensors" },
    { "OUT", offsetof(args, out), false, "the same, by extension" },
    { 0 },
};
static const char *const examples[] = {
    "tonnx convert model.onnx weights.safetensors",
    "tonnx convert weights.npz --model model.onnx filled.onnx",
    "tonnx convert weights.safetensors --act tanh mlp.onnx",
    NULL,
};

static bool is_onnx(const char *path)
{
    const size_t length = strlen(path);
    return !strcmp(path, "-") || (length > 5 && !strcmp(path + length - 5, ".onnx"));
}

/* Whether a new MLP is described otherwise than by default. */
static bool describes_mlp(const args *a)
{
    const tonnx_weights_options usual = TONNX_WEIGHTS_OPTIONS_DEFAULT;
    return strcmp(a->act, usual.activation) != 0 || strcmp(a->output_act, usual.output_activation) != 0 ||
           a->opset != (uint64_t)usual.opset;
}

static int check_kinds(const args *a)
{
    const char *const paths[] = { a->in, a->out };
    for (size_t i = 0; i < 2; i++)
        if (!is_onnx(paths[i]) && !tonnx_weights_known(paths[i]))
            return cli_usage("convert: %s: want .onnx, .npz or .safetensors", paths[i]);
    if (is_onnx(a->in) && is_onnx(a->out)) return cli_usage("convert: %s and %s are both ONNX", a->in, a->out);
    if (a->model && !is_onnx(a->out)) return cli_usage("convert: --model is for an OUT of .onnx, not %s", a->out);
    if (describes_mlp(a) && (a->model || !is_onnx(a->out)))
        return cli_usage("convert: --act, --output-act and --opset are for a new MLP, inferred into an OUT of .onnx");
    if (a->partial && !a->model) return cli_usage("convert: --partial needs --model");
    return 0;
}

static int out_of_model(const args *a, const tonnx_log *log)
{
    tonnx_weights_options weights = TONNX_WEIGHTS_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    weights.log = *log;
    int code = cli_load(&model, a->in, log);
    if (!code) code = cli_check_source("OUT", a->out, model);
    if (!code) code = cli_status(tonnx_weights_save(model, a->out, &weights));
    tonnx_model_free(model);
    return code;
}

static int into_model(const args *a, const tonnx_log *log)
{
    tonnx_weights_options weights = TONNX_WEIGHTS_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    int code = 0;
    weights.partial = a->partial;
    weights.activation = a->act;
    weights.output_activation = a->output_act;
    weights.opset = (int64_t)a->opset;
    weights.log = *log;
    if (a->model) code = cli_load(&model, a->model, log);
    if (!code)
        code = cli_status(a->model ? tonnx_weights_load(model, a->in, &weights)
                                   : tonnx_weights_model(&model, a->in, &weights));
    if (!code) code = cli_save(model, a->out, log);
    tonnx_model_free(model);
    return code;
}

static int convert(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    const char *const read[] = { a->in, a->model };
    int code = check_kinds(a);
    if (!code) code = cli_check_output("OUT", a->out, read, sizeof read / sizeof *read);
    if (code) return code;
    if (is_onnx(a->in)) return out_of_model(a, &log);
    return is_onnx(a->out) ? into_model(a, &log) : cli_status(tonnx_weights_copy(a->in, a->out));
}

const command cmd_convert = {
    "convert",
    "weights out of a model, into one, or into a new MLP: ONNX, .npz, .safetensors",
    "Bits are kept, of float64 and float16 too. Without --model, layers are inferred from names and shapes: fc1.weight "
    "[out, in] or [in, out], fc1.bias [out], in the order of the names' numbers.",
    examples,
    operands,
    groups,
    sizeof(args),
    convert,
};
