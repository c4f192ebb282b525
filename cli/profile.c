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
    double wall, worked, waited; /* s */
} sums;

static void head(sums *s, const tonnx_profile_row *row)
{
    static const char *const names[] = { "no",    "instruction", "result", "calls", "us",
                                         "share", "waits us",    "meets",  "tiles", "rate" };
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
    const double sum = s->worked + s->waited + p->order + p->records + p->results + p->between;
    print_table_cell(table, "%s", "all together");
    print_table_cell(table, "%s", "us a step");
    print_table_cell(table, "%s", "share");
    print_part(table, "instructions", s->worked, s->wall, p->steps);
    print_part(table, "threads waiting for each other", s->waited, s->wall, p->steps);
    print_part(table, "host: shuffling", p->order, s->wall, p->steps);
    print_part(table, "host: rates and corrections of each step", p->records, s->wall, p->steps);
    print_part(table, "host: losses counted and told", p->results, s->wall, p->steps);
    print_part(table, "host: validation, checkpoints", p->between, s->wall, p->steps);
    print_part(table, "sum", sum, s->wall, p->steps);
    print_part(table, "wall time", s->wall, s->wall, p->steps);
    fputc('\n', out);
    print_table_end(table, out);
}

int profile_print(const tonnx_trainer *trainer, double wall, FILE *out)
{
    sums s = { print_table_new("rllrrrrrrr"), wall, 0, 0 };
    tonnx_profile profile;
    const int code = cli_status(tonnx_trainer_profile(trainer, &profile, print_row, &s));
    print_table_end(s.table, out);
    if (!code && profile.steps) print_sum(&s, &profile, out);
    return code;
}
