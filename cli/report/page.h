/* A report: one self-contained HTML page, built up in memory and written whole or not at all. It reads without a
 * script, in light and in dark, on paper, and from 320 pixels of width on. */
#ifndef TONNX_CLI_REPORT_PAGE_H
#define TONNX_CLI_REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/api.h"

typedef struct report_page report_page;

/* `title` heads the page and names it in the browser; `subtitle` stands below. The caller ends it or gives it up. */
report_page *page_new(const char *title, const char *subtitle);
void page_free(report_page *page);

/* Markup as it is; text with what HTML would read as markup escaped (names come from files). */
void page_add(report_page *page, const char *format, ...) TONNX_PRINTF(2, 3);
void page_text(report_page *page, const char *text);

/* A section until the next one: heading and a line that says how to read what follows (NULL: none). */
void page_section(report_page *page, const char *title, const char *lead);

/* A number or word under a name, for the row of facts at a page's top: page_facts, page_fact …, page_facts_end. */
void page_facts(report_page *page);
void page_fact(report_page *page, const char *name, const char *format, ...) TONNX_PRINTF(3, 4);
void page_facts_end(report_page *page);

/* Pictures side by side where there is room (PAGE_SMALL: many small ones; PAGE_WIDE: one above the other):
 * page_figures, figures of chart.h …, page_figures_end. */
typedef enum page_layout { PAGE_GRID, PAGE_SMALL, PAGE_WIDE } page_layout;
void page_figures(report_page *page, page_layout layout);
void page_figures_end(report_page *page);

/* A table: `align` has 'l' or 'r' per column, the head's cells come first. The first cell of a row names it. */
void page_table(report_page *page, const char *align);
void page_cell(report_page *page, const char *format, ...) TONNX_PRINTF(2, 3);
void page_table_end(report_page *page);

/* Writes the page to `path` ("-": stdout), atomically, and frees it. `option` is what named the path. An exit code. */
int page_end(report_page *page, const char *path);

/* The style sheet (style.c). */
extern const char page_style[];

#endif
