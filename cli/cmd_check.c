/* tonnx check: the verdicts on a model, each with the command that mends it. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/inspection.h"
#include "cli/print.h"

typedef struct args {
    opt_common common;
    const char *model;
    bool rules;
    probe_args probe;
    step_args step;
    run_args run;
} args;

static const opt options[] = {
    { "rules", 0, OPT_FLAG, offsetof(args, rules), NULL, NULL, "list the rules: what is measured, and what is expected",
      NULL, OPT_FREE },
    { 0 },
};

static const opt_group groups[] = {
    { "Check", options, 0 },
    { "Data", probe_options, offsetof(args, probe) },
    { "How it is read", data_options + 1, offsetof(args, probe.data) },
    { "Gradients", step_options, offsetof(args, step) },
    { "Run", run_options, offsetof(args, run) },
    { 0 },
};
static const opt_operand operands[] = { { "MODEL", offsetof(args, model), true, "the ONNX file" }, { 0 } };
static const char *const examples[] = { "tonnx check model.onnx && echo sound",
                                        "tonnx check model.onnx --data x.npy --target y.npy",
                                        "tonnx check model.onnx --data x.npy --target y.npy --optimizer sgd --lr 0.1",
                                        "tonnx check --rules", NULL };

static void print_line(const char *what, const char *text)
{
    enum { INDENT = 14 };
    printf("    %-10s", what);
    print_wrapped(text, INDENT, PRINT_COLUMNS);
}

static int list_rules(void)
{
    for (int i = 0; i < TONNX_RULE_COUNT; i++) {
        tonnx_rule_info rule;
        tonnx_rule_describe((tonnx_rule)i, &rule);
        print_set_style(stdout, PRINT_BOLD);
        fputs(rule.name, stdout);
        print_set_style(stdout, PRINT_PLAIN);
        printf("  %s, from %s\n", tonnx_severity_name(rule.severity), tonnx_needs_name(rule.needs));
        print_line("measures", rule.measured);
        print_line("expects", rule.expected);
        print_line("mends", rule.fix);
    }
    return 0;
}

/* How many rules hold, and what the others would have needed. */
static void print_rest(const inspection *in, const args *a)
{
    const tonnx_diagnosis *diagnosis = in->diagnosis;
    size_t judged = 0;
    for (int i = 0; i < TONNX_RULE_COUNT; i++) judged += diagnosis->judged[i];
    print_set_style(stdout, PRINT_GREEN);
    fputs("ok", stdout);
    print_set_style(stdout, PRINT_PLAIN);
    printf("    %zu of %d rules hold: %zu layers, %s parameters, %s\n", judged - diagnosis->verdict_count,
           TONNX_RULE_COUNT, in->stats->layer_count, print_count(tonnx_net_parameters(in->net)),
           diagnosis->fresh ? "untrained" : "trained");
    const size_t left = (size_t)TONNX_RULE_COUNT - judged;
    if (left && !a->probe.data.data) printf("      %zu more can be judged on --data, with --target\n", left);
    else if (left && probe_is_made_up(&a->probe))
        printf("      %zu more can be judged on real --data, with --target\n", left);
    else if (left) printf("      %zu more can be judged with --target\n", left);
}

static int check(void *opaque)
{
    const args *a = opaque;
    const inspection_args how = { .model = a->model,
                                  .probe = &a->probe,
                                  .step = &a->step,
                                  .run = &a->run,
                                  .probe_always = true,
                                  .log = cli_log(&a->common) };
    inspection in = { 0 };
    if (a->rules) return list_rules();
    if (!a->model) return cli_usage("check: MODEL is missing (or --rules, which lists what is judged)");
    int code = inspection_open(&in, &how);
    if (!code) {
        inspection_print_verdicts(&in);
        print_rest(&in, a);
        if (in.diagnosis->fails) code = EXIT_DIFFERENT;
    }
    inspection_close(&in);
    return code;
}

const command cmd_check = {
    "check",
    "verdicts on a model: what keeps it from learning, and the command that mends it",
    "A FAIL exits with 1, a WARN or note with 0. Without --data an untrained model is judged on 256 unit-normal "
    "samples; a "
    "trained one by its weights alone, as made-up samples say nothing of it. Weights are taken for untrained where "
    "they are as some initialisation draws them.",
    examples,
    operands,
    groups,
    sizeof(args),
    check,
};
