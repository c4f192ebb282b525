#include "cli/inspection.h"

#include <stdio.h>
#include <string.h>

#include "cli/print.h"

enum { WORDS = 32 };

/* The options that say which data was looked at, as words; `list` has room for WORDS. */
static const char *const *data_words(const probe_args *probe, char limit[24], const char **list)
{
    const data_args *d = &probe->data;
    const struct {
        const char *option, *value, *fallback;
    } rows[] = { { "--data", d->data, NULL },
                 { "--target", d->target, NULL },
                 { "--x-key", d->x_key, NULL },
                 { "--y-key", d->y_key, NULL },
                 { "--index-base", d->index_base, "1" },
                 { "--header", d->header, "auto" },
                 { "--limit", limit, "" },
                 { "--scale", d->scale, "auto" },
                 { "--input", d->input, NULL },
                 { "--output", d->output_name, NULL } };
    size_t count = 0;
    *limit = '\0';
    if (d->limit) snprintf(limit, 24, "%llu", (unsigned long long)d->limit);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && d->data; i++) {
        if (!rows[i].value || (rows[i].fallback && !strcmp(rows[i].value, rows[i].fallback))) continue;
        list[count++] = rows[i].option;
        list[count++] = rows[i].value;
    }
    list[count] = NULL;
    return list;
}

/* Where --data is left out: enough samples to see a signal, few where every one is much work. */
static int take_made_up(inspection *in, const inspection_args *args)
{
    const size_t samples = tonnx_net_parameters(in->net) > 10000000 ? 64 : 256;
    return cli_status(tonnx_dataset_gaussian(&in->sets.data, samples, tonnx_net_features_in(in->net),
                                             tonnx_net_features_out(in->net), args->probe->seed));
}

static bool has_batch_norm(const tonnx_net *net)
{
    for (size_t i = 0; i < tonnx_net_layer_count(net); i++) {
        tonnx_layer_info layer;
        tonnx_net_layer(net, i, &layer);
        if (!strcmp(layer.kind, "batchnorm")) return true;
    }
    return false;
}

static int judge(inspection *in, const inspection_args *args, tonnx_stats_options *how)
{
    tonnx_diagnose_options options = TONNX_DIAGNOSE_OPTIONS_DEFAULT;
    const char *words[WORDS];
    char limit[24];
    tonnx_stats *as_trained = NULL;
    tonnx_status status = TONNX_OK;
    how->fresh_batch_statistics = true;
    how->histograms = how->spectral = false;
    how->map_samples = 0;
    if (in->sets.data && has_batch_norm(in->net))
        status = tonnx_stats_measure(&as_trained, in->net, in->sets.data, how);
    options.model = args->model;
    options.data = data_words(args->probe, limit, words);
    options.loss = strcmp(args->step->loss, "auto") != 0 ? args->step->loss : NULL;
    options.assumed = !args->probe->data.data;
    options.made_up = !args->probe->data.data || probe_is_made_up(args->probe);
    options.log = args->log;
    if (!status) status = tonnx_diagnose(&in->diagnosis, in->net, as_trained ? as_trained : in->stats, &options);
    tonnx_stats_free(as_trained);
    return cli_status(status);
}

int inspection_open(inspection *in, const inspection_args *args)
{
    tonnx_net_options net = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_stats_options how = TONNX_STATS_OPTIONS_DEFAULT;
    net.input = args->probe->data.input;
    net.output = args->probe->data.output_name;
    net.log = args->log;
    probe_apply(args->step, args->run, &args->log, &how);
    how.spectral = args->spectral;
    how.histograms = args->histograms;
    how.map_samples = args->map_samples;
    int code = cli_load(&in->model, args->model, &args->log);
    if (!code) code = probe_load(&in->sets, args->probe, args->step->loss, in->model, &args->log);
    if (!code) code = cli_status(tonnx_net_new(&in->net, in->model, &net));
    if (!code && !in->sets.data && args->probe_always) code = take_made_up(in, args);
    const bool made_up = !args->probe->data.data || probe_is_made_up(args->probe);
    if (!code && made_up && how.loss == TONNX_LOSS_AUTO && tonnx_net_features_out(in->net) == 1)
        how.loss = TONNX_MSE; /* made-up numbers are no probabilities */
    if (!code) code = cli_status(tonnx_stats_measure(&in->stats, in->net, in->sets.data, &how));
    return code ? code : judge(in, args, &how);
}

void inspection_close(inspection *in)
{
    tonnx_diagnosis_free(in->diagnosis);
    tonnx_stats_free(in->stats);
    data_free(&in->sets);
    tonnx_net_free(in->net);
    tonnx_model_free(in->model);
    *in = (inspection){ 0 };
}

static void print_severity(tonnx_severity severity)
{
    static const char *const words[] = { "note", "WARN", "FAIL" };
    static const print_style styles[] = { PRINT_DIM, PRINT_YELLOW, PRINT_RED };
    print_set_style(stdout, styles[severity]);
    fputs(words[severity], stdout);
    print_set_style(stdout, PRINT_PLAIN);
}

static void print_verdict(const tonnx_verdict *verdict, const tonnx_rule_info *rule)
{
    char text[512], where[192] = "";
    if (verdict->layer) snprintf(where, sizeof where, "%s", verdict->layer);
    if (verdict->layer && verdict->layers > 1)
        snprintf(where + strlen(where), sizeof where - strlen(where), ", the worst of %zu layers", verdict->layers);
    snprintf(text, sizeof text, "%s%s%s", where, *where ? ": " : "", verdict->message);
    print_severity(rule->severity);
    printf("  %s\n", rule->name);
    fputs("      ", stdout);
    print_wrapped(text, 6, PRINT_COLUMNS);
    fputs("      mend it: ", stdout);
    print_clean(verdict->fix, SIZE_MAX);
    putchar('\n');
}

void inspection_print_verdicts(const inspection *in)
{
    for (int severity = TONNX_SEVERITY_FAIL; severity >= 0; severity--)
        for (size_t i = 0; i < in->diagnosis->verdict_count; i++) {
            const tonnx_verdict *verdict = &in->diagnosis->verdicts[i];
            tonnx_rule_info rule;
            tonnx_rule_describe(verdict->rule, &rule);
            if ((int)rule.severity == severity) print_verdict(verdict, &rule);
        }
}
