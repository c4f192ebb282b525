#include "cli/print_chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"

/* Cells of the picture; a Braille cell has 2 × 4 dots, an ASCII one is its own dot. */
enum { COLUMNS = 66, LINES = 14, DOTS_X = 2, DOTS_Y = 4, LEFT = 9 };

typedef struct canvas {
    unsigned char dots[LINES][COLUMNS]; /* Braille bits, or 1 */
    int dots_x, dots_y;
    double x_low, x_high, y_low, y_high; /* x as log10 */
    int mark;                            /* column; −1: none */
} canvas;

bool print_takes_glyphs(void)
{
    const char *term = getenv("TERM");
    return !print_is_plain() && !(term && !strcmp(term, "dumb"));
}

static void set_dot(canvas *c, int x, int y)
{
    static const unsigned char bits[DOTS_Y][DOTS_X] = {
        { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 }
    };
    const int column = x / c->dots_x, line = y / c->dots_y;
    if (column < 0 || column >= COLUMNS || line < 0 || line >= LINES) return;
    c->dots[line][column] |= c->dots_x == 1 ? 1 : bits[y % DOTS_Y][x % DOTS_X];
}

static int place(double value, double low, double high, int dots)
{
    const double share = high > low ? (value - low) / (high - low) : 0.5;
    return (int)lround(fmin(1, fmax(0, share)) * (dots - 1));
}

static int place_x(const canvas *c, double x)
{
    return place(log10(x), c->x_low, c->x_high, COLUMNS * c->dots_x);
}

static int place_y(const canvas *c, double y)
{
    return LINES * c->dots_y - 1 - place(y, c->y_low, c->y_high, LINES * c->dots_y);
}

/* From point to point, one dot in each column of dots and as many rows as the curve climbs in it. */
static void draw_stroke(canvas *c, int x1, int y1, int x2, int y2)
{
    const int steps = abs(x2 - x1) > abs(y2 - y1) ? abs(x2 - x1) : abs(y2 - y1);
    for (int i = 0; i <= steps; i++)
        set_dot(c, steps ? x1 + (x2 - x1) * i / steps : x1, steps ? y1 + (y2 - y1) * i / steps : y1);
}

static void draw_curve(canvas *c, const print_chart *chart)
{
    for (size_t i = 0; i < chart->count; i++) {
        const size_t before = i ? i - 1 : 0;
        draw_stroke(c, place_x(c, chart->x[before]), place_y(c, chart->y[before]), place_x(c, chart->x[i]),
                    place_y(c, chart->y[i]));
    }
}

static void fit(canvas *c, const print_chart *chart)
{
    const bool glyphs = print_takes_glyphs();
    *c = (canvas){ .dots_x = glyphs ? DOTS_X : 1, .dots_y = glyphs ? DOTS_Y : 1, .mark = -1 };
    c->x_low = log10(chart->x[0]);
    c->x_high = log10(chart->x[chart->count - 1]);
    c->y_low = INFINITY;
    c->y_high = -INFINITY;
    for (size_t i = 0; i < chart->count; i++) {
        c->y_low = fmin(c->y_low, chart->y[i]);
        c->y_high = fmax(c->y_high, chart->y[i]);
    }
    c->y_high = fmin(c->y_high, chart->high);
    if (chart->mark == chart->mark) c->mark = place_x(c, chart->mark) / c->dots_x;
}

/* U+2800 and the eight bits of dots, as UTF-8. */
static void put_cell(const canvas *c, int line, int column, FILE *out)
{
    const unsigned char dots = c->dots[line][column];
    if (!dots && column == c->mark) fputs(c->dots_x > 1 ? "│" : "|", out);
    else if (!dots) fputc(' ', out);
    else if (c->dots_x == 1) fputc('*', out);
    else fprintf(out, "\xe2%c%c", 0xa0 + (dots >> 6), 0x80 + (dots & 0x3f));
}

static void put_line(const canvas *c, int line, FILE *out)
{
    int end = COLUMNS;
    const double share = 1 - (double)line / (LINES - 1);
    while (end && !c->dots[line][end - 1] && end - 1 != c->mark) end--;
    if (line % 4 == 0 || line == LINES - 1) fprintf(out, "%*.4g ", LEFT - 1, c->y_low + (c->y_high - c->y_low) * share);
    else fprintf(out, "%*s", LEFT, "");
    fputs(c->dots_x > 1 ? "│" : "|", out);
    for (int column = 0; column < end; column++) put_cell(c, line, column, out);
    fputc('\n', out);
}

/* Powers of ten below the axis, as many as do not touch, and what x is. */
static void put_x_axis(const canvas *c, const char *label, FILE *out)
{
    char text[COLUMNS + 16];
    const double last = floor(c->x_high + 1e-9);
    int free_from = 0;
    memset(text, ' ', sizeof text);
    for (double k = ceil(c->x_low - 1e-9); k <= last; k++) {
        char tick[16];
        const int at = place(k, c->x_low, c->x_high, COLUMNS), length = snprintf(tick, sizeof tick, "1e%g", k);
        if (at < free_from) continue;
        memcpy(text + at, tick, (size_t)length);
        free_from = at + length + 2;
    }
    int end = (int)sizeof text;
    while (end && text[end - 1] == ' ') end--;
    fprintf(out, "%*s%s", LEFT, "", c->dots_x > 1 ? "└" : "+");
    for (int i = 0; i < COLUMNS; i++) fputs(c->dots_x > 1 ? "─" : "-", out);
    fprintf(out, "\n%*s%.*s\n%*s%s\n", LEFT + 1, "", end, text, LEFT + 1 + (COLUMNS - (int)strlen(label)) / 2, "",
            label);
}

void print_chart_draw(const print_chart *chart, FILE *out)
{
    canvas c;
    if (!chart->count) return;
    fit(&c, chart);
    draw_curve(&c, chart);
    if (c.mark >= 0) {
        const int length = (int)strlen(chart->mark_label);
        const int at = c.mark + length < COLUMNS ? c.mark : COLUMNS - length;
        fprintf(out, "%*s%s\n", LEFT + 1 + at, "", chart->mark_label);
    }
    for (int line = 0; line < LINES; line++) put_line(&c, line, out);
    put_x_axis(&c, chart->x_label, out);
}
