/* tonnx new: an ONNX MLP from nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/cli.h"
#include "cli/init_args.h"
#include "cli/print.h"
#include "runtime/init.h"

typedef struct args {
    opt_common common;
    const char *widths, *out, *act, *output_act, *norm, *norm_place, *init;
    double dropout;
    uint64_t opset;
    init_args draw;
} args;

static const char *norm_at(size_t i)
{
    static const char *const words[] = { "none", "batch", "layer" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *place_at(size_t i)
{
    static const char *const words[] = { "before", "after" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const opt_words norm_words = { norm_at, NULL }, place_words = { place_at, NULL };

#define AT(field) offsetof(args, field)
static const opt options[] = {
    { "out", 'o', OPT_FILE, AT(out), "OUT", NULL, "the model", NULL, OPT_NEEDED },
    { "act", 0, OPT_WORD, AT(act), "NAME", "relu", "hidden activation, with attributes where wanted (leaky_relu:0.2)",
      &activation_words, OPT_FREE },
    { "output-act", 0, OPT_WORD, AT(output_act), "NAME", "none", "what stands at the end", &output_act_words,
      OPT_FREE },
    { "norm", 0, OPT_WORD, AT(norm), "NAME", "none", "norm of the hidden layers", &norm_words, OPT_FREE },
    { "norm-place", 0, OPT_WORD, AT(norm_place), "WHERE", "before", "where it stands to the activation", &place_words,
      OPT_FREE },
    { "dropout", 0, OPT_SHARE, AT(dropout), "P", "0", "after every hidden activation", NULL, OPT_FREE },
    { "init", 0, OPT_WORD, AT(init), "SCHEME", NULL, "initialisation [auto; with --rng torch: torch-default]",
      &scheme_words, OPT_FREE },
    { "opset", 0, OPT_POSITIVE, AT(opset), "N", "17", "ONNX opset to write", NULL, OPT_FREE },
    { 0 },
};

static const opt_group groups[] = { { "Model", options, 0 },
                                    { "How numbers are drawn", init_shared_options, AT(draw) },
                                    { 0 } };
static const opt_operand operands[] = {
    { "WIDTHS", AT(widths), false, "features in, hidden widths, features out: 784-128-10" }, { 0 }
};
static const char *const examples[] = {
    "tonnx new 784-128-10 -o mlp.onnx",
    "tonnx new 4-16-16-3 --act elu --norm batch --dropout 0.1 --output-act softmax -o iris.onnx",
    "tonnx new 784-128-10 --rng torch --seed 0 -o as-torch-would.onnx",
    NULL,
};

/* "784-128-10" into *widths, which the caller frees. */
static int parse_widths(const char *text, size_t **widths, size_t *count)
{
    const char *at = text;
    char *end;
    *count = 0;
    *widths = cli_alloc(strlen(text) + 1, sizeof **widths);
    for (;;) {
        const unsigned long long width = *at >= '0' && *at <= '9' ? strtoull(at, &end, 10) : 0;
        if (!width || width > INT32_MAX || (*end && *end != '-'))
            return cli_usage("new: '%s': want widths such as 784-128-10", text);
        (*widths)[(*count)++] = (size_t)width;
        if (!*end) break;
        at = end + 1;
    }
    return *count < 2 ? cli_usage("new: '%s': want at least two widths, such as 784-10", text) : 0;
}

/* What was written, and what one does with it next. */
static void say_written(const args *a, const size_t *widths, size_t count)
{
    uint64_t layers = count - 1;
    if (a->common.quiet || !strcmp(a->out, "-")) return;
    fprintf(stderr,
            "wrote %s: %zu -> %zu features, %s layer%s; train it: tonnx train %s --data FILE --target FILE -o "
            "trained.onnx\n",
            a->out, widths[0], widths[count - 1], print_count(layers), layers == 1 ? "" : "s", a->out);
}

/* With torch's generator it is as if a PyTorch module were constructed, which draws every layer's default, and the scheme
 * called after that. */
static void settle_scheme(const args *a, tonnx_init_options *init)
{
    const bool torch = strcmp(a->draw.rng, "tonnx") != 0;
    init->scheme = a->init ? a->init : torch ? "torch-default" : "auto";
    if (torch) init->rng = "torch-after-default";
}

static int create(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    tonnx_mlp_options mlp = TONNX_MLP_OPTIONS_DEFAULT;
    tonnx_init_options init = TONNX_INIT_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    size_t *widths = NULL, count;
    mlp.activation = a->act;
    mlp.output_activation = a->output_act;
    mlp.norm = a->norm;
    mlp.norm_after = !strcmp(a->norm_place, "after");
    mlp.dropout = a->dropout;
    mlp.opset = (int64_t)a->opset;
    mlp.log = log;
    mlp.init = &init;
    init.log = log;
    init_args_apply(&a->draw, &init);
    settle_scheme(a, &init);
    int code = parse_widths(a->widths, &widths, &count);
    if (!code) code = cli_check_output("-o", a->out, NULL, 0);
    if (!code) code = cli_status(tonnx_model_mlp(&model, widths, count, &mlp));
    if (!code) code = cli_save(model, a->out, &log);
    if (!code) say_written(a, widths, count);
    tonnx_model_free(model);
    free(widths);
    return code;
}

const command cmd_new = { "new", "creates an ONNX MLP", NULL, examples, operands, groups, sizeof(args), create };
