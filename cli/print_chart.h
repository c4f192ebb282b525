/* A curve in the terminal: Braille dots, or asterisks where only ASCII is wanted. 79 columns wide. */
#ifndef TONNX_CLI_PRINT_CHART_H
#define TONNX_CLI_PRINT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct print_chart {
    const double *x, *y; /* `count` of each, x rising and above 0: its axis is logarithmic */
    size_t count;
    double high;         /* what the y axis ends at: greater numbers stand at the top */
    double mark;         /* a vertical line at this x; NaN: none */
    const char *mark_label;
    const char *x_label;
} print_chart;

void print_chart_draw(const print_chart *chart, FILE *out);

/* Whether Braille and block glyphs are wanted: neither --plain nor TERM=dumb. */
bool print_takes_glyphs(void);

#endif
