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

/* "[3, 17]", or "[17]" of a vector. */
static void print_position(const tonnx_parameter_info *info, size_t index)
{
    if (info->rows > 1) printf("[%zu, %zu]", index / info->cols, index % info->cols);
    else printf("[%zu]", index);
}

static void report(const tonnx_parameter_info *info, const double *values, const weight_stats *stats)
{
    verdict(false, "FAIL");
    printf("  finite-weights  %s", info->name);
    print_position(info, stats->first_not_finite);
    printf(" is %g", values[stats->first_not_finite]);
    if (stats->not_finite > 1) printf(", and %s more are not finite", print_count(stats->not_finite - 1));
    putchar('\n');
}

/* Every parameter's elements are finite. Other constants of the graph may be what they like: the maximum of nothing is
 * -inf. */
static bool check_finite(const tonnx_net *net)
{
    const size_t count = tonnx_net_parameter_count(net);
    uint64_t elements = 0;
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        tonnx_parameter_info info;
        weight_stats stats;
        tonnx_net_parameter(net, i, &info);
        double *values = cli_alloc(info.rows * info.cols, sizeof *values);
        tonnx_net_read(net, i, values);
        weights_measure(values, info.rows * info.cols, &stats);
        if (stats.not_finite) report(&info, values, &stats);
        good = good && !stats.not_finite;
        elements += stats.count;
        free(values);
    }
    if (!good) return false;
    verdict(true, "ok");
    printf("    finite-weights  %s element%s of %zu tensor%s\n", print_count(elements), elements == 1 ? "" : "s", count,
           count == 1 ? "" : "s");
    return true;
}

static int check(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    int code = cli_load(&model, a->model, &log);
    if (!code) code = cli_status(tonnx_net_new(&net, model, NULL));
    if (!code && !check_finite(net)) code = EXIT_DIFFERENT;
    if (net) {
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
