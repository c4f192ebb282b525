/* tonnx check: the verdicts on a model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/print.h"
#include "cli/weights.h"
#include "runtime/net.h"

typedef struct args {
    opt_common common;
    const char *model;
} args;

static const opt_operand operands[] = { { "MODEL", offsetof(args, model), false, "the ONNX file" }, { 0 } };
static const char *const examples[] = { "tonnx check model.onnx && echo sound", NULL };

static void verdict(bool good, const char *word)
{
    print_set_style(stdout, good ? PRINT_GREEN : PRINT_RED);
    fputs(word, stdout);
    print_set_style(stdout, PRINT_PLAIN);
}

static void report(const tonnx_model *model, size_t i, const double *values, const weight_stats *stats)
{
    char position[256];
    tonnx_tensor_info info;
    tonnx_model_tensor(model, i, &info);
    weights_position(&info, stats->first_not_finite, position, sizeof position);
    verdict(false, "FAIL");
    printf("  finite-weights  %s%s is %g", info.name, position, values[stats->first_not_finite]);
    if (stats->not_finite > 1) printf(", and %s more are not finite", print_count(stats->not_finite - 1));
    putchar('\n');
}

/* Every float initializer's elements are finite; *bad counts the tensors where that fails. */
static int check_finite(const tonnx_model *model, size_t *bad)
{
    tonnx_model_info info;
    uint64_t elements = 0;
    int code = 0;
    tonnx_model_describe(model, &info);
    for (size_t i = 0; i < info.tensor_count && !code; i++) {
        tonnx_tensor_info tensor;
        weight_stats stats;
        double *values = weights_read(model, i, &code);
        tonnx_model_tensor(model, i, &tensor);
        weights_measure(values, values ? tensor.count : 0, &stats);
        if (stats.not_finite) report(model, i, values, &stats);
        *bad += stats.not_finite > 0;
        elements += stats.count;
        free(values);
    }
    if (!code && !*bad) {
        verdict(true, "ok");
        printf("    finite-weights  %s elements of %zu tensors\n", print_count(elements), info.tensor_count);
    }
    return code;
}

static int check(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    size_t bad = 0;
    int code = cli_load(&model, a->model, &log);
    if (!code) code = check_finite(model, &bad);
    if (!code && bad) code = EXIT_DIFFERENT;
    if (!code) code = cli_status(tonnx_net_new(&net, model, NULL));
    if (!code) {
        verdict(true, "ok");
        printf("    recognised      %zu layers, %s parameters\n", tonnx_net_layer_count(net),
               print_count(tonnx_net_parameters(net)));
    }
    tonnx_net_free(net);
    tonnx_model_free(model);
    return code;
}

const command cmd_check = {
    "check",
    "verdicts on a model: its weights are finite, its graph is one that tonnx trains",
    "Exits with 1 where a check fails.",
    examples,
    operands,
    NULL,
    sizeof(args),
    check,
};
