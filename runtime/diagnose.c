/* The diagnosis: every rule of the table is asked, in order. */
#include "runtime/diagnose.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/diagnose_impl.h"
#include "runtime/mem_impl.h"
#include "runtime/options_impl.h"

typedef bool (*judge)(const tonnx__case *c, tonnx__finding *f);

static const judge judges[] = {
#define TONNX_RULE(id, ...) tonnx__judge_##id,
#include "runtime/rules.def"
#undef TONNX_RULE
};

void tonnx_rule_describe(tonnx_rule rule, tonnx_rule_info *out)
{
    static const tonnx_rule_info rows[] = {
#define TONNX_RULE(id, name, severity, needs, measured, expected, fix)                                                 \
    { name, TONNX_SEVERITY_##severity, TONNX_NEEDS_##needs, measured, expected, fix },
#include "runtime/rules.def"
#undef TONNX_RULE
    };
    *out = rows[rule];
}

const char *tonnx_severity_name(tonnx_severity severity)
{
    static const char *const names[] = { "note", "warn", "fail" };
    return names[severity];
}

const char *tonnx_needs_name(tonnx_needs needs)
{
    static const char *const names[] = { "weights", "data", "targets" };
    return names[needs];
}

void tonnx__finding_say(tonnx__finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->message, sizeof f->message, format, args);
    va_end(args);
}

void tonnx__finding_mark(tonnx__finding *f, size_t dense, double badness)
{
    bool any = false;
    for (size_t d = 0; d < dense; d++) any = any || f->found[d];
    if (!any || badness > f->badness) {
        f->worst = dense;
        f->badness = badness;
    }
    f->found[dense] = true;
}

tonnx__cure tonnx__cure_of_signal(const tonnx__case *c)
{
    if (c->unscaled) return c->stats->loss_kind == TONNX_LOSS_AUTO ? TONNX__CURE_LSUV : TONNX__CURE_SCALE;
    return tonnx__case_holds(c) < TONNX__SIGNAL_LEFT ? TONNX__CURE_BATCH : TONNX__CURE_ALL;
}

/* Rules that made-up samples have no say in. */
static bool wants_real(tonnx_rule rule, bool assumed)
{
    return rule == TONNX_RULE_running_statistics || rule == TONNX_RULE_learning_rate_high ||
           rule == TONNX_RULE_learning_rate_low || (assumed && rule == TONNX_RULE_dead_units);
}

static bool is_judged(const tonnx__case *c, tonnx_rule rule)
{
    tonnx_rule_info row;
    tonnx_rule_describe(rule, &row);
    if (row.needs == TONNX_NEEDS_WEIGHTS) return true;
    if (!c->speaks || (c->options->made_up && wants_real(rule, c->options->assumed))) return false;
    return row.needs == TONNX_NEEDS_DATA || c->stats->loss_kind != TONNX_LOSS_AUTO;
}

static tonnx_status add_verdict(tonnx_diagnosis *diagnosis, const tonnx__case *c, tonnx_rule rule,
                                const tonnx__finding *f)
{
    tonnx_rule_info row;
    tonnx_verdict *verdict = &diagnosis->verdicts[diagnosis->verdict_count++];
    tonnx_rule_describe(rule, &row);
    *verdict = (tonnx_verdict){ .rule = rule, .layer = f->layer, .measured = f->measured, .expected = f->expected };
    for (size_t d = 0; d < c->dense_count; d++) verdict->layers += f->found[d];
    if (verdict->layers && !verdict->layer) verdict->layer = c->net->layers[c->dense[f->worst].layer].name;
    diagnosis->fails += row.severity == TONNX_SEVERITY_FAIL;
    diagnosis->warnings += row.severity == TONNX_SEVERITY_WARN;
    const tonnx_status status = tonnx__strdup(&verdict->message, f->message);
    return status ? status : tonnx__fix(&verdict->fix, c, f);
}

static tonnx_status ask(tonnx_diagnosis *diagnosis, tonnx__case *c, tonnx_rule rule)
{
    tonnx__finding f = { .measured = NAN, .expected = NAN };
    diagnosis->judged[rule] = is_judged(c, rule);
    if (!diagnosis->judged[rule]) return TONNX_OK;
    tonnx_status status = tonnx__alloc(&f.found, c->dense_count, sizeof *f.found);
    if (!status && judges[rule](c, &f)) {
        c->unscaled = c->unscaled || rule == TONNX_RULE_input_not_scaled;
        c->mismatched = c->mismatched || rule == TONNX_RULE_init_activation_mismatch;
        status = add_verdict(diagnosis, c, rule, &f);
    }
    tonnx__free(f.found);
    return status;
}

static tonnx_status judge_all(tonnx_diagnosis *diagnosis, tonnx__case *c)
{
    tonnx_status status = tonnx__alloc(&diagnosis->verdicts, TONNX_RULE_COUNT, sizeof *diagnosis->verdicts);
    if (!status) status = tonnx__alloc(&diagnosis->origins, c->stats->weight_count, sizeof *diagnosis->origins);
    if (!status) tonnx__case_tell_origins(c, diagnosis->origins);
    for (int rule = 0; rule < TONNX_RULE_COUNT && !status; rule++) status = ask(diagnosis, c, (tonnx_rule)rule);
    diagnosis->fresh = c->fresh;
    return status;
}

tonnx_status tonnx_diagnose(tonnx_diagnosis **out, const tonnx_net *net, const tonnx_stats *stats,
                            const tonnx_diagnose_options *options)
{
    tonnx_diagnose_options o = TONNX_DIAGNOSE_OPTIONS_DEFAULT;
    tonnx__case c = { 0 };
    tonnx_diagnosis *diagnosis = NULL;
    *out = NULL;
    tonnx_status status = tonnx__options_lay(&o, sizeof o, options, "TONNX_DIAGNOSE_OPTIONS_DEFAULT");
    if (!status) status = tonnx__alloc(&diagnosis, 1, sizeof *diagnosis);
    if (!status) status = tonnx__case_new(&c, net, stats, &o);
    if (!status) status = judge_all(diagnosis, &c);
    tonnx__case_clear(&c);
    if (status) tonnx_diagnosis_free(diagnosis);
    else *out = diagnosis;
    return status;
}

void tonnx_diagnosis_free(tonnx_diagnosis *diagnosis)
{
    if (!diagnosis) return;
    for (size_t i = 0; i < diagnosis->verdict_count; i++) {
        tonnx__free(diagnosis->verdicts[i].message);
        tonnx__free(diagnosis->verdicts[i].fix);
    }
    tonnx__free(diagnosis->verdicts);
    tonnx__free(diagnosis->origins);
    tonnx__free(diagnosis);
}
