/* tonnx ops: the op book, printed from its rows. */
#include <math.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/report/report.h"
#include "runtime/ops/book.h"

typedef struct args {
    opt_common common;
    bool markdown;
    const char *html;
} args;

static const opt options[] = {
    { "markdown", 0, OPT_FLAG, offsetof(args, markdown), NULL, NULL, "as the README's table", NULL, OPT_FREE },
    { "html", 0, OPT_FILE, offsetof(args, html), "FILE", NULL,
      "a page that draws each activation with its derivative, losses and schedules", NULL, OPT_FREE },
    { 0 },
};
static const opt_group groups[] = { { "Listing", options, 0 }, { 0 } };
static const char *const examples[] = { "tonnx ops", "tonnx ops --html ops.html", NULL };

/* "alpha 0.2, beta 0.5" */
static void attributes(const tonnx_activation_info *info, char *text, size_t size)
{
    text[0] = '\0';
    if (*info->a_name && *info->b_name)
        snprintf(text, size, "%s %.6g, %s %.6g", info->a_name, info->a_default, info->b_name, info->b_default);
    else if (*info->a_name)
        snprintf(text, size, "%s %.6g%s", info->a_name, info->a_default, info->trained ? ", trained" : "");
}

static void print_activations(void)
{
    static const char *const head[] = { "activation", "ONNX op", "since", "attributes", "gain" };
    print_table *table = print_table_new("llrlr");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) print_table_cell(table, "%s", head[i]);
    for (int act = 0; act < TONNX_ACT_COUNT; act++) {
        tonnx_activation_info info;
        char text[96];
        tonnx_activation_describe((tonnx_activation)act, &info);
        attributes(&info, text, sizeof text);
        print_table_cell(table, "%s", info.name);
        print_table_cell(table, "%s", *info.onnx_op ? info.onnx_op : "(several nodes)");
        if (info.since) print_table_cell(table, "%d", info.since);
        else print_table_cell(table, "%s", "");
        print_table_cell(table, "%s", text);
        print_table_cell(table, "%.4f", info.gain);
    }
    print_table_end(table, stdout);
}

static void cell_number(print_table *table, double number)
{
    if (isnan(number)) print_table_cell(table, "%s", "");
    else print_table_cell(table, "%g", number);
}

static void print_optimizers(void)
{
    static const char *const head[] = { "optimizer", "lr", "momentum", "beta1", "beta2", "rho", "eps", "decay" };
    print_table *table = print_table_new("lrrrrrrl");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) print_table_cell(table, "%s", head[i]);
    for (int i = 0; i < TONNX_OPTIMIZER_COUNT; i++) {
        tonnx_optimizer_info info;
        tonnx_optimizer_describe((tonnx_optimizer)i, &info);
        print_table_cell(table, "%s", info.name);
        const double numbers[] = { info.rate, info.momentum, info.beta1, info.beta2, info.rho, info.eps };
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) cell_number(table, numbers[k]);
        print_table_cell(table, "%g%s", info.decay, info.decoupled ? " (decoupled)" : "");
    }
    print_table_end(table, stdout);
}

static const char *loss_at(int i)
{
    return i < TONNX_LOSS_COUNT ? tonnx_loss_name((tonnx_loss)i) : NULL;
}

static const char *schedule_at(int i)
{
    return i < TONNX_SCHEDULE_COUNT ? tonnx_schedule_name((tonnx_schedule)i) : NULL;
}

static const char *scheme_at(int i)
{
    return i < TONNX_INIT_COUNT ? tonnx_scheme_usage((tonnx_scheme)i) : NULL;
}

static const char *optimizer_at(int i)
{
    tonnx_optimizer_info info;
    if (i >= TONNX_OPTIMIZER_COUNT) return NULL;
    tonnx_optimizer_describe((tonnx_optimizer)i, &info);
    return info.name;
}

static void print_names(const char *title, const char *(*at)(int i), const char *quote, const char *end)
{
    const char *name;
    printf("%s", title);
    for (int i = 0; (name = at(i)); i++) printf("%s%s%s%s", i ? ", " : "", quote, name, quote);
    fputs(end, stdout);
}

static void print_markdown(void)
{
    puts("| activation | ONNX op | since opset | attributes | init gain |\n|---|---|---|---|---|");
    for (int act = 0; act < TONNX_ACT_COUNT; act++) {
        tonnx_activation_info info;
        char text[96], since[16] = "";
        tonnx_activation_describe((tonnx_activation)act, &info);
        attributes(&info, text, sizeof text);
        if (info.since) snprintf(since, sizeof since, "%d", info.since);
        printf("| `%s` | %s | %s | %s | %.4f |\n", info.name, *info.onnx_op ? info.onnx_op : "several nodes", since,
               text, info.gain);
    }
    puts("\n| kind | names |\n|---|---|");
    print_names("| losses | ", loss_at, "`", " |\n");
    print_names("| optimizers | ", optimizer_at, "`", " |\n");
    print_names("| schedules | ", schedule_at, "`", " |\n");
    print_names("| initialisers | ", scheme_at, "`", " |\n");
}

static int ops(void *opaque)
{
    const args *a = opaque;
    if (a->html && a->markdown) return cli_usage("ops: --html and --markdown exclude each other");
    if (a->html) return report_ops(a->html);
    if (a->markdown) {
        print_markdown();
        return 0;
    }
    print_activations();
    putchar('\n');
    print_optimizers();
    putchar('\n');
    print_names("losses        ", loss_at, "", "\n");
    print_names("schedules     ", schedule_at, "", "\n");
    print_names("initialisers  ", scheme_at, "", "\n");
    return 0;
}

const command cmd_ops = {
    "ops",        "the op book: activations, losses, optimizers, schedules, initialisers",
    NULL,         examples,
    NULL,         groups,
    sizeof(args), ops,
};
