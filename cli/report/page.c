#define _GNU_SOURCE /* vasprintf */
#include "cli/report/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "format/file.h"

struct report_page {
    char *bytes;
    size_t size, room;
    bool in_section;
    const char *align; /* of the open table */
    size_t cells;      /* in it so far */
};

static void append(report_page *page, const char *bytes, size_t size)
{
    if (page->size + size > page->room) {
        page->room = 2 * page->room + size + 4096;
        page->bytes = cli_grow(page->bytes, page->room, 1);
    }
    memcpy(page->bytes + page->size, bytes, size);
    page->size += size;
}

static void add_list(report_page *page, const char *format, va_list args)
{
    char *text = NULL;
    const int length = vasprintf(&text, format, args);
    if (length < 0) exit(cli_io("out of memory"));
    append(page, text, (size_t)length);
    free(text);
}

void page_add(report_page *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_list(page, format, args);
    va_end(args);
}

/* What stands for a byte of text; NULL for the byte itself. */
static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    default:
        return (c < 0x20 && c != '\n') || c == 0x7f ? "?" : NULL;
    }
}

void page_text(report_page *page, const char *text)
{
    for (; *text; text++) {
        const char *escape = escape_of((unsigned char)*text);
        if (escape) append(page, escape, strlen(escape));
        else append(page, text, 1);
    }
}

static void add_text_list(report_page *page, const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) exit(cli_io("out of memory"));
    page_text(page, text);
    free(text);
}

report_page *page_new(const char *title, const char *subtitle)
{
    report_page *page = cli_alloc(1, sizeof *page);
    page_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    page_text(page, title);
    page_add(page, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>", page_style);
    page_text(page, title);
    page_add(page, "</h1>\n<p>");
    page_text(page, subtitle);
    page_add(page, "</p>\n</header>\n<main>\n");
    return page;
}

void page_free(report_page *page)
{
    if (page) free(page->bytes);
    free(page);
}

void page_section(report_page *page, const char *title, const char *lead)
{
    page_add(page, "%s<section>\n<h2>", page->in_section ? "</section>\n" : "");
    page_text(page, title);
    page_add(page, "</h2>\n");
    page->in_section = true;
    if (!lead) return;
    page_add(page, "<p class=\"lead\">");
    page_text(page, lead);
    page_add(page, "</p>\n");
}

void page_facts(report_page *page)
{
    page_add(page, "<dl class=\"facts\">\n");
}

void page_fact(report_page *page, const char *name, const char *format, ...)
{
    va_list args;
    page_add(page, "<div><dt>");
    page_text(page, name);
    page_add(page, "</dt><dd>");
    va_start(args, format);
    add_text_list(page, format, args);
    va_end(args);
    page_add(page, "</dd></div>\n");
}

void page_facts_end(report_page *page)
{
    page_add(page, "</dl>\n");
}

void page_figures(report_page *page, page_layout layout)
{
    static const char *const classes[] = { "figures", "figures small",
                                           "figures wide" }; /* in the order of page_layout */
    page_add(page, "<div class=\"%s\">\n", classes[layout]);
}

void page_figures_end(report_page *page)
{
    page_add(page, "</div>\n");
}

void page_table(report_page *page, const char *align)
{
    page->align = align;
    page->cells = 0;
    page_add(page, "<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead>");
}

void page_cell(report_page *page, const char *format, ...)
{
    const size_t columns = strlen(page->align), column = page->cells % columns;
    const bool head = page->cells < columns;
    const char *tag = head || !column ? "th" : "td", *scope = head ? " scope=\"col\"" : !column ? " scope=\"row\"" : "";
    va_list args;
    if (!column) page_add(page, "<tr>");
    page_add(page, "<%s%s%s>", tag, scope, page->align[column] == 'r' ? " class=\"r\"" : "");
    va_start(args, format);
    add_text_list(page, format, args);
    va_end(args);
    page_add(page, "</%s>", tag);
    page->cells++;
    if (column + 1 == columns) page_add(page, "</tr>%s\n", page->cells == columns ? "</thead>\n<tbody>" : "");
}

void page_table_end(report_page *page)
{
    page_add(page, "</tbody>\n</table>\n</div>\n");
}

static int write_file(const report_page *page, const char *path)
{
    tonnx_file *file = NULL;
    tonnx_status status = tonnx_file_create(&file, path);
    if (status) return cli_status(status);
    status = tonnx_file_write(file, page->bytes, page->size);
    if (!status) return cli_status(tonnx_file_finish(file));
    tonnx_file_discard(file);
    return cli_status(status);
}

int page_end(report_page *page, const char *path)
{
    int code = 0;
    page_add(page, "%s</main>\n<footer>tonnx %s</footer>\n</body>\n</html>\n", page->in_section ? "</section>\n" : "",
             TONNX_VERSION);
    if (strcmp(path, "-") != 0) code = write_file(page, path);
    else fwrite(page->bytes, 1, page->size, stdout); /* main looks whether stdout took it all */
    page_free(page);
    return code;
}
