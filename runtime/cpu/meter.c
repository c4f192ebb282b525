#include "runtime/cpu/meter_impl.h"

#include "runtime/clock_impl.h"

/* Seconds of one thread on one task. */
typedef struct entry {
    double worked, waited;
} entry;

typedef struct page {
    double mark; /* when the thread last looked at the clock */
    entry *entries;
    char apart[TONNX__ALIGN - sizeof(double) - sizeof(entry *)]; /* no two threads write to one cache line */
} page;

struct tonnx__meter {
    tonnx__spent *spent;
    size_t threads;
    page *pages;
};

tonnx_status tonnx__meter_new(tonnx__meter **out, tonnx__spent *spent, size_t tasks, size_t threads)
{
    tonnx__meter *meter = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&meter, 1, sizeof *meter);
    if (status) return status;
    meter->spent = spent;
    status = tonnx__alloc_aligned(&meter->pages, threads, sizeof *meter->pages);
    for (; meter->threads < threads && !status; meter->threads++)
        status = tonnx__alloc_aligned(&meter->pages[meter->threads].entries, tasks, sizeof(entry));
    if (status) tonnx__meter_free(meter);
    else *out = meter;
    return status;
}

void tonnx__meter_free(tonnx__meter *meter)
{
    if (!meter) return;
    for (size_t t = 0; t < meter->threads; t++) tonnx__free(meter->pages[t].entries);
    tonnx__free(meter->pages);
    tonnx__free(meter);
}

void tonnx__meter_begin(tonnx__meter *meter)
{
    const double now = tonnx__now();
    for (size_t t = 0; t < meter->threads; t++) meter->pages[t].mark = now;
}

static double lap(page *p)
{
    const double last = p->mark;
    p->mark = tonnx__now();
    return p->mark - last;
}

void tonnx__meter_waited(tonnx__meter *meter, size_t thread, size_t task)
{
    meter->pages[thread].entries[task].waited += lap(&meter->pages[thread]);
}

void tonnx__meter_worked(tonnx__meter *meter, size_t thread, size_t task)
{
    meter->pages[thread].entries[task].worked += lap(&meter->pages[thread]);
}

void tonnx__meter_add(tonnx__meter *meter, size_t task, size_t instruction, size_t calls, size_t threads)
{
    tonnx__spent *spent = &meter->spent[instruction];
    const double share = 1.0 / (double)threads;
    spent->calls += calls;
    for (size_t t = 0; t < meter->threads; t++) {
        entry *e = &meter->pages[t].entries[task];
        spent->seconds += share * e->worked;
        spent->waited += share * e->waited;
        *e = (entry){ 0, 0 };
    }
}
