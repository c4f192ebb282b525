/* What keeps the net from learning, in words, the gravest first. */
#include <ctype.h>

#include "cli/report/inspect_parts.h"

/* How a severity stands on the page: its class in the style sheet, and the word before the verdict. */
static const struct {
    const char *style, *word;
} looks[] = { { "note", "note" }, { "warn", "warning" }, { "fail", "fails" } };

static void add_sentence(report_page *page, const char *text)
{
    page_add(page, "%c", toupper((unsigned char)*text));
    page_text(page, text + 1);
}

static void add_verdict(report_page *page, const tonnx_verdict *verdict, const tonnx_rule_info *rule)
{
    page_add(page, "<li class=\"%s\"><span class=\"word\">%s</span><strong>%s</strong><br>",
             looks[rule->severity].style, looks[rule->severity].word, rule->name);
    if (verdict->layer) {
        page_add(page, "<code>");
        page_text(page, verdict->layer);
        page_add(page, "</code>");
        if (verdict->layers > 1) page_add(page, ", the worst of %zu layers", verdict->layers);
        page_add(page, ": ");
    }
    if (verdict->layer) page_text(page, verdict->message);
    else add_sentence(page, verdict->message);
    page_add(page, ".<br><span class=\"rule\">Expected: ");
    page_text(page, rule->expected);
    page_add(page, ".</span><code class=\"fix\">");
    page_text(page, verdict->fix);
    page_add(page, "</code></li>\n");
}

/* How many rules hold, and what the others would have needed. */
static void add_rest(report_page *page, const report_inspection *found)
{
    size_t judged = 0;
    for (int i = 0; i < TONNX_RULE_COUNT; i++) judged += found->diagnosis->judged[i];
    page_add(page, "<li class=\"good\"><span class=\"word\">ok</span>%zu of %zu rules that were judged hold",
             judged - found->diagnosis->verdict_count, judged);
    page_add(page, found->diagnosis->fresh ? "; the net is untrained." : "; the net has been trained.");
    if (judged < TONNX_RULE_COUNT)
        page_add(page,
                 " <span class=\"rule\">%zu more need real data or targets (<code>--data</code>, <code>--target</code>)."
                 "</span>",
                 TONNX_RULE_COUNT - judged);
    page_add(page, "</li>\n");
}

void inspect_part_verdicts(report_page *page, const report_inspection *found)
{
    page_section(page, "Verdicts",
                 found->diagnosis->verdict_count
                     ? "What keeps the net from learning, each with the command that mends it."
                     : NULL);
    page_add(page, "<ul class=\"verdicts\">\n");
    for (int severity = TONNX_SEVERITY_FAIL; severity >= TONNX_SEVERITY_NOTE; severity--)
        for (size_t i = 0; i < found->diagnosis->verdict_count; i++) {
            tonnx_rule_info rule;
            tonnx_rule_describe(found->diagnosis->verdicts[i].rule, &rule);
            if ((int)rule.severity == severity) add_verdict(page, &found->diagnosis->verdicts[i], &rule);
        }
    add_rest(page, found);
    page_add(page, "</ul>\n");
}
