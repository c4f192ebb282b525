#include "cli/profile.h"

#include <time.h>

#include "cli/cli.h"
#include "cli/print.h"

double profile_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* While the rows come by. */
typedef struct sums {
    print_table *table;
    const tonnx_profile *profile;
    double wall, worked, waited; /* s */
    double pieces, meets;        /* of all calls */
} sums;

static void head(sums *s, const tonnx_profile_row *row)
{
    const char *const names[] = { "no",    "instruction", "result",           "calls",            "us",
                                  "share", "waits us",    s->profile->meets, s->profile->pieces, "rate" };
    if (row->number) return;
    if (row->program) {
        print_table_cell(s->table, "%s", "");
        print_table_cell(s->table, "%s", "last batch");
        for (size_t i = 2; i < sizeof names / sizeof *names; i++) print_table_cell(s->table, "%s", "");
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) print_table_cell(s->table, "%s", names[i]);
}

static void print_rate(print_table *table, const tonnx_profile_row *row)
{
    const double seconds = row->seconds / (double)row->calls;
    if (!(seconds > 0)) print_table_cell(table, "%s", "");
    else if (row->flops > 0) print_table_cell(table, "%.0f GFLOP/s", 1e-9 * row->flops / seconds);
    else print_table_cell(table, "%.3g GB/s", 1e-9 * row->bytes / seconds);
}

static void print_row(void *user, const tonnx_profile_row *row)
{
    sums *s = user;
    if (!row->calls) return;
    head(s, row);
    s->worked += row->seconds;
    s->waited += row->waited;
    s->pieces += (double)row->tiles * (double)row->calls;
    s->meets += (double)row->meets * (double)row->calls;
    print_table_cell(s->table, "%zu", row->number);
    print_table_cell(s->table, "%s", row->kind);
    print_table_cell(s->table, "%s", row->result);
    print_table_cell(s->table, "%s", print_count(row->calls));
    print_table_cell(s->table, "%.2f", 1e6 * row->seconds / (double)row->calls);
    print_table_cell(s->table, "%.1f %%", 100 * row->seconds / s->wall);
    print_table_cell(s->table, "%.2f", 1e6 * row->waited / (double)row->calls);
    print_table_cell(s->table, "%zu", row->meets);
    print_table_cell(s->table, "%zu", row->tiles);
    print_rate(s->table, row);
}

static void print_part(print_table *table, const char *name, double seconds, double wall, uint64_t steps)
{
    print_table_cell(table, "%s", name);
    print_table_cell(table, "%.2f", 1e6 * seconds / (double)steps);
    print_table_cell(table, "%.1f %%", 100 * seconds / wall);
}

static void print_sum(const sums *s, const tonnx_profile *p, FILE *out)
{
    print_table *table = print_table_new("lrr");
    const double sum = s->worked + s->waited + p->order + p->records + p->results + p->between + p->handing + p->ready;
    print_table_cell(table, "%s", "all together");
    print_table_cell(table, "%s", "us a step");
    print_table_cell(table, "%s", "share");
    print_part(table, "instructions", s->worked, s->wall, p->steps);
    if (!p->submits) print_part(table, "threads waiting for each other", s->waited, s->wall, p->steps);
    if (p->submits) print_part(table, "host: steps handed over", p->handing, s->wall, p->steps);
    if (p->submits) print_part(table, "host: commands made, data sent", p->ready, s->wall, p->steps);
    print_part(table, "host: shuffling", p->order, s->wall, p->steps);
    print_part(table, "host: rates and corrections of each step", p->records, s->wall, p->steps);
    print_part(table, "host: losses counted and told", p->results, s->wall, p->steps);
    print_part(table, "host: validation, checkpoints", p->between, s->wall, p->steps);
    print_part(table, "sum", sum, s->wall, p->steps);
    print_part(table, "wall time", s->wall, s->wall, p->steps);
    fputc('\n', out);
    print_table_end(table, out);
}

/* How often the host meets the device; where there is none, how often threads meet each other. */
static void print_counts(const sums *s, const tonnx_profile *p, FILE *out)
{
    const double steps = (double)p->steps;
    fprintf(out, "\na step: %.4g %s, %.4g %s", s->pieces / steps, p->pieces, s->meets / steps, p->meets);
    if (p->submits) {
        const double host = p->handing + p->order + p->records + p->results;
        fprintf(out, ", %.3g submits, %.3g waits; %.2f us of the host\n", (double)p->submits / steps,
                (double)p->waits / steps, 1e6 * host / steps);
        fprintf(out, "results were read %s times; between these the host waited %s times", print_count(p->reads),
                print_count(p->waits > p->reads ? p->waits - p->reads : 0));
    }
    fputc('\n', out);
}

int profile_print(const tonnx_trainer *trainer, double wall, FILE *out)
{
    tonnx_profile profile = { .pieces = "tiles", .meets = "meets" };
    sums s = { .table = print_table_new("rllrrrrrrr"), .profile = &profile, .wall = wall };
    const int code = cli_status(tonnx_trainer_profile(trainer, &profile, print_row, &s));
    print_table_end(s.table, out);
    if (!code && profile.steps) print_sum(&s, &profile, out);
    if (!code && profile.steps) print_counts(&s, &profile, out);
    return code;
}
